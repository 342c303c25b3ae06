"""What may not be written although it is declared: each guard has a name and says why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from reconciler.contract.attributes import Attributes
from reconciler.contract.capabilities import ALWAYS_HONOURED
from reconciler.plan.edit import edited, value_at
from reconciler.plan.model import Change, Kind, TaskProblem
from reconciler.plan.notation import Path, counted_noun, path_text, shortened, value_text
from reconciler.plan.values import ABSENT, Json, Maybe

_NAMED_MAX: Final = 4
_COUNTERS: Final = {
    "total_annotations": "annotation",
    "cancelled_annotations": "skipped annotation",
}
_ANNOTATED_HINT: Final = (
    "people labelled what is stored now, not what would be stored then; keep it, or accept that "
    "with --allow annotated-data"
)
RESOLVED_PART: Final = "?fileuri="
"""What every address has that the server made up on reading."""

_RESOLVED: Final = re.compile(r"/(?:tasks|projects)/\d+/(?:resolve|presign)/?\?fileuri=")


def resolved_address(value: Maybe) -> str | None:
    """Find an address that the server made up on reading, in any string of ``value``.

    With a cloud storage connected, ``s3://bucket/x.jpg`` reads as
    ``/tasks/10/resolve/?fileuri=...`` unless ``resolve_uri=false`` is asked for. Written back,
    it takes the place of the stored address for good.
    """
    if isinstance(value, str):
        return value if RESOLVED_PART in value and _RESOLVED.search(value) else None
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


def may_be_ignored(changes: Collection[Change]) -> bool:
    """Tell whether it must be known what the server honours to judge these changes."""
    return any(change.path[0] not in ALWAYS_HONOURED for change in changes)


def names_to_judge(names: Collection[str]) -> set[str]:
    """Name what must be read so that changes of the attributes ``names`` can be judged."""
    return {*names, *_COUNTERS} if "data" in names else set(names)


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
        *_resolved_beside(changes, live),
        *_emptied_data(changes, live),
        *_labelled_paths(changes, live, labelled),
        *_annotated_data(changes, live),
        *_ignored(changes, attributes),
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


def _resolved_beside(
    changes: Collection[Change], live: Mapping[str, Json]
) -> Iterator[TaskProblem]:
    """Look at what goes along with the changes: an object is sent whole, undeclared keys too.

    They are as the server shows them, and one that resolves addresses unasked shows no others.
    """
    for name in dict.fromkeys(change.path[0] for change in changes if len(change.path) > 1):
        if not resolved_address(live.get(name)):
            continue
        inside = [change for change in changes if change.path[0] == name]
        address = resolved_address(edited(live, inside)[name])
        if address and not any(resolved_address(change.after) for change in inside):
            yield TaskProblem(
                Kind.RESOLVED_ADDRESS,
                f"{name} would be stored with {shortened(value_text(address))}, an address that "
                "the server made up on reading, in a key that is not declared",
                "declare the stored address there as well, such as s3://bucket/key; if many tasks "
                "show it, the server or a proxy resolves addresses although it is asked not to",
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


def _annotated_data(changes: Collection[Change], live: Mapping[str, Json]) -> Iterator[TaskProblem]:
    """Annotations are made of what is shown: what has been shown must not change under them.

    The counters are taken as they are live: what the manifest declares of them proves nothing.
    """
    shown = [change.path for change in changes if change.path[0] == "data" and _was_there(change)]
    if not shown:
        return
    paths = _some([path_text(path) for path in shown])
    counts = {name: _count(live.get(name)) for name in _COUNTERS}
    made = {name: count for name, count in counts.items() if count}
    unknown = [name for name, count in counts.items() if count is None]
    if made:
        said = " and ".join(counted_noun(n, _COUNTERS[name]) for name, n in made.items())
        message = f"would change {paths} under {said}"
    elif unknown:
        message = (
            f"would change {paths}, and whether anybody annotated that is not known: the "
            f"server's answer has no usable {' and no '.join(unknown)}"
        )
    else:
        return
    yield TaskProblem(Kind.ANNOTATED_DATA, message, _ANNOTATED_HINT)


def _count(value: Maybe) -> int | None:
    """Take a counter; None where it is not shown, or cannot have been counted."""
    return value if type(value) is int and value >= 0 else None


def _was_there(change: Change) -> bool:
    """Tell whether a change takes something away, or puts something in its place."""
    return change.before is not ABSENT


def _ignored(changes: Collection[Change], attributes: Attributes) -> Iterator[TaskProblem]:
    for name in _names(changes):
        if name in attributes and attributes[name].ignored:
            yield TaskProblem(
                Kind.IGNORED_ATTRIBUTE,
                f"this server answers 200 to an update of {name} and does not store it",
                "leave it out of the manifest; allowed, it is sent and reported as not honoured",
            )


def _computed(changes: Collection[Change], attributes: Attributes) -> Iterator[TaskProblem]:
    written = [name for name in _names(changes) if name in attributes]
    computed = [
        name for name in written if attributes[name].computed and not attributes[name].ignored
    ]
    if computed:
        yield TaskProblem(
            Kind.COMPUTED,
            f"the server computes {_some(computed)} and will overwrite what is written",
            "leave it to the server unless you mean to correct it once",
        )


def _names(changes: Collection[Change]) -> list[str]:
    """Name the attributes that change, each once."""
    return list(dict.fromkeys(change.path[0] for change in changes))


def _some(names: Sequence[str]) -> str:
    """Name the first few of many."""
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + more
