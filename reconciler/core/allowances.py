"""What is allowed and what is denied, and by whom; a denial beats whatever allows the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self, TypeAlias

from reconciler.core.model import Change
from reconciler.core.notation import count_noun, format_path, list_first, parse_path, shorten
from reconciler.core.paths import Path, are_nested, is_inside, iterate_around
from reconciler.core.plan_model import Plan, Status, TaskPlan, UnresolvedKey
from reconciler.core.problems import ALLOWABLE, Allowance, Kind, TaskProblem

DECLARABLE: Final = frozenset(
    {Kind.ANNOTATED_DATA, Kind.ANNOTATED_EXTRA, Kind.LABEL_CONFIG, Kind.EMPTY_DATA}
)
"""Kinds that a manifest may allow."""

_OF_DATA: Final = DECLARABLE | {Kind.REWRITE_UNREADABLE}
"""Kinds whose problems are about paths in data."""

_BY_MAX: Final = 3

Place: TypeAlias = tuple[Path, str | None]
"""A path that a problem is about, and the file that declares it; None if no file matters."""

Entry: TypeAlias = Allowance | Kind | str
"""What callers allow or deny: a kind, ``KIND:PATH``, or an entry that was parsed already."""


@dataclass(frozen=True, slots=True)
class Allowances:
    """What accepts problems, and what forbids that.

    ``entries`` accept problems of any task. ``declared`` are those of the manifests of one task:
    each accepts only changes that its own document declares. ``denials`` beat both.
    """

    entries: tuple[Allowance, ...] = ()
    denials: tuple[Allowance, ...] = ()
    declared: tuple[Allowance, ...] = ()

    @classmethod
    def of(
        cls, allow: Iterable[Entry] = (), deny: Iterable[Entry] = (), *, by: str = "the caller"
    ) -> Self:
        """Combine what is allowed and denied; ``by`` names who says so.

        Raises ValueError for a kind that cannot be allowed, or a path that is none.
        """
        return cls(
            tuple(parse_allowance(entry, by) for entry in _list_entries(allow)),
            tuple(parse_denial(entry, by) for entry in _list_entries(deny)),
        )

    def deny(self, denials: Iterable[Allowance]) -> Allowances:
        """Return these allowances with more denials."""
        return replace(self, denials=(*self.denials, *denials))

    def declare(self, declared: tuple[Allowance, ...]) -> Allowances:
        """Return the allowances for one task: these, and what its manifests allow."""
        if not declared:
            return self
        added = (one for one in declared if one.kind in DECLARABLE)
        return replace(self, declared=tuple(dict.fromkeys((*self.declared, *added))))

    def accept(self, problems: Iterable[TaskProblem]) -> Allowances:
        """Return these allowances with those by which a plan accepted the problems of a task.

        A plan of an earlier release records only that a problem was accepted.
        """
        judged = [problem for problem in problems if not problem.is_warning]
        accepted = [one for p in judged for one in p.allowed or (Allowance(p.kind),)]
        if not accepted:
            return self
        entries = (one for one in accepted if one.source is None)
        declared = tuple(one for one in accepted if one.source is not None)
        return replace(self, entries=(*self.entries, *entries)).declare(declared)

    def find(self, kind: Kind, path: Path = (), file: str | None = None) -> Allowance | None:
        """Return what accepts a problem at a path that ``file`` declares; None if nothing does."""
        if kind not in ALLOWABLE or self.find_denial(kind, path):
            return None
        for entry in self.entries:
            if _covers(entry, kind, path):
                return entry
        for entry in self.declared:
            if _covers(entry, kind, path) and (file is None or file == _get_file(entry)):
                return entry
        return None

    def find_denial(
        self, kind: Kind, path: Path = (), *, may_be: Kind | None = None
    ) -> Allowance | None:
        """Return what forbids that a problem is accepted at a path, or anywhere inside it."""
        kinds = (kind,) if may_be is None else (kind, may_be)
        found = (entry for entry in self.denials if any(_touches(entry, k, path) for k in kinds))
        return next(found, None)

    def find_denial_of(
        self, problem: TaskProblem, paths: Iterable[Path] | None = None
    ) -> Allowance | None:
        """Return what forbids that a problem is accepted, at ``paths`` or else at its own."""
        where = (problem.paths or ((),)) if paths is None else paths
        found = (self.find_denial(problem.kind, at, may_be=problem.may_be) for at in where)
        return next(filter(None, found), None)

    def group(
        self, kind: Kind, changes: Collection[Change], *, may_be: Kind | None = None
    ) -> list[Sequence[Change]]:
        """Group changes with a problem of a kind by what accepts them; the others come first."""
        if not (self.entries or self.denials or self.declared):
            return [[*changes]] if changes else []
        groups: dict[tuple[Allowance | None, Allowance | None], list[Change]] = {}
        for change in changes:
            denial = self.find_denial(kind, change.path, may_be=may_be)
            found = None if denial else self.find(kind, change.path, change.source.file)
            groups.setdefault((found, denial), []).append(change)
        return [groups[key] for key in sorted(groups, key=lambda key: key[0] is not None)]

    def judge(self, problem: TaskProblem, places: Iterable[Place] = ()) -> TaskProblem:
        """Record all that accepts a problem; it is accepted only if each of its places is."""
        where = list(places) or [((), None)]
        denial = self.find_denial_of(problem, (path for path, _ in where))
        if denial:
            return replace(problem, allowed=(), hint=_format_denial(denial))
        found: dict[Allowance, list[Path]] = {}
        for path, file in where:
            entry = self.find(problem.kind, path, file)
            if entry is None:
                return problem
            found.setdefault(entry, []).append(path)
        allowed = tuple(_drop_other_paths(entry, paths) for entry, paths in found.items())
        return replace(problem, allowed=allowed)


NOTHING_ALLOWED: Final = Allowances()
"""Nothing is allowed, and nothing is denied."""


def parse_allowance(entry: Entry, by: str) -> Allowance:
    """Parse ``KIND`` or ``KIND:PATH``, which ``by`` allows; raises ValueError."""
    return _parse(entry, by, "allowed")


def parse_denial(entry: Entry, by: str) -> Allowance:
    """Parse ``KIND`` or ``KIND:PATH``, which ``by`` denies; raises ValueError."""
    return _parse(entry, by, "denied")


def parse_denials(text: str, by: str) -> tuple[Allowance, ...]:
    """Parse denials that are separated by commas; raises ValueError."""
    entries = (entry.strip() for entry in text.split(","))
    return tuple(parse_denial(entry, by) for entry in entries if entry)


def narrow_to_documents(
    declared: Iterable[tuple[tuple[Allowance, ...], Iterable[Path]]],
) -> tuple[Allowance, ...]:
    """Narrow what several documents allow for one task to what each of them alone declares.

    ``declared`` are what a document allows, and paths that it declares; all pairs of one document
    hold the same tuple. An object belongs to a document if no other declares anything in it: a
    change replaces a whole object if the live value is none.
    """
    pairs = [*declared]
    allowing = {id(allow): allow for allow, _ in pairs}
    if len(allowing) < 2 or not any(allowing.values()):  # noqa: PLR2004 - one document
        return next(iter(allowing.values()), ())
    owners: dict[Path, int | None] = {}
    leaves: dict[int, list[Path]] = {number: [] for number in allowing}
    for allow, paths in pairs:
        number = id(allow)
        for leaf in paths:
            leaves[number].append(leaf)
            for path in iterate_around(leaf):
                if owners.setdefault(path, number) != number:
                    owners[path] = None
    roots = {
        number: dict.fromkeys(
            next((path for path in iterate_around(leaf) if owners[path] == number), leaf)
            for leaf in found
        )
        for number, found in leaves.items()
    }
    narrowed = (
        _narrow_to(one, roots[number]) for number, allow in allowing.items() for one in allow
    )
    return tuple(dict.fromkeys(one for one in narrowed if one.paths))


def _narrow_to(entry: Allowance, roots: Iterable[Path]) -> Allowance:
    """Narrow an allowance to what is inside some paths; without ``paths`` it accepts nothing."""
    wanted = entry.paths or ((),)
    paths = (
        max(root, path, key=len) for root in roots for path in wanted if are_nested(root, path)
    )
    return replace(entry, paths=tuple(dict.fromkeys(paths)))


def mark_plan(plan: Plan, allow: Allowances) -> Plan:
    """Record in a plan what ``allow`` accepts too, and block what it denies."""
    tasks = tuple(_mark_task(task, allow) if task.problems else task for task in plan.tasks)
    same = all(one is other for one, other in zip(tasks, plan.tasks, strict=True))
    keys = tuple(_mark_key(key, allow) for key in plan.unresolved)
    if keys != plan.unresolved:
        plan = replace(plan, unresolved=keys)
    return plan if same else replace(plan, tasks=tasks)


def _mark_key(key: UnresolvedKey, allow: Allowances) -> UnresolvedKey:
    """Judge the problem of a key again; what the plan accepts stays accepted unless denied."""
    judged = allow.judge(key.problem)
    if key.problem.allowed and not allow.find_denial_of(key.problem):
        return key
    return replace(key, problem=judged)


def is_accepted(problem: TaskProblem, task: TaskPlan) -> bool:
    """Tell whether a problem would block the task, had it not been allowed.

    A task is planned as an update only if its problems were allowed; plans of earlier releases do
    not record more.
    """
    return not problem.is_warning and (bool(problem.allowed) or task.status is Status.UPDATE)


def is_blocking(problem: TaskProblem, task: TaskPlan) -> bool:
    """Tell whether a problem of a task blocks the apply."""
    return not problem.is_warning and not is_accepted(problem, task)


def list_blocking(task: TaskPlan) -> tuple[TaskProblem, ...]:
    """List the problems of a task that block the apply."""
    return tuple(problem for problem in task.problems if is_blocking(problem, task))


def list_blocked(plan: Plan) -> tuple[TaskPlan, ...]:
    """List the tasks that block the apply of a plan."""
    return tuple(task for task in plan.tasks if task.problems and list_blocking(task))


def describe_allowances(allowed: Iterable[Allowance]) -> str:
    """Write who allowed a problem, and why: ``rules.yaml:9: the bucket moved``; empty if unknown.

    Of many, the first are named and the others counted.
    """
    known = list(allowed)
    reasons = dict.fromkeys(one.reason for one in known if one.reason)
    by = list(dict.fromkeys(one.by for one in known if one.by))
    return ": ".join(filter(None, (list_first(by, _BY_MAX), "; ".join(list(reasons)[:_BY_MAX]))))


def describe_accepted(plan: Plan) -> str:
    """Count what was allowed: ``missing (1 task, by --allow)``; empty if nothing was."""
    found: dict[Kind, dict[int, list[Allowance]]] = {}
    for task in plan.tasks:
        for problem in task.problems:
            if is_accepted(problem, task):
                found.setdefault(problem.kind, {}).setdefault(task.task, []).extend(problem.allowed)
    # A key without a task counts as one task; no task has a negative id.
    for number, key in enumerate(plan.unresolved, 1):
        if key.problem.allowed:
            found.setdefault(key.problem.kind, {})[-number] = [*key.problem.allowed]
    return ", ".join(f"{kind.value} ({_count(found[kind])})" for kind in Kind if kind in found)


def _count(tasks: dict[int, list[Allowance]]) -> str:
    by = dict.fromkeys(one.by for found in tasks.values() for one in found if one.by)
    who = list_first(list(by), _BY_MAX)
    return f"{count_noun(len(tasks), 'task')}{who and f', by {who}'}"


def _mark_task(task: TaskPlan, allow: Allowances) -> TaskPlan:
    problems = tuple(_mark_problem(problem, task, allow) for problem in task.problems)
    if all(one is other for one, other in zip(problems, task.problems, strict=True)):
        return task
    marked = replace(task, problems=problems)
    is_denied = any(not (p.is_warning or p.allowed) for p in problems)
    if task.status is Status.UPDATE and is_denied:
        return replace(marked, status=Status.BLOCKED)
    return marked


def _mark_problem(problem: TaskProblem, task: TaskPlan, allow: Allowances) -> TaskProblem:
    """Judge a problem of a plan again; what the plan accepts stays accepted unless it is denied."""
    if problem.is_warning:
        return problem
    paths = problem.paths or tuple(change.path for change in task.changes)
    judged = allow.judge(problem, ((path, None) for path in paths))
    is_denied = allow.find_denial_of(problem, paths or ((),)) is not None
    if is_denied or not is_accepted(problem, task):
        return problem if judged == problem else judged
    return problem


def _list_entries(given: Iterable[Entry]) -> Iterator[Entry]:
    """List what a caller passed; a text alone is one entry."""
    yield from [given] if isinstance(given, str) else given


def _parse(entry: Entry, by: str, verb: str) -> Allowance:
    if isinstance(entry, Allowance):
        _check_kind(entry.kind, verb)
        return entry
    written, colon, path = str(entry).partition(":")
    kind = _check_kind(written, verb)
    return Allowance(kind, (_parse_path(kind, path),) if colon else (), by)


def _check_kind(kind: str, verb: str) -> Kind:
    if kind not in ALLOWABLE:
        known = ", ".join(sorted(ALLOWABLE))
        raise ValueError(f"{str(kind)!r} cannot be {verb}; choose from {known}")
    return Kind(kind)


def _parse_path(kind: Kind, text: str) -> Path:
    if kind not in _OF_DATA and kind is not Kind.IGNORED_ATTRIBUTE:
        raise ValueError(f"{kind.value} is about a whole task: expected no path, found {text!r}")
    try:
        path = parse_path(text)
    except ValueError:
        raise ValueError(
            f"{kind.value}: expected a path such as data.image, found {text!r}"
        ) from None
    if kind in _OF_DATA and path[0] != "data":
        raise ValueError(f"{kind.value} is about data: expected a path in data, found {text!r}")
    return path


def _includes(one: Kind, other: Kind) -> bool:
    """Tell whether a word about problems of one kind holds for problems of the other."""
    return one is other or (one is Kind.ANNOTATED_DATA and other is Kind.ANNOTATED_EXTRA)


def _covers(entry: Allowance, kind: Kind, path: Path) -> bool:
    if not _includes(entry.kind, kind):
        return False
    return not entry.paths or any(is_inside(path, outer) for outer in entry.paths)


def _touches(entry: Allowance, kind: Kind, path: Path) -> bool:
    """Tell whether a denial forbids a change at a path, or at a part of it."""
    if not _includes(entry.kind, kind):
        return False
    return not entry.paths or any(are_nested(path, denied) for denied in entry.paths)


def _drop_other_paths(entry: Allowance, paths: Sequence[Path]) -> Allowance:
    """Keep only the paths of an allowance that matter for a problem: it may have thousands."""
    if len(entry.paths) < 2:  # noqa: PLR2004 - nothing to leave out
        return entry
    relevant = tuple(p for p in entry.paths if any(is_inside(path, p) for path in paths))
    return replace(entry, paths=relevant)


def _get_file(entry: Allowance) -> str | None:
    return None if entry.source is None else entry.source.file


def _format_denial(denial: Allowance) -> str:
    paths = "".join(f":{shorten(format_path(path))}" for path in denial.paths)
    return f"{denial.by} forbids it ({denial.kind.value}{paths}), so nothing can allow it"
