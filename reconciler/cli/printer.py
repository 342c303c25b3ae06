"""Printing plans, reports and problems, as all commands do."""

from __future__ import annotations

from reconciler.cli.console import Console, choose_style, print_result
from reconciler.cli.progress_bar import ProgressBar
from reconciler.render.options import RenderOptions
from reconciler.render.registry import Subject, render


def print_subject(
    subject: Subject, form: str = "text", *, full: bool = False, console: Console
) -> None:
    """Print a plan, a report or problems in a format; ``full`` lists every task."""
    with ProgressBar(console) as progress:
        written = render(subject, form, RenderOptions(choose_style(), full, progress))
    print_result(written)
