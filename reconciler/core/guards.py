"""What may not be written although it is declared: each guard has a name and says why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.contract.honoured_attributes import ALWAYS_HONOURED
from reconciler.core.addresses import find_lost_addresses, find_resolved_address
from reconciler.core.edit import apply_changes, get_value
from reconciler.core.model import Change, Kind, ProjectSettings, TaskPlan, TaskProblem
from reconciler.core.notation import Path, count_noun, format_path, format_value, shorten
from reconciler.core.values import ABSENT, UNREADABLE, Side

_NAMED_MAX: Final = 4
_COUNTERS: Final = {
    "total_annotations": "annotation",
    "cancelled_annotations": "skipped annotation",
}
_ANNOTATED_HINT: Final = (
    "people labelled what is stored now, not what would be stored then; keep it, or accept that "
    "with --allow annotated-data"
)
_WHOLE_COHORT: Final = 100


@dataclass(frozen=True, slots=True)
class GuardFacts:
    """What is known of a server that guards must know; whoever learns more makes another one.

    ``attributes`` marks what the server ignores, as far as ``tells_ignored``: whether the server
    tells, None where it was not asked. ``projects`` holds the settings of those that were asked
    for, and ``unshown`` are those whose settings the server did not show.
    """

    attributes: Attributes
    projects: Mapping[int, ProjectSettings] = field(default_factory=dict)
    unshown: frozenset[int] = frozenset()
    tells_ignored: bool | None = None

    def get_settings(self, project: int | None) -> ProjectSettings:
        """Give the settings of a project; such that stop nothing where they are not known."""
        known = None if project is None else self.projects.get(project)
        return known or ProjectSettings()


def may_remove_keys(changes: Collection[Change]) -> bool:
    """Tell whether the project's label config must be known to judge these changes."""
    return any(map(_may_remove_keys, changes))


def _may_remove_keys(change: Change) -> bool:
    may = change.after is ABSENT or isinstance(change.before, dict) or _is_rewrite(change)
    return change.path[0] == "data" and may


def may_reset_overlap(changes: Collection[Change]) -> bool:
    """Tell whether it must be known if the project sets overlaps itself to judge these changes."""
    return any(change.path == ("overlap",) for change in changes)


def list_projects_to_ask(tasks: Iterable[TaskPlan]) -> set[int]:
    """Name the projects whose label config must be read before their changes can be judged."""
    return {
        task.project for task in tasks if task.project is not None and may_remove_keys(task.changes)
    }


def list_projects_to_warn_of(tasks: Iterable[TaskPlan]) -> set[int]:
    """Name the projects whose settings are needed for warnings alone."""
    return {
        task.project
        for task in tasks
        if task.project is not None and may_reset_overlap(task.changes)
    }


def may_be_ignored(changes: Collection[Change]) -> bool:
    """Tell whether it must be known what the server honours to judge these changes."""
    return any(change.path[0] not in ALWAYS_HONOURED for change in changes)


def list_names_to_read(names: Collection[str]) -> set[str]:
    """Name what must be read so that changes of the attributes ``names`` can be judged."""
    return {*names, *_COUNTERS} if "data" in names else set(names)


@dataclass(frozen=True, slots=True)
class ProposedUpdate:
    """The changes of one task, and what guards judge them by.

    ``live`` is the task as it is now, and ``project`` the one that it is in. ``addresses`` are the
    places that held a stored address when this run read the task before.
    """

    changes: Collection[Change]
    live: Mapping[str, Side]
    attributes: Attributes
    project: ProjectSettings
    addresses: Collection[Path] = ()


def _check_project_move(update: ProposedUpdate) -> Iterator[TaskProblem]:
    for change in update.changes:
        if change.path == ("project",):
            yield TaskProblem(
                Kind.PROJECT_MOVE,
                f"would move the task from project {format_value(change.before)} to project "
                f"{format_value(change.after)}",
                "Label Studio Community refuses it; declare the project that the task is in",
            )


def _check_resolved_addresses(update: ProposedUpdate) -> Iterator[TaskProblem]:
    for change in update.changes:
        address = find_resolved_address(change.after)
        if address is not None:
            yield TaskProblem(
                Kind.RESOLVED_ADDRESS,
                f"{format_path(change.path)} would store {shorten(format_value(address))}, an "
                "address that the server made up on reading",
                "declare the stored address, such as s3://bucket/key",
            )


