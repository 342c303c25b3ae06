"""What the entries of manifests must declare so that a plan has nothing left to change; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, NamedTuple, TypeAlias, cast

from reconciler.contract.attributes import Attributes
from reconciler.core.addresses import find_resolved_address
from reconciler.core.difference import find_changes
from reconciler.core.model import Change, DesiredTask
from reconciler.core.notation import format_path
from reconciler.core.paths import Path, are_nested, get_value, set_value
from reconciler.core.plan_model import TaskPlan
from reconciler.core.values import ABSENT, Json, NoValue, Side, is_same, is_too_deep
from reconciler.errors import Problem, Source
from reconciler.manifest.combination import are_conflicting, combine
from reconciler.manifest.declarations import (
    NOT_ATTRIBUTES,
    Declaration,
    TaskEntry,
    parse_absent_path,
)
from reconciler.manifest.readers.document import MAX_DEPTH, Document
from reconciler.manifest.readers.scalars import find_text_problem
from reconciler.manifest.task_names import expand_ids

EntryKey: TypeAlias = tuple[int, int]
"""The identity of a document, and the index of an entry in it."""

Entry: TypeAlias = dict[str, Json]
"""An element of ``tasks``, as written."""

ROUNDS: Final = 6
"""A removed value may show a default, and that another one below it."""

_EDIT_IT: Final = "edit it yourself"
_MERGE_ENTRIES: Final = "declare the task by one entry, and run again"
_SEPARATE: Final = "declare them separately"


class LiveEntry(NamedTuple):
    """An entry as written and as it must be, with the changes that this settles."""

    document: Document
    position: int
    old: Entry
    new: Entry
    changes: tuple[Change, ...]


class _Nowhere:
    """Places of a task that is only compared."""

    source = Source("")

    def source_of(self, _path: Path) -> Source:
        return self.source


@dataclass(slots=True)
class LiveEntries:
    """Collects the entries that must change, and what is left as it is, with the reasons."""

    attributes: Attributes
    redact: tuple[Path, ...] = ()
    entries: dict[EntryKey, LiveEntry] = field(default_factory=dict)
    left: list[Problem] = field(default_factory=list)
    _shared: dict[tuple[EntryKey, Path], list[tuple[int, Side]]] = field(default_factory=dict)
    _spoilt: dict[EntryKey, str] = field(default_factory=dict)

    def count_shared(self, planned: TaskPlan, declarations: Sequence[Declaration]) -> None:
        """Count the changes of entries that declare several tasks; call it for all tasks first."""
        for change in planned.changes:
            owner = _find_owner(declarations, change.path) if declarations else None
            if owner is not None and owner.entry.places is not None and not change.rule:
                at = (_key_of(owner), change.path)
                self._shared.setdefault(at, []).append((planned.task, change.before))

    def settle(self, planned: TaskPlan, declarations: Sequence[Declaration]) -> None:
        """Find out what the entries of one task must declare."""
        wanted = [c for c in planned.changes if self._can_declare(planned, c, declarations)]
        if not wanted:
            return
        task = _Redeclared(declarations, wanted, self.attributes)
        for change in task.settle():
            at = f"task {planned.task}: the declarations of the task do not allow this value"
            self._leave(change.source, change.path, at, _EDIT_IT)
            wanted = [other for other in wanted if other.source != change.source]
        if task.is_conflicting:
            for change in wanted:
                message = (
                    f"task {planned.task}: the task has several entries, and declaring the live "
                    "value in one of them would conflict with another"
                )
                self._leave(change.source, change.path, message, _MERGE_ENTRIES)
            for declaration in declarations:
                self._spoil(
                    _key_of(declaration),
                    f"this entry also declares task {planned.task}, which is left",
                )
            return
        for declaration, old, new in task.list_changed():
            self._add(declaration, old, new, wanted)

    def _add(
        self, declaration: Declaration, old: Entry, new: Entry, changes: Sequence[Change]
    ) -> None:
        key = _key_of(declaration)
        known = self.entries.get(key)
        if key in self._spoilt:
            self._leave_all(changes, self._spoilt[key], _SEPARATE)
            return
        if known is not None and not is_same(known.new, new):
            reason = "the tasks of this entry need different declarations"
            self._leave_all(changes, reason, _SEPARATE)
            self._spoil(key, reason)
            return
        document = declaration.header.document
        made = LiveEntry(document, declaration.position, old, new, tuple(changes))
        self.entries.setdefault(key, made)

    def _spoil(self, key: EntryKey, reason: str) -> None:
        """Leave an entry as it is, whatever the other tasks that it declares need."""
        known = self.entries.pop(key, None)
        self._spoilt.setdefault(key, reason)
        if known is not None:
            self._leave_all(known.changes, reason, _SEPARATE)

    def _can_declare(
        self, planned: TaskPlan, change: Change, declarations: Sequence[Declaration]
    ) -> bool:
        reason = self._find_refusal(change, declarations)
        if reason:
            self._leave(change.source, change.path, f"task {planned.task}: {reason[0]}", reason[1])
        return not reason

    def _find_refusal(
        self, change: Change, declarations: Sequence[Declaration]
    ) -> tuple[str, str] | None:
        if change.rule or not declarations:
            return f"the rule {change.rule!r} declares this value", "edit the rule, or apply it"
        if any(are_nested(change.path, path) for path in self.redact):
            return "the live value is redacted", "leave out --redact to write it"
        problem = find_value_problem(change.before)
        if problem:
            return problem, "the manifest keeps what it declares; check the value on the server"
        owner = _find_owner(declarations, change.path)
        if owner.entry.places is None:
            return None
        live = self._shared[_key_of(owner), change.path]
        named = _count_named(cast("Entry", owner.header.document.read_task(owner.position)))
        if len(live) == named and all(is_same(live[0][1], side) for _, side in live):
            return None
        return (
            "the entry declares several tasks, whose live values differ",
            "declare this task by an entry of its own",
        )

    def _leave_all(self, changes: Sequence[Change], message: str, hint: str) -> None:
        for change in changes:
            self._leave(change.source, change.path, message, hint)

    def _leave(self, source: Source, path: Path, message: str, hint: str) -> None:
        self.left.append(Problem(source, format_path(path), message, hint))


@dataclass(slots=True)
class _Redeclared:
    """The entries of one task while they are brought to its live values."""

    declarations: Sequence[Declaration]
    changes: Sequence[Change]
    attributes: Attributes
    is_conflicting: bool = False
    _old: list[Entry] = field(default_factory=list)
    _new: list[Entry] = field(default_factory=list)

    def settle(self) -> list[Change]:
        """Bring the entries to the live values; return the changes that this cannot settle."""
        self._old = [
            cast("Entry", d.header.document.read_task(d.position)) for d in self.declarations
        ]
        self._new = [*self._old]
        live = self._build_live()
        todo: Sequence[Change] = self.changes
        for _ in range(ROUNDS):
            for change in todo:
                self._settle_change(change)
            declared = self._redeclare()
            if self._may_conflict(declared):
                self.is_conflicting = True
                return []
            todo = find_changes(detach(combine(declared)), live, self.attributes)
            if not todo:
                return []
        left = {change.path for change in todo}
        return [c for c in self.changes if any(are_nested(c.path, path) for path in left)]

    def _may_conflict(self, declared: Sequence[Declaration]) -> bool:
        """Tell whether any of the changed entries conflicts with another, changed or as it was.

        Some entries may stay as they were, because a file cannot be edited or replaced: what is
        written must be valid in any case.
        """
        rows = zip(self.declarations, declared, strict=True)
        return any(
            are_conflicting((left, right))
            for (old, new), (other_old, other_new) in combinations(rows, 2)
            for left, right in ((new, other_old), (old, other_new), (new, other_new))
        )

    def list_changed(self) -> list[tuple[Declaration, Entry, Entry]]:
        """List the declarations whose entries change, with the entries before and after."""
        rows = zip(self.declarations, self._old, self._new, strict=True)
        return [(d, old, new) for d, old, new in rows if not is_same(old, new)]

    def _build_live(self) -> dict[str, Side]:
        """Build the live values of all paths that matter: elsewhere, live is as declared."""
        desired = combine(self.declarations)
        live: Side = dict(desired.attributes)
        for change in self.changes:
            live = set_value(live, change.path, change.before)
        return cast("dict[str, Side]", live)

    def _redeclare(self) -> list[Declaration]:
        rows = zip(self.declarations, self._new, strict=True)
        return [redeclare(declaration, entry) for declaration, entry in rows]

    def _settle_change(self, change: Change) -> None:
        declared = self._redeclare()
        owner = _find_owner(declared, change.path)
        number = next(n for n, d in enumerate(declared) if d is owner)
        self._new[number] = settle_entry(self._new[number], owner, change.path, change.before)


def settle_entry(entry: Entry, declaration: Declaration, path: Path, live: Side) -> Entry:
    """Return an entry that no longer contradicts a live value, where that is possible."""
    if isinstance(live, NoValue):
        if get_value(declaration.own, path) is not ABSENT:
            return cast("Entry", set_value(entry, path, ABSENT))
        if len(path) > 1:
            written = entry.get("absent", [])
            listed = [*written] if isinstance(written, list) else []
            return {**entry, "absent": [*listed, format_path(path)]}
        return entry
    if path in declaration.entry.written:
        return _drop_absent(entry, [path])
    put = cast("Entry", set_value(entry, path, live))
    inside = [
        p
        for p in declaration.entry.written
        if path[: len(p)] == p or (p[: len(path)] == path and get_value(put, p) is not ABSENT)
    ]
    return _drop_absent(put, inside) if inside else put


def _drop_absent(entry: Entry, paths: Sequence[Path]) -> Entry:
    written = entry.get("absent", [])
    listed = written if isinstance(written, list) else []
    kept = [w for w in listed if parse_absent_path(cast("str", w)) not in paths]
    if kept:
        return {**entry, "absent": kept}
    return {name: value for name, value in entry.items() if name != "absent"}


def redeclare(declaration: Declaration, entry: Entry) -> Declaration:
    """Return what an entry declares in the place of another one."""
    own = {name: value for name, value in entry.items() if name not in NOT_ATTRIBUTES}
    listed = cast("Iterable[str]", entry.get("absent", ()))
    written = tuple(map(parse_absent_path, listed))
    absent = declaration.header.add_absent(own, written)
    known = declaration.entry
    made = TaskEntry(own, written, absent, known.id, known.key, known.places)
    return declaration._replace(own=own, absent=absent, entry=made)


def detach(desired: DesiredTask) -> DesiredTask:
    """Return a task without its places, to be compared."""
    return desired._replace(places=_Nowhere())


def _find_owner(declarations: Sequence[Declaration], path: Path) -> Declaration:
    """Find the declaration of a task that a change of a path is about."""
    tests: tuple[Callable[[Declaration], bool], ...] = (
        lambda d: get_value(d.own, path) is not ABSENT,
        lambda d: path in d.entry.written,
        lambda d: path in d.absent,
        lambda d: get_value(d.build_attributes(), path) is not ABSENT,
        lambda d: path[0] in d.header.replaced and path[0] in d.own,
        lambda d: path[0] in d.header.replaced and path[0] in d.build_attributes(),
    )
    for test in tests:
        for declaration in declarations:
            if test(declaration):
                return declaration
    return declarations[0]


def _key_of(declaration: Declaration) -> EntryKey:
    return id(declaration.header.document), declaration.position


def _count_named(entry: Mapping[str, Json]) -> int:
    ids, keys = entry.get("ids"), entry.get("keys")
    if isinstance(ids, list):
        written = cast("list[float | str]", ids)
        return sum(found.stop - found.start for found in expand_ids(written))
    return len(keys) if isinstance(keys, list) else 1


def find_value_problem(value: Side) -> str:
    """Say why no manifest can declare a value; empty if one can."""
    if isinstance(value, NoValue):
        return "" if value is ABSENT else "the server fails to return the value"
    if is_too_deep(value, MAX_DEPTH - 4):
        return f"the live value is nested more than {MAX_DEPTH - 4} deep"
    address = find_resolved_address(value)
    if address is not None:
        return "the server returned an address that it generated, instead of the stored one"
    return _find_text_problem(value)


def _find_text_problem(value: Json) -> str:
    if isinstance(value, str):
        problem = find_text_problem(value)
        return f"in the live value, {problem[0]}" if problem else ""
    parts: Iterable[Json] = ()
    if isinstance(value, dict):
        parts = (*value.keys(), *value.values())
    elif isinstance(value, list):
        parts = value
    return next(filter(None, map(_find_text_problem, parts)), "")
