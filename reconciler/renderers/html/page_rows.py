"""The rows of the page's list: a change each, or a task without changes and its problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from reconciler.core.change_groups import ChangeGroup
from reconciler.core.model import Change
from reconciler.core.notation import count_noun, format_path, shorten
from reconciler.core.paths import Path
from reconciler.errors import Source
from reconciler.renderers.html.page_values import BYTES_MAX, count_bytes, encode_sides

ROWS_MAX: Final = 100_000
NO_GROUP: Final = -1
_PATH_MAX: Final = 300
_FILE_MAX: Final = 300
_NOTHING: Final = Change((), None, None, Source(""))


@dataclass(frozen=True, slots=True)
class Entry:
    """What the page shows of one task, key or problem of a manifest.

    ``status`` and ``problems`` are numbers of the page's lists. Without ``changes``, it takes one
    row.
    """

    task: int | None
    name: str
    status: int
    source: Source
    changes: tuple[Change, ...] = ()
    problems: tuple[int, ...] = ()
    project: int | None = None


class _Row(NamedTuple):
    entry: int
    group: int
    change: Change
    source: Source


@dataclass(frozen=True, slots=True)
class NumberedTexts:
    """Different texts, each with its number in the order of first use."""

    numbers: dict[str, int] = field(default_factory=dict)

    def find_number(self, text: str) -> int:
        """Return the number of a text."""
        return self.numbers.setdefault(text, len(self.numbers))


def build_rows(
    entries: Sequence[Entry],
    groups: Sequence[ChangeGroup],
    *,
    rows_max: int = ROWS_MAX,
    bytes_max: int = BYTES_MAX,
) -> dict[str, Any]:
    """Build the rows, their entries as ``tasks``, and ``files``.

    Of too many rows, each group and each status keeps some; ``leftOut`` says how many there are.
    """
    every = list(_list_rows(entries, groups))
    kept = _choose_rows(every, rows_max)
    sides = encode_sides([row.change for row in kept], bytes_max)
    while count_bytes(sides) > bytes_max and len(kept) > 1:
        kept = _choose_rows(every, len(kept) // 2)
        sides = encode_sides([row.change for row in kept], bytes_max)
    files = NumberedTexts()
    numbers = {entry: place for place, entry in enumerate(dict.fromkeys(r.entry for r in kept))}
    return {
        "rows": {
            "task": [numbers[row.entry] for row in kept],
            "group": [row.group for row in kept],
            "before": [before for before, _ in sides],
            "after": [after for _, after in sides],
            "file": [files.find_number(shorten(row.source.file, _FILE_MAX)) for row in kept],
            "line": [row.source.line for row in kept],
            "column": [row.source.column for row in kept],
        },
        "tasks": [_build_entry(entries[place]) for place in numbers],
        "files": list(files.numbers),
        "leftOut": _describe_left_out(len(kept), len(every)),
    }


def format_short_path(path: Path) -> str:
    """Write a path; of a long one, its beginning and its end."""
    return shorten(format_path(path), _PATH_MAX)


def _list_rows(entries: Iterable[Entry], groups: Iterable[ChangeGroup]) -> Iterator[_Row]:
    """List the rows; a task has at most one change of a path, so that names its group."""
    group_of: dict[Path, dict[int, int]] = {}
    for place, group in enumerate(groups):
        group_of.setdefault(group.path, {}).update(dict.fromkeys(group.tasks, place))
    for place, entry in enumerate(entries):
        for change in entry.changes:
            group_place = group_of[change.path][entry.task or 0]
            yield _Row(place, group_place, change, change.source)
        if not entry.changes:
            yield _Row(place, NO_GROUP, _NOTHING, entry.source)


def _choose_rows(rows: Sequence[_Row], most: int) -> Sequence[_Row]:
    """Keep at most about ``most`` rows, of each group the first, and all of small groups."""
    if len(rows) <= most:
        return rows
    left = _share_room(Counter(row.group for row in rows), most)
    return list(_take(rows, left, lambda row: row.group))


def _take(
    rows: Iterable[_Row], left: dict[int, int], get_group: Callable[[_Row], int]
) -> Iterator[_Row]:
    for row in rows:
        if left[get_group(row)]:
            left[get_group(row)] -= 1
            yield row


def _share_room(sizes: Mapping[int, int], most: int) -> dict[int, int]:
    """Share ``most`` rows between groups: small ones get all that they need."""
    shares: dict[int, int] = {}
    for number, (group, size) in enumerate(sorted(sizes.items(), key=lambda item: item[1])):
        share = min(size, most // (len(sizes) - number))
        shares[group] = share
        most -= share
    return shares


def _build_entry(entry: Entry) -> list[Any]:
    return [entry.task, entry.name, entry.status, entry.project, entry.problems]


def _describe_left_out(kept: int, every: int) -> str:
    if kept == every:
        return ""
    return (
        f"The list has {count_noun(kept, 'row')} of {every:,}, some of each group. "
        "The totals above count all, and the JSON format has all."
    )
