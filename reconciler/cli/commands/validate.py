"""``reconciler validate``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from reconciler.cli.completion_values import complete_paths
from reconciler.cli.console import Console
from reconciler.cli.environment_option import env_option
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.inputs import find_inputs, print_unread
from reconciler.cli.options import format_option, full_option, take_options, verbosity_options
from reconciler.cli.printer import print_subject
from reconciler.cli.progress_bar import ProgressBar
from reconciler.engine.load import FoundFiles, count_desired, find_files
from reconciler.engine.lock_files import list_notes, read_label_checks
from reconciler.renderers.registry import Subject
from reconciler.renderers.wording import describe_declared

if TYPE_CHECKING:
    from reconciler.engine.settings.project_numbers import ProjectNumbers


@dataclass(frozen=True, slots=True)
class ValidateOptions:
    """The arguments and options of ``validate``."""

    paths: tuple[str, ...]
    form: str
    full: bool
    env: str | None
    no_lock: bool
    console: Console


@click.command("validate")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, shell_complete=complete_paths)
@format_option(Subject.PROBLEMS)
@full_option
@env_option
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
    return _count(options) if options.form == "text" else _print_validation(options)


def _count(options: ValidateOptions) -> int:
    """Print how much valid manifests declare; problems are raised, as in other commands."""
    files = find_inputs(options.paths, options.console)
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


def _print_validation(options: ValidateOptions) -> int:
    """Print the problems, or that there are none, in a format for programs."""
    from reconciler.engine.validate import validate  # noqa: PLC0415 - not for text

    files = find_files(options.paths)
    print_unread(files.unread, options.console)
    projects = _read_numbers(files, options.env)
    labels = None if options.no_lock else read_label_checks(files, options.env)
    with ProgressBar(options.console) as progress:
        validation = validate(files, projects=projects, labels=labels, progress=progress)
    for note in list_notes(labels):
        options.console.note(note)
    print_subject(Subject.PROBLEMS, validation, options.form, console=options.console)
    return ERROR if validation.problems else DONE
