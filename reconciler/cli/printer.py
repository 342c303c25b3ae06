"""Printing plans, reports and problems, as all commands do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from reconciler.cli.console import Console, choose_style, print_result
from reconciler.cli.progress_bar import ProgressBar
from reconciler.errors import Problem
from reconciler.render.options import RenderOptions
from reconciler.render.registry import Subject, render

if TYPE_CHECKING:
    from reconciler.core.model import Plan
    from reconciler.core.report import Report
    from reconciler.core.validation_document import Validation

_NAMED_MAX: Final = 20
"""Files that are not read and are named, unless all are asked for."""


def print_subject(
    subject: Subject,
    found: Plan | Report | Validation,
    form: str = "text",
    *,
    full: bool = False,
    console: Console,
) -> None:
    """Print a plan, a report or problems in a format; ``full`` lists every task."""
    with ProgressBar(console) as progress:
        written = render(subject, found, form, RenderOptions(choose_style(), full, progress))
    print_result(written)


def print_unread(unread: Sequence[Problem], console: Console) -> None:
    """Say which files look like manifests and are not read."""
    # Paths may overlap.
    known = dict.fromkeys(unread)
    shown = len(known) if console.verbose else _NAMED_MAX
    for problem in islice(known, shown):
        console.note(str(problem))
    if len(known) > shown:
        console.note(f"{len(known) - shown:,} more files are not read; --verbose names them")
