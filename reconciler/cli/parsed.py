"""Options whose values one of our own words reads: a shard, a limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import click

T = TypeVar("T")


class Parsed(click.ParamType, Generic[T]):  # type: ignore[type-arg]  # click 8.2 has none
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
