"""What differs inside two unequal lists or objects, only for display.

Finding differences costs little more than showing them: they are yielded one by one, and the
search ends when its `Budget` is spent.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf
from typing import Any, Final, TypeAlias

from reconciler.core.encoding import encode_sorted
from reconciler.core.values import ABSENT, Json, Side, is_same

InnerPath: TypeAlias = tuple[str | int, ...]
"""A place inside a value: indices of lists and keys of objects."""

_Pair: TypeAlias = tuple[InnerPath, Side, Side]

_SMALL_VALUES: Final = 64
_SMALL_CHARACTERS: Final = 4_000
"""DeepDiff compares two lists up to these sizes; it takes 0.2 ms for each difference."""
_WINDOW: Final = 64
"""Elements of each list that are searched for added and removed ones."""
_SEARCHED: Final = 200
"""Comparisons after a difference within which the next one must be found."""
_WINDOW_BYTES: Final = 1 << 16
_RUN_MAX: Final = 64
"""Elements of a list, or scalars of an object, that together count as one comparison."""
_ENCODED_DEPTH: Final = 8
"""Down to this depth, elements are compared as text. Text is fast, but contains all inner values:
further down, these would be written again for each level above."""


@dataclass(frozen=True, slots=True)
class Inner:
    """One difference inside two unequal values."""

    path: InnerPath
    before: Side
    after: Side


@dataclass(slots=True)
class Budget:
    """How many comparisons were made, and how many are left; callers may change ``left``."""

    left: float = inf
    made: int = 0

    def spend(self, comparisons: int = 1) -> None:
        """Count comparisons."""
        self.made += comparisons
        self.left -= comparisons

    @property
    def spent(self) -> bool:
        """Whether no comparisons are left, so that differences may have been missed."""
        return self.left < 0


@dataclass(frozen=True, slots=True)
class FirstDifferences:
    """The first differences of two values, and how many ``others`` were found after these.

    ``counted`` is false if the search ended early, so that there may be more.
    """

    first: tuple[Inner, ...]
    others: int
    counted: bool

    def describe_others(self) -> str:
        """Say how many more differences there are; empty if there are none."""
        if self.counted:
            return f"and {self.others:,} more" if self.others else ""
        return f"and at least {self.others:,} more" if self.others else "there may be more"


def find_first_differences(before: Json, after: Json, most: int | None) -> FirstDifferences:
    """Find the first ``most`` differences inside two lists or objects; None for all.

    The first one may be anywhere; if ``most`` is set, the search ends when no other follows soon.
    """
    budget = Budget()
    found = find_inner_differences(before, after, budget)
    first: list[Inner] = []
    for inner in islice(found, most):
        first.append(inner)
        budget.left = inf if most is None else _SEARCHED
    others = sum(1 for _ in found)
    return FirstDifferences(tuple(first), others, counted=not budget.spent)


def find_inner_differences(before: Json, after: Json, budget: Budget) -> Iterator[Inner]:
    """Yield the differences between two lists or two objects, the first one first.

    An element without a counterpart was added or removed; one that replaces another is a change. An
    element that moved to another index was removed and added.
    """
    if isinstance(before, list) and isinstance(after, list) and _is_small(before, after):
        yield from _compare_by_deepdiff(before, after)
        return
    # Values may be nested deeper than the recursion limit of Python.
    open_pairs: list[Iterator[_Pair]] = [iter([((), before, after)])]
    while open_pairs and not budget.spent:
        pair = next(open_pairs[-1], None)
        if pair is None:
            open_pairs.pop()
            continue
        path, old, new = pair
        budget.spend()
        if isinstance(old, list) and isinstance(new, list):
            open_pairs.append(_pair_elements(path, old, new, budget))
        elif isinstance(old, dict) and isinstance(new, dict) and _may_be_one_object(old, new):
            open_pairs.append(_pair_members(path, old, new, budget))
        elif not is_same(old, new):
            yield Inner(path, old, new)


def _may_be_one_object(before: dict[str, Json], after: dict[str, Json]) -> bool:
    """Tell whether one object may be a changed version of the other."""
    return not (before and after and before.keys().isdisjoint(after))


def _pair_members(
    path: InnerPath, before: dict[str, Json], after: dict[str, Json], budget: Budget
) -> Iterator[_Pair]:
    """Pair the values of each key, in the order of ``before``, then the new keys."""
    common = 0
    for place, (key, old) in enumerate(before.items()):
        if budget.spent:
            return
        if not place % _RUN_MAX:
            budget.spend()
        new = after.get(key, ABSENT)
        common += new is not ABSENT
        if not _are_plainly_same(old, new):
            yield (*path, key), old, new
    if common < len(after):
        for key in [key for key in after if key not in before]:
            yield (*path, key), ABSENT, after[key]


def _are_plainly_same(old: Side, new: Side) -> bool:
    """Tell whether two values are equal scalars of one type, as a quick check."""
    return type(old) is type(new) and not isinstance(old, (dict, list)) and old == new


def _pair_elements(
    path: InnerPath, before: list[Json], after: list[Json], budget: Budget
) -> Iterator[_Pair]:
    """Pair the elements of two lists; added and removed ones are paired with ABSENT."""
    alignment = _Alignment(before, after, budget, encoded=len(path) < _ENCODED_DEPTH)
    for removed, added in alignment.iterate_unmatched():
        for old, new in zip(removed, added, strict=False):
            yield (*path, old), before[old], after[new]
        for old in removed[len(added) :]:
            yield (*path, old), before[old], ABSENT
        for new in added[len(removed) :]:
            yield (*path, new), ABSENT, after[new]


class _Alignment:
    """Two lists, and how far they were compared.

    Common elements are searched only nearby, so that each step costs the same: an element that
    moved far appears as removed in one place and added in another.
    """

    def __init__(
        self, before: list[Json], after: list[Json], budget: Budget, *, encoded: bool
    ) -> None:
        self._before, self._after = before, after
        self._old, self._new = 0, 0
        self._old_end, self._new_end = len(before), len(after)
        self._budget = budget
        self._encoded = encoded

    def iterate_unmatched(self) -> Iterator[tuple[range, range]]:
        """Yield the ranges between the elements that both lists have, in order."""
        if max(self._old_end, self._new_end) > 1:
            self._skip_alike()
            tail = count_common_run(self._are_alike_at_end, self._count_room(), most=_RUN_MAX)
            self._old_end, self._new_end = self._old_end - tail, self._new_end - tail
        while self._count_room() and not self._budget.spent:
            yield from self._compare_window()
            self._skip_alike()
        if not self._budget.spent:
            yield range(self._old, self._old_end), range(self._new, self._new_end)

    def _count_room(self) -> int:
        return min(self._old_end - self._old, self._new_end - self._new)

    def _skip_alike(self) -> None:
        run = count_common_run(self._are_alike_ahead, self._count_room(), most=_RUN_MAX)
        self._old, self._new = self._old + run, self._new + run

    def _are_alike_ahead(self, past: int, count: int) -> bool:
        old, new = self._old + past, self._new + past
        return self._are_alike(self._before[old : old + count], self._after[new : new + count])

    def _are_alike_at_end(self, past: int, count: int) -> bool:
        old, new = self._old_end - past, self._new_end - past
        return self._are_alike(self._before[old - count : old], self._after[new - count : new])

    def _are_alike(self, before: list[Json], after: list[Json]) -> bool:
        """Tell whether elements are surely the same; False if they may differ only in notation."""
        self._budget.spend()
        if not self._encoded:
            return all(map(_are_plainly_same, before, after))
        texts = _encode(before), _encode(after)
        return texts[0] is not None and texts[0] == texts[1]

    def _compare_window(self) -> Iterator[tuple[range, range]]:
        """Yield the ranges between common elements in a window; all of it if there are none."""
        old, new = self._old, self._new
        before = self._before[old : min(old + _WINDOW, self._old_end)]
        after = self._after[new : min(new + _WINDOW, self._new_end)]
        anchors = self._find_anchors(before, after)
        for old_index, new_index in anchors:
            yield range(self._old, old + old_index), range(self._new, new + new_index)
            self._old, self._new = old + old_index + 1, new + new_index + 1
        if not anchors:
            paired = min(len(before), len(after))
            self._old, self._new = old + paired, new + paired
            yield range(old, self._old), range(new, self._new)

    def _find_anchors(self, before: list[Json], after: list[Json]) -> list[tuple[int, int]]:
        """Pair the elements that occur once in each list, as many as are in the same order."""
        if len(before) == len(after) == 1 or not self._encoded:
            return []
        self._budget.spend(len(before) + len(after))
        old, new = _find_single(before), _find_single(after)
        return _find_longest_rise(
            [(place, new[text]) for text, place in old.items() if text in new]
        )


def count_common_run(alike: Callable[[int, int], bool], room: int, *, most: int) -> int:
    """Count the equal elements at the beginning of two sequences, at most ``room``.

    ``alike(past, count)`` compares the ``count`` elements after the first ``past``. It is called
    for one element, then each time for twice as many, up to ``most``, until some differ.
    """
    run, step = 0, 1
    while run < room:
        step = min(step, room - run)
        if not alike(run, step):
            break
        run += step
        step = min(step * 2, most)
    else:
        return run
    last = run + step - 1  # the largest possible result
    while run < last:
        step = (last - run + 1) // 2
        if alike(run, step):
            run += step
        else:
            last = run + step - 1
    return run


def _find_single(elements: list[Json]) -> dict[bytes, int]:
    """Return the index of each element that is unique, by its text."""
    places: dict[bytes, int] = {}
    several: set[bytes] = set()
    size = 0
    for place, element in enumerate(elements):
        text = _encode(element)
        if text is None:
            continue
        if text in places:
            several.add(text)
        places[text] = place
        size += len(text)
        if size > _WINDOW_BYTES:
            break
    return {text: place for text, place in places.items() if text not in several}


def _encode(value: Json) -> bytes | None:
    """Write a value as JSON; only equal values have the same text. None if that fails."""
    try:
        return encode_sorted(value)
    except (UnicodeEncodeError, RecursionError):
        return None


def _find_longest_rise(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Choose the longest sequence of ``pairs`` whose second numbers rise.

    The first numbers rise in all of them.
    """
    seconds: list[int] = []  # the lowest second number that ends a sequence of one, of two, ...
    ends: list[int] = []  # the index of that pair
    previous: list[int] = []
    for place, (_, second) in enumerate(pairs):
        length = bisect_left(seconds, second)
        seconds[length : length + 1] = [second]
        previous.append(ends[length - 1] if length else -1)
        ends[length : length + 1] = [place]
    chosen: list[tuple[int, int]] = []
    place = ends[-1] if ends else -1
    while place >= 0:
        chosen.append(pairs[place])
        place = previous[place]
    return chosen[::-1]


