"""What runs may have changed is all that a way back is looked for."""

from __future__ import annotations

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.report import Outcome, Report, Run, TaskOutcome
from reconciler.core.report_history import compose_changes
from reconciler.errors import SavedFileError
from tests.unit.core.building import SERVER, change

OVERLAP = change("overlap", 1, 2)


def made(*runs: tuple[TaskOutcome, ...]) -> dict[int, list[tuple[object, tuple[object, ...]]]]:
    """By task what was there first, and what may be there now."""
    reports = [
        (f"{n}.jsonl", Report(SERVER, (Run("sha256:0a", 3),), run)) for n, run in enumerate(runs)
    ]
    found = compose_changes(reports, load_contract())
    return {task: [(one.before, one.afters) for one in all_] for task, all_ in found.items()}


def test_what_was_sent_may_have_changed_and_nothing_else():
    outcomes = tuple(TaskOutcome(n, outcome, (OVERLAP,)) for n, outcome in enumerate(Outcome))
    assert {outcomes[task].outcome: afters for task, afters in made(outcomes).items()} == {
        Outcome.APPLIED: [(1, (2,))],
        Outcome.NOT_HONOURED: [(1, (2, 1))],
        Outcome.FAILED: [(1, (2, 1))],
    }


def test_a_task_that_failed_without_a_change_needs_no_way_back():
    assert made((TaskOutcome(1, Outcome.FAILED, (), "the server failed on it"),)) == {}


def test_a_second_run_that_failed_leaves_what_the_first_one_did_to_be_undone():
    applied = TaskOutcome(1, Outcome.APPLIED, (OVERLAP,))
    failed = TaskOutcome(1, Outcome.FAILED, (change("overlap", 2, 3),), "refused")
    assert made((applied,), (failed,)) == {1: [(1, (3, 2))]}


def test_what_a_later_run_found_tells_what_became_of_a_lost_update():
    lost = TaskOutcome(1, Outcome.FAILED, (OVERLAP,), "lost")
    for found in (1, 2):
        again = TaskOutcome(1, Outcome.APPLIED, (change("overlap", found, 5),))
        assert made((lost,), (again,)) == {1: [(1, (5,))]}


def test_what_was_undone_needs_no_way_back():
    applied = TaskOutcome(1, Outcome.APPLIED, (OVERLAP,))
    undone = TaskOutcome(1, Outcome.APPLIED, (change("overlap", 2, 1),))
    assert made((applied,), (undone,)) == {}


@pytest.mark.parametrize("path", ["data.text", "data.text.inner"])
def test_changes_of_one_report_that_do_not_fit_each_other_are_refused(path: str):
    changes = (change("data.text", "a", "b"), change(path, "c", "d"))
    edited = Report(SERVER, (Run("sha256:0"),), (TaskOutcome(1, Outcome.APPLIED, changes),))
    with pytest.raises(SavedFileError, match="two changes contradict each other") as refused:
        compose_changes([("one", edited)], load_contract())
    assert refused.value.hint == "apply does not write such a report: pass an unedited one"
