"""``reconciler schema``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.console import Console, print_result
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.options import take_options, verbosity_options
from reconciler.engine.schema import build_schema, compare_schema, write_schema
from reconciler.renderers.wording import escape_invisible

_SOURCE = click.option(
    "--from",
    "source",
    metavar="FILE or URL",
    help="API description to build from, such as /docs/api/schema/json/ of a server."
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
    """Build and check the JSON Schema of manifests, which editors can use."""


@command.command("build")
@_SOURCE
@click.option(
    "--out", type=click.Path(path_type=Path), help="File to write.  [default: standard output]"
)
@verbosity_options
@take_options(BuildOptions)
def build(options: BuildOptions) -> None:
    """Build the manifest schema from an API description of Label Studio.

    \b
    Example:
      reconciler schema build --out schemas/manifest.schema.json
    """
    built = build_schema(options.source, os.environ)
    out = options.out
    if out is None or str(out) == "-":
        print_result(built)
        return
    write_schema(built, out)
    options.console.note(f"Wrote {out}.")


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@_SOURCE
@verbosity_options
@take_options(CheckOptions)
def check(options: CheckOptions) -> int:
    """Compare a schema with the API description it is built from.

    FILE is the schema to check; without it, the one that ships with reconciler. Exits with 1 if
    they differ.

    \b
    Example:
      reconciler schema check schemas/manifest.schema.json
    """
    compared = compare_schema(options.file, options.source, os.environ)
    file, console = compared.file, options.console
    for difference in compared.differences:
        click.echo(f"{file}: {escape_invisible(difference)}")
    if compared.differences:
        console.note(f"Rebuild it with: reconciler schema build --out {file}")
        return ERROR
    console.note(f"{file} matches the API description.")
    return DONE