def _check_resolved_beside(update: ProposedUpdate) -> Iterator[TaskProblem]:
    """Look at what goes along with the changes: an object is sent whole, undeclared keys too.

    They are as the server shows them, and one that resolves addresses unasked shows no others.
    """
    live = update.live
    for name in dict.fromkeys(c.path[0] for c in update.changes if len(c.path) > 1):
        if not find_resolved_address(live.get(name)):
            continue
        inside = [change for change in update.changes if change.path[0] == name]
        address = find_resolved_address(apply_changes(live, inside)[name])
        if address and not any(find_resolved_address(change.after) for change in inside):
            yield TaskProblem(
                Kind.RESOLVED_ADDRESS,
                f"{name} would be stored with {shorten(format_value(address))}, an address that "
                "the server made up on reading, in a key that is not declared",
                "declare the stored address there as well, such as s3://bucket/key; if many tasks "
                "show it, the server or a proxy resolves addresses although it is asked not to",
            )


def _check_lost_addresses(update: ProposedUpdate) -> Iterator[TaskProblem]:
    """Compare stored addresses with what this run read before: a server may begin to resolve them.

    What is sent along with the changes must be what is stored, and not what reading makes of it.
    """
    for path, text in find_lost_addresses(update.addresses, update.live, update.changes):
        if not find_resolved_address(text):
            yield TaskProblem(
                Kind.RESOLVED_ADDRESS,
                f"{format_path(path)}, which is not declared, was read as a storage address before "
                f"and is now read as {shorten(format_value(text))}: the update would store that",
                "plan again: if somebody changed the value, the new one is kept; if the server or "
                "a proxy resolves addresses although it is asked not to, declare the stored one",
            )


def _check_emptied_data(update: ProposedUpdate) -> Iterator[TaskProblem]:
    if update.live.get("data") and _compute_data_after(update) == {}:
        yield TaskProblem(
            Kind.EMPTY_DATA,
            "would remove every key of data",
            "the task could not be labelled any more",
        )


def _check_label_config(update: ProposedUpdate) -> Iterator[TaskProblem]:
    removing = [format_path(c.path) for c in update.changes if _may_remove_keys(c)]
    if not removing:
        return
    project = update.project
    if project.unreadable:
        yield TaskProblem(
            Kind.LABEL_CONFIG,
            f"would remove {_format_some(removing)} or keys inside, and the label config of the "
            f"project, which may use them, cannot be read: {shorten(project.unreadable, 200)}",
            "correct the label config, or keep the keys",
        )
    after = {"data": _compute_data_after(update)}
    rewritten = any(map(_is_rewrite, update.changes))
    for used in sorted(project.labelled):
        path = ("data", *used)
        was_there = rewritten or get_value(update.live, path) is not ABSENT
        if was_there and get_value(after, path) is ABSENT:
            yield TaskProblem(
                Kind.LABEL_CONFIG,
                f"would remove {format_path(path)}, which the label config of the project uses",
                "the task could not be labelled any more; keep the key",
            )


def _check_rewritten(update: ProposedUpdate) -> Iterator[TaskProblem]:
    for change in filter(_is_rewrite, update.changes):
        yield TaskProblem(
            Kind.REWRITE_UNREADABLE,
            f"would replace {format_path(change.path)}, which the server cannot read, as a whole",
            "what is stored now is lost, and revert cannot restore it; to repair the task that "
            "way, pass --allow rewrite-unreadable",
        )


def _is_rewrite(change: Change) -> bool:
    return change.before is UNREADABLE


def _compute_data_after(update: ProposedUpdate) -> Side:
    data = [change for change in update.changes if change.path[0] == "data"]
    return apply_changes(update.live, data)["data"] if data else update.live.get("data")


def _check_annotated_data(update: ProposedUpdate) -> Iterator[TaskProblem]:
    """Annotations are made of what is shown: what has been shown must not change under them.

    The counters are taken as they are live: what the manifest declares of them proves nothing.
    """
    shown = [c for c in update.changes if c.path[0] == "data" and _has_before(c)]
    if not shown:
        return
    change = _describe_changes(shown)
    counts = {name: _read_count(update.live.get(name)) for name in _COUNTERS}
    made = {name: count for name, count in counts.items() if count}
    unknown = [name for name, count in counts.items() if count is None]
    if made:
        text = " and ".join(count_noun(n, _COUNTERS[name]) for name, n in made.items())
        message = f"would {change} under {text}"
    elif unknown:
        message = (
            f"would {change}, and whether anybody annotated that is not known: the "
            f"server's answer has no usable {' and no '.join(unknown)}"
        )
    else:
        return
    yield TaskProblem(Kind.ANNOTATED_DATA, message, _ANNOTATED_HINT)


