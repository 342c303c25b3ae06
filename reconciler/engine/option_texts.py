"""Values of options as users write them: projects, ids, paths and conditions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Final

from reconciler.contract.manifest_schema import IDS_MAX
from reconciler.core.notation import format_value, parse_path, shorten, split_paths
from reconciler.core.paths import Path
from reconciler.core.values import Json
from reconciler.errors import Refused
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.yaml_reader import read_yaml

_RANGE: Final = re.compile(r"\s*([0-9]{1,19})(?:\s*-\s*([0-9]{1,19}))?\s*", re.ASCII)
_ID_MAX: Final = 2**63 - 1
_WRITE_PATH: Final = 'write data.key, or data["a.b"] for a key with a dot'


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


def parse_single_path(text: str) -> Path:
    """Parse one path; raises ValueError."""
    try:
        return parse_path(text)
    except ValueError:
        found = shorten(format_value(text))
        raise ValueError(f"{found} is not a path: {_WRITE_PATH}") from None


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
