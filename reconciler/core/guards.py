"""The guards: each finds declared changes that should not be written, and says why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final, TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.contract.honoured_attributes import ALWAYS_HONOURED
from reconciler.core.addresses import find_lost_addresses, find_resolved_address
from reconciler.core.allowances import NOTHING_ALLOWED, Allowances
from reconciler.core.edit import apply_changes
from reconciler.core.model import Change, Found, Observed, ProjectSettings
from reconciler.core.notation import count_noun, format_path, format_value, list_first, shorten
from reconciler.core.paths import Path, get_value, is_inside
from reconciler.core.plan_model import TaskPlan
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.values import ABSENT, UNREADABLE, Side

_NAMED_MAX: Final = 4
_COUNTERS: Final = {
    "total_annotations": "annotation",
    "cancelled_annotations": "skipped annotation",
}
_ANNOTATED_HINT: Final = (
    "keep the data for which the annotations were made; or if intended, pass --allow {kind}"
)
_NOT_THE_STORED_ONE: Final = (
    "the server generates this address when a task is read; it is not the stored address"
)
_RESOLVES_ANYWAY: Final = (
    "the server or a proxy resolves addresses although reconciler asks it not to"
)
_WHOLE_COHORT: Final = 100


@dataclass(frozen=True, slots=True)
class GuardFacts:
    """The facts about a server that guards need.

    ``tells_ignored`` is whether the server says which attributes it ignores, None before it was
    asked; if it does, ``attributes`` marks them. ``projects`` holds the settings that were fetched,
    by project; ``unshown`` are the projects whose settings the server did not show.
    """

    attributes: Attributes
    projects: Mapping[int, ProjectSettings] = field(default_factory=dict)
    unshown: frozenset[int] = frozenset()
    tells_ignored: bool | None = None

    def get_settings(self, project: int | None) -> ProjectSettings:
        """Return the settings of a project; settings that block nothing if they are not known."""
        known = None if project is None else self.projects.get(project)
        return known or ProjectSettings()

    def find_labelled(self, project: int | None) -> frozenset[Path] | None:
        """Return the paths in data that the label config uses; None if it is not known."""
        known = None if project is None else self.projects.get(project)
        return None if known is None or known.unreadable else known.labelled


def may_remove_keys(changes: Collection[Change]) -> bool:
    """Tell whether the label config of the project is needed to judge these changes."""
    return any(map(_may_remove_keys, changes))


def _may_remove_keys(change: Change) -> bool:
    may = change.after is ABSENT or isinstance(change.before, dict) or _is_rewrite(change)
    return change.path[0] == "data" and may


def may_reset_overlap(changes: Collection[Change]) -> bool:
    """Tell whether the overlap settings of the project are needed to judge these changes."""
    return any(change.path == ("overlap",) for change in changes)


def list_projects_to_ask(tasks: Iterable[TaskPlan]) -> set[int]:
    """Name the projects whose label config is needed to judge ``tasks``."""
    return {
        task.project for task in tasks if task.project is not None and may_remove_keys(task.changes)
    }


def list_projects_to_classify(
    tasks: Iterable[TaskPlan], observed: Mapping[int, Observed]
) -> set[int]:
    """Name the projects whose label config says which annotated data ``tasks`` change.

    Only of tasks that were ``observed`` with annotations: the others need no label config.
    """
    return {
        task.project
        for task in tasks
        if task.project is not None
        and any(map(_is_change_of_data, task.changes))
        and _has_annotations(observed.get(task.task))
    }


def _has_annotations(observed: Observed | None) -> bool:
    return isinstance(observed, Found) and bool(_describe_annotations(observed.attributes))


def _is_change_of_data(change: Change) -> bool:
    """Tell whether a change removes or replaces a value in data."""
    return change.path[0] == "data" and change.before is not ABSENT


def list_projects_to_warn_of(tasks: Iterable[TaskPlan]) -> set[int]:
    """Name the projects whose settings are needed only for warnings."""
    return {
        task.project
        for task in tasks
        if task.project is not None and may_reset_overlap(task.changes)
    }


def may_be_ignored(changes: Collection[Change]) -> bool:
    """Tell whether the server might ignore any of these changes."""
    return any(change.path[0] not in ALWAYS_HONOURED for change in changes)


def list_names_to_read(names: Collection[str]) -> set[str]:
    """Name the attributes to read in order to judge changes of the attributes ``names``."""
    return {*names, *_COUNTERS} if "data" in names else set(names)


@dataclass(frozen=True, slots=True)
class ProposedUpdate:
    """The changes of one task, and the values by which guards judge them.

    ``live`` is the task as it is now, ``project`` the settings of its project. ``addresses`` are
    the paths that held a stored address when this run first read the task. ``labelled`` are the
    paths in data that the label config uses, None if it is not known. ``allow`` is what is allowed
    for this task.
    """

    changes: Collection[Change]
    live: Mapping[str, Side]
    attributes: Attributes
    project: ProjectSettings
    addresses: Collection[Path] = ()
    labelled: frozenset[Path] | None = None
    allow: Allowances = NOTHING_ALLOWED

    def judge(
        self, problem: TaskProblem, changes: Iterable[Change], path: Path = ()
    ) -> TaskProblem:
        """Record what accepts a problem of some changes: at ``path``, or else at their paths."""
        places = [(path or change.path, change.source.file) for change in changes]
        paths = tuple(dict.fromkeys(at for at, _ in places))
        return self.allow.judge(replace(problem, paths=paths), places)


def _check_project_move(update: ProposedUpdate) -> Iterator[TaskProblem]:
    for change in update.changes:
        if change.path == ("project",):
            problem = TaskProblem(
                Kind.PROJECT_MOVE,
                f"would move the task from project {format_value(change.before)} to project "
                f"{format_value(change.after)}",
                "declare the project that the task is in: Label Studio Community rejects moves",
            )
            yield update.judge(problem, [change])


def _check_resolved_addresses(update: ProposedUpdate) -> Iterator[TaskProblem]:
    for change in update.changes:
        address = find_resolved_address(change.after)
        if address is not None:
            yield TaskProblem(
                Kind.RESOLVED_ADDRESS,
                f"would store {shorten(format_value(address))} in {format_path(change.path)}: "
                f"{_NOT_THE_STORED_ONE}",
                "declare the stored address, such as s3://bucket/key",
            )


def _check_resolved_beside(update: ProposedUpdate) -> Iterator[TaskProblem]:
    """Check the undeclared keys, which are sent along because an object is sent as a whole.

    Their values are those that the server showed: it may resolve addresses although the request
    asks it not to.
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
                f"would store {shorten(format_value(address))} in an undeclared key of {name}: "
                f"{_NOT_THE_STORED_ONE}",
                "declare the stored address of that key too, such as s3://bucket/key; if many "
                f"tasks have this problem, probably {_RESOLVES_ANYWAY}",
            )


