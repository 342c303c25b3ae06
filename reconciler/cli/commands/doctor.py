"""``reconciler doctor``."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from reconciler.cli.collaborators import get_collaborators
from reconciler.cli.console import Console
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.inputs import print_unread
from reconciler.cli.options import format_option, take_options, verbosity_options
from reconciler.cli.plan_options import server_options
from reconciler.cli.printer import print_subject
from reconciler.cli.progress_bar import ProgressBar
from reconciler.engine.doctor import examine
from reconciler.engine.load import FoundFiles, find_files
from reconciler.engine.settings.run_settings import CliOverrides
from reconciler.renderers.registry import Subject


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """The arguments and options of ``doctor``."""

    paths: tuple[str, ...]
    form: str
    overrides: CliOverrides
    console: Console


@click.command("doctor")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@format_option(Subject.CHECKUP)
@server_options
@verbosity_options
@take_options(DoctorOptions)
def command(options: DoctorOptions) -> int:
    """Check the server, the token and manifests, and say what to do about each problem.

    Sends at most 15 requests, which only read. PATH is a manifest, a folder, a glob, or - for
    standard input; without any, only the server and the token are checked.

    Exit codes: 0 apply would work, as far as this shows, 1 it would not.

    \b
    Example:
      reconciler doctor
      reconciler doctor manifests/ --env staging
    """
    files = _find(options)
    with ProgressBar(options.console) as progress:
        checkup = examine(
            files,
            options.overrides,
            os.environ,
            transport=get_collaborators().transport,
            progress=progress,
        )
    print_subject(Subject.CHECKUP, checkup, options.form, console=options.console)
    return DONE if checkup.is_ready else ERROR


def _find(options: DoctorOptions) -> FoundFiles | None:
    if not options.paths:
        return None
    files = find_files(options.paths)
    print_unread(files.unread, options.console)
    return files
