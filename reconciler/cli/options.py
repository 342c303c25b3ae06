"""The options that commands share; each command receives its options as one dataclass."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from reconciler.cli.console import Console

Command = Callable[..., Any]

T = TypeVar("T")

R = TypeVar("R")


def take_options(kind: type[T]) -> Callable[[Callable[[T], R]], Callable[..., R]]:
    """Pass a command its options as one ``kind``, a dataclass with a field for each."""

    def decorate(command: Callable[[T], R]) -> Callable[..., R]:
        @functools.wraps(command)
        def call(**values: Any) -> R:  # noqa: ANN401 - as click read them
            return command(kind(**values))

        return call

    return decorate


def fold_options(kind: type[Any], name: str) -> Callable[[Command], Command]:
    """Pass a command those options that are fields of ``kind`` as one value called ``name``."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def call(**values: Any) -> Any:  # noqa: ANN401 - as click read them
            known = [field.name for field in fields(kind) if field.name in values]
            values[name] = kind(**{key: values.pop(key) for key in known})
            return command(**values)

        return call

    return decorate


def add_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Add options, in the order in which --help lists them."""
    return lambda command: functools.reduce(lambda c, add: add(c), reversed(options), command)


def verbosity_options(command: Command) -> Command:
    """Add --quiet and --verbose, as ``console``."""
    return add_options(
        click.option("-q", "--quiet", is_flag=True, help="Print only results and errors."),
        click.option("-v", "--verbose", is_flag=True, help="Also print how the work is done."),
    )(fold_options(Console, "console")(command))


full_option = click.option(
    "--full", is_flag=True, help="List every task and problem, and show values in full."
)
