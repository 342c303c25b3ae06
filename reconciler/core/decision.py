"""What to send for a task, and what the server's responses prove; without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain

from reconciler.contract.attributes import Attribute, Attributes, Type
from reconciler.contract.body_validator import BodyValidator
from reconciler.core.allowances import Allowances, list_blocking
from reconciler.core.conditions import UnreadableConditionError, compile_conditions
from reconciler.core.difference import are_equal
from reconciler.core.edit import apply_changes
from reconciler.core.guards import GuardFacts
from reconciler.core.model import Found, Missing, Observed, Unreadable
from reconciler.core.notation import format_path, format_paths, format_value
from reconciler.core.paths import get_value, set_value
from reconciler.core.plan_model import Status, TaskPlan
from reconciler.core.planner import TOO_DEEP, apply_guards
from reconciler.core.problems import Allowance
from reconciler.core.report import STOPPED, Outcome, TaskOutcome
from reconciler.core.rule_set import describe_rule
from reconciler.core.three_way import Verdict, is_applied, judge_change
from reconciler.core.values import UNREADABLE, Json, Side, is_same, is_too_deep
from reconciler.errors import Refused


@dataclass(frozen=True, slots=True)
class Patch:
    """One update, ready to be sent; ``body`` holds each changed attribute as a whole.

    ``read_at`` is when the values that it is merged into were read, in seconds of a clock.
    """

    plan: TaskPlan
    body: dict[str, Json]
    read_at: float = 0.0


def decide(
    task: TaskPlan,
    observed: Observed,
    *,
    facts: GuardFacts,
    allow: Allowances,
    validator: BodyValidator,
) -> TaskOutcome | Patch:
    """Decide by the current values of a task what to send for it; a stale task is left alone."""
    if isinstance(observed, Missing):
        return make_outcome(task, Outcome.MISSING, "the server no longer finds the task")
    if isinstance(observed, Unreadable):
        return make_outcome(task, Outcome.FAILED, observed.detail)
    live = observed.attributes
    if live.get("project") != task.project:
        message = "the task is in a different project than when it was planned"
        return make_outcome(task, Outcome.STALE, message)
    verdicts = [judge_change(change, live, facts.attributes) for change in task.changes]
    judged = list(zip(task.changes, verdicts, strict=True))
    stale = [change for change, verdict in judged if verdict is Verdict.STALE]
    if stale:
        message = f"changed on the server since the plan: {format_paths(c.path for c in stale)}"
        return make_outcome(task, Outcome.STALE, message)
    due = tuple(change for change, verdict in judged if verdict is Verdict.DO)
    if not due:
        return make_outcome(task, Outcome.ALREADY)
    if lost := find_lost_reason(task, live, facts.attributes):
        return make_outcome(task, Outcome.STALE, lost)
    due_task = task.narrow(due)
    # The problems that a plan shows as allowed were accepted when it was reviewed.
    accepted = allow.accept(task.problems)
    unjudged = replace(due_task, problems=())
    guarded = apply_guards(unjudged, observed, facts=facts, allow=accepted)
    if guarded.status is Status.BLOCKED:
        messages = "; ".join(problem.message for problem in list_blocking(guarded))
        return make_outcome(due_task, Outcome.BLOCKED, messages)
    body = _write_integers(apply_changes(live, due), facts.attributes)
    patch = Patch(replace(due_task, addresses=guarded.addresses), body)
    return _validate(patch, validator)


def find_lost_reason(task: TaskPlan, live: Mapping[str, Side], attributes: Attributes) -> str:
    """Say which reason for the changes of a task no longer holds: its key, or a rule's condition.

    Conditions are judged as the plan did: paths that a rule changes count as they were before, and
    paths that the task declares itself as declared. Returns an empty text if all reasons hold.
    """
    if task.key and not is_same(get_value(live, task.key.path), task.key.value):
        path, key = format_path(task.key.path), format_value(task.key.value)
        return f"the task no longer has the key {key} at {path}"
    if not task.rules:
        return ""
    seen = _restore_seen(task, live)
    for rule in task.rules:
        try:
            if compile_conditions(rule.where, attributes)(seen):
                continue
        except UnreadableConditionError as error:
            return f"the server's response has no {error.name}, which {describe_rule(rule)} reads"
        return f"the task no longer matches {describe_rule(rule)}"
    return ""


def _restore_seen(task: TaskPlan, live: Mapping[str, Side]) -> dict[str, Side]:
    """Return the task as the rules of the plan saw it, except for what changed since."""
    seen = dict(live)
    before = ((c.path, c.before) for c in task.planned or task.changes if c.rule)
    for (name, *keys), value in chain(before, task.seen):
        if seen.get(name, UNREADABLE) is not UNREADABLE:
            seen[name] = set_value(seen[name], tuple(keys), value)
    return seen


def _validate(patch: Patch, validator: BodyValidator) -> TaskOutcome | Patch:
    """Check a body before it is sent; return an outcome instead if it would break the task."""
    task, body = patch.plan, patch.body
    if any(map(is_too_deep, body.values())):
        return make_outcome(task, Outcome.FAILED, TOO_DEEP.message)
    try:
        validator.check(task.task, body)
    except Refused as error:
        return make_outcome(task, Outcome.BLOCKED, str(error))
    return patch


def _write_integers(body: Mapping[str, Json], attributes: Attributes) -> dict[str, Json]:
    """Write integral floats as integers: the server accepts `1.0` as an integer, but not `1e16`.

    The digits are those that JSON writes for the float, as when values are compared.
    """
    return {
        name: int(Decimal(repr(value)))
        if isinstance(value, float) and value.is_integer() and _is_integer(attributes.get(name))
        else value
        for name, value in body.items()
    }


def _is_integer(attribute: Attribute | None) -> bool:
    return attribute is not None and attribute.type is Type.INTEGER


def judge_answer(patch: Patch, answer: Mapping[str, Json], attributes: Attributes) -> TaskOutcome:
    """Judge the response to a PATCH, which shows each stored attribute as a whole.

    An attribute that it does not show does not count as applied: the verification settles it,
    because what a response shows depends on the role.
    """
    task = patch.plan
    unproved = [change for change in task.changes if not is_applied(change, answer, attributes)]
    if not unproved:
        return _judge_undeclared(patch, answer, attributes)
    refuted = [change for change in unproved if change.path[0] in answer]
    if refuted:
        message = (
            f"the server returned 200 but did not store {format_paths(c.path for c in refuted)}"
        )
        return make_outcome(task, Outcome.NOT_HONOURED, message)
    paths = format_paths(c.path for c in unproved)
    message = f"the server returned 200, but its response does not show that it stored {paths}"
    return make_outcome(task, Outcome.NOT_HONOURED, message)


def _judge_undeclared(
    patch: Patch, answer: Mapping[str, Json], attributes: Attributes
) -> TaskOutcome:
    """Judge the undeclared keys of objects, which were sent along with the changes."""
    lost = [
        name
        for name, value in patch.body.items()
        if not are_equal((name,), answer[name], value, attributes)
    ]
    if lost:
        message = f"the server returned 200 but stored {', '.join(lost)} differently than sent"
        return make_outcome(patch.plan, Outcome.FAILED, message)
    return make_outcome(patch.plan, Outcome.APPLIED)


def settle(
    task: TaskPlan, observed: Observed, before: TaskOutcome, attributes: Attributes
) -> TaskOutcome:
    """Judge a task that was read again after its PATCH; ``before`` is its outcome so far.

    If all changes are stored it is applied, even if the response failed or was lost.
    """
    if not isinstance(observed, Found):
        message = "the update was sent, but the task can no longer be read"
        return before if before.outcome is Outcome.FAILED else correct(before, message)
    lost = [c for c in task.changes if not is_applied(c, observed.attributes, attributes)]
    if not lost:
        return replace(before, outcome=Outcome.APPLIED, error="")
    if before.outcome is Outcome.APPLIED:
        message = f"stored, but different when read again: {format_paths(c.path for c in lost)}"
        return correct(before, message, Outcome.NOT_HONOURED)
    return before


def correct(before: TaskOutcome, message: str, outcome: Outcome = Outcome.FAILED) -> TaskOutcome:
    """Return ``before`` with another outcome and error; its changes stay those that were sent."""
    return replace(before, outcome=outcome, error=message)


def make_outcome(task: TaskPlan, outcome: Outcome, error: str = "") -> TaskOutcome:
    """Build the outcome of a task, with the changes of its plan."""
    allowed = _list_allowed(task)
    return TaskOutcome(task.task, outcome, task.changes, error, allowed=allowed, key=task.key)


def _list_allowed(task: TaskPlan) -> tuple[Allowance, ...]:
    """List what accepted the problems of a task, each once."""
    if not task.problems:
        return ()
    return tuple(dict.fromkeys(one for problem in task.problems for one in problem.allowed))


def mark_interrupted(tasks: Iterable[TaskPlan]) -> list[TaskOutcome]:
    """Build the outcomes of tasks that a stopped run did not start."""
    return [make_outcome(task, Outcome.INTERRUPTED, STOPPED) for task in tasks]


def mark_left_alone(task: TaskPlan) -> TaskOutcome:
    """Build the outcome of a task that the plan leaves alone, which the user has allowed."""
    outcome = Outcome.MISSING if task.status is Status.MISSING else Outcome.BLOCKED
    message = "; ".join(problem.message for problem in task.problems)
    allowed = _list_allowed(task)
    return TaskOutcome(
        task.task, outcome, (), message, accepted=True, allowed=allowed, key=task.key
    )
