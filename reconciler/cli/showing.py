"""Showing plans, as all commands do."""

from __future__ import annotations

from reconciler.cli.output import show, style_of_output
from reconciler.plan.model import Plan
from reconciler.render import json, text


def show_plan(plan: Plan, form: str = "text", *, full: bool) -> None:
    """Print a plan as ``text`` or ``json``; ``full`` lists every task, and values whole."""
    if form == "json":
        show(json.render_plan(plan))
    else:
        show(text.render_plan(plan, style=style_of_output(), full=full))
