"""``reconciler validate``."""

from __future__ import annotations

import click

from reconciler.cli.console import Talk, talk_options
from reconciler.contract.openapi import load_contract
from reconciler.core.notation import counted_noun
from reconciler.engine.load import find_files, loaded


@click.command("validate")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@talk_options
def command(*, paths: tuple[str, ...], quiet: bool, verbose: bool) -> None:
    """Check manifests, offline: every problem of every file at once.

    A PATH is a file, a folder, a glob, or - for standard input.

    \b
    Example:
      reconciler validate manifests/
    """
    talk = Talk(quiet, verbose)
    files = find_files(paths, talk)
    tasks = loaded(files, load_contract(), talk=talk, compared=False)
    talk.note(f"Valid: {counted_noun(len(tasks), 'task')} declared.")
