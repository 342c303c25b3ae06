"""Composing the changes of consecutive runs to one task, from the first value to the last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.core.difference import are_equal
from reconciler.core.model import Change
from reconciler.core.paths import Path, get_value, is_inside, iterate_around, set_value
from reconciler.core.values import ABSENT, Side, is_same
from reconciler.errors import Source


@dataclass(frozen=True, slots=True)
class Made:
    """What consecutive runs did to one path.

    ``before`` is the first value. ``afters`` are the values that may be there now, the likeliest
    first: more than one if it is not known whether the last update was stored.
    """

    path: Path
    before: Side
    afters: tuple[Side, ...]
    source: Source

    @property
    def change(self) -> Change:
        """The change from the first value to the last."""
        return Change(self.path, self.before, self.afters[0], self.source)

    @property
    def is_nothing(self) -> bool:
        """Whether the path certainly has its first value again."""
        return all(is_same(self.before, after) for after in self.afters)


@dataclass(frozen=True, slots=True)
class Gap:
    """A change that does not begin where the earlier ones ended.

    The later run should have found one of the values ``left`` at ``path``, but it ``found``
    another.
    """

    path: Path
    left: tuple[Side, ...]
    found: Side


Composed: TypeAlias = Mapping[Path, Made]
"""What runs did to one task, by path; no path is inside another."""


def compose(
    made: Composed, changes: Iterable[Change], *, stored: bool, attributes: Attributes
) -> Composed | Gap:
    """Add the changes of a run to what earlier runs made.

    ``stored`` is whether it is certain that the changes were stored.
    """
    composed = dict(made)
    around = {outer for path in made for outer in iterate_around(path)}
    for change in changes:
        outer = next(
            (composed[path] for path in iterate_around(change.path) if path in composed), None
        )
        inner: list[Made] = []
        if outer is not None:
            new = _change_inside(outer, change, stored=stored, attributes=attributes)
        else:
            # A task may have thousands of changes, of which few are around any other.
            if change.path in around:
                inner = [one for path, one in composed.items() if is_inside(path, change.path)]
            new = _change_around(inner, change, stored=stored, attributes=attributes)
        if isinstance(new, Gap):
            return new
        for one in inner:
            del composed[one.path]
        composed[new.path] = new
        around.update(iterate_around(new.path))
    return composed


def _change_inside(
    outer: Made, change: Change, *, stored: bool, attributes: Attributes
) -> Made | Gap:
    """Compose a change with what was done to the same path, or to an object around it."""
    keys = change.path[len(outer.path) :]
    fitting = [
        after
        for after in outer.afters
        if _has_place(after, keys)
        and are_equal(change.path, _get_inner(after, keys), change.before, attributes)
    ]
    if not fitting:
        left = tuple(_get_inner(after, keys) for after in outer.afters)
        return Gap(change.path, left, change.before)
    afters = [set_value(after, keys, change.after) for after in fitting]
    unchanged = [] if stored else fitting
    return Made(outer.path, outer.before, (*afters, *unchanged), change.source)


def _change_around(
    inner: Iterable[Made], change: Change, *, stored: bool, attributes: Attributes
) -> Made | Gap:
    """Compose a change of a whole object with what was done to paths inside it."""
    before = change.before
    for one in inner:
        keys = one.path[len(change.path) :]
        found = _get_inner(change.before, keys)
        fits = any(are_equal(one.path, found, after, attributes) for after in one.afters)
        if not (fits and _has_place(change.before, keys)):
            return Gap(one.path, one.afters, found)
        before = set_value(before, keys, one.before)
    unchanged = () if stored else (change.before,)
    return Made(change.path, before, (change.after, *unchanged), change.source)


def _get_inner(value: Side, keys: Path) -> Side:
    return get_value({} if value is ABSENT else {"": value}, ("", *keys))


def _has_place(value: Side, keys: Path) -> bool:
    """Tell whether there is an object that can hold the last of the keys."""
    return not keys or isinstance(_get_inner(value, keys[:-1]), dict)
