"""Values as YAML: blocks for people to read and edit, flows for places inside a line."""

from __future__ import annotations

from typing import Final

from reconciler.core.values import Json
from reconciler.manifest.writers.yaml_scalars import (
    KEY_LENGTH_MAX,
    format_key,
    format_scalar,
    split_block_lines,
)

STEP: Final = 2
"""Spaces by which the inside of a block is indented."""


def format_entry(key: str, value: Json, *, indent: int) -> str:
    """Write a key and its value as the lines of a block, each ended by a line break.

    The first line is not indented, and ``indent`` is where its key stands: the caller has written
    the spaces before it, or the dash of a list element. Raises ValueError for what no manifest can
    hold: NUL, and halves of surrogate pairs.
    """
    written = format_key(key)
    if len(written) > KEY_LENGTH_MAX:
        return f"? {written}\n{' ' * indent}:{format_value_after(value, indent=indent)}"
    return f"{written}:{format_value_after(value, indent=indent)}"


def format_value_after(value: Json, *, indent: int) -> str:
    """Write a value behind the colon of a key that stands at ``indent``.

    Scalars and empty values follow in the same line; objects and lists, and text of several lines,
    below it and further in. Raises as `format_entry`.
    """
    if isinstance(value, dict) and value:
        return f"\n{format_object(value, indent=indent + STEP)}"
    if isinstance(value, list) and value:
        return f"\n{format_list(value, indent=indent + STEP)}"
    if isinstance(value, str) and (lines := split_block_lines(value)):
        return _format_literal(lines, ended=value.endswith("\n"), indent=indent + STEP)
    return f" {_format_inline(value)}\n"


def format_object(value: dict[str, Json], *, indent: int) -> str:
    """Write the entries of an object, each on lines of its own; raises as `format_entry`."""
    spaces = " " * indent
    return "".join(spaces + format_entry(key, inner, indent=indent) for key, inner in value.items())


def format_list(value: list[Json], *, indent: int) -> str:
    """Write the elements of a list, each behind a dash; raises as `format_entry`."""
    spaces = " " * indent
    return "".join(f"{spaces}-{format_element(inner, indent=indent)}" for inner in value)


def format_element(value: Json, *, indent: int) -> str:
    """Write an element behind its dash, which stands at ``indent``; raises as `format_entry`."""
    inside = indent + STEP
    if isinstance(value, dict) and value:
        return f" {format_object(value, indent=inside)[inside:]}"
    if isinstance(value, list) and value:
        return f" {format_list(value, indent=inside)[inside:]}"
    if isinstance(value, str) and (lines := split_block_lines(value)):
        return _format_literal(lines, ended=value.endswith("\n"), indent=inside)
    return f" {_format_inline(value)}\n"


def format_flow(value: Json) -> str:
    """Write a value on one line, for a place inside ``[ ]`` or ``{ }``.

    Raises as `format_entry`.
    """
    if isinstance(value, dict):
        return "{" + ", ".join(_format_flow_entry(*entry) for entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(format_flow, value)) + "]"
    return format_scalar(value, in_flow=True)


def _format_flow_entry(key: str, value: Json) -> str:
    written = format_key(key)
    mark = "? " if len(written) > KEY_LENGTH_MAX else ""
    return f"{mark}{written}: {format_flow(value)}"


def _format_literal(lines: list[str], *, ended: bool, indent: int) -> str:
    spaces = " " * indent
    inside = "".join(f"{spaces}{line}\n" if line else "\n" for line in lines)
    return f" |{'' if ended else '-'}\n{inside}"


def _format_inline(value: Json) -> str:
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    return format_scalar(value)
