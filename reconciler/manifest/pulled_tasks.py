"""From a live task to what a manifest declares for it; without I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from reconciler.contract.attributes import Attributes
from reconciler.contract.honoured_attributes import ALWAYS_HONOURED
from reconciler.core.model import ProjectSettings
from reconciler.core.path_removal import drop_paths, keep_paths
from reconciler.core.paths import Path, get_value
from reconciler.core.values import Json, Side
from reconciler.manifest.declarable import Declarable, find_declarable
from reconciler.manifest.key_table import to_integer
from reconciler.manifest.readers.scalars import find_text_problem

_HEADED: Final = frozenset({"project", "inner_id"})
"""Attributes that are not pulled by themselves: the header has one, the server assigns both."""

_KEY_MAX: Final = 2**63 - 1


class PulledTask(NamedTuple):
    """What to declare for a task, and its key; None if it has none that can be declared."""

    key: str | int | None
    declarable: Declarable


def list_default_names(attributes: Attributes, honoured: Collection[str] | None) -> list[str]:
    """List the attributes that are pulled by themselves, ``data`` and ``meta`` first.

    ``honoured`` are those that the server stores; None if it does not say.
    """
    others = [
        row.name
        for row in attributes.values()
        if row.writable
        and row.readable
        and not row.computed
        and not row.only_in_full_list
        and row.name not in _HEADED | ALWAYS_HONOURED
        and (honoured is None or row.name in honoured)
    ]
    return ["data", "meta", *others]


def describe_new_task(settings: ProjectSettings) -> Mapping[str, tuple[Json, ...]]:
    """Return the values that the attributes of a new task may have.

    See "Overlaps" in docs/server-facts.md.
    """
    maximum = settings.maximum_annotations or 1
    is_shared = settings.overlap_cohort_percentage not in {None, 100}
    return {
        "meta": ({}, None),
        "overlap": (maximum, 1) if is_shared else (maximum,),
        "allow_skip": (True,),
    }


class TaskPicker:
    """Picks from live tasks what is to be declared."""

    def __init__(
        self,
        names: Iterable[str],
        new: Mapping[str, tuple[Json, ...]],
        *,
        fields: tuple[Path, ...] = (),
        key: Path | None = None,
        redact: tuple[Path, ...] = (),
    ) -> None:
        self._names = tuple(names)
        self._new = new
        self._fields = fields
        self._key = key
        self._redact = redact

    def pick(self, live: Mapping[str, Json], ruled: Collection[Path] = ()) -> PulledTask:
        """Return what to declare for a task, without what rules write at the paths ``ruled``."""
        declared = keep_paths(live, self._fields) if self._fields else self._pick_default(live)
        if self._redact or ruled:
            declared = drop_paths(declared, (*self._redact, *ruled))
        key = normalize_live_key(get_value(live, self._key)) if self._key else None
        return PulledTask(key, find_declarable(declared))

    def _pick_default(self, live: Mapping[str, Json]) -> dict[str, Json]:
        new = self._new
        picked: dict[str, Json] = {}
        for name in self._names:
            if name in live:
                value = live[name]
                if name not in new or value not in new[name]:
                    picked[name] = value
        return picked


def normalize_live_key(value: Side) -> str | int | None:
    """Return the key that a live value is, as a manifest writes it; None if it cannot be one."""
    if type(value) is float:
        value = to_integer(value)
    if type(value) is int and abs(value) <= _KEY_MAX:
        return value
    if type(value) is str and value and find_text_problem(value) is None:
        return value
    return None
