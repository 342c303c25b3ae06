"""Whole manifests as text, in each of the formats that are read; task by task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from reconciler.core.encoding import encode
from reconciler.core.values import Json
from reconciler.manifest.writers.yaml_values import format_element, format_entry


class Format(StrEnum):
    """A format of manifests, as the suffix of their files."""

    YAML = "yaml"
    JSON = "json"
    JSONL = "jsonl"


def format_manifest(
    form: Format, header: Mapping[str, Json], tasks: Iterator[Mapping[str, Json]], schema: str = ""
) -> Iterator[str]:
    """Yield the text of a manifest piece by piece; there must be at least one task.

    ``schema`` is the path of the schema for editors. Raises ValueError for what no manifest can
    hold: NUL, and halves of surrogate pairs.
    """
    match form:
        case Format.YAML:
            yield from _format_yaml(header, tasks, schema)
        case Format.JSON:
            yield from _format_json(header, tasks, schema)
        case Format.JSONL:
            yield _format_line(_add_schema(header, schema))
            yield from map(_format_line, tasks)


def _format_yaml(
    header: Mapping[str, Json], tasks: Iterator[Mapping[str, Json]], schema: str
) -> Iterator[str]:
    if schema:
        yield f"# yaml-language-server: $schema={schema}\n"
    for name, value in header.items():
        yield format_entry(name, value, indent=0)
    yield "tasks:\n"
    for task in tasks:
        yield f"  -{format_element(dict(task), indent=2)}"


def _format_json(
    header: Mapping[str, Json], tasks: Iterator[Mapping[str, Json]], schema: str
) -> Iterator[str]:
    yield "{\n"
    for name, value in _add_schema(header, schema).items():
        yield f"  {_encode(name)}: {_encode(value)},\n"
    separator = '  "tasks": ['
    for task in tasks:
        yield f"{separator}\n    {_encode(task)}"
        separator = ","
    yield "\n  ]\n}\n"


def _add_schema(header: Mapping[str, Json], schema: str) -> Mapping[str, Json]:
    return {"$schema": schema, **header} if schema else header


def _format_line(value: Mapping[str, Json]) -> str:
    return f"{_encode(value)}\n"


def _encode(value: object) -> str:
    return encode(value).decode()
