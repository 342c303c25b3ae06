"""The options --redact and --show-only, for commands that may need nothing else of the engine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from reconciler.cli.option_types import ParsedType
from reconciler.cli.options import Command, add_options
from reconciler.engine.settings.redaction_settings import Redaction, parse_redacted_path


def paths_option(name: str, text: str) -> Callable[[Command], Command]:
    """Make an option for paths about values to hide, which can be passed more than once."""
    kind = ParsedType("path", parse_redacted_path)
    return click.option(name, multiple=True, metavar="PATH", type=kind, help=text)


REDACT_OPTIONS: Final = (
    paths_option(
        "--redact",
        "Do not show values at this path, only whether they differ; adds to redact in "
        "reconciler.toml and to RECONCILER_REDACT (separated by commas).",
    ),
    paths_option("--show-only", "Show only values at this path: all others are redacted."),
)


def redaction_options(command: Command) -> Command:
    """Add --redact and --show-only, passed as ``redaction``."""

    @functools.wraps(command)
    def call(**values: Any) -> Any:  # noqa: ANN401 - as click read them
        redaction = Redaction(values.pop("redact"), values.pop("show_only"))
        return command(redaction=redaction, **values)

    return add_options(*REDACT_OPTIONS)(call)
