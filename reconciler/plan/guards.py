"""What may not be written although it is declared: each guard has a name and says why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from reconciler.contract.attributes import Attributes
from reconciler.plan.edit import edited, value_at
from reconciler.plan.model import Change, Kind, TaskProblem
from reconciler.plan.notation import Path, path_text, shortened, value_text
from reconciler.plan.values import ABSENT, Json, Maybe

_NAMED_MAX: Final = 4
_RESOLVED: Final = re.compile(r"/(?:tasks|projects)/\d+/(?:resolve|presign)/?\?fileuri=")


def resolved_address(value: Maybe) -> str | None:
    """Find an address that the server made up on reading, in any string of ``value``.

    With a cloud storage connected, ``s3://bucket/x.jpg`` reads as
    ``/tasks/10/resolve/?fileuri=...`` unless ``resolve_uri=false`` is asked for. Written back,
    it takes the place of the stored address for good.
    """
    if isinstance(value, str):
        return value if "?fileuri=" in value and _RESOLVED.search(value) else None
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return next(filter(None, map(resolved_address, value)), None)
    return None


def may_remove_keys(changes: Collection[Change]) -> bool:
    """Tell whether the project's label config must be known to judge these changes."""
    return any(
        change.path[0] == "data" and (change.after is ABSENT or isinstance(change.before, dict))
        for change in changes
    )


def guard(
    changes: Collection[Change],
    live: Mapping[str, Json],
    *,
    attributes: Attributes,
    labelled: Collection[Path],
) -> tuple[TaskProblem, ...]:
    """Judge the changes of one task; ``labelled`` are the paths in data that its labels use."""
    return (
        *_project_move(changes),
        *_resolved_addresses(changes),
        *_emptied_data(changes, live),
        *_labelled_paths(changes, live, labelled),
        *_computed(changes, attributes),
    )


def _project_move(changes: Collection[Change]) -> Iterator[TaskProblem]:
    for change in changes:
        if change.path == ("project",):
            yield TaskProblem(
                Kind.PROJECT_MOVE,
                f"would move the task from project {value_text(change.before)} to project "
                f"{value_text(change.after)}",
                "Label Studio Community refuses it; declare the project that the task is in",
            )


def _resolved_addresses(changes: Collection[Change]) -> Iterator[TaskProblem]:
    for change in changes:
        address = resolved_address(change.after)
        if address is not None:
            yield TaskProblem(
                Kind.RESOLVED_ADDRESS,
                f"{path_text(change.path)} would store {shortened(value_text(address))}, an "
                "address that the server made up on reading",
                "declare the stored address, such as s3://bucket/key",
            )


def _emptied_data(changes: Collection[Change], live: Mapping[str, Json]) -> Iterator[TaskProblem]:
    if live.get("data") and _data_after(changes, live) == {}:
        yield TaskProblem(
            Kind.EMPTY_DATA,
            "would remove every key of data",
            "the task could not be labelled any more",
        )


def _labelled_paths(
    changes: Collection[Change], live: Mapping[str, Json], labelled: Collection[Path]
) -> Iterator[TaskProblem]:
    if not labelled or not may_remove_keys(changes):
        return
    after = {"data": _data_after(changes, live)}
    for used in sorted(labelled):
        path = ("data", *used)
        if value_at(live, path) is not ABSENT and value_at(after, path) is ABSENT:
            yield TaskProblem(
                Kind.LABEL_CONFIG,
                f"would remove {path_text(path)}, which the label config of the project uses",
                "the task could not be labelled any more; keep the key",
            )


def _data_after(changes: Collection[Change], live: Mapping[str, Json]) -> Json:
    data = [change for change in changes if change.path[0] == "data"]
    return edited(live, data)["data"] if data else live.get("data")


def _computed(changes: Collection[Change], attributes: Attributes) -> Iterator[TaskProblem]:
    names = [change.path[0] for change in changes]
    computed = [name for name in names if name in attributes and attributes[name].computed]
    if computed:
        yield TaskProblem(
            Kind.COMPUTED,
            f"the server computes {_some(computed)} and will overwrite what is written",
            "leave it to the server unless you mean to correct it once",
        )


def _some(names: Sequence[str]) -> str:
    """Name the first few of many."""
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + more