def _is_small(*values: Json) -> bool:
    """Tell whether values are small: few inner values, and few characters."""
    count, characters = 0, 0
    ahead = list(values)
    while ahead:
        value = ahead.pop()
        if isinstance(value, (dict, list)):
            count += len(value)
            if count > _SMALL_VALUES:
                return False
            ahead += value.values() if isinstance(value, dict) else value
            characters += sum(map(len, value)) if isinstance(value, dict) else 0
        elif isinstance(value, str):
            characters += len(value)
    return characters <= _SMALL_CHARACTERS


def _compare_by_deepdiff(before: list[Json], after: list[Json]) -> tuple[Inner, ...]:
    from deepdiff import DeepDiff  # noqa: PLC0415 - 150 ms that most plans need not spend
    from deepdiff.helper import NotPresent, notpresent  # noqa: PLC0415 - as above

    def value(side: object) -> Side:
        is_absent = side is notpresent or isinstance(side, NotPresent)
        return ABSENT if is_absent else _unmark_booleans(side)

    tree = DeepDiff(
        _mark_booleans(before), _mark_booleans(after), view="tree", ignore_private_variables=False
    )
    found = [
        Inner(tuple(level.path(output_format="list")), value(level.t1), value(level.t2))
        for levels in tree.values()
        for level in levels
    ]
    unequal = [inner for inner in found if not is_same(inner.before, inner.after)]
    return tuple(sorted(unequal, key=lambda inner: [(str(type(p)), p) for p in inner.path]))


def _mark_booleans(value: Json) -> object:
    """Replace booleans by bytes, which JSON does not have: DeepDiff treats ``True`` as 1."""
    if isinstance(value, list):
        return list(map(_mark_booleans, value))
    if isinstance(value, dict):
        return {key: _mark_booleans(inner) for key, inner in value.items()}
    return str(value).encode() if isinstance(value, bool) else value


def _unmark_booleans(value: Any) -> Json:  # noqa: ANN401 - JSON, with bytes for booleans
    if isinstance(value, list):
        return list(map(_unmark_booleans, value))
    if isinstance(value, dict):
        return {key: _unmark_booleans(inner) for key, inner in value.items()}
    return value == b"True" if isinstance(value, bytes) else value
