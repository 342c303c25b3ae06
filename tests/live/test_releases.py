"""What releases before 1.23 do in another way; addresses in storages are in a file of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.live.command_line import Command
from tests.live.under_test import ServerUnderTest

LOST = "'NoneType' object has no attribute 'id'"


def lost(server: ServerUnderTest) -> int:
    """Give a task that has no project any more."""
    task = server.make_task()
    server.update(task, {"project": None})
    return task


@pytest.mark.until("1.22")
@pytest.mark.every_release
def test_a_task_without_project_makes_the_server_fail_unless_the_body_names_one(
    server: ServerUnderTest,
):
    task = lost(server)

    for answer in (server.get(task), server.get(task, include="id,project")):
        assert (answer.status_code, answer.json()["detail"]) == (500, LOST)
    assert server.patch(task, {"overlap": 2}).status_code == 500
    assert server.http.options(f"/api/tasks/{task}/").status_code == 500
    assert server.patch(task, {"project": server.make_project()}).status_code == 404


@pytest.mark.until("1.22")
@pytest.mark.every_release
@pytest.mark.parametrize("data", [[1, 2], "text"])
def test_a_list_or_string_as_data_reads_in_the_list_alone(server: ServerUnderTest, data: object):
    project, [task] = server.make_tasks(1)
    server.patch(task, {"data": data})

    assert server.get(task, resolve_uri="false", include="id").status_code == 500
    assert server.listed(project, include="data") == [{"data": data}]


@pytest.mark.every_release
@pytest.mark.parametrize("named", [True, False], ids=["project", "no project"])
def test_a_task_without_project_is_a_problem_of_the_plan(
    server: ServerUnderTest, command: Command, *, named: bool
):
    project, ids = server.make_tasks(2)
    server.update(ids[0], {"project": None})
    header = {"version": 1, **({"project": project} if named else {})}
    tasks = [{"id": task, "data": {"lang": "en"}} for task in ids]
    Path("tasks.json").write_text(json.dumps({**header, "tasks": tasks}), encoding="utf-8")

    plan = command("plan", "tasks.json", "--format", "json")

    status = "missing" if server.release >= (1, 23) else "unreadable"
    assert (plan.code, plan.paths()) == (
        1,
        {ids[0]: [status], ids[1]: ["update", "data.lang"]},
    )


@pytest.mark.since("1.22")
@pytest.mark.until("1.22")
@pytest.mark.every_release
@pytest.mark.parametrize("include", ["", "id", "nothing"])
def test_allow_skip_comes_whatever_include_says(community: ServerUnderTest, include: str):
    project, [task] = community.make_tasks(1)

    one = community.get(task, include=include).json()
    [listed] = community.page(project, include=include).json()["tasks"]

    assert one == listed
    assert one["allow_skip"] is True


@pytest.mark.since("1.22")
@pytest.mark.until("1.22")
@pytest.mark.every_release
@pytest.mark.parametrize(
    ("sent", "stored"), [(False, False), ("yes", True), (0, False), (None, None), ("", None)]
)
def test_allow_skip_is_stored(community: ServerUnderTest, sent: object, stored: object):
    project, [task] = community.make_tasks(1)

    assert community.update(task, {"allow_skip": sent})["allow_skip"] is stored

    [listed] = community.page(project, include="allow_skip").json()["tasks"]
    assert listed == {"allow_skip": stored}
    assert community.options(task)["allow_skip"]["read_only"] is False


@pytest.mark.since("1.22")
@pytest.mark.until("1.22")
@pytest.mark.every_release
def test_allow_skip_is_changed_as_declared(community: ServerUnderTest, command: Command):
    project, ids = community.make_tasks(2)
    tasks = [{"id": task, "allow_skip": False} for task in ids]
    document = {"version": 1, "project": project, "tasks": tasks}
    Path("tasks.json").write_text(json.dumps(document), encoding="utf-8")

    assert command("apply", "tasks.json", "--yes").code == 0

    listed = community.page(project, include="id,allow_skip").json()["tasks"]
    assert listed == [{"id": task, "allow_skip": False} for task in ids]
    assert command("plan", "tasks.json", "--detailed-exitcode").code == 0
