"""Reports read back from their lines, and put together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.model import Change, User
from reconciler.core.report import STOPPED, Commit, Outcome, Report, Run, TaskOutcome
from reconciler.core.report_document import (
    build_first_line,
    build_last_line,
    build_not_started_lines,
    build_report_document,
    build_task_line,
    restore_report,
)
from reconciler.core.report_history import find_untimed, merge_reports
from reconciler.core.shard import Shard
from reconciler.core.values import ABSENT
from reconciler.errors import SavedFileError
from tests.unit.core.building import SERVER, change

ATTRIBUTES = load_contract()
LOCAL, UTC_TIME = "2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"
DIGEST = "sha256:" + "0a" * 32
OVERLAP = change("overlap", 1, 2)
APPLIED = TaskOutcome(1, Outcome.APPLIED, (OVERLAP,))
LEFT = TaskOutcome(2, Outcome.MISSING, (), "no such task", accepted=True)


def restored(*outcomes: TaskOutcome, last: dict[str, Any] | None = None) -> Report:
    return restore_report(
        build_first_line(Run(DIGEST), SERVER), map(build_task_line, outcomes), last
    )


def report(
    *outcomes: TaskOutcome, shard: Shard | None = None, requests: int | None = 3, at: int = 0
) -> Report:
    """A report of a run that began at an hour; 0: it does not say."""
    shards = () if shard is None else (shard,)
    started = f"2026-11-28T{at:02}:00:00.000Z" if at else ""
    return Report(SERVER, (Run(DIGEST, requests, shards, started=started),), outcomes, shards)


def merged(*reports: tuple[str, Report]) -> Report:
    return merge_reports(reports, ATTRIBUTES)


def outcomes_of(*reports: tuple[str, Report]) -> list[tuple[int, str, list[tuple[Any, Any]]]]:
    """What is said of each task, and the values before and after of what was changed."""
    return [
        (o.task, o.outcome.value, [(c.before, c.after) for c in o.changes])
        for o in merged(*reports).outcomes
    ]


def test_a_report_comes_back_in_order_of_tasks_with_what_was_allowed():
    found = restored(LEFT, APPLIED, last=build_last_line([LEFT, APPLIED], 3))
    assert found == report(APPLIED, LEFT)
    assert found.complete
    assert found.outcomes[1].is_good


def test_repairs_come_back():
    repaired = TaskOutcome(1, Outcome.APPLIED, (OVERLAP,), repairs=2)
    assert restored(repaired, last=build_last_line([repaired], 3)) == report(repaired)


def test_a_later_line_for_a_task_takes_the_place_of_an_earlier_one():
    sent = TaskOutcome(1, Outcome.FAILED, (OVERLAP,), "the answer was lost")
    assert restored(sent, APPLIED, last=build_last_line([APPLIED], 3)) == report(APPLIED)


def test_a_report_without_its_last_line_was_cut_off():
    found = restored(APPLIED)
    assert found == report(APPLIED, requests=None)
    assert not found.complete
    assert (build_report_document(found)["complete"], build_report_document(found)["requests"]) == (
        False,
        None,
    )


def test_a_report_whose_counts_do_not_fit_was_edited():
    with pytest.raises(
        SavedFileError, match=r"^the counts in its last line .* edited or damaged \(pass"
    ):
        restored(APPLIED, last=build_last_line([APPLIED, LEFT], 3))


def test_tasks_that_were_not_started_come_back_out_of_one_line():
    stopped = [TaskOutcome(n, Outcome.INTERRUPTED, (), STOPPED) for n in (2, 3, 4, 7)]
    lines = [build_task_line(APPLIED), *build_not_started_lines(stopped)]
    last = build_last_line([APPLIED, *stopped], 3)
    assert restore_report(build_first_line(Run(DIGEST), SERVER), lines, last) == report(
        APPLIED, *stopped
    )
    document = build_report_document(report(APPLIED, *stopped))
    assert document["tasks"] == lines[:1]
    assert document["not_started"] == lines[1:]
    assert "not_started" not in build_report_document(report(APPLIED))


@pytest.mark.parametrize(
    ("count", "tasks"),
    [(3, "2-5"), (10_000_000, "1-999999999999999999"), (1, "5-2"), (2, "2, 5-4, 7"), (2, "x")],
)
def test_a_line_of_tasks_that_does_not_fit_its_count_was_edited(count: int, tasks: str):
    line = {"not_started": {"count": count, "tasks": tasks}, "error": STOPPED}
    with pytest.raises(SavedFileError, match="the report was edited or damaged"):
        restore_report(build_first_line(Run(DIGEST), SERVER), [line], None)


def test_what_is_told_of_a_run_comes_back():
    run = Run(
        DIGEST,
        3,
        command="revert",
        started="2026-11-28T10:00:00.000Z",
        ended="2026-11-28T10:00:01.000Z",
        user=User(7, "ann@example.org"),
        commit=Commit("0a1b2c", dirty=True),
    )
    done = replace(APPLIED, time="2026-11-28T10:00:00.500Z")
    last = build_last_line([done], 3, run.ended)
    found = restore_report(build_first_line(run, SERVER), [build_task_line(done)], last)
    assert found == Report(SERVER, (run,), (done,))


def test_what_is_not_known_of_a_run_is_not_written():
    assert build_first_line(Run(DIGEST), SERVER).keys() == {
        "format_version",
        "kind",
        "digest",
        "server",
        "command",
    }
    clean = Run(DIGEST, commit=Commit("0a1b2c"))
    first = build_first_line(clean, SERVER)
    assert first["commit"] == {"id": "0a1b2c"}
    assert restore_report(first, [], None).runs[0].commit == clean.commit
    assert build_last_line([APPLIED], 3).keys() == {"summary", "requests"}


def test_a_report_that_names_no_command_is_of_apply():
    first = build_first_line(Run(DIGEST, command="revert"), SERVER)
    del first["command"]
    assert restore_report(first, [], None).runs[0].command == "apply"


def test_a_report_of_a_shard_is_of_that_shard():
    run = Run(DIGEST, 3, (Shard(2, 2),))
    first = build_first_line(run, SERVER)
    assert first["shard"] == "2/2"
    found = restore_report(first, [build_task_line(APPLIED)], build_last_line([APPLIED], 3))
    assert found == Report(SERVER, (run,), (APPLIED,), (Shard(2, 2),))
    document = build_report_document(found)
    assert document["shard"] == "2/2"
    assert [one["shard"] for one in document["runs"]] == ["2/2"]  # type: ignore[union-attr,index,call-overload]


def test_changes_that_were_applied_again_are_counted_at_the_end():
    repaired = TaskOutcome(1, Outcome.APPLIED, (OVERLAP,), repairs=2)
    assert build_last_line([repaired], 3)["repaired"] == 1
    assert build_report_document(report(repaired))["repaired"] == 1


def test_reports_of_all_shards_are_one():
    found = merged(
        ("b", report(LEFT, shard=Shard(2, 1))), ("a", report(APPLIED, shard=Shard(2, 2)))
    )
    runs = (Run(DIGEST, 3, (Shard(2, 1),)), Run(DIGEST, 3, (Shard(2, 2),)))
    assert found == Report(SERVER, runs, (APPLIED, LEFT))
    assert found.requests == 6


def test_one_that_was_cut_off_cuts_off_all():
    assert merged(("a", report(APPLIED)), ("b", report(LEFT, requests=None))).requests is None


def applied(*changes: Change, task: int = 1) -> TaskOutcome:
    return TaskOutcome(task, Outcome.APPLIED, changes)


def test_two_runs_in_a_row_are_one_change_from_the_first_value_to_the_last():
    first = report(applied(change("overlap", 1, 2)), at=1)
    second = report(applied(change("overlap", 2, 3)), at=2)
    expected = [(1, "applied", [(1, 3)])]
    # Whatever the order in which they are given.
    assert outcomes_of(("a", first), ("b", second)) == expected
    assert outcomes_of(("b", second), ("a", first)) == expected
    assert [r.started for r in merged(("b", second), ("a", first)).runs] == [
        "2026-11-28T01:00:00.000Z",
        "2026-11-28T02:00:00.000Z",
    ]


def test_reports_that_do_not_say_when_are_taken_as_they_are_given():
    first = report(applied(change("overlap", 1, 2)))
    second = report(applied(change("overlap", 2, 3)), at=2)
    named = [("a", first), ("b", second)]
    assert outcomes_of(*named) == [(1, "applied", [(1, 3)])]
    assert find_untimed(named) == ["a"]
    with pytest.raises(SavedFileError, match="b and a are not consecutive"):
        merged(*reversed(named))


def test_the_order_of_reports_that_share_no_task_needs_no_word():
    assert find_untimed([("a", report(APPLIED)), ("b", report(LEFT))]) == []


def test_a_run_that_went_on_where_one_was_interrupted_completes_it():
    stopped = TaskOutcome(2, Outcome.INTERRUPTED, (), STOPPED)
    first = report(APPLIED, stopped, at=1)
    second = report(applied(OVERLAP, task=2), at=2)
    saved = report(TaskOutcome(1, Outcome.ALREADY, (OVERLAP,)), applied(OVERLAP, task=2), at=2)
    expected = [(1, "applied", [(1, 2)]), (2, "applied", [(1, 2)])]
    assert outcomes_of(("a", first), ("b", second)) == expected
    assert outcomes_of(("a", first), ("b", saved)) == expected


def test_a_shard_that_was_interrupted_and_run_again_is_one_of_all_shards():
    again = report(applied(change("overlap", 2, 3)), shard=Shard(2, 2), at=3)
    found = merged(
        ("b", report(APPLIED, shard=Shard(2, 2), at=1)),
        ("a", report(LEFT, shard=Shard(2, 1), at=2)),
        ("c", again),
    )
    assert found.shards == ()
    assert merged(("b", report(APPLIED, shard=Shard(2, 2), at=1)), ("c", again)).shards == (
        Shard(2, 2),
    )


def test_changes_that_a_later_run_failed_to_make_are_listed_beside_those_made():
    stale = TaskOutcome(1, Outcome.STALE, (change("overlap", 2, 3),), "changed since")
    assert outcomes_of(("a", report(APPLIED, at=1)), ("b", report(stale, at=2))) == [
        (1, "applied", [(1, 2)]),
        (1, "stale", [(2, 3)]),
    ]


def test_an_update_whose_answer_was_lost_is_applied_where_a_later_run_found_it_done():
    lost = TaskOutcome(1, Outcome.FAILED, (OVERLAP,), "the answer was lost")
    already = TaskOutcome(1, Outcome.ALREADY, (OVERLAP,))
    other = TaskOutcome(1, Outcome.ALREADY, (change("inner_id", 1, 2),))
    assert outcomes_of(("a", report(lost, at=1)), ("b", report(already, at=2))) == [
        (1, "applied", [(1, 2)])
    ]
    assert merged(("a", report(lost, at=1)), ("b", report(already, at=2))).outcomes[0].error == ""
    assert [
        said for _, said, _ in outcomes_of(("a", report(lost, at=1)), ("b", report(other, at=2)))
    ] == ["failed", "already"]


def test_what_was_done_and_undone_is_no_change():
    undone = report(applied(change("overlap", 2, 1)), at=2)
    assert outcomes_of(("a", report(APPLIED, at=1)), ("b", undone)) == [(1, "applied", [])]


@pytest.mark.parametrize(
    ("first", "later", "said"),
    [
        (
            applied(change("data.text", "a", "b")),
            applied(change("data.text", "c", "d")),
            ('one and two are not consecutive: task 1, data.text: one left "b", but two found "c"'),
        ),
        (
            applied(change("data.text", "a", ABSENT)),
            applied(change("data.text", None, "d")),
            "task 1, data.text: one left (absent), but two found null",
        ),
        (
            TaskOutcome(1, Outcome.FAILED, (change("overlap", 1, 2),), "lost"),
            applied(change("overlap", 3, 4)),
            "task 1, overlap: one left 2 or 1, but two found 3",
        ),
        (
            applied(change("data.a", ABSENT, {"b": 1})),
            applied(change("data.a.b", 2, 3)),
            "task 1, data.a.b: one left 1, but two found 2",
        ),
        (
            applied(change("data.a.b", 1, 2)),
            applied(change("data.a", {"b": 3}, None)),
            "task 1, data.a.b: one left 2, but two found 3",
        ),
        (
            applied(change("data.a.b", 1, ABSENT)),
            applied(change("data.a", 5, 6)),
            "task 1, data.a.b: one left (absent), but two found (absent)",
        ),
    ],
)
def test_runs_that_are_not_consecutive_are_refused_with_the_path(
    first: TaskOutcome, later: TaskOutcome, said: str
):
    with pytest.raises(SavedFileError) as refused:
        merged(("two", report(later, at=2)), ("one", report(first, at=1)))
    assert said in refused.value.message
    assert refused.value.hint


def test_the_report_that_changed_the_path_last_is_named():
    reports = [
        ("one", report(applied(change("overlap", 1, 2)), at=1)),
        ("two", report(applied(change("overlap", 2, 3)), at=2)),
        ("three", report(applied(change("inner_id", 1, 2)), applied(OVERLAP, task=2), at=3)),
        ("four", report(applied(change("overlap", 7, 8)), at=4)),
    ]
    with pytest.raises(SavedFileError, match=r"^two and four are not consecutive"):
        merged(*reports)


def test_values_that_are_the_same_to_json_follow_each_other():
    first = report(applied(change("data.n", 0, 1), change("completed_at", None, LOCAL)), at=1)
    second = report(applied(change("data.n", 1.0, 2), change("completed_at", UTC_TIME, None)), at=2)
    assert outcomes_of(("a", first), ("b", second)) == [(1, "applied", [(0, 2)])]
    true = report(applied(change("data.n", True, 2)), at=2)  # noqa: FBT003 - a value
    with pytest.raises(SavedFileError, match="are not consecutive"):
        merged(("a", first), ("b", true))


def test_reports_of_other_servers_are_refused_and_of_another_release_are_not():
    other = replace(report(LEFT, at=2), server=replace(SERVER, url="http://other.test"))
    with pytest.raises(SavedFileError, match=r"^a is for .*, but b is for http://other\.test"):
        merged(("a", report(APPLIED, at=1)), ("b", other))
    sold = replace(report(LEFT, at=2), server=replace(SERVER, edition="Enterprise"))
    with pytest.raises(SavedFileError, match=r"^a is for .*, but b is for .*Enterprise"):
        merged(("a", report(APPLIED, at=1)), ("b", sold))
    later = replace(report(LEFT, at=2), server=replace(SERVER, version="1.24.0"))
    assert merged(("a", report(APPLIED, at=1)), ("b", later)).server.version == "1.24.0"
    last = replace(report(at=3), server=replace(SERVER, version="1.25.0"))
    several = (("a", report(APPLIED, at=1)), ("b", later), ("c", last))
    assert merged(*several).server.version == "1.25.0"
