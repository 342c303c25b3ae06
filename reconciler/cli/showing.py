"""Showing plans and reports, as all commands do."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.cli.console import Console, choose_style, print_result
from reconciler.cli.progress_bar import ProgressBar
from reconciler.core.model import Plan
from reconciler.core.report import Report
from reconciler.core.report_history import NamedReport, find_untimed
from reconciler.render import json, text


def show_plan(plan: Plan, form: str = "text", *, full: bool, console: Console) -> None:
    """Print a plan as ``text`` or ``json``; ``full`` lists every task, and values whole."""
    with ProgressBar(console) as progress:
        if form == "json":
            written = json.render_plan(plan, progress=progress)
        else:
            written = text.render_plan(plan, style=choose_style(), full=full, progress=progress)
    print_result(written)


def show_report(report: Report, form: str = "text", *, full: bool) -> None:
    """Print a report as ``text`` or ``json``; ``full`` lists every task, and values whole."""
    if form == "json":
        print_result(json.render_report(report))
    else:
        print_result(text.render_report(report, style=choose_style(), full=full))


def describe_given_order(reports: Sequence[NamedReport]) -> str:
    """Say that reports are taken in the order in which they are given, where that matters."""
    names = find_untimed(reports)
    if not names:
        return ""
    those = f"{names[0]} does" if len(names) == 1 else f"{', '.join(names)} do"
    return f"{those} not say when the run began: reports are taken in the order given"
