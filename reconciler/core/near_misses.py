"""Why conditions hold for no task: what tasks have instead, at the paths that they test."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reconciler.core.conditions import Condition, Operator
from reconciler.core.notation import format_path, format_value, shorten
from reconciler.core.paths import get_value
from reconciler.core.values import Json, NoValue, Side

_VALUES_MAX: Final = 3
"""Values of a path that are remembered."""


class NearMisses:
    """What tasks have at the paths of conditions, as long as no task fulfils all of them."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._conditions = conditions
        self._values: list[dict[str, None]] = [{} for _ in conditions]
        self._alike: list[tuple[str, str]] = [("", "")] * len(conditions)

    def note(self, live: Mapping[str, Side]) -> None:
        """Look at a task that does not fulfil the conditions."""
        for number, condition in enumerate(self._conditions):
            value = get_value(live, condition.path)
            if isinstance(value, NoValue):
                continue
            known = self._values[number]
            if len(known) <= _VALUES_MAX:
                known[shorten(format_value(value), 60)] = None
            if not self._alike[number][0]:
                alike = next(_list_alike(condition, value), None)
                self._alike[number] = alike or ("", "")

    def explain(self) -> str:
        """Say what tasks have instead of what the conditions want; empty if nothing is known."""
        for condition, (wanted, found) in zip(self._conditions, self._alike, strict=True):
            if found:
                path = shorten(format_path(condition.path), 100)
                meant = shlex.quote(f"{format_path(condition.path)}={found}")
                return (
                    f"{path} is {found} in some tasks, and {wanted} is another value: write "
                    f"--where {shorten(meant, 200)}"
                )
        for condition, known in zip(self._conditions, self._values, strict=True):
            path = shorten(format_path(condition.path), 100)
            if not known:
                return f"none of the tasks that were read has {path}"
            if _tests_equality(condition) and len(self._conditions) == 1:
                listed = ", ".join([*known][:_VALUES_MAX])
                more = ", ..." if len(known) > _VALUES_MAX else ""
                return f"in the tasks, {path} is {listed}{more}"
        return ""


def _tests_equality(condition: Condition) -> bool:
    return all(test.operator is Operator.EQUALS for test in condition.tests)


def _list_alike(condition: Condition, value: Json) -> Iterator[tuple[str, str]]:
    """Yield wanted values that are spelled like a value, but of another type: 5 and "5"."""
    for test in condition.tests:
        if test.operator is Operator.EQUALS and isinstance(test.operand, tuple):
            for wanted in test.operand:
                if type(wanted) is not type(value) and _spell(wanted) == _spell(value):
                    yield shorten(format_value(wanted)), shorten(format_value(value))


def _spell(value: Json) -> str:
    return value if isinstance(value, str) else format_value(value)
