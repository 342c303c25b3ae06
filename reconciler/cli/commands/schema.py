"""``reconciler schema``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.console import Console, print_result
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.options import take_options, verbosity_options
from reconciler.contract.api_description import ApiDescription
from reconciler.contract.location import locate_schema
from reconciler.contract.schema_file import build_schema, compare_schema
from reconciler.core.notation import escape_invisible
from reconciler.errors import ContractError
from reconciler.labelstudio.schema_download import read_description

_SOURCE = click.option(
    "--from",
    "source",
    metavar="FILE or URL",
    help="API description to build from, such as a server's /docs/api/schema/json/."
    "  [default: the published one]",
)


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """The options of ``schema build``."""

    source: str | None
    out: Path | None
    console: Console


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The argument and options of ``schema check``."""

    file: Path | None
    source: str | None
    console: Console


@click.group("schema")
def command() -> None:
    """Build and check the schema of manifests, which editors use too."""


@command.command("build")
@_SOURCE
@click.option("--out", type=click.Path(path_type=Path), help="File to write; - or none prints.")
@verbosity_options
@take_options(BuildOptions)
def build(options: BuildOptions) -> None:
    """Build the manifest schema from an API description.

    \b
    Example:
      reconciler schema build --out schemas/manifest.schema.json
    """
    built = build_schema(_read(options.source))
    out = options.out
    if out is None or str(out) == "-":
        print_result(built)
        return
    try:
        out.write_text(built, encoding="utf-8")
    except OSError as error:
        raise ContractError(f"{out} cannot be written: {error.strerror}") from error
    options.console.note(f"Wrote {out}.")


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@_SOURCE
@verbosity_options
@take_options(CheckOptions)
def check(options: CheckOptions) -> int:
    """Compare a committed schema with the API description it is built from.

    FILE is the schema that ships with this tool if left out.

    \b
    Example:
      reconciler schema check schemas/manifest.schema.json
    """
    committed = options.file or locate_schema("manifest.schema.json")
    differences = compare_schema(committed, _read(options.source))
    for difference in differences:
        click.echo(f"{committed}: {escape_invisible(difference)}")
    if differences:
        options.console.note(f"Build it again with: reconciler schema build --out {committed}")
        return ERROR
    options.console.note(f"{committed} is as its source says.")
    return DONE


def _read(source: str | None) -> ApiDescription | None:
    return None if source is None else read_description(source)
