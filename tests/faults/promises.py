"""What must be true of every run, whatever went wrong on the way."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from reconciler.core.difference import are_equal
from reconciler.core.model import Change
from reconciler.core.paths import get_value
from reconciler.core.report import GOOD, Outcome, TaskOutcome
from tests.faults.scenarios import Ended, Scenario, Values, as_declared
from tests.sandboxed import CONTRACT

Tasks = Mapping[int, Values]


def same(one: Values, other: Values) -> bool:
    """Compare as written: 1 is not 1.0 here, as what is not declared is not to change at all."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def nothing_else_changed(scenario: Scenario, before: Tasks, after: Tasks) -> None:
    """Each task is as it was, or just as declared; what others edited since stays theirs."""
    assert before.keys() == after.keys()
    for task, values in after.items():
        untouched = same(values, before[task])
        declared = task not in scenario.theirs and same(values, wanted(task, before[task]))
        assert untouched or declared, f"task {task} became {values}"


def wanted(task: int, before: Values) -> Values:
    """Give what a task must become; a broken one cannot become anything."""
    return as_declared(task, before) if isinstance(before["data"], dict) else before


def claims_are_true(outcomes: Collection[TaskOutcome], before: Tasks, after: Tasks) -> None:
    """What is called done is what the server holds, and was what the report says it was."""
    for outcome in outcomes:
        if outcome.outcome in GOOD:
            for change in outcome.changes:
                assert _holds(change, after[outcome.task]), f"claimed of {outcome.task}: {change}"
        if outcome.outcome is Outcome.APPLIED:
            assert outcome.changes
            for change in outcome.changes:
                assert _was(change, before[outcome.task]), f"claimed of {outcome.task}: {change}"
        assert outcome.is_good or outcome.error, f"{outcome} does not say why"


def _holds(change: Change, values: Values) -> bool:
    return are_equal(change.path, get_value(values, change.path), change.after, CONTRACT)


def _was(change: Change, values: Values) -> bool:
    return are_equal(change.path, get_value(values, change.path), change.before, CONTRACT)


def only_what_was_seen_is_claimed(ended: Ended, seen: Collection[int]) -> None:
    """What is called applied has been read after it was written, and not only been answered."""
    applied = {o.task for o in ended.outcomes if o.outcome is Outcome.APPLIED}
    assert applied <= set(seen), f"never read again: {applied - set(seen)}"


def exit_code_is_true(ended: Ended, before: Tasks, after: Tasks) -> None:
    """0: all that was not accepted otherwise is as declared. 1: nothing was changed. 3: neither."""
    accepted = {outcome.task for outcome in ended.outcomes if outcome.accepted}
    if ended.code == 0:
        for task, values in before.items():
            assert task in accepted or same(after[task], wanted(task, values))
    if ended.code == 1:
        assert ended.error
        assert after == before
    if ended.code == 3:
        assert any(not outcome.is_good for outcome in ended.outcomes)


def no_success_is_hidden(ended: Ended, asked: Collection[int], before: Tasks, after: Tasks) -> None:
    """What a PATCH was sent for and is as declared is called done, or said not to have been seen.

    Not to be asked where the server went on failing, or acted after the run had ended.
    """
    for outcome in ended.outcomes:
        if outcome.task in asked and outcome.outcome not in GOOD:
            done = same(after[outcome.task], wanted(outcome.task, before[outcome.task]))
            assert not done or "stored, but could not be read again: " in outcome.error, str(
                outcome
            )
