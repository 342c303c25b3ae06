"""Option types that click lacks: values with a parser of our own, and output files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import click

T = TypeVar("T")


class ParsedType(click.ParamType, Generic[T]):  # type: ignore[type-arg]  # click 8.2 has none
    """Values that ``parse`` reads from text; its ValueError becomes a usage error."""

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: str | T, param: click.Parameter | None, ctx: click.Context | None
    ) -> T:
        """Parse a value, unless it is parsed already."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def _parse_file(text: str) -> Path:
    if text == "-":
        raise ValueError(
            "standard output cannot be used here; pass a file (./- for a file called -)"
        )
    return Path(str(click.Path(dir_okay=False).convert(text, None, None)))


OUTPUT_FILE: Final = ParsedType("file", _parse_file)
"""A file to write; it needs a name, as it is replaced as a whole or written line by line."""


class _Number(click.ParamType):  # type: ignore[type-arg]  # as above
    """Numbers whose errors say what was ``expected``, and quote what was found."""

    expected: str

    def convert(
        self,
        value: Any,  # noqa: ANN401 - as click calls it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401 - as the type beside this one reads it
        """Convert a value."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"expected {self.expected}, found {value!r}.", param, ctx)


class PositiveNumber(_Number, click.FloatRange):
    """A number above 0, as ``expected`` says."""

    def __init__(self, expected: str) -> None:
        super().__init__(min=0, min_open=True)
        self.expected = expected


class CountInRange(_Number, click.IntRange):
    """A whole number from 1 to ``most``."""

    def __init__(self, most: int) -> None:
        super().__init__(1, most)
        self.expected = f"a whole number from 1 to {most}"
