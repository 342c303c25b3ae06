"""Showing plans and reports, as all commands do."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.cli.console import Talk, show, style_of_output
from reconciler.cli.progress_bar import Progress
from reconciler.core.model import Plan
from reconciler.core.report import Report
from reconciler.core.report_history import NamedReport, taken_as_given
from reconciler.render import json, text


def show_plan(plan: Plan, form: str = "text", *, full: bool, talk: Talk) -> None:
    """Print a plan as ``text`` or ``json``; ``full`` lists every task, and values whole."""
    with Progress(talk) as progress:
        if form == "json":
            written = json.render_plan(plan, watch=progress)
        else:
            written = text.render_plan(plan, style=style_of_output(), full=full, watch=progress)
    show(written)


def show_report(report: Report, form: str = "text", *, full: bool) -> None:
    """Print a report as ``text`` or ``json``; ``full`` lists every task, and values whole."""
    if form == "json":
        show(json.render_report(report))
    else:
        show(text.render_report(report, style=style_of_output(), full=full))


def order_as_given(reports: Sequence[NamedReport]) -> str:
    """Say that reports are taken in the order in which they are given, where that matters."""
    names = taken_as_given(reports)
    if not names:
        return ""
    those = f"{names[0]} does" if len(names) == 1 else f"{', '.join(names)} do"
    return f"{those} not say when the run began: reports are taken in the order given"
