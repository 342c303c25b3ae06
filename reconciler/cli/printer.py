"""How all commands print plans, reports and problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.cli.console import Console, choose_style, measure_terminal, print_result
from reconciler.cli.progress_bar import ProgressBar
from reconciler.renderers.registry import Subject, render
from reconciler.renderers.render_options import RenderOptions

if TYPE_CHECKING:
    from reconciler.engine.validate import Validation
    from reconciler.engine.vocabulary import Checkup, Plan, Report


def print_subject(
    subject: Subject,
    found: Plan | Report | Validation | Checkup,
    form: str = "text",
    *,
    full: bool = False,
    console: Console,
) -> None:
    """Print a plan, a report or problems in a format; see `RenderOptions`."""
    with ProgressBar(console) as progress:
        options = RenderOptions(choose_style(), full, progress, measure_terminal())
        written = render(subject, found, form, options)
    print_result(written)
