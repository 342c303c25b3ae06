"""What differs between declared and live paths of a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from reconciler.contract.attributes import Attribute, Attributes
from reconciler.contract.date_time import parse_date_time
from reconciler.core.model import Change, DesiredTask
from reconciler.core.paths import Path, get_value, is_inside_value
from reconciler.core.values import ABSENT, Side, is_same

_Difference: TypeAlias = tuple[Path, Side, Side]


def find_changes(
    desired: DesiredTask, live: Mapping[str, Side], attributes: Attributes
) -> tuple[Change, ...]:
    """List what must change on ``live`` for ``desired`` to hold, in the order declared."""
    return tuple(
        Change(path, before, after, desired.places.source_of(path))
        for path, before, after in _find_differences(desired, live, attributes)
    )


def are_equal(path: Path, left: Side, right: Side, attributes: Attributes) -> bool:
    """Tell whether two values of ``path`` are the same; date-times compare as instants."""
    if is_same(left, right):
        return True
    attribute = attributes.get(path[0])
    return len(path) == 1 and attribute is not None and _are_same_instant(attribute, left, right)


def _find_differences(
    desired: DesiredTask, live: Mapping[str, Side], attributes: Attributes
) -> Iterator[_Difference]:
    for name, value in desired.attributes.items():
        if name in desired.replaced:
            yield from _compare_replaced((name,), live.get(name, ABSENT), value)
        elif isinstance(value, dict):
            yield from _compare_merged((name,), live.get(name, ABSENT), value)
        elif not are_equal((name,), live.get(name, ABSENT), value, attributes):
            yield (name,), live.get(name, ABSENT), value
    for path in desired.absent:
        # The comparison above already removes the undeclared keys of a replaced object.
        if path[0] in desired.replaced and path[0] in desired.attributes:
            continue
        before = get_value(live, path)
        if before is not ABSENT and not is_inside_value(desired.attributes, path):
            yield path, before, ABSENT


def _compare_merged(path: Path, live: Side, declared: Side) -> Iterator[_Difference]:
    """Compare only declared paths: the other keys of an object are not managed."""
    if isinstance(live, dict) and isinstance(declared, dict):
        for key, value in declared.items():
            yield from _compare_merged((*path, key), live.get(key, ABSENT), value)
    elif not is_same(live, declared):
        yield path, live, declared


def _compare_replaced(path: Path, live: Side, declared: Side) -> Iterator[_Difference]:
    """Compare whole objects, down to the smallest paths that differ."""
    if isinstance(live, dict) and isinstance(declared, dict):
        for key in (*declared, *(key for key in live if key not in declared)):
            yield from _compare_replaced(
                (*path, key), live.get(key, ABSENT), declared.get(key, ABSENT)
            )
    elif not is_same(live, declared):
        yield path, live, declared


def _are_same_instant(attribute: Attribute, left: Side, right: Side) -> bool:
    if not (attribute.is_date_time and isinstance(left, str) and isinstance(right, str)):
        return False
    try:
        return parse_date_time(left) == parse_date_time(right)
    except ValueError:
        return False
