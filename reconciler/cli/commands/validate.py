"""``reconciler validate``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from reconciler.cli.completion_values import complete_paths
from reconciler.cli.console import Console
from reconciler.cli.environment_option import env_option
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.inputs import print_unread
from reconciler.cli.options import full_option, take_options, verbosity_options
from reconciler.cli.outputs import Outputs, output_options
from reconciler.cli.progress_bar import ProgressBar
from reconciler.cli.redaction_option import redaction_options
from reconciler.engine.load import FoundFiles, check_files, count_desired, find_files
from reconciler.engine.lock_files import list_notes, read_label_checks
from reconciler.engine.redacted_errors import redact_errors
from reconciler.engine.settings.redaction_settings import Redaction, read_redaction
from reconciler.renderers.registry import Subject
from reconciler.renderers.wording import describe_declared

if TYPE_CHECKING:
    from reconciler.engine.settings.project_numbers import ProjectNumbers


@dataclass(frozen=True, slots=True)
class ValidateOptions:
    """The arguments and options of ``validate``."""

    paths: tuple[str, ...]
    outputs: Outputs
    full: bool
    env: str | None
    no_lock: bool
    redaction: Redaction
    console: Console


@click.command("validate")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, shell_complete=complete_paths)
@output_options(Subject.PROBLEMS)
@full_option
@env_option
@redaction_options
@click.option("--no-lock", is_flag=True, help="Do not check against reconciler.lock.")
@verbosity_options
@take_options(ValidateOptions)
def command(options: ValidateOptions) -> int:
    """Check manifests without a server, and print all problems of all files.

    PATH is a manifest, a folder, a glob, or - for standard input. Exits with 1 if there are
    problems. With --env, the names of projects are checked too. If there is a reconciler.lock,
    values are checked against the label configs in it: those of --env, or of all environments.

    \b
    Example:
      reconciler validate manifests/
      reconciler validate manifests/ --env staging --format json
    """
    files = find_files(options.paths)
    redaction = read_redaction(
        files.places, os.environ, options=options.redaction, env=options.env or ""
    )
    options.outputs.check(files.files)
    print_unread(files.unread, options.console)
    with redact_errors(lambda: redaction):
        if options.outputs.formats:
            return _write_validation(files, options, redaction)
        return _count(files, options)


def _count(files: FoundFiles, options: ValidateOptions) -> int:
    """Print how much valid manifests declare; problems are raised, as in other commands."""
    check_files(files)
    projects = _read_numbers(files, options.env)
    labels = None if options.no_lock else read_label_checks(files, options.env)
    with ProgressBar(options.console) as progress:
        tasks, rules = count_desired(files, projects=projects, labels=labels, progress=progress)
    for note in list_notes(labels):
        options.console.note(note)
    options.console.note(f"Valid: {describe_declared(tasks, rules)} declared.")
    return DONE


def _read_numbers(files: FoundFiles, env: str | None) -> ProjectNumbers | None:
    """Read the numbers of projects in an environment; without one, no settings are read."""
    if not env:
        return None
    from reconciler.engine.settings.run_settings import (  # noqa: PLC0415 - 60 ms that few need
        read_project_numbers,
    )

    return read_project_numbers(files.places, env)


def _write_validation(files: FoundFiles, options: ValidateOptions, redaction: Redaction) -> int:
    """Write the problems, or that there are none, in the formats that were asked for."""
    from reconciler.engine.validate import validate  # noqa: PLC0415 - not for text
    from reconciler.engine.vocabulary import redact_validation  # noqa: PLC0415 - as above

    projects = _read_numbers(files, options.env)
    labels = None if options.no_lock else read_label_checks(files, options.env)
    with ProgressBar(options.console) as progress:
        validation = validate(files, projects=projects, labels=labels, progress=progress)
    for note in list_notes(labels):
        options.console.note(note)
    shown = redact_validation(validation, redaction)
    options.outputs.write(Subject.PROBLEMS, shown, full=options.full, console=options.console)
    return ERROR if validation.problems else DONE
