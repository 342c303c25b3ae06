"""``reconciler schema``."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.console import Talk, show, talk_options
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.contract.location import schema_path
from reconciler.contract.schema_file import build_from, check
from reconciler.core.notation import visible
from reconciler.errors import ContractError

_SOURCE = click.option(
    "--from",
    "source",
    metavar="FILE or URL",
    help="API description to build from, such as a server's /docs/api/schema/json/."
    "  [default: the published one]",
)


@click.group("schema")
def command() -> None:
    """Build and check the schema of manifests, which editors use too."""


@command.command("build")
@_SOURCE
@click.option("--out", type=click.Path(path_type=Path), help="File to write; - or none prints.")
@talk_options
def build(*, source: str | None, out: Path | None, quiet: bool, verbose: bool) -> None:
    """Build the manifest schema from an API description.

    \b
    Example:
      reconciler schema build --out schemas/manifest.schema.json
    """
    built = build_from(source)
    if out is None or str(out) == "-":
        show(built)
        return
    try:
        out.write_text(built, encoding="utf-8")
    except OSError as error:
        raise ContractError(f"{out} cannot be written: {error.strerror}") from error
    Talk(quiet, verbose).note(f"Wrote {out}.")


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@_SOURCE
@talk_options
def check_command(*, file: Path | None, source: str | None, quiet: bool, verbose: bool) -> int:
    """Compare a committed schema with the API description it is built from.

    FILE is the schema that ships with this tool if left out.

    \b
    Example:
      reconciler schema check schemas/manifest.schema.json
    """
    committed = file or schema_path("manifest.schema.json")
    differences = check(committed, source=source)
    for difference in differences:
        click.echo(f"{committed}: {visible(difference)}")
    if differences:
        Talk(quiet, verbose).note(f"Build it again with: reconciler schema build --out {committed}")
        return ERROR
    Talk(quiet, verbose).note(f"{committed} is as its source says.")
    return DONE
