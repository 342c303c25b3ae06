"""``reconciler pull``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.console import Console, print_outcome
from reconciler.cli.exit_codes import DONE
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
from reconciler.cli.server_access import connect_to_server
from reconciler.engine.pull import pull_tasks
from reconciler.engine.pull_options import (
    Format,
    PullOptions,
    join_conditions,
    parse_ids,
    parse_paths,
    parse_project,
    parse_single_path,
    parse_where,
)
from reconciler.engine.settings.run_settings import CliOverrides, find_place_of, read_settings
from reconciler.renderers.pulled import format_pulled

_path = ParsedType("path", parse_single_path)


@dataclass(frozen=True, slots=True)
class PullArguments:
    """The options of ``pull``."""

    project: int | str
    out: Path
    ids: tuple[range, ...] | None
    where: tuple[tuple[str, object], ...]
    fields: tuple[tuple[str, ...], ...] | None
    key: tuple[str, ...] | None
    split_by: tuple[str, ...] | None
    per_file: int | None
    form: str
    hoist: bool
    redact: tuple[tuple[str, ...], ...]
    force: bool
    full: bool
    overrides: CliOverrides
    console: Console


def _choice_options() -> Callable[[Command], Command]:
    """Add the options that say which tasks and values are pulled."""
    return add_options(
        click.option(
            "--project",
            required=True,
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
            help="Declare only these paths, such as data.text,meta,overlap.  [default: data, meta, "
            "and what differs from a new task]",
        ),
        click.option(
            "--redact",
            multiple=True,
            metavar="PATH",
            type=_path,
            help="Do not write the value at this path.",
        ),
    )


def _file_options() -> Callable[[Command], Command]:
    """Add the options that say how the files are written."""
    return add_options(
        click.option(
            "--out",
            required=True,
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


@click.command("pull")
@_file_options()
@_choice_options()
@full_option
@server_options
@verbosity_options
@take_options(PullArguments)
def command(arguments: PullArguments) -> int:
    """Write manifests for the tasks of a project.

    Only reads the server. Tasks that manifests in the folder declare already, and values that
    rules there write, are left out. A plan of the folder is empty afterwards, unless rules or other
    manifests in it have changes.

    \b
    Example:
      reconciler pull --project 7 --out manifests/
      reconciler pull --project reviews --env staging --out manifests/ --key data.external_id
      reconciler pull --project 7 --out val/ --where data.split=val --fields data.text,overlap
    """
    console = arguments.console
    options = _build_options(arguments)
    settings = read_settings(find_place_of(options.out), arguments.overrides, os.environ, keys=())
    with (
        connect_to_server(settings, console) as connection,
        ProgressBar(console) as progress,
    ):
        pulled = pull_tasks(options, settings, connection, progress=progress)
    print_outcome(format_pulled(pulled, full=arguments.full))
    return DONE


def _build_options(arguments: PullArguments) -> PullOptions:
    return PullOptions(
        project=arguments.project,
        out=arguments.out,
        ids=arguments.ids,
        where=join_conditions(arguments.where),  # type: ignore[arg-type] # JSON, as parsed
        fields=arguments.fields or (),
        key=arguments.key,
        split_by=arguments.split_by,
        per_file=arguments.per_file,
        form=Format(arguments.form),
        hoist=arguments.hoist,
        redact=arguments.redact,
        force=arguments.force,
    )
