"""Which tasks an entry of a manifest declares: an id, a key, or lists of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeGuard

from reconciler.contract.manifest_schema import IDS_MAX
from reconciler.core.notation import count_noun, format_path, format_value, shorten
from reconciler.core.values import Json
from reconciler.errors import Problem
from reconciler.manifest.declarations import Header
from reconciler.manifest.key_table import normalize_key

_RANGE: Final = re.compile(r"([0-9]{1,19})-([0-9]{1,19})", re.ASCII)
_ID_MAX: Final = 2**63 - 1
_REPORTED_MAX: Final = 10
"""Problems of one list that are reported: finding a place in a long list takes time."""


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
    index: int, task: Json, usable: Mapping[str, Any], *, header: Header, limit: NameLimit
) -> list[Problem]:
    """Check ``key``, ``ids`` and ``keys`` of an entry, of which the schema accepts ``usable``.

    Of a list that the schema refuses, the elements that it accepts are checked all the same.
    """
    ids = _select_elements("ids", task, usable, fits=_fits_ids)
    keys = _select_elements("keys", task, usable, fits=_fits_keys)
    if header.key is None and ("key" in usable or keys):
        outline = header.document.outline
        if isinstance(outline, dict) and "key" in outline:
            return []  # it is refused already
        name = "key" if "key" in usable else "keys"
        return [
            _make_problem(
                header,
                (index, name),
                "no key is declared at the top of the manifest",
                "write the path of the keys there, such as key: data.external_id, and project",
            )
        ]
    if ids:
        return _check_ids(index, ids, header, limit)
    return _check_keys(index, keys, header, limit) if keys else []


def _select_elements(
    name: str, task: Json, usable: Mapping[str, Any], *, fits: Callable[[Json], bool]
) -> Mapping[int, Any]:
    """Return the elements of a list of a task that the schema accepts, by their numbers."""
    if name in usable:
        return dict(enumerate(usable[name]))
    written = task.get(name) if isinstance(task, dict) else None
    elements = enumerate(written if isinstance(written, list) else ())
    return {number: element for number, element in elements if fits(element)}


def _fits_ids(element: Json) -> bool:
    if isinstance(element, str):
        return _RANGE.fullmatch(element) is not None
    return _is_whole(element) and 1 <= element <= _ID_MAX


def _fits_keys(element: Json) -> bool:
    return element != "" if isinstance(element, str) else _is_whole(element)


def _is_whole(element: Json) -> TypeGuard[float]:
    if isinstance(element, float):
        return element.is_integer()
    return isinstance(element, int) and not isinstance(element, bool)


def expand_ids(written: Iterable[float | str]) -> Iterator[range]:
    """Yield the ids of ``ids`` as ranges; what is written must have passed `check_names`."""
    return (ids for ids in map(_parse_range, written) if ids is not None)


def _check_ids(
    index: int, written: Mapping[int, float | str], header: Header, limit: NameLimit
) -> list[Problem]:
    ranges = {number: _parse_range(ids) for number, ids in written.items()}
    problems = [
        _make_problem(
            header,
            (index, "ids", number),
            f"expected a range such as 107-120, found {shorten(format_value(written[number]))}",
            "write the lower id first; ids begin at 1",
        )
        for number in islice(
            (number for number, ids in ranges.items() if ids is None), _REPORTED_MAX
        )
    ]
    usable = [(ids, number) for number, ids in ranges.items() if ids is not None]
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
    index: int, written: Mapping[int, float | str], header: Header, limit: NameLimit
) -> list[Problem]:
    seen: set[str | int] = set()
    problems: list[Problem] = []
    for number, element in written.items():
        key = normalize_key(element)
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
