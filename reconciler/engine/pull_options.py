"""What to pull, and how to write it: the options of `pull`, read and checked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any, Final

from reconciler.contract.attributes import Attributes
from reconciler.contract.manifest_schema import IDS_MAX
from reconciler.core.conditions import Condition
from reconciler.core.notation import format_path, format_value, parse_path, shorten
from reconciler.core.paths import Path, are_nested
from reconciler.core.values import Json
from reconciler.errors import Refused
from reconciler.manifest.checks import explain_inner_path
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.yaml_reader import read_yaml
from reconciler.manifest.rule_declarations import read_conditions
from reconciler.manifest.writers.manifest_text import Format

__all__ = [
    "Format",
    "PullOptions",
    "check_options",
    "join_conditions",
    "parse_ids",
    "parse_paths",
    "parse_project",
    "parse_single_path",
    "parse_where",
]

_RANGE: Final = re.compile(r"\s*([0-9]{1,19})(?:\s*-\s*([0-9]{1,19}))?\s*", re.ASCII)
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json", ".jsonl", ".csv"})
_ID_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class PullOptions:
    """What to pull, and how to write it.

    ``project`` is a number or a name, ``ids`` are the wanted tasks, in
    ascending ranges that do not overlap, None for all. ``fields`` are
    the paths to declare; empty for ``data``, ``meta`` and what differs from a new task. ``key`` is
    the path of the keys that name tasks. ``split_by`` makes a file for each value at that path,
    ``per_file`` one for so many tasks.
    """

    project: int | str
    out: FilePath
    ids: tuple[range, ...] | None = None
    where: Mapping[str, Json] = field(default_factory=dict)
    fields: tuple[Path, ...] = ()
    key: Path | None = None
    split_by: Path | None = None
    per_file: int | None = None
    form: Format = Format.YAML
    hoist: bool = False
    redact: tuple[Path, ...] = ()
    force: bool = False


def parse_project(text: str) -> int | str:
    """Parse the number or the name of a project; raises ValueError."""
    if not text.strip():
        raise ValueError("expected the number or the name of a project, found nothing")
    if text.isascii() and text.isdigit():
        number = int(text[:20])
        if not 1 <= number <= _ID_MAX:
            raise ValueError(f"expected the number of a project, found {shorten(text)}")
        return number
    return text


def parse_ids(text: str) -> tuple[range, ...]:
    """Parse ids such as ``1-100,205``; raises ValueError."""
    ranges: list[range] = []
    for part in text.split(","):
        found = _RANGE.fullmatch(part)
        low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= low <= high <= _ID_MAX:
            raise ValueError(f"expected ids such as 1-100,205, found {shorten(part.strip())!r}")
        ranges.append(range(low, high + 1))
    ranges = _join_ranges(ranges)
    if sum(map(len, ranges)) > IDS_MAX:
        raise ValueError(f"expected at most {IDS_MAX:,} ids")
    return tuple(ranges)


def _join_ranges(ranges: Iterable[range]) -> list[range]:
    """Sort ranges, and join those that overlap."""
    joined: list[range] = []
    for one in sorted(ranges, key=lambda ids: ids.start):
        if joined and one.start <= joined[-1].stop:
            joined[-1] = range(joined[-1].start, max(joined[-1].stop, one.stop))
        else:
            joined.append(one)
    return joined


def parse_paths(text: str) -> tuple[Path, ...]:
    """Parse paths separated by commas, as in ``data.text,meta``; raises ValueError."""
    paths = [parse_single_path(part) for part in split_paths(text)]
    if not paths:
        raise ValueError(f"{shorten(format_value(text))} is not a path: {_WRITE_PATH}")
    return tuple(paths)


def split_paths(text: str) -> list[str]:
    """Split paths separated by commas; what is left at the end may be no path."""
    paths: list[str] = []
    begun = ""
    for part in text.split(","):
        begun = f"{begun},{part}" if begun else part
        try:
            parse_path(begun.strip())
        except ValueError:
            continue  # the comma may be in a quoted key
        paths.append(begun.strip())
        begun = ""
    return [*paths, begun.strip()] if begun.strip() else paths


def parse_single_path(text: str) -> Path:
    """Parse one path; raises ValueError."""
    try:
        return parse_path(text)
    except ValueError:
        found = shorten(format_value(text))
        raise ValueError(f"{found} is not a path: {_WRITE_PATH}") from None


_WRITE_PATH: Final = 'write data.key, or data["a.b"] for a key with a dot'


def parse_where(text: str) -> tuple[str, Json]:
    """Parse ``PATH=VALUE``, with the value as YAML; raises ValueError."""
    places = (place for place, character in enumerate(text) if character == "=")
    for place in places:
        try:
            parse_path(text[:place])
        except ValueError:
            continue
        _refuse_comparison(text[:place].rstrip(), text[place + 1 :])
        return text[:place], _read_value(text[place + 1 :])
    found = f"expected PATH=VALUE, found {shorten(format_value(text))}"
    for sign, operator in (("<", "lt"), (">", "gt"), (":", "")):
        path, written, value = text.partition(sign)
        if written and path and value:
            raise ValueError(f"{found}: {_show_condition(path, operator, value)}")
    raise ValueError(found)


_COMPARISONS: Final = {"!": "not", "<": "lte", ">": "gte", "~": "contains", "^": "prefix"}
"""By the last character of a path before ``=``: the operator that was meant."""


def _refuse_comparison(path: str, value: str) -> None:
    """Raise ValueError for comparisons as other languages write them: ``==`` and ``!=``."""
    operator = _COMPARISONS.get(path[-1:])
    if operator is None and not value.startswith("="):
        return
    found = shorten(format_value(f"{path}={value}"))
    path = path[:-1].rstrip() if operator else path
    meant = _show_condition(path, operator or "", value.lstrip("="))
    raise ValueError(f"expected PATH=VALUE, found {found}: {meant}")


def _show_condition(path: str, operator: str, value: str) -> str:
    """Say how to write a condition, in quotes for a shell."""
    value = value.strip()
    written = f"{{{operator}: {value}}}" if operator else value
    return f"write {shorten(shlex.quote(f'{path.strip()}={written}'), 200)}"


def _read_value(text: str) -> Json:
    diagnostics = Diagnostics("--where")
    documents = read_yaml(text, diagnostics) if text.strip() else []
    if diagnostics.problems or len(documents) > 1:
        message = diagnostics.problems[0].message if diagnostics.problems else "several documents"
        raise ValueError(f"{shorten(format_value(text))} is not a value in YAML: {message}")
    return documents[0].outline if documents else None


def join_conditions(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    """Join parsed conditions; raises Refused if two are about the same path."""
    joined: dict[str, Json] = {}
    for path, value in pairs:
        if path in joined:
            raise Refused(
                f"--where {path}: duplicate path",
                hint=f"write one condition, such as {path}='[a, b]' or {path}='{{gte: 1, lt: 5}}'",
            )
        joined[path] = value
    return joined


def check_options(options: PullOptions, attributes: Attributes) -> tuple[Condition, ...]:
    """Check options against the contract, and return the conditions of ``where``.

    Raises Refused, and ManifestError for conditions.
    """
    if options.split_by and options.per_file is not None:
        raise Refused(
            "nothing was pulled: --split-by and --per-file exclude each other",
            hint="pass one of the two",
        )
    _check_folder(options.out)
    for path in options.fields:
        _check_field(path, attributes)
    _check_key(options, attributes)
    if options.split_by:
        _check_known("--split-by", options.split_by, attributes)
    for path in options.redact:
        _check_known("--redact", path, attributes)
    for option, shown in (("--key", options.key), ("--split-by", options.split_by)):
        if shown and any(are_nested(shown, redacted) for redacted in options.redact):
            raise Refused(
                f"nothing was pulled: {option} {format_path(shown)} is redacted, and the files "
                "would show it",
                hint="choose another path",
            )
    return read_conditions(options.where, attributes, name="--where") if options.where else ()


def _check_folder(out: FilePath) -> None:
    """Refuse a new folder with the name of a manifest: a file was meant."""
    if out.suffix.lower() in _SUFFIXES and not out.is_dir():
        raise Refused(
            f"nothing was pulled: --out {shorten(str(out), 200)} has the name of a file, and pull "
            "writes into a folder",
            hint=f"pass the folder: --out {shorten(str(out.parent), 200)}; the name of the project "
            "becomes that of the file",
        )


def _check_field(path: Path, attributes: Attributes) -> None:
    _check_known("--fields", path, attributes)
    name = path[0]
    attribute = attributes[name]
    if name == "project":
        raise Refused(
            "nothing was pulled: --fields project: the top of each manifest declares it",
            hint="leave it out",
        )
    if not attribute.writable:
        raise Refused(
            f"nothing was pulled: --fields {name}: the attribute is read-only", hint="leave it out"
        )
    if len(path) > 1 and name not in {"data", "meta"}:
        raise Refused(
            f"nothing was pulled: --fields {format_path(path)}: {name} has no keys",
            hint=f"write {name}",
        )


def _check_known(option: str, path: Path, attributes: Mapping[str, Any]) -> None:
    if path[0] in attributes:
        return
    near = get_close_matches(path[0], list(attributes), n=1)
    meant = near[0] if near else format_path(("data", *path))
    raise Refused(
        f"nothing was pulled: {option} {shorten(format_path(path), 200)}: unknown attribute",
        hint=f"did you mean {shorten(meant, 200)}?",
    )


def _check_key(options: PullOptions, attributes: Attributes) -> None:
    if options.key is None:
        return
    problem = explain_inner_path(options.key, "a key", attributes)
    if problem:
        raise Refused(f"nothing was pulled: --key: {problem[0]}", hint=problem[1])
