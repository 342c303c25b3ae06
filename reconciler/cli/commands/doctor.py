"""``reconciler doctor``."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from reconciler.cli.collaborators import get_collaborators
from reconciler.cli.completion_values import complete_paths
from reconciler.cli.console import Console
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.inputs import print_unread
from reconciler.cli.lock_notes import print_lock_change
from reconciler.cli.options import take_options, verbosity_options
from reconciler.cli.outputs import Outputs, output_options
from reconciler.cli.plan_options import server_options
from reconciler.cli.progress_bar import ProgressBar
from reconciler.cli.server_access import connect_to_server
from reconciler.engine.doctor import examine
from reconciler.engine.load import FoundFiles, find_files
from reconciler.engine.settings.run_settings import OF_PULL, CliOverrides, read_settings
from reconciler.errors import ReconcilerError
from reconciler.renderers.registry import Subject


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """The arguments and options of ``doctor``."""

    paths: tuple[str, ...]
    outputs: Outputs
    update_lock: bool
    overrides: CliOverrides
    console: Console


@click.command("doctor")
@click.argument("paths", metavar="[PATH...]", nargs=-1, shell_complete=complete_paths)
@output_options(Subject.CHECKUP)
@click.option(
    "--update-lock",
    is_flag=True,
    help="Write reconciler.lock: what the server says of the projects in PATH.",
)
@server_options
@verbosity_options
@take_options(DoctorOptions)
def command(options: DoctorOptions) -> int:
    """Check the server, the token and manifests, and say what to do about each problem.

    Sends at most 15 requests, which only read. PATH is a manifest, a folder, a glob, or - for
    standard input; without any, only the server and the token are checked.

    --update-lock sends some more, and writes reconciler.lock. With it, validate finds offline what
    annotators need and manifests lack.

    Exit codes: 0 apply would work, as far as this shows, 1 it would not, or the lock could not be
    written.

    \b
    Example:
      reconciler doctor
      reconciler doctor manifests/ --env staging
      reconciler doctor manifests/ --update-lock
    """
    files = _find(options)
    if options.update_lock and files is None:
        raise click.UsageError("--update-lock needs the manifests: pass a file or a folder.")
    with ProgressBar(options.console) as progress:
        checkup = examine(
            files,
            options.overrides,
            os.environ,
            transport=get_collaborators().transport,
            progress=progress,
        )
    options.outputs.write(Subject.CHECKUP, checkup, console=options.console)
    if not checkup.is_ready:
        return ERROR
    if options.update_lock and files is not None:
        _update_lock(files, options)
    return DONE


def _update_lock(files: FoundFiles, options: DoctorOptions) -> None:
    """Write the lock of the manifests, and print what has changed in it."""
    from reconciler.engine.lock import LOCK_FILE, lock_manifests  # noqa: PLC0415 - not for every run

    settings = read_settings(files.places, options.overrides, os.environ, keys=OF_PULL)
    with (
        connect_to_server(settings, options.console) as connection,
        ProgressBar(options.console) as progress,
    ):
        try:
            change = lock_manifests(files, settings, connection, progress=progress)
        except ReconcilerError:
            progress.announce(
                f"reconciler: the checks found no problems, but {LOCK_FILE} was not written:"
            )
            raise
    print_lock_change(change, options.console)


def _find(options: DoctorOptions) -> FoundFiles | None:
    if not options.paths:
        return None
    files = find_files(options.paths)
    print_unread(files.unread, options.console)
    return files
