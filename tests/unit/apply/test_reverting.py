"""What an apply may have changed is all that a way back is looked for."""

from __future__ import annotations

from reconciler.apply.report import Outcome, Report, TaskOutcome
from reconciler.apply.reverting import changes_made
from tests.unit.plan.building import SERVER, change

MADE = (change("overlap", 1, 2),)


def test_what_was_sent_may_have_changed_and_nothing_else():
    outcomes = tuple(TaskOutcome(n, outcome, MADE) for n, outcome in enumerate(Outcome))
    report = Report(("sha256:0a",), SERVER, outcomes, requests=3)
    may_have_changed = {Outcome.APPLIED, Outcome.NOT_HONOURED, Outcome.FAILED}
    assert changes_made(report) == {
        outcome.task: MADE for outcome in outcomes if outcome.outcome in may_have_changed
    }


def test_a_task_that_failed_without_a_change_needs_no_way_back():
    failed = TaskOutcome(1, Outcome.FAILED, (), "the server failed on it")
    assert changes_made(Report(("sha256:0a",), SERVER, (failed,), requests=3)) == {}
