"""Saved files are put together as data: what they are as one, what is missing, what is open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.artifacts.plan_file import write_plan
from reconciler.core.plan_model import Plan
from reconciler.core.report import Outcome, Report, Run, TaskOutcome
from reconciler.core.shard import Shard
from reconciler.engine.show import SavedFiles, merge_saved_files, read_saved_files
from reconciler.engine.unknowns import Unknowns
from tests.unit.core.building import SERVER, change

PLAN = Plan(SERVER, (), 3, 1)
APPLIED = TaskOutcome(1, Outcome.APPLIED, (change("overlap", 1, 2),))


def report(*, complete: bool) -> Report:
    return Report(SERVER, (Run("sha256:" + "0a" * 32, 3 if complete else None),), (APPLIED,))


def test_shards_of_a_plan_are_one_plan_that_may_lack_some(tmp_path: Path):
    files = [tmp_path / "2.json", tmp_path / "4.json"]
    for number, file in zip((2, 4), files, strict=True):
        write_plan(replace(PLAN, shards=(Shard(4, number),)), file)

    saved = read_saved_files(list(map(str, files)))
    merged = merge_saved_files(saved)

    assert [name for name, _ in saved.plans] == list(map(str, files))
    assert isinstance(merged.found, Plan)
    assert (merged.found.unchanged, merged.found.shards) == (6, (Shard(4, 2), Shard(4, 4)))
    assert merged.missing == [Shard(4, 1), Shard(4, 3)]
    assert merged.unknowns == Unknowns((), "")


@pytest.mark.parametrize(("complete", "cut_off"), [(True, ()), (False, ("a.jsonl",))])
def test_a_report_that_was_cut_off_is_named(complete: bool, cut_off: tuple[str, ...]):  # noqa: FBT001 - a row of the table
    merged = merge_saved_files(SavedFiles((), [("a.jsonl", report(complete=complete))]))

    assert isinstance(merged.found, Report)
    assert (merged.missing, merged.unknowns) == ([], Unknowns(cut_off, ""))


def test_reports_that_do_not_say_when_they_began_are_taken_as_given():
    one = report(complete=True)
    back = replace(one, outcomes=(replace(APPLIED, changes=(change("overlap", 2, 1),)),))
    merged = merge_saved_files(SavedFiles((), [("a.jsonl", one), ("b.jsonl", back)]))

    assert merged.unknowns.order == (
        "a.jsonl, b.jsonl do not say when their runs began: reports are used in "
        "the order in which you pass them"
    )
