"""``reconciler validate``."""

from __future__ import annotations

from dataclasses import dataclass

import click

from reconciler.cli.console import Console
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.inputs import find_inputs
from reconciler.cli.options import format_option, take_options, verbosity_options
from reconciler.cli.printer import print_subject
from reconciler.cli.progress_bar import ProgressBar
from reconciler.core.notation import count_noun
from reconciler.engine.load import count_desired
from reconciler.errors import ManifestError
from reconciler.renderers.registry import Subject


@dataclass(frozen=True, slots=True)
class ValidateOptions:
    """The arguments and options of ``validate``."""

    paths: tuple[str, ...]
    form: str
    console: Console


@click.command("validate")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@format_option(Subject.PROBLEMS)
@verbosity_options
@take_options(ValidateOptions)
def command(options: ValidateOptions) -> int:
    """Check manifests, offline: every problem of every file at once.

    A PATH is a file, a folder, a glob, or - for standard input.

    \b
    Example:
      reconciler validate manifests/
      reconciler validate manifests/ --format json
    """
    if options.form == "text":
        # Problems go to standard error, as those of any other command.
        tasks = _validate(options)
        options.console.note(f"Valid: {count_noun(tasks, 'task')} declared.")
        return DONE
    from reconciler.core.validation_document import Validation  # noqa: PLC0415 - not for text

    try:
        validation = Validation((), _validate(options))
    except ManifestError as error:
        validation = Validation(error.problems)
    print_subject(Subject.PROBLEMS, validation, options.form, console=options.console)
    return ERROR if validation.problems else DONE


def _validate(options: ValidateOptions) -> int:
    """Check all manifests, and count the tasks that they declare; raises ManifestError."""
    files = find_inputs(options.paths, options.console)
    with ProgressBar(options.console) as progress:
        return count_desired(files, progress=progress)
