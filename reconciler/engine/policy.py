"""Whether a plan may be carried out, and a file be written: decided here, for everybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.limit import Limit, describe_excess
from reconciler.core.model import ALLOWABLE, Kind, Plan, ServerIdentity, TaskPlan
from reconciler.core.notation import STANDARD_INPUT, count_noun, escape_invisible
from reconciler.errors import Refused


@dataclass(frozen=True, slots=True)
class ApplyPolicy:
    """What a plan must satisfy to be carried out.

    ``allow`` are the problems that are accepted, ``max_changes`` is how many tasks may change, and
    ``expected_digest`` names the plan that was reviewed; None accepts any number, and any plan.
    """

    allow: frozenset[Kind] = frozenset()
    max_changes: Limit | None = None
    expected_digest: str | None = None


def parse_allowed(allow: Iterable[Kind | str]) -> frozenset[Kind]:
    """Read kinds of problem that are to be accepted; raises ValueError for what cannot be."""
    given = [allow] if isinstance(allow, str) else [*allow]
    for kind in given:
        if kind not in ALLOWABLE:
            known = ", ".join(sorted(ALLOWABLE))
            raise ValueError(f"{str(kind)!r} cannot be allowed; choose from {known}")
    return frozenset(map(Kind, given))


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """A plan that satisfies a policy. Made by `approve`; nothing else is carried out."""

    plan: Plan
    allow: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class Blockers:
    """What keeps a plan from being applied: so many tasks, and the kinds that would accept them.

    Of ``kinds``, ``changing`` are those of tasks that would be changed if the plan was made anew
    with them allowed; tasks of all others are left out.
    """

    tasks: int
    kinds: tuple[Kind, ...]
    changing: tuple[Kind, ...] = ()

    @property
    def message(self) -> str:
        """Say how many tasks there are."""
        return f"{count_noun(self.tasks, 'task')} cannot be brought to what is declared"

    @property
    def hint(self) -> str:
        """Say what to do about them."""
        options = " ".join(f"--allow {kind.value}" for kind in self.kinds)
        return f"mend the manifests{options and f', or accept it with {options}'}"


def approve(plan: Plan, policy: ApplyPolicy) -> ApprovedPlan:
    """Approve a plan; raises Refused where it does not satisfy the policy."""
    blockers = find_blockers(plan, policy.allow)
    if blockers:
        raise Refused(f"nothing is changed: {blockers.message}", hint=blockers.hint)
    check_limit(plan, policy.max_changes)
    _check_digest(plan, policy.expected_digest)
    return ApprovedPlan(plan, policy.allow)


def find_blockers(plan: Plan, allow: frozenset[Kind]) -> Blockers | None:
    """Find the tasks that keep a plan from being applied; None where there are none."""
    tasks = plan.list_unaccepted(allow)
    if not tasks:
        return None
    kinds = _list_kinds(tasks)
    changing = _list_kinds(task for task in tasks if task.changes)
    return Blockers(
        len(tasks),
        tuple(sorted(ALLOWABLE & kinds - allow)),
        tuple(sorted(ALLOWABLE & changing - allow)),
    )


def _list_kinds(tasks: Iterable[TaskPlan]) -> set[Kind]:
    return {problem.kind for task in tasks for problem in task.problems}


def check_limit(plan: Plan, limit: Limit | None) -> None:
    """Raise Refused for a plan that goes over the limit."""
    excess = describe_excess(plan, limit)
    if excess:
        raise Refused(
            f"max-changes: nothing is changed: {excess}",
            hint="is it meant? then give --max-changes a larger number, or 100%",
        )


def _check_digest(plan: Plan, expected: str | None) -> None:
    if expected is None or expected == plan.digest:
        return
    raise Refused(
        f"nothing is changed: this plan is {plan.digest}, and {escape_invisible(expected)} was "
        "expected",
        hint="look at what it would change now, and expect the digest that it has",
    )


def check_server(saved: ServerIdentity, live: ServerIdentity, file: str) -> None:
    """Raise Refused where a file is about another server: its ids are other tasks there.

    That the server was updated in between does no harm: live values decide.
    """
    if (saved.url, saved.edition) != (live.url, live.edition):
        raise Refused(
            f"nothing is changed: {file} is about {saved}, and this is {live}",
            hint="set LABEL_STUDIO_URL to that server, or plan again against this one",
        )


def check_output(file: Path | None, inputs: Sequence[str], what: str) -> None:
    """Raise Refused where writing ``what`` to a file would replace one of the ``inputs``."""
    if file is None or not file.exists():
        return
    if any(_is_same_file(file, path) for path in inputs if path != STANDARD_INPUT):
        raise Refused(
            f"nothing is changed: {file} is a manifest, and would give way to the {what}",
            hint="name another file",
        )


def _is_same_file(file: Path, other: str) -> bool:
    """Tell whether both are one file; the name that stands for values may be of none."""
    try:
        return file.samefile(other)
    except (OSError, ValueError):
        return False
