"""The filters of task lists: ``in_list`` for text in `data`, ``greater`` for ids, all of several.

What the real server does with them is in docs/server-facts.md, under Reading.
"""

from __future__ import annotations

from bisect import bisect_right

from reconciler.sandbox.exchange import Refusal
from reconciler.sandbox.state import State

_PREFIX = "filter:tasks:data."


def filter_tasks(ids: list[int], filters: object, state: State) -> list[int]:
    """Return the tasks for which every filter holds; refuses filters that the sandbox lacks."""
    items = filters.get("items") if isinstance(filters, dict) else None
    if not isinstance(items, list):
        raise Refusal(500, "1 validation error for PrepareParams")
    for item in items:
        after = _read_id(item)
        if after is not None:
            ids = ids[bisect_right(ids, after) :]
    wanted = [_read_item(item) for item in items if _read_id(item) is None]
    if not wanted:
        return ids
    return [task for task in ids if all(_has(task, name, values, state) for name, values in wanted)]


def _read_id(item: object) -> int | None:
    """Return the id after which tasks are wanted; None if the filter is for something else."""
    given = item if isinstance(item, dict) else {}
    value = given.get("value")
    is_for_ids = given.get("filter") == "filter:tasks:id" and given.get("operator") == "greater"
    return value if is_for_ids and type(value) is int else None


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
