"""Which tasks an entry of a manifest declares: an id, a key, or lists of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from reconciler.contract.manifest_schema import IDS_MAX
from reconciler.core.notation import count_noun, format_path, format_value, shorten
from reconciler.errors import Problem
from reconciler.manifest.declarations import Header
from reconciler.manifest.key_table import normalize_keys

_RANGE: Final = re.compile(r"([0-9]{1,19})-([0-9]{1,19})", re.ASCII)
_ID_MAX: Final = 2**63 - 1
_REPORTED_MAX: Final = 100


class NameLimit:
    """Counts the tasks that ``ids`` and ``keys`` of a run name; there may be `IDS_MAX`."""

    def __init__(self) -> None:
        self._left = IDS_MAX

    def takes(self, count: int) -> bool:
        """Count tasks, unless that makes too many; tell whether they were counted."""
        is_possible = count <= self._left
        self._left -= count if is_possible else 0
        return is_possible


def check_names(
    index: int, task: Mapping[str, Any], header: Header, limit: NameLimit
) -> list[Problem]:
    """Check ``key``, ``ids`` and ``keys`` of an entry that the schema accepts."""
    if header.key is None and ("key" in task or "keys" in task):
        outline = header.document.outline
        if isinstance(outline, dict) and "key" in outline:
            return []  # it is refused already
        name = "key" if "key" in task else "keys"
        return [
            _make_problem(
                header,
                (index, name),
                "no key is declared at the top of the manifest",
                "write the path of the keys there, such as key: data.external_id, and project",
            )
        ]
    if "ids" in task:
        return _check_ids(index, task["ids"], header, limit)
    if "keys" in task:
        return _check_keys(index, task["keys"], header, limit)
    return []


def expand_ids(written: Iterable[float | str]) -> Iterator[range]:
    """Yield the ids of ``ids`` as ranges; what is written must have passed `check_names`."""
    return (ids for ids in map(_parse_range, written) if ids is not None)


def _check_ids(
    index: int, written: Sequence[float | str], header: Header, limit: NameLimit
) -> list[Problem]:
    ranges = [_parse_range(ids) for ids in written]
    problems = [
        _make_problem(
            header,
            (index, "ids", number),
            f"expected a range such as 107-120, found {shorten(format_value(written[number]))}",
            "write the lower id first; ids begin at 1",
        )
        for number in islice(
            (number for number, ids in enumerate(ranges) if ids is None), _REPORTED_MAX
        )
    ]
    usable = [(ids, number) for number, ids in enumerate(ranges) if ids is not None]
    repeated = islice(_find_repeated(usable), _REPORTED_MAX)
    problems += [
        _make_problem(
            header,
            (index, "ids", number),
            f"task {task} is listed twice",
            "keep one of the two",
        )
        for task, number in repeated
    ]
    # len() of a range fails beyond what an index can hold.
    return problems + _check_limit(
        index, "ids", sum(ids.stop - ids.start for ids, _ in usable), header, limit
    )


def _check_keys(
    index: int, written: Sequence[float | str], header: Header, limit: NameLimit
) -> list[Problem]:
    seen: set[str | int] = set()
    problems: list[Problem] = []
    for number, key in enumerate(normalize_keys(written)):
        if key in seen and len(problems) < _REPORTED_MAX:
            found = shorten(format_value(key))
            at = (index, "keys", number)
            problems.append(
                _make_problem(header, at, f"key {found} is listed twice", "keep one of the two")
            )
        seen.add(key)
    return problems + _check_limit(index, "keys", len(written), header, limit)


def _check_limit(
    index: int, name: str, count: int, header: Header, limit: NameLimit
) -> list[Problem]:
    if limit.takes(count):
        return []
    message = (
        f"{count_noun(count, 'task')} here: ids and keys may name {IDS_MAX:,} tasks of a run in all"
    )
    hint = "split the run, or write a rule for the tasks"
    return [_make_problem(header, (index, name), message, hint)]


def _parse_range(written: float | str) -> range | None:
    """Read an element of ``ids``; None if it is not a range of ids."""
    if not isinstance(written, str):
        return range(int(written), int(written) + 1)
    found = _RANGE.fullmatch(written)
    if not found:
        return None
    low, high = int(found[1]), int(found[2])
    return range(low, high + 1) if 1 <= low <= high <= _ID_MAX else None


def _find_repeated(ranges: Iterable[tuple[range, int]]) -> Iterator[tuple[int, int]]:
    """Yield ids that are in an earlier range, too, each with the number of the later one."""
    end, owner = 0, -1
    for ids, number in sorted(ranges, key=lambda pair: (pair[0].start, pair[1])):
        if ids.start < end:
            yield ids.start, max(number, owner)
        if ids.stop > end:
            end, owner = ids.stop, number


def _make_problem(header: Header, steps: tuple[str | int, ...], message: str, hint: str) -> Problem:
    at = ("tasks", *steps)
    return Problem(header.document.locate_value(at), format_path(at), message, hint)
