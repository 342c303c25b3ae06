"""What is not written although it is declared: text that people labelled, what is not stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.live.command_line import Command
from tests.live.under_test import ServerUnderTest

COUNTERS = "total_annotations,cancelled_annotations"


def write(*tasks: dict[str, object]) -> str:
    Path("manifest.json").write_text(json.dumps({"version": 1, "tasks": tasks}), encoding="utf-8")
    return "manifest.json"


def counters_of(server: ServerUnderTest, task: int) -> list[dict[str, object]]:
    """Give the counters as the task itself and the list of its project show them."""
    project = server.read(task, include="project")["project"]
    return [server.read(task, include=COUNTERS), *server.listed(project, include=COUNTERS)]


def test_counters_read_alike_in_the_task_and_in_the_list(server: ServerUnderTest):
    task = server.make_task()
    none = {"total_annotations": 0, "cancelled_annotations": 0}
    assert counters_of(server, task) == [none, none]

    server.annotate(task)
    server.annotate(task)
    server.annotate(task, was_cancelled=True)

    counted = {"total_annotations": 2, "cancelled_annotations": 1}
    assert counters_of(server, task) == [counted, counted]


def test_a_counter_that_was_written_is_what_reads_show(server: ServerUnderTest):
    task = server.make_task()
    server.annotate(task)
    written = {"total_annotations": 0, "cancelled_annotations": 0}
    server.update(task, written)

    assert counters_of(server, task) == [written, written]


@pytest.mark.parametrize(
    ("skipped", "said"), [(False, "1 annotation"), (True, "1 skipped annotation")]
)
def test_what_was_annotated_is_changed_only_where_that_is_allowed(
    server: ServerUnderTest, command: Command, *, skipped: bool, said: str
):
    project, ids = server.make_tasks(2)
    server.annotate(ids[0], was_cancelled=skipped)
    manifest = write(*({"id": task, "data": {"text": "another text"}} for task in ids))

    plan = command("plan", manifest, "--format", "json")
    assert (plan.code, plan.paths()) == (
        1,
        {ids[0]: ["blocked", "data.text"], ids[1]: ["update", "data.text"]},
    )
    [problem] = plan.plan()["tasks"][0]["problems"]
    assert problem["message"] == f"would change data.text of a task that has {said}"
    refused = command("apply", manifest, "--yes")
    assert (refused.code, "--allow annotated-data" in refused.err) == (1, True)
    assert [task["data"]["text"] for task in server.listed(project)] == ["text 0", "text 1"]

    assert command("apply", manifest, "--yes", "--allow", "annotated-data").code == 0
    assert [task["data"]["text"] for task in server.listed(project)] == ["another text"] * 2


def test_a_key_may_be_added_to_what_was_annotated(server: ServerUnderTest, command: Command):
    task = server.make_task()
    server.annotate(task)
    manifest = write({"id": task, "data": {"lang": "en"}, "meta": {"seen": True}})

    assert command("apply", manifest, "--yes").code == 0
    assert server.read(task)["data"] == {"text": "text", "lang": "en"}


def test_declaring_that_there_are_no_annotations_does_not_help(
    server: ServerUnderTest, command: Command
):
    task = server.make_task()
    server.annotate(task)
    manifest = write({"id": task, "data": {"text": "other"}, "total_annotations": 0})

    assert command("apply", manifest, "--yes").code == 1
    assert server.read(task)["data"] == {"text": "text"}


def test_a_task_that_is_annotated_after_its_plan_was_saved_is_left_alone(
    server: ServerUnderTest, command: Command
):
    project, ids = server.make_tasks(2)
    manifest = write(*({"id": task, "data": {"text": "another text"}} for task in ids))
    assert command("plan", manifest, "--out", "plan.json").code == 0
    server.annotate(ids[0])

    ran = command("apply", "plan.json", "--yes")
    assert ran.code == 3
    assert "blocked: would change data.text of a task that has 1 annotation" in ran.out
    assert [task["data"]["text"] for task in server.listed(project)] == ["text 0", "another text"]


def test_reverting_does_not_change_what_was_annotated_since(
    server: ServerUnderTest, command: Command
):
    task = server.make_task()
    manifest = write({"id": task, "data": {"text": "another text"}})
    assert command("apply", manifest, "--yes", "--report", "report.jsonl").code == 0
    server.annotate(task)

    refused = command("revert", "report.jsonl", "--yes")
    assert (refused.code, "--allow annotated-data" in refused.err) == (1, True)
    assert server.read(task)["data"] == {"text": "another text"}
    assert command("revert", "report.jsonl", "--yes", "--allow", "annotated-data").code == 0
    assert server.read(task)["data"] == {"text": "text"}


def test_an_attribute_that_the_server_ignores_is_told_before_anything_is_sent(
    community: ServerUnderTest, command: Command
):
    _, ids = community.make_tasks(2)
    manifest = write({"id": ids[0], "avg_lead_time": 2.5}, {"id": ids[1], "overlap": 4})

    plan = command("plan", manifest, "--format", "json")
    assert (plan.code, plan.paths()) == (
        1,
        {ids[0]: ["blocked", "avg_lead_time"], ids[1]: ["update", "overlap"]},
    )
    [problem] = plan.plan()["tasks"][0]["problems"]
    assert problem["kind"] == "ignored-attribute"
    assert command("apply", manifest, "--yes").code == 1
    assert community.read(ids[1])["overlap"] == 1


def test_every_attribute_that_options_names_may_be_planned(
    server: ServerUnderTest, command: Command
):
    task = server.make_task()
    declared = {"overlap": 4, "comment_count": 2, "inner_id": 9, "is_labeled": True}
    manifest = write({"id": task, **declared})

    assert command("apply", manifest, "--yes").code == 0
    assert server.read(task).items() >= declared.items()
