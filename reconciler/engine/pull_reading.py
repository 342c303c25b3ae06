"""The first pass of a pull: read the wanted tasks, and pick what is to be declared for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from reconciler.core.conditions import (
    Condition,
    Predicate,
    UnreadableConditionError,
    compile_conditions,
)
from reconciler.core.key_holders import KeyHolders
from reconciler.core.model import Found, Observed, ProjectSettings, ReadBatch, TaskKey, Unreadable
from reconciler.core.named_paths import NamedPaths
from reconciler.core.near_misses import NearMisses
from reconciler.core.notation import format_path, shorten
from reconciler.core.paths import Path, are_nested, get_value
from reconciler.core.pull_result import Remarks
from reconciler.core.rule_set import RuleSet
from reconciler.core.values import UNREADABLE, Json, NoValue, Side
from reconciler.engine.connection import Connection
from reconciler.engine.pull_options import PullOptions
from reconciler.errors import Refused, ServerError
from reconciler.labelstudio.bulk.key_filter import KEYS_MAX, can_filter
from reconciler.labelstudio.bulk.ordered_pages import read_in_order
from reconciler.labelstudio.bulk.task_reader import read_keyed_tasks, read_listed_tasks
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.pulled_tasks import (
    PulledTask,
    TaskPicker,
    describe_new_task,
    list_default_names,
    normalize_live_key,
)
from reconciler.manifest.writers.spool import NO_GROUP, Spool
from reconciler.progress import ProgressListener

SPLITS_MAX: Final = 1_000
"""Values by which tasks can be split: each is a file."""

SELECTED_MAX: Final = 5_000
"""Ids up to which asking for each costs less than reading all pages between them."""

DECLARED: Final = "declared by a manifest of the folder already"
NO_KEY: Final = "not a string or an integer"
SHARED_KEY: Final = "several tasks have the same value"

_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class PulledProject:
    """The number of a project, and its name if the manifests shall name it."""

    number: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class PullRemarks:
    """What is to be said of tasks, as in `core.pull_result.Pulled`."""

    undeclared: Remarks = field(default_factory=Remarks)
    left_out: Remarks = field(default_factory=Remarks)
    by_id: Remarks = field(default_factory=Remarks)


@dataclass(kw_only=True)
class TaskReading(ABC):
    """Reads tasks, and keeps what is to be declared for each.

    ``where`` are the conditions of the options, and ``declared`` are the manifests beside which the
    tasks will be declared. Making one reads the settings of the project: raises Refused if the
    server has none with this number, and ServerError.
    """

    options: PullOptions
    connection: Connection
    project: PulledProject
    where: Sequence[Condition]
    declared: DesiredIndex
    progress: ProgressListener
    remarks: PullRemarks = field(default_factory=PullRemarks)

    def __post_init__(self) -> None:
        options, number = self.options, self.project.number
        self.attributes = self.connection.attributes
        self.declared_keys: dict[int, tuple[TaskKey, ...]] = {}
        self.held_keys = KeyHolders(KEYS_MAX)
        self._api = self.connection.api
        self._seen = 0
        rules = [rule for rule in self.declared.rules if rule.ref.project == number]
        self._rules = RuleSet(rules, self.attributes)
        self._named = NamedPaths(self.list_named())
        shown = [c for c in self.where if not any(are_nested(c.path, p) for p in options.redact)]
        self._misses = NearMisses(shown)
        self._matches: Predicate = compile_conditions(self.where, self.attributes)
        self._picker: TaskPicker | None = None
        self.settings = _read_project(self._api, options, number)

    @abstractmethod
    def keep(self, task: int, live: Mapping[str, Json], picked: PulledTask) -> None:
        """Keep what a task is to declare."""

    def list_named(self) -> dict[Path, str]:
        """List the paths that tasks must have, each with the option that names it."""
        named = dict.fromkeys(self.options.redact, "--redact")
        return named | dict.fromkeys(self.options.fields, "--fields")

    def list_names(self) -> set[str]:
        """Name the attributes that are read."""
        default = () if self.options.fields else list_default_names(self.attributes, None)
        return {"data", *default, *self._list_required()}

    def _list_required(self) -> dict[str, str]:
        """List the attributes that tasks must have, each with what names it."""
        options = self.options
        required = {path[0]: "--fields" for path in options.fields}
        required |= {condition.path[0]: "--where" for condition in self.where}
        required |= {path[0]: "--key" for path in (options.key,) if path}
        required |= {path[0]: "--split-by" for path in (options.split_by,) if path}
        return required | dict.fromkeys(self._rules.names, "a rule")

    def read_all(self) -> None:
        """Read all wanted tasks; raises Refused if there are none."""
        self.progress.begin("reading")
        for batch in self._read_batches():
            self._note_keys(batch)
            found = {task: row for task, row in batch.found.items() if self._is_wanted(task)}
            keys = self.declared.find_keys(self.project.number, found)
            for task, row in found.items():
                self._take(task, row, keys.get(task, ()))
            for task, observed in batch.others.items():
                if self._is_wanted(task):
                    self._leave_broken(task, observed)
            self.progress.advance(len(found))
        if not self._seen:
            raise Refused(f"nothing was written: {self._explain_none()}", hint=self._advise_none())
        if absent := self._named.explain_first():
            raise Refused(f"nothing was written: {absent[0]}", hint=absent[1])
        if self.options.key and self.options.ids:
            self.progress.begin("looking for the same keys")
            for batch in self._read_rivals(self.options.key):
                self._note_keys(batch)
                self.progress.advance(len(batch))

    def _note_keys(self, batch: ReadBatch) -> None:
        """Note the keys of all tasks, wanted or not: a plan would find each of them."""
        path = self.options.key
        for task, row in batch.found.items() if path else ():
            key = normalize_live_key(get_value(row, path)) if path else None
            if key is not None:
                self.held_keys.add(task, key)

    def _read_rivals(self, path: Path) -> Iterator[ReadBatch]:
        """Read tasks that may hold the keys found so far: by filters if these are few."""
        project, keys = self.project.number, self.held_keys.list_if_few()
        if keys is not None and can_filter(path, keys):
            unseen = dict.fromkeys(map(str, keys))
            for batch in read_keyed_tasks(
                self._api, project, (path[1], [*unseen]), {path[0]}, progress=self.progress
            ):
                yield batch
                for row in batch.found.values():
                    unseen.pop(str(get_value(row, path)), None)
            if not unseen:
                return
        yield from read_in_order(self._api, project, {path[0]})

    def _read_batches(self) -> Iterator[ReadBatch]:
        """Read the wanted tasks, and maybe others: by their ids if these are few."""
        ranges, project, names = self.options.ids, self.project.number, self.list_names()
        if ranges is None:
            yield from read_in_order(self._api, project, names)
        elif sum(map(len, ranges)) > SELECTED_MAX:
            low, high = ranges[0].start, ranges[-1].stop
            yield from read_in_order(self._api, project, names, after=low - 1, up_to=high - 1)
        else:
            unseen = dict.fromkeys(chain.from_iterable(ranges))
            for batch in read_listed_tasks(self._api, project, list(unseen), names):
                yield batch
                for task, _ in batch:
                    unseen.pop(task, None)
            for task in unseen:
                self.remarks.left_out.add(task, "", "it is not in the project")

    def _is_wanted(self, task: int) -> bool:
        ranges = self.options.ids
        if ranges is None:
            return True
        place = bisect_right(ranges, task, key=lambda ids: ids.start)
        return bool(place) and task in ranges[place - 1]

    def _explain_none(self) -> str:
        chosen = [
            name for name, value in (("--ids", self.options.ids), ("--where", self.where)) if value
        ]
        what = f" that {' and '.join(chosen)} choose" if chosen else ""
        return f"project {self.project.number} has no tasks{what}"

    def _advise_none(self) -> str:
        found = self._misses.explain() if self.where else ""
        return found or "check the project and the options"

    def _take(self, task: int, live: Mapping[str, Json], keys: tuple[TaskKey, ...]) -> None:
        picker = self._picker or self._prepare(task, live)
        try:
            if self.where and not self._matches(live):
                if not self._seen:
                    self._misses.note(live)
                return
            self._seen += 1
            self._named.note(live)
            if not isinstance(live.get("data"), dict):
                self.remarks.left_out.add(task, "", "its data is not an object")
                return
            ruled = self._list_ruled(live)
        except UnreadableConditionError as error:
            raise _make_lacking(error.name, "--where") from None
        if self._leave_declared(task, keys):
            return
        picked = picker.pick(live, ruled)
        for path, reason in picked.declarable.refused:
            self.remarks.undeclared.add(task, format_path(path), reason)
        if not picked.declarable.attributes:
            self.remarks.left_out.add(task, "", "nothing of it is to be declared")
            return
        self.keep(task, live, picked)

    def _prepare(self, task: int, live: Mapping[str, Json]) -> TaskPicker:
        """Look at the first task: which attributes there are, and which the server stores."""
        options = self.options
        for name, by in self._list_required().items():
            if name not in live:
                raise _make_lacking(name, by)
        honoured = None if options.fields else self._api.capabilities.ask(task, self.progress)
        self._picker = TaskPicker(
            list_default_names(self.attributes, honoured),
            describe_new_task(self.settings),
            fields=options.fields,
            key=options.key,
            redact=options.redact,
        )
        return self._picker

    def _list_ruled(self, live: Mapping[str, Json]) -> list[Path]:
        """List what rules of the folder write for a task."""
        return [path for rule in self._rules.match(live) for path, _ in rule.iterate_results(live)]

    def _leave_declared(self, task: int, keys: tuple[TaskKey, ...]) -> bool:
        """Leave a task out that the folder declares, unless its files may be replaced."""
        files = self.declared.list_files(task, keys, self.project.number)
        if not files:
            return False
        if self.options.force:
            self.declared_keys[task] = keys
            return False
        self.remarks.left_out.add(task, "", DECLARED)
        return True

    def _leave_broken(self, task: int, observed: Observed) -> None:
        self._seen += 1
        reason = "the server does not return its data"
        if isinstance(observed, Unreadable):
            reason = observed.detail
        elif isinstance(observed, Found) and observed.attributes.get("data") is UNREADABLE:
            reason = "the server cannot read its data, but everything else"
        self.remarks.left_out.add(task, "", reason)


def _read_project(api: TaskApi, options: PullOptions, number: int) -> ProjectSettings:
    """Read the settings of a project; raises Refused if the server has none with this number."""
    try:
        return api.project_settings(number)
    except ServerError as error:
        if error.status != _NOT_FOUND:
            raise
        named = f", which is {shorten(str(options.project))!r} in the settings"
        named = named if isinstance(options.project, str) else ""
        raise Refused(
            f"nothing was written: the server returned 404 for project {number}{named}",
            hint=f"pass the number after /projects/ in the address of the project, on "
            f"{api.address}, to --project; is it on another server, or in another organization?",
        ) from error


def _make_lacking(name: str, by: str) -> Refused:
    return Refused(
        f"nothing was written: the server's response has no {name}, which {by} names",
        hint="this edition, version or role does not show it: leave it out",
    )


@dataclass(kw_only=True)
class SpooledReading(TaskReading):
    """Spools what is to be declared for each task, in the group that it is split into."""

    spool: Spool

    def keep(self, task: int, live: Mapping[str, Json], picked: PulledTask) -> None:
        """Keep what a task is to declare."""
        group = self._find_group(live)
        self.spool.add(task, picked.key, picked.declarable.text, group=group)

    def list_named(self) -> dict[Path, str]:
        """List the paths that tasks must have, those of files included."""
        options = self.options
        named = {path: "--split-by" for path in (options.split_by,) if path}
        named |= {path: "--key" for path in (options.key,) if path}
        return super().list_named() | named

    def _find_group(self, live: Mapping[str, Side]) -> int:
        if self.options.split_by is None:
            return NO_GROUP
        value = get_value(live, self.options.split_by)
        if isinstance(value, NoValue):
            return NO_GROUP
        group = self.spool.find_group(value)
        if group >= SPLITS_MAX:
            path = format_path(self.options.split_by)
            raise Refused(
                f"nothing was written: {path} has more than {SPLITS_MAX:,} values, and each would "
                "be a file",
                hint="choose another path for --split-by, or --per-file",
            )
        return group
