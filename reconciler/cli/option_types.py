"""Types of options that click does not have: what one of our own words reads, files to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

import click

T = TypeVar("T")


class ParsedType(click.ParamType, Generic[T]):  # type: ignore[type-arg]  # click 8.2 has none
    """What ``parse`` makes of text; the ValueError that it raises is said as click says it."""

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: str | T, param: click.Parameter | None, ctx: click.Context | None
    ) -> T:
        """Read a value; one that was read before is given back."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def _parse_file(text: str) -> Path:
    if text == "-":
        raise ValueError("standard output is no file; name one (./- for a file called -)")
    return Path(str(click.Path(dir_okay=False).convert(text, None, None)))


OUTPUT_FILE: Final = ParsedType("file", _parse_file)
"""A file that is written as a whole or line by line, and so must have a name."""
