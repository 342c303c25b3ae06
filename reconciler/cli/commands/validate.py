"""``reconciler validate``."""

from __future__ import annotations

import click

from reconciler.cli.console import Console, verbosity_options
from reconciler.contract.openapi import load_contract
from reconciler.core.notation import count_noun
from reconciler.engine.load import check_desired, find_files


@click.command("validate")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@verbosity_options
def command(*, paths: tuple[str, ...], quiet: bool, verbose: bool) -> None:
    """Check manifests, offline: every problem of every file at once.

    A PATH is a file, a folder, a glob, or - for standard input.

    \b
    Example:
      reconciler validate manifests/
    """
    console = Console(quiet, verbose)
    files = find_files(paths, console)
    tasks = check_desired(files, load_contract(), console=console)
    console.note(f"Valid: {count_noun(len(tasks), 'task')} declared.")
