"""The filters of task lists: ``in_list`` for text in `data`, ``greater`` and ``in`` for ids.

Of several, all must hold.

What the real server does with them is in docs/server-facts.md, under Reading.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from reconciler.sandbox.exchange import Refusal
from reconciler.sandbox.state import State

_PREFIX = "filter:tasks:data."


def filter_tasks(ids: list[int], filters: object, state: State) -> list[int]:
    """Return the tasks for which every filter holds; refuses filters that the sandbox lacks."""
    items = filters.get("items") if isinstance(filters, dict) else None
    if not isinstance(items, list):
        raise Refusal(500, "1 validation error for PrepareParams")
    for item in items:
        bounds = _read_bounds(item)
        if bounds:
            ids = ids[bisect_left(ids, bounds[0]) : bisect_right(ids, bounds[1])]
    wanted = [_read_item(item) for item in items if not _read_bounds(item)]
    if not wanted:
        return ids
    return [task for task in ids if all(_has(task, name, values, state) for name, values in wanted)]


def _read_bounds(item: object) -> tuple[int, int] | None:
    """Return the first and the last id wanted; None if the filter is for something else."""
    given = item if isinstance(item, dict) else {}
    if given.get("filter") != "filter:tasks:id":
        return None
    match given.get("operator"), given.get("value"):
        case "greater", int(after):
            return after + 1, 2**63 - 1
        case "in", {"min": int(low), "max": int(high)}:
            return low, high
    return None


def _read_item(item: object) -> tuple[str, list[object]]:
    given = item if isinstance(item, dict) else {}
    name, values = str(given.get("filter", "")), given.get("value")
    usable = name.startswith(_PREFIX) and given.get("operator") == "in_list"
    if not usable or not isinstance(values, list):
        raise Refusal(500, "The sandbox only knows filters with in_list for data")
    return name.removeprefix(_PREFIX), values


def _has(task: int, name: str, wanted: list[object], state: State) -> bool:
    data = state.tasks[task].values.get("data")
    if not isinstance(data, dict) or name not in data:
        return False
    value = data[name]
    # Text finds true, false and null as well, but no numbers.
    text = value if isinstance(value, str) else _AS_TEXT.get(str(value))
    return any(text == one if isinstance(one, str) else _is_number(value, one) for one in wanted)


_AS_TEXT = {"True": "true", "False": "false", "None": "null"}


def _is_number(value: object, wanted: object) -> bool:
    return type(value) in {int, float} and value == wanted
