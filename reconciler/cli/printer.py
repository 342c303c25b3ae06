"""Printing plans, reports and problems, as all commands do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from reconciler.cli.console import Console, choose_style, print_result
from reconciler.cli.progress_bar import ProgressBar
from reconciler.core.model import Plan
from reconciler.core.report_history import NamedReport, find_untimed
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import Problem
from reconciler.progress import ProgressListener
from reconciler.render.options import RenderOptions
from reconciler.render.registry import Subject, render

_NAMED_MAX: Final = 20
"""Files that are not read and are named, unless all are asked for."""


def print_subject(
    subject: Subject, form: str = "text", *, full: bool = False, console: Console
) -> None:
    """Print a plan, a report or problems in a format; ``full`` lists every task."""
    with ProgressBar(console) as progress:
        written = render(subject, form, RenderOptions(choose_style(), full, progress))
    print_result(written)


def make_plan(build: Callable[[ProgressListener], Plan], console: Console) -> Plan:
    """Build a plan with progress, and say what it took."""
    started = time.monotonic()
    with ProgressBar(console) as progress:
        plan = build(progress)
    seconds = time.monotonic() - started
    tasks = plan.summary()["tasks"]
    console.detail(f"read {tasks:,} tasks in {plan.requests} requests, {seconds:.1f} s")
    return plan


def print_unread(unread: Sequence[Problem], console: Console) -> None:
    """Say which files look like manifests and are not read."""
    # Paths may overlap.
    known = dict.fromkeys(unread)
    shown = len(known) if console.verbose else _NAMED_MAX
    for problem in islice(known, shown):
        console.note(str(problem))
    if len(known) > shown:
        console.note(f"{len(known) - shown:,} more files are not read; --verbose names them")


def print_settings_notes(settings: Settings, console: Console) -> None:
    """Say what whoever runs this should know of its settings."""
    for warning in settings.warnings:
        console.note(f"reconciler: warning: {warning}")
    if settings.network.proxy:
        proxy = settings.network.proxy
        console.detail(f"the server is asked through {proxy.shown}, which {proxy.variable} names")


def describe_given_order(reports: Sequence[NamedReport]) -> str:
    """Say that reports are taken in the order in which they are given, where that matters."""
    names = find_untimed(reports)
    if not names:
        return ""
    those = f"{names[0]} does" if len(names) == 1 else f"{', '.join(names)} do"
    return f"{those} not say when the run began: reports are taken in the order given"
