"""``reconciler init``."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.console import Console, print_outcome
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.option_types import ParsedType
from reconciler.cli.options import take_options, verbosity_options
from reconciler.cli.plan_options import server_options
from reconciler.cli.progress_bar import ProgressBar
from reconciler.cli.server_access import connect_to_server
from reconciler.engine.connection import Connection
from reconciler.engine.option_texts import parse_project
from reconciler.engine.settings.run_settings import CliOverrides, Settings
from reconciler.engine.starter.ci_service import CiService
from reconciler.engine.starter.starter_folder import StarterOptions, make_folder
from reconciler.renderers.starter_text import format_starter


@dataclass(frozen=True, slots=True)
class InitArguments:
    """The arguments and options of ``init``."""

    folder: Path
    ci: str | None
    project: int | str | None
    overrides: CliOverrides
    console: Console


@click.command("init")
@click.argument(
    "folder",
    metavar="[DIR]",
    default=".",
    type=click.Path(path_type=Path),
)
@click.option(
    "--ci",
    type=click.Choice([service.value for service in CiService]),
    help="Service that plans and applies.  [default: found from the remotes of git and the files "
    "of the repository]",
)
@click.option(
    "--project",
    metavar="P",
    type=ParsedType("project", parse_project),
    help="Project to pull: its number, or its name.  [default: the only one that there is]",
)
@server_options
@verbosity_options
@take_options(InitArguments)
def command(arguments: InitArguments) -> int:
    """Make a folder with settings, a first manifest, the schema and CI.

    Writes reconciler.toml, manifests/, the schema for editors, .gitignore, a hook for pre-commit,
    and a workflow for GitHub or GitLab. Files that exist are left alone. If the address of the
    server and the token are set, it lists the projects and pulls one. It only reads the server, and
    writes the token nowhere. Exits with 1 if --project is passed and cannot be pulled.

    \b
    Example:
      reconciler init
      reconciler init labels/ --ci gitlab --project 7
      reconciler init --env staging --url https://staging.example.org
    """
    console = arguments.console
    options = StarterOptions(
        folder=arguments.folder,
        ci=CiService(arguments.ci) if arguments.ci else None,
        project=arguments.project,
        overrides=arguments.overrides,
    )

    def connect(settings: Settings) -> AbstractContextManager[Connection]:
        return connect_to_server(settings, console)

    with ProgressBar(console) as progress:
        result = make_folder(options, os.environ, connect, progress=progress)
    print_outcome(format_starter(result))
    return ERROR if result.problem and arguments.project is not None else DONE
