"""``reconciler pull``."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.completion_values import complete_paths
from reconciler.cli.console import Console, print_outcome
from reconciler.cli.exit_codes import DONE
from reconciler.cli.lock_notes import print_lock_change
from reconciler.cli.option_types import ParsedType
from reconciler.cli.options import (
    Command,
    add_options,
    full_option,
    take_options,
    verbosity_options,
)
from reconciler.cli.plan_options import server_options
from reconciler.cli.progress_bar import ProgressBar
from reconciler.cli.pull_update import update_manifests
from reconciler.cli.redaction_option import paths_option
from reconciler.cli.server_access import connect_to_server
from reconciler.engine.additions import AddOptions
from reconciler.engine.lock import try_to_lock_project
from reconciler.engine.option_texts import (
    join_conditions,
    parse_ids,
    parse_paths,
    parse_project,
    parse_single_path,
    parse_where,
)
from reconciler.engine.pull import pull_tasks
from reconciler.engine.pull_options import Format, PullOptions
from reconciler.engine.redacted_errors import redact_errors
from reconciler.engine.settings.run_settings import (
    OF_PULL,
    CliOverrides,
    find_place_of,
    read_settings,
)
from reconciler.renderers.pulled import format_pulled

_path = ParsedType("path", parse_single_path)


@dataclass(frozen=True, slots=True)
class PullArguments:
    """The options of ``pull``."""

    paths: tuple[str, ...]
    update: bool
    add: bool
    dry_run: bool
    project: int | str | None
    out: Path | None
    ids: tuple[range, ...] | None
    where: tuple[tuple[str, object], ...]
    fields: tuple[tuple[str, ...], ...] | None
    key: tuple[str, ...] | None
    split_by: tuple[str, ...] | None
    per_file: int | None
    form: str
    hoist: bool
    force: bool
    full: bool
    overrides: CliOverrides
    console: Console


def _choice_options() -> Callable[[Command], Command]:
    """Add the options that say which tasks and values are pulled."""
    return add_options(
        click.option(
            "--project",
            metavar="P",
            type=ParsedType("project", parse_project),
            help="Project of the tasks: its number, or its name.",
        ),
        click.option(
            "--ids",
            metavar="IDS",
            type=ParsedType("ids", parse_ids),
            help="Pull only these tasks, such as 1-100,205.  [default: all]",
        ),
        click.option(
            "--where",
            multiple=True,
            metavar="PATH=VALUE",
            type=ParsedType("condition", parse_where),
            help="Pull only tasks with this value, written in YAML as in the where of rules: a "
            "list is any of, and {prefix: a} an operator. All must hold.",
        ),
        click.option(
            "--fields",
            metavar="PATHS",
            type=ParsedType("paths", parse_paths),
            help="Declare only these paths, such as meta or data.text, separated by commas.  "
            "[default: data, meta, and what differs from a new task]",
        ),
        paths_option(
            "--redact",
            "Do not write the value at this path; adds to redact in reconciler.toml and to "
            "RECONCILER_REDACT.",
        ),
    )


def _file_options() -> Callable[[Command], Command]:
    """Add the options that say how the files are written."""
    return add_options(
        click.option(
            "--out",
            metavar="DIR",
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder for the files; it is made if it does not exist.",
        ),
        click.option(
            "--key",
            metavar="PATH",
            type=_path,
            help="Name tasks by this value, such as data.external_id, instead of their ids.",
        ),
        click.option(
            "--split-by",
            metavar="PATH",
            type=_path,
            help="Write a file for each value at this path.",
        ),
        click.option(
            "--per-file",
            metavar="N",
            type=click.IntRange(min=1),
            help="Write a file for each N tasks.  [default: one file]",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice([form.value for form in Format]),
            default=Format.YAML.value,
            show_default=True,
            help="Format of the files.",
        ),
        click.option(
            "--hoist",
            is_flag=True,
            help="Write values that all tasks of a file share into its defaults.",
        ),
        click.option("--force", is_flag=True, help="Replace existing files."),
    )


_update_options = add_options(
    click.option(
        "--update",
        is_flag=True,
        help="Edit the manifests in PATH: they get the live values, and nothing else changes.",
    ),
    click.option(
        "--add",
        is_flag=True,
        help="With --update, add the tasks of the project that no manifest in PATH declares; "
        "--project, --ids, --where and --fields choose.",
    ),
    click.option(
        "--dry-run", is_flag=True, help="With --update, print a diff instead of writing files."
    ),
)


@click.command("pull")
@click.argument("paths", metavar="[PATH...]", nargs=-1, shell_complete=complete_paths)
@_file_options()
@_choice_options()
@_update_options
@full_option
@server_options
@verbosity_options
@take_options(PullArguments)
def command(arguments: PullArguments) -> int:
    """Write manifests for the tasks of a project, or bring manifests to the live values.

    Only reads the server, and notes in reconciler.lock what it says of the project. Tasks that
    manifests in the folder declare already, and values that rules there write, are left out. A plan
    of the folder is empty afterwards, unless rules or other manifests in it have changes.

    With PATH and --update, existing manifests get the live values of what they declare. Comments,
    order and formatting stay. Exits with 1 if a value cannot be placed; it is named, and left as
    declared, and all others are written. --add adds tasks, each to the last file of its project.

    \b
    Example:
      reconciler pull --project 7 --out manifests/
      reconciler pull --project reviews --env staging --out manifests/ --key data.external_id
      reconciler pull --project 7 --out val/ --where data.split=val --fields data.text,overlap
      reconciler pull manifests/ --update --dry-run
    """
    console = arguments.console
    if arguments.update:
        _check_update(arguments)
        return update_manifests(
            arguments.paths,
            arguments.overrides,
            dry_run=arguments.dry_run,
            add=_build_add_options(arguments) if arguments.add else None,
            full=arguments.full,
            console=console,
        )
    project, out = _check_pull(arguments)
    settings = read_settings(find_place_of(out), arguments.overrides, os.environ, keys=OF_PULL)
    options = _build_options(arguments, project, out, redact=settings.redaction.hidden)
    with (
        redact_errors(lambda: settings.redaction),
        connect_to_server(settings, console) as connection,
        ProgressBar(console) as progress,
    ):
        pulled = pull_tasks(options, settings, connection, progress=progress)
        change = try_to_lock_project(options.project, options.out, settings, connection)
    print_outcome(format_pulled(pulled, full=arguments.full))
    print_lock_change(change, console)
    return DONE


def _check_update(arguments: PullArguments) -> None:
    """Raise UsageError if options do not go together with --update."""
    if not arguments.paths:
        raise click.UsageError("--update needs the manifests to edit: pass a file or a folder.")
    choices = {
        "--project": arguments.project is not None,
        "--ids": arguments.ids is not None,
        "--where": bool(arguments.where),
        "--fields": arguments.fields is not None,
    }
    refused = {
        **({} if arguments.add else choices),
        "--out": arguments.out is not None,
        "--key": arguments.key is not None,
        "--split-by": arguments.split_by is not None,
        "--per-file": arguments.per_file is not None,
        "--hoist": arguments.hoist,
        "--force": arguments.force,
    }
    if passed := [name for name, is_passed in refused.items() if is_passed]:
        raise click.UsageError(
            f"{passed[0]} does not go with --update: {_explain_refusal(choices, passed[0])}."
        )


def _explain_refusal(choices: Collection[str], name: str) -> str:
    if name in choices:
        return "what the manifests declare is updated; pass --add to add tasks, too"
    return "what the manifests declare is updated, in its own files and format"


def _check_pull(arguments: PullArguments) -> tuple[int | str, Path]:
    """Return the project and the folder of a pull; raises UsageError."""
    if arguments.paths:
        raise click.UsageError("Pass --update to edit manifests, or --project and --out to write.")
    if arguments.add:
        raise click.UsageError("--add goes with --update only.")
    if arguments.dry_run:
        raise click.UsageError("--dry-run goes with --update only.")
    if arguments.project is None:
        raise click.UsageError("Missing option '--project'.")
    if arguments.out is None:
        raise click.UsageError("Missing option '--out'.")
    return arguments.project, arguments.out


def _build_add_options(arguments: PullArguments) -> AddOptions:
    return AddOptions(
        project=arguments.project,
        ids=arguments.ids,
        where=join_conditions(arguments.where),  # type: ignore[arg-type] # JSON, as parsed
        fields=arguments.fields or (),
    )


def _build_options(
    arguments: PullArguments,
    project: int | str,
    out: Path,
    *,
    redact: tuple[tuple[str, ...], ...],
) -> PullOptions:
    return PullOptions(
        project=project,
        out=out,
        ids=arguments.ids,
        where=join_conditions(arguments.where),  # type: ignore[arg-type] # JSON, as parsed
        fields=arguments.fields or (),
        key=arguments.key,
        split_by=arguments.split_by,
        per_file=arguments.per_file,
        form=Format(arguments.form),
        hoist=arguments.hoist,
        redact=redact,
        force=arguments.force,
    )
