"""The policy for every caller: which plans may be applied, and which files may be written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.allowances import (
    NOTHING_ALLOWED,
    Allowances,
    list_blocked,
    list_blocking,
    mark_plan,
)
from reconciler.core.limit import Limit, describe_excess
from reconciler.core.notation import STANDARD_INPUT, count_noun, escape_invisible
from reconciler.core.plan_model import Plan, ServerIdentity
from reconciler.core.problems import ALLOWABLE, Kind, TaskProblem
from reconciler.core.shown_digest import DIGEST_KEY_VARIABLE, NO_DIGEST_KEY, DigestKey
from reconciler.errors import Refused
from reconciler.manifest.files import is_manifest


@dataclass(frozen=True, slots=True)
class ApplyPolicy:
    """What a plan must satisfy to be applied.

    ``allow`` says which problems are accepted, ``max_changes`` is how many tasks may
    change (None: any number), and ``expected_digest`` names the reviewed plan (None: any plan), as
    it is or signed with ``digest_key``. If ``redacted``, errors show only signed digests.
    """

    allow: Allowances = NOTHING_ALLOWED
    max_changes: Limit | None = None
    expected_digest: str | None = None
    digest_key: DigestKey = NO_DIGEST_KEY
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """A plan that satisfies a policy. Only `approve` makes one, and only these are applied."""

    plan: Plan
    allow: Allowances


@dataclass(frozen=True, slots=True)
class Blockers:
    """What blocks the apply of a plan: how many tasks, and the kinds that would accept them.

    If ``kinds`` are allowed, apply leaves the tasks as they are. A new plan made with them allowed
    changes those tasks whose kinds are in ``changing``. ``rules`` counts the rules that block the
    plan, which nothing accepts.
    """

    tasks: int
    kinds: tuple[Kind, ...]
    changing: tuple[Kind, ...] = ()
    rules: int = 0

    @property
    def message(self) -> str:
        """Say how many tasks are blocked, and how many rules block the plan."""
        blocked = [
            count_noun(count, noun)
            for count, noun in ((self.tasks, "task"), (self.rules, "rule"))
            if count
        ]
        return f"{' and '.join(blocked)} {'is' if self.tasks + self.rules == 1 else 'are'} blocked"

    @property
    def hint(self) -> str:
        """Say what the user can do about them."""
        options = " ".join(f"--allow {kind.value}" for kind in self.kinds)
        if self.kinds == (Kind.EDITED_SINCE,):
            tasks = "it" if self.tasks == 1 else "them"
            return f"if intended, pass {options} to leave {tasks} unchanged"
        return f"fix the manifests{options and f'; or if intended, pass {options}'}"


def approve(plan: Plan, policy: ApplyPolicy) -> ApprovedPlan:
    """Approve a plan; raises Refused if it does not satisfy the policy.

    The approved plan records what the policy accepts, in addition to what it was made with.
    """
    plan = mark_plan(plan, policy.allow)
    blockers = find_blockers(plan, policy.allow)
    if blockers:
        raise Refused(f"nothing was changed: {blockers.message}", hint=blockers.hint)
    check_limit(plan, policy.max_changes)
    _check_digest(plan, policy)
    return ApprovedPlan(plan, policy.allow)


def find_blockers(plan: Plan, allow: Allowances) -> Blockers | None:
    """Find what blocks the apply of a plan that records what is allowed; None if nothing does.

    ``allow`` says what cannot be allowed, because it is denied.
    """
    tasks, keys = list_blocked(plan), [key for key in plan.unresolved if not key.problem.allowed]
    rules = sum(rule.is_blocked for rule in plan.rules)
    if not (tasks or keys or rules):
        return None
    problems = [problem for task in tasks for problem in list_blocking(task)]
    changing = [p for task in tasks if task.changes for p in list_blocking(task)]
    return Blockers(
        len(tasks) + len(keys),
        _list_kinds([*problems, *(key.problem for key in keys)], allow),
        _list_kinds(changing, allow),
        rules,
    )


def _list_kinds(problems: Iterable[TaskProblem], allow: Allowances) -> tuple[Kind, ...]:
    """List the kinds that would accept problems, except those that are denied."""
    kinds = {p.kind for p in problems if p.kind in ALLOWABLE and not allow.find_denial_of(p)}
    if Kind.ANNOTATED_DATA in kinds:
        kinds.discard(Kind.ANNOTATED_EXTRA)
    return tuple(sorted(kinds))


def check_limit(plan: Plan, limit: Limit | None) -> None:
    """Raise Refused for a plan that changes more tasks than the limit allows."""
    excess = describe_excess(plan, limit)
    if excess:
        raise Refused(
            f"max-changes: nothing was changed: {excess}",
            hint="if intended, pass a larger --max-changes, or --max-changes 100%",
        )


def _check_digest(plan: Plan, policy: ApplyPolicy) -> None:
    expected, key = policy.expected_digest, policy.digest_key
    if expected is None or key.confirms(plan.digest, expected):
        return
    hint = "review this plan; if it is right, pass its digest"
    found = plan.digest
    if policy.redacted:
        found = key.sign(plan.digest) or "another one"
        if not key:
            hint = f"set {DIGEST_KEY_VARIABLE} as where the plan was shown, or review this plan"
    raise Refused(
        f"nothing was changed: expected the plan {escape_invisible(expected)}, found {found}",
        hint=hint,
    )


def check_server(saved: ServerIdentity, live: ServerIdentity, file: str) -> None:
    """Raise Refused if a file was made for another server, where its ids are other tasks.

    Another release of the same server is accepted: apply compares with live values. A file that
    names no environment is for any that is on its server.
    """
    if (saved.url, saved.edition) != (live.url, live.edition):
        raise Refused(
            f"nothing was changed: {file} was made for {saved}, but this run uses {live}",
            hint="choose the server of the file with --env, LABEL_STUDIO_URL or --url, or make a "
            "new plan",
        )
    if saved.environment and saved.environment != live.environment:
        used = f"environment {live.environment}" if live.environment else "none"
        raise Refused(
            f"nothing was changed: {file} was made for environment {saved.environment}, but this "
            f"run uses {used}",
            hint=f"pass --env {saved.environment}, or make a new plan",
        )


def find_folder_around(file: Path, paths: Iterable[str]) -> str:
    """Return the path of a run that would find an output as a manifest; empty if none would."""
    if not is_manifest(str(file)):
        return ""
    folders = (path for path in paths if Path(path).is_dir())
    inside = (path for path in folders if file.resolve().is_relative_to(Path(path).resolve()))
    return next(inside, "")


def check_output(file: Path | None, inputs: Sequence[str], what: str) -> None:
    """Raise Refused if writing ``what`` to a file would overwrite one of the ``inputs``."""
    if file is None or not file.exists():
        return
    if any(_is_same_file(file, path) for path in inputs if path != STANDARD_INPUT):
        raise Refused(
            f"nothing was changed: {file} is a manifest, and the {what} would overwrite it",
            hint=f"write the {what} to another file",
        )


def _is_same_file(file: Path, other: str) -> bool:
    """Return whether both names refer to one file; ``other`` may name tasks without a file."""
    try:
        return file.samefile(other)
    except (OSError, ValueError):
        return False
