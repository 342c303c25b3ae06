"""What differs: between declared and live paths of a task, and inside two unequal lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from reconciler.contract.attributes import Attribute, Attributes
from reconciler.contract.date_time import parse_date_time
from reconciler.plan.edit import value_at
from reconciler.plan.model import Change, DesiredTask
from reconciler.plan.notation import Path
from reconciler.plan.values import ABSENT, Json, Side, same

_Difference: TypeAlias = tuple[Path, Side, Side]


def changes_of(
    desired: DesiredTask, live: Mapping[str, Side], attributes: Attributes
) -> tuple[Change, ...]:
    """List what must change on ``live`` for ``desired`` to hold, in the order declared."""
    return tuple(
        Change(path, before, after, desired.places.source_of(path))
        for path, before, after in _differences(desired, live, attributes)
    )


def equal(path: Path, left: Side, right: Side, attributes: Attributes) -> bool:
    """Tell whether two values of ``path`` are the same; date-times compare as instants."""
    if same(left, right):
        return True
    attribute = attributes.get(path[0])
    return len(path) == 1 and attribute is not None and _same_instant(attribute, left, right)


def _differences(
    desired: DesiredTask, live: Mapping[str, Side], attributes: Attributes
) -> Iterator[_Difference]:
    for name, value in desired.attributes.items():
        if name in desired.replaced:
            yield from _replaced((name,), live.get(name, ABSENT), value)
        elif isinstance(value, dict):
            yield from _merged((name,), live.get(name, ABSENT), value)
        elif not equal((name,), live.get(name, ABSENT), value, attributes):
            yield (name,), live.get(name, ABSENT), value
    for path in desired.absent:
        # A replaced object has lost its undeclared keys already.
        if path[0] in desired.replaced and path[0] in desired.attributes:
            continue
        before = value_at(live, path)
        if before is not ABSENT:
            yield path, before, ABSENT


def _merged(path: Path, live: Side, declared: Side) -> Iterator[_Difference]:
    """Compare only what is declared: an object's other keys are nobody's business here."""
    if isinstance(live, dict) and isinstance(declared, dict):
        for key, value in declared.items():
            yield from _merged((*path, key), live.get(key, ABSENT), value)
    elif not same(live, declared):
        yield path, live, declared


def _replaced(path: Path, live: Side, declared: Side) -> Iterator[_Difference]:
    """Compare whole objects, down to the smallest paths that differ."""
    if isinstance(live, dict) and isinstance(declared, dict):
        for key in (*declared, *(key for key in live if key not in declared)):
            yield from _replaced((*path, key), live.get(key, ABSENT), declared.get(key, ABSENT))
    elif not same(live, declared):
        yield path, live, declared


def _same_instant(attribute: Attribute, left: Side, right: Side) -> bool:
    if not (attribute.is_date_time and isinstance(left, str) and isinstance(right, str)):
        return False
    try:
        return parse_date_time(left) == parse_date_time(right)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Inner:
    """One difference inside two unequal lists: ``path`` holds indices and keys."""

    path: tuple[str | int, ...]
    before: Side
    after: Side


def inner_differences(before: list[Json], after: list[Json]) -> tuple[Inner, ...]:
    """List which elements, and what inside them, differ between two lists, in their order."""
    from deepdiff import DeepDiff  # noqa: PLC0415 - 150 ms that most plans need not spend
    from deepdiff.helper import NotPresent, notpresent  # noqa: PLC0415 - as above

    def value(side: object) -> Side:
        gone = side is notpresent or isinstance(side, NotPresent)
        return ABSENT if gone else _booleans_back(side)

    tree = DeepDiff(
        _booleans_apart(before), _booleans_apart(after), view="tree", ignore_private_variables=False
    )
    found = [
        Inner(tuple(level.path(output_format="list")), value(level.t1), value(level.t2))
        for levels in tree.values()
        for level in levels
    ]
    unequal = [inner for inner in found if not same(inner.before, inner.after)]
    return tuple(sorted(unequal, key=lambda inner: [(str(type(p)), p) for p in inner.path]))


def _booleans_apart(value: Json) -> object:
    """Write booleans as bytes, which no JSON value is: DeepDiff takes ``True`` for 1."""
    if isinstance(value, list):
        return list(map(_booleans_apart, value))
    if isinstance(value, dict):
        return {key: _booleans_apart(inner) for key, inner in value.items()}
    return str(value).encode() if isinstance(value, bool) else value


def _booleans_back(value: Any) -> Json:  # noqa: ANN401 - JSON, but for the bytes in it
    if isinstance(value, list):
        return list(map(_booleans_back, value))
    if isinstance(value, dict):
        return {key: _booleans_back(inner) for key, inner in value.items()}
    return value == b"True" if isinstance(value, bytes) else value