def _check_lost_addresses(update: ProposedUpdate) -> Iterator[TaskProblem]:
    """Check that undeclared storage addresses are still as this run first read them.

    A server may begin to resolve addresses during a run, and resolved ones must not be stored.
    """
    for path, text in find_lost_addresses(update.addresses, update.live, update.changes):
        if not find_resolved_address(text):
            yield TaskProblem(
                Kind.RESOLVED_ADDRESS,
                f"would store {shorten(format_value(text))} in {format_path(path)}, which is not "
                "declared and held a storage address when this run first read it",
                "if another client changed it, plan again to keep the new value; if "
                f"{_RESOLVES_ANYWAY}, declare the stored address",
            )


def _check_emptied_data(update: ProposedUpdate) -> Iterator[TaskProblem]:
    if update.live.get("data") and _compute_data_after(update) == {}:
        problem = TaskProblem(
            Kind.EMPTY_DATA,
            "would remove every key of data",
            "keep at least one key: a task without data cannot be labelled",
        )
        yield update.judge(problem, filter(_is_change_of_data, update.changes))


def _check_label_config(update: ProposedUpdate) -> Iterator[TaskProblem]:
    removing = [change for change in update.changes if _may_remove_keys(change)]
    if not removing:
        return
    project = update.project
    if project.unreadable:
        for group in update.allow.group(Kind.LABEL_CONFIG, removing):
            problem = TaskProblem(
                Kind.LABEL_CONFIG,
                f"would remove {_format_paths(group)} or keys inside it, which the project's label "
                f"config may use; the config cannot be read: {shorten(project.unreadable, 200)}",
                "fix the label config, or keep the keys",
            )
            yield update.judge(problem, group)
    after = {"data": _compute_data_after(update)}
    rewritten = any(map(_is_rewrite, update.changes))
    for used in sorted(project.labelled):
        path = ("data", *used)
        was_there = rewritten or get_value(update.live, path) is not ABSENT
        if was_there and get_value(after, path) is ABSENT:
            problem = TaskProblem(
                Kind.LABEL_CONFIG,
                f"would remove {format_path(path)}, which the project's label config uses",
                "keep the key: without it the task cannot be labelled",
            )
            yield update.judge(problem, _list_touching(removing, path), path)


def _check_rewritten(update: ProposedUpdate) -> Iterator[TaskProblem]:
    for change in filter(_is_rewrite, update.changes):
        problem = TaskProblem(
            Kind.REWRITE_UNREADABLE,
            f"would replace the whole of {format_path(change.path)}, which the server cannot read",
            "the stored value would be lost, and revert could not restore it; if intended, pass "
            "--allow rewrite-unreadable",
        )
        yield update.judge(problem, [change])


def _is_rewrite(change: Change) -> bool:
    return change.before is UNREADABLE


def _compute_data_after(update: ProposedUpdate) -> Side:
    data = [change for change in update.changes if change.path[0] == "data"]
    return apply_changes(update.live, data)["data"] if data else update.live.get("data")


