"""Showing plans, as all commands do."""

from __future__ import annotations

from reconciler.cli.output import Talk, show, style_of_output
from reconciler.cli.progress import Progress
from reconciler.plan.model import Plan
from reconciler.render import json, text


def show_plan(plan: Plan, form: str = "text", *, full: bool, talk: Talk) -> None:
    """Print a plan as ``text`` or ``json``; ``full`` lists every task, and values whole."""
    with Progress(talk) as progress:
        if form == "json":
            written = json.render_plan(plan, watch=progress)
        else:
            written = text.render_plan(plan, style=style_of_output(), full=full, watch=progress)
    show(written)