def _describe_changes(changes: Collection[Change]) -> str:
    """Write ``change data.text and remove data.old``."""
    changed = [format_path(c.path) for c in changes if c.after is not ABSENT]
    removed = [format_path(c.path) for c in changes if c.after is ABSENT]
    verbs = {"change": changed, "remove": removed}
    return " and ".join(f"{verb} {_format_some(paths)}" for verb, paths in verbs.items() if paths)


def _read_count(value: Side) -> int | None:
    """Take a counter; None where it is not shown, or cannot have been counted."""
    return value if type(value) is int and value >= 0 else None


def _has_before(change: Change) -> bool:
    """Tell whether a change takes something away, or puts something in its place."""
    return change.before is not ABSENT


def _check_ignored(update: ProposedUpdate) -> Iterator[TaskProblem]:
    attributes = update.attributes
    for name in _list_names(update.changes):
        if name in attributes and attributes[name].ignored:
            yield TaskProblem(
                Kind.IGNORED_ATTRIBUTE,
                f"this server answers 200 to an update of {name} and does not store it",
                "leave it out of the manifest; allowed, it is sent and reported as not honoured",
            )


def _check_computed(update: ProposedUpdate) -> Iterator[TaskProblem]:
    names = [name for name in _list_names(update.changes) if name in update.attributes]
    rows = {name: update.attributes[name] for name in names}
    computed = [name for name, row in rows.items() if row.computed and not row.ignored]
    if computed:
        yield TaskProblem(
            Kind.COMPUTED,
            f"the server computes {_format_some(computed)} and will overwrite what is written",
            "leave it to the server unless you mean to correct it once",
        )


def _check_overlap_cohort(update: ProposedUpdate) -> Iterator[TaskProblem]:
    """Tell that the project sets overlaps too.

    With a percentage below 100 it gives that part of its tasks an overlap of
    ``maximum_annotations``, those with the most annotations first, and 1 to the rest: whenever a
    task is imported or deleted while ``maximum_annotations`` is above 1, and when these settings
    change.
    """
    percentage = update.project.overlap_cohort_percentage
    most = update.project.maximum_annotations
    if percentage is None or percentage >= _WHOLE_COHORT or not may_reset_overlap(update.changes):
        return
    if most is None or most > 1:
        shared = "maximum_annotations" if most is None else most
        message = (
            f"the server resets overlap to {shared} for {percentage}% of the project's tasks, and "
            "to 1 for the others, whenever a task is imported or deleted"
        )
    else:
        message = "the server resets overlap when maximum_annotations of the project is raised"
    yield TaskProblem(
        Kind.OVERLAP_COHORT,
        f"{message}: overlap_cohort_percentage of the project is {percentage}",
        "to keep the overlap that you declare, set overlap_cohort_percentage to 100 in the "
        "project's settings, or apply again after each import",
    )


def _list_names(changes: Collection[Change]) -> list[str]:
    """Name the attributes that change, each once."""
    return list(dict.fromkeys(change.path[0] for change in changes))


def _format_some(names: Sequence[str]) -> str:
    """Name the first few of many."""
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + more


Guard: TypeAlias = Callable[[ProposedUpdate], Iterator[TaskProblem]]

GUARDS: Final[tuple[Guard, ...]] = (
    _check_project_move,
    _check_resolved_addresses,
    _check_resolved_beside,
    _check_lost_addresses,
    _check_emptied_data,
    _check_label_config,
    _check_rewritten,
    _check_annotated_data,
    _check_ignored,
    _check_computed,
    _check_overlap_cohort,
)
"""All guards, in the order in which their problems are shown."""


def find_problems(update: ProposedUpdate) -> tuple[TaskProblem, ...]:
    """Have all guards judge the changes of one task."""
    return tuple(chain.from_iterable(guard(update) for guard in GUARDS))
