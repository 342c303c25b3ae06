"""Reports read back from their lines, and put together."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.apply.report import (
    Outcome,
    Report,
    TaskOutcome,
    first_line,
    last_line,
    report_document,
    task_line,
)
from reconciler.apply.restoring import merged_report, restored_report
from reconciler.errors import SavedFileError
from reconciler.plan.shard import Shard
from tests.unit.plan.building import SERVER, change

DIGEST = "sha256:" + "0a" * 32
OVERLAP = change("overlap", 1, 2)
APPLIED = TaskOutcome(1, Outcome.APPLIED, (OVERLAP,))
LEFT = TaskOutcome(2, Outcome.MISSING, (), "no such task", accepted=True)


def restored(*outcomes: TaskOutcome, last: dict[str, Any] | None = None) -> Report:
    return restored_report(first_line(DIGEST, SERVER), map(task_line, outcomes), last)


def report(*outcomes: TaskOutcome, shard: Shard | None = None, requests: int | None = 3) -> Report:
    return Report((DIGEST,), SERVER, outcomes, requests, () if shard is None else (shard,))


def test_a_report_comes_back_in_order_of_tasks_with_what_was_allowed():
    found = restored(LEFT, APPLIED, last=last_line([LEFT, APPLIED], 3))
    assert found == report(APPLIED, LEFT)
    assert found.complete
    assert found.outcomes[1].is_good


def test_repairs_come_back():
    repaired = TaskOutcome(1, Outcome.APPLIED, (OVERLAP,), repairs=2)
    assert restored(repaired, last=last_line([repaired], 3)) == report(repaired)


def test_a_later_line_for_a_task_takes_the_place_of_an_earlier_one():
    sent = TaskOutcome(1, Outcome.FAILED, (OVERLAP,), "the answer was lost")
    assert restored(sent, APPLIED, last=last_line([APPLIED], 3)) == report(APPLIED)


def test_a_report_without_its_last_line_was_cut_off():
    found = restored(APPLIED)
    assert found == report(APPLIED, requests=None)
    assert not found.complete
    assert (report_document(found)["complete"], report_document(found)["requests"]) == (False, None)


def test_a_report_whose_counts_do_not_fit_was_edited():
    with pytest.raises(SavedFileError, match="it was edited"):
        restored(APPLIED, last=last_line([APPLIED, LEFT], 3))


def test_reports_of_all_shards_are_one():
    merged = merged_report(
        [("b", report(LEFT, shard=Shard(2, 1))), ("a", report(APPLIED, shard=Shard(2, 2)))]
    )
    assert merged == Report((DIGEST, DIGEST), SERVER, (APPLIED, LEFT), 6)


def test_one_that_was_cut_off_cuts_off_all():
    merged = merged_report([("a", report(APPLIED)), ("b", report(LEFT, requests=None))])
    assert merged.requests is None


def test_two_runs_of_a_shard_and_two_outcomes_of_a_task_are_refused():
    first = report(APPLIED, shard=Shard(2, 2))
    with pytest.raises(SavedFileError, match="a and b are both of shard 2/2"):
        merged_report([("a", first), ("b", report(shard=Shard(2, 2)))])
    with pytest.raises(SavedFileError, match="task 1 is in a and in b"):
        merged_report([("a", report(APPLIED)), ("b", report(APPLIED))])