def _check_annotated_data(update: ProposedUpdate) -> Iterator[TaskProblem]:
    """Check that annotated data does not change.

    The counters are the live ones: what the manifest declares for them proves nothing.
    """
    shown = [change for change in update.changes if _is_change_of_data(change)]
    whose = _describe_annotations(update.live) if shown else ""
    if not whose:
        return
    used, extra = _divide_by_use(shown, update.labelled)
    may_be = Kind.ANNOTATED_EXTRA if update.labelled is None else None
    for group in update.allow.group(Kind.ANNOTATED_DATA, used, may_be=may_be):
        message = f"would {_describe_changes(group)} of a task that {whose}"
        problem = _make_annotated(Kind.ANNOTATED_DATA, message)
        yield update.judge(replace(problem, may_be=may_be), group)
    for group in update.allow.group(Kind.ANNOTATED_EXTRA, extra):
        message = (
            f"would {_describe_changes(group)}, which the project's label config does not use, of "
            f"a task that {whose}"
        )
        yield update.judge(_make_annotated(Kind.ANNOTATED_EXTRA, message), group)


def _make_annotated(kind: Kind, message: str) -> TaskProblem:
    return TaskProblem(kind, message, _ANNOTATED_HINT.format(kind=kind.value))


def _describe_annotations(live: Mapping[str, Side]) -> str:
    """Say that a task has or may have annotations; empty if it has none."""
    counts = {name: _read_count(live.get(name)) for name in _COUNTERS}
    made = {name: count for name, count in counts.items() if count}
    unknown = [name for name, count in counts.items() if count is None]
    if made:
        return "has " + " and ".join(count_noun(n, _COUNTERS[name]) for name, n in made.items())
    if unknown:
        return (
            f"may have annotations: the server's response has no usable {' and no '.join(unknown)}"
        )
    return ""


def _divide_by_use(
    changes: Collection[Change], labelled: frozenset[Path] | None
) -> tuple[list[Change], list[Change]]:
    """Divide changes of data by whether the label config uses the path, or one in or around it.

    If the label config is not known, it may use all of them.
    """
    if labelled is None:
        return [*changes], []
    around = {path[:length] for path in labelled for length in range(len(path) + 1)}
    used: list[Change] = []
    extra: list[Change] = []
    for change in changes:
        inner = change.path[1:]
        inside = any(inner[:length] in labelled for length in range(1, len(inner)))
        is_used = inside or inner in around or (not inner and _is_rewrite(change))
        (used if is_used else extra).append(change)
    return used, extra


def _describe_changes(changes: Collection[Change]) -> str:
    """Write ``change data.text and remove data.old``."""
    changed = [format_path(c.path) for c in changes if c.after is not ABSENT]
    removed = [format_path(c.path) for c in changes if c.after is ABSENT]
    verbs = {"change": changed, "remove": removed}
    return " and ".join(f"{verb} {_name_first(paths)}" for verb, paths in verbs.items() if paths)


def _read_count(value: Side) -> int | None:
    """Return a counter; None if the server does not show it or it is not a count."""
    return value if type(value) is int and value >= 0 else None


def _check_ignored(update: ProposedUpdate) -> Iterator[TaskProblem]:
    attributes = update.attributes
    for name in _list_names(update.changes):
        if name in attributes and attributes[name].ignored:
            problem = TaskProblem(
                Kind.IGNORED_ATTRIBUTE,
                f"this server returns 200 for an update of {name} but does not store it",
                "remove it from the manifest; with --allow ignored-attribute, the update is sent "
                "and reported as not honoured",
            )
            yield update.judge(problem, (c for c in update.changes if c.path[0] == name))


def _check_computed(update: ProposedUpdate) -> Iterator[TaskProblem]:
    names = [name for name in _list_names(update.changes) if name in update.attributes]
    rows = {name: update.attributes[name] for name in names}
    computed = [name for name, row in rows.items() if row.computed and not row.ignored]
    if computed:
        yield TaskProblem(
            Kind.COMPUTED,
            f"the server computes {_name_first(computed)} and will overwrite what you write",
            "do not declare computed attributes, except to correct a value once",
        )


def _check_overlap_cohort(update: ProposedUpdate) -> Iterator[TaskProblem]:
    """Warn that the project sets overlaps too.

    With a percentage below 100, it gives that share of its tasks, those with the most annotations
    first, an overlap of ``maximum_annotations``, and 1 to the rest: whenever a task is imported or
    deleted while ``maximum_annotations`` is above 1, and when these settings change.
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
    """List the attributes that change, each once."""
    return list(dict.fromkeys(change.path[0] for change in changes))


def _list_touching(changes: Iterable[Change], path: Path) -> list[Change]:
    """List the changes of a path, or of an object around it."""
    return [change for change in changes if is_inside(path, change.path)]


def _format_paths(changes: Iterable[Change]) -> str:
    return _name_first([format_path(change.path) for change in changes])


def _name_first(names: Sequence[str]) -> str:
    return list_first(names, _NAMED_MAX)


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
    """Return the problems that all guards find in the changes of one task."""
    return tuple(chain.from_iterable(guard(update) for guard in GUARDS))
