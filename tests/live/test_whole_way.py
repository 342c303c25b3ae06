"""From a manifest to a changed task, by the command line, on either server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.live.command_line import Command
from tests.live.under_test import ServerUnderTest

BIG = 123456789012345678901234567890
LABELS = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="c" toName="text"><Choice value="a"/></Choices></View>'
)


def write(text: str) -> str:
    Path("manifest.yaml").write_text(text, encoding="utf-8")
    return "manifest.yaml"


def stored(server: ServerUnderTest, tasks: Sequence[int]) -> dict[int, str]:
    """Give every task byte for byte."""
    return {task: server.get(task, resolve_uri="false").text for task in tasks}


def six_tasks(server: ServerUnderTest) -> tuple[int, list[int]]:
    project = server.make_project(LABELS)
    items = [{"data": {"text": f"text {n}"}, "meta": {"n": 1, "k": "v"}} for n in range(6)]
    tasks = server.import_tasks(project, items)
    for n, task in enumerate(tasks):
        data = {"text": f"text {n}", "old_key": n, "kept": {"a": 1.0, "big": BIG, "f": 1e-7}}
        server.update(task, {"data": data})
    return project, tasks


def six_task_manifest(project: int, ids: Sequence[int]) -> str:
    return write(f"""
version: 1
project: {project}
defaults: {{overlap: 2}}
tasks:
  - id: {ids[0]}
    data: {{text: "another text", source: {{crawl: "2026-10"}}}}
  - id: {ids[1]}
    meta: {{n: 1.0}}
    overlap: 1
  - id: {ids[2]}
    absent: [data.old_key]
    overlap: 1
  - id: {ids[3]}
    last_comment_updated_at: 2026-01-02T03:04:05.123456+02:00
  - id: {ids[4]}
    data: {{kept: {{a: 1}}}}
    overlap: 1
""")


def test_the_plan_lists_exactly_what_differs_and_writes_nothing(
    server: ServerUnderTest, command: Command
):
    project, ids = six_tasks(server)
    before = stored(server, ids)
    ran = command(
        "plan", six_task_manifest(project, ids), "--format", "json", "--detailed-exitcode"
    )
    assert ran.code == 2
    assert ran.paths() == {
        ids[0]: ["update", "data.text", "data.source", "overlap"],
        ids[2]: ["update", "data.old_key"],
        ids[3]: ["update", "last_comment_updated_at", "overlap"],
    }
    assert ran.plan()["summary"]["unchanged"] == 2
    assert stored(server, ids) == before


def test_apply_changes_only_what_differs_and_the_next_plan_is_empty(
    server: ServerUnderTest, command: Command
):
    project, ids = six_tasks(server)
    before = stored(server, ids)
    manifest = six_task_manifest(project, ids)
    assert command("apply", manifest, "--yes").code == 0

    after = stored(server, ids)
    assert [task for task in ids if after[task] == before[task]] == [ids[1], ids[4], ids[5]]
    now = json.loads(after[ids[0]])
    assert now["data"] == {
        "text": "another text",
        "source": {"crawl": "2026-10"},
        "old_key": 0,
        "kept": {"a": 1.0, "big": BIG, "f": 1e-7},
    }
    assert (now["overlap"], now["meta"]) == (2, {"n": 1, "k": "v"})
    assert "old_key" not in json.loads(after[ids[2]])["data"]
    moment = json.loads(after[ids[3]])["last_comment_updated_at"]
    assert moment == "2026-01-02T01:04:05.123456Z"

    again = command("plan", manifest, "--detailed-exitcode")
    assert (again.code, "No changes: 5 tasks as declared." in again.out) == (0, True)
    assert command("apply", manifest, "--yes").code == 0
    assert stored(server, ids) == after


def test_an_attribute_that_is_ignored_with_a_200_is_an_error_and_the_rest_is_stored(
    server: ServerUnderTest, command: Command
):
    _, ids = server.make_tasks(1)
    manifest = write(f"version: 1\ntasks: [{{id: {ids[0]}, avg_lead_time: 2.5, overlap: 4}}]\n")
    allowed = ("--allow", "ignored-attribute")
    ran = command("apply", manifest, "--yes", *allowed, "--report", "report.jsonl")
    assert ran.code == 3
    unproved = (
        "not honoured: the server returned 200, but its response does not show that it stored"
    )
    assert f"{unproved} avg_lead_time" in ran.out
    assert server.read(ids[0])["overlap"] == 4
    lines = [json.loads(line) for line in Path("report.jsonl").read_text().splitlines()]
    assert [line.get("outcome") for line in lines] == [None, "not_honoured", None]


def test_an_attribute_that_the_server_does_not_show_makes_a_task_unreadable(
    server: ServerUnderTest, command: Command
):
    project, ids = server.make_tasks(2)
    manifest = write(f"""
version: 1
project: {project}
tasks:
  - {{id: {ids[0]}, reviewed: true}}
  - {{id: {ids[1]}, overlap: 3}}
""")
    ran = command("plan", manifest, "--format", "json")
    assert ran.code == 1
    assert ran.paths() == {ids[0]: ["unreadable"], ids[1]: ["update", "overlap"]}
    assert command("plan", manifest, "--allow", "unreadable").code == 0


@pytest.mark.parametrize("broken", [0, 2, 4])
@pytest.mark.parametrize("data", [[1, 2], "text", 5])
@pytest.mark.parametrize("declared", ["overlap: 3", "data: {text: other}"])
def test_a_broken_task_is_unreadable_and_the_others_of_its_page_still_plan(
    server: ServerUnderTest, command: Command, *, broken: int, data: object, declared: str
):
    project, ids = server.make_tasks(5)
    assert server.patch(ids[broken], {"data": data}).status_code == 500
    tasks = "\n".join(f"  - id: {task}\n    {declared}" for task in ids)
    ran = command(
        "plan", write(f"version: 1\nproject: {project}\ntasks:\n{tasks}\n"), "--format", "json"
    )
    assert ran.code == 1
    statuses = [statuses[0] for statuses in ran.paths().values()]
    assert statuses == ["unreadable" if n == broken else "update" for n in range(5)]


def test_a_key_that_the_labels_need_is_not_removed(server: ServerUnderTest, command: Command):
    _, ids = six_tasks(server)
    manifest = write(f"version: 1\ntasks: [{{id: {ids[0]}, absent: [data.text]}}]\n")
    ran = command("apply", manifest, "--yes")
    assert ran.code == 1
    assert "label-config: would remove data.text" in ran.out
    assert server.read(ids[0])["data"]["text"] == "text 0"


def test_stored_addresses_are_planned_and_kept_as_they_are_stored(
    server: ServerUnderTest, command: Command
):
    task = server.make_task({"image": "s3://bucket/dir/5.jpg"})
    project = server.read(task)["project"]
    server.connect_storage(project, "bucket")
    assert "?fileuri=" in json.dumps(server.get(task).json()["data"])

    manifest = write(f"""
version: 1
project: {project}
tasks:
  - id: {task}
    data: {{image: "s3://bucket/dir/5.jpg", text: changed}}
""")
    ran = command("plan", manifest, "--format", "json")
    assert ran.paths() == {task: ["update", "data.text"]}
    assert command("apply", manifest, "--yes").code == 0
    [stored] = server.listed(project, include="data")
    assert stored["data"] == {"text": "changed", "image": "s3://bucket/dir/5.jpg"}


def test_missing_tasks_and_tasks_of_other_projects_are_told_apart(
    server: ServerUnderTest, command: Command
):
    here, mine = server.make_tasks(1)
    _, others = server.make_tasks(3)
    tasks = "\n".join(f"  - {{id: {task}, overlap: 3}}" for task in [*mine, *others, 99999999])
    ran = command(
        "plan", write(f"version: 1\nproject: {here}\ntasks:\n{tasks}\n"), "--format", "json"
    )
    assert ran.code == 1
    assert ran.paths() == {
        mine[0]: ["update", "overlap"],
        **{task: ["blocked"] for task in others},
        99999999: ["missing"],
    }
    # Version, list, what is stored, settings of the project, one of the others by id, the rest of
    # them in a list, the missing one by id.
    assert ran.plan()["requests"] == 7


def test_moving_a_task_is_blocked_and_refused_by_the_server_where_it_is_allowed(
    server: ServerUnderTest, command: Command
):
    there, _ = server.make_tasks(1)
    _, ids = server.make_tasks(1)
    before = stored(server, ids)
    manifest = write(f"version: 1\ntasks: [{{id: {ids[0]}, project: {there}}}]\n")
    assert command("apply", manifest, "--yes").code == 1
    assert command("apply", manifest, "--yes", "--allow", "project-move").code == 3
    assert stored(server, ids) == before


def test_an_unknown_project_is_one_clear_line(server: ServerUnderTest, command: Command):
    _, ids = server.make_tasks(1)
    ran = command(
        "plan", write(f"version: 1\nproject: 99999999\ntasks: [{{id: {ids[0]}, overlap: 2}}]\n")
    )
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "project 99999999" in ran.err


def test_a_wrong_token_is_one_clear_line(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
):
    _, ids = server.make_tasks(1)
    wrong = "f" * 40
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", wrong)
    ran = command("plan", write(f"version: 1\ntasks: [{{id: {ids[0]}, overlap: 2}}]\n"))
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "LABEL_STUDIO_API_KEY" in ran.err
    assert wrong not in ran.err


def test_a_personal_access_token_is_exchanged_and_works(
    server: ServerUnderTest,
    command: Command,
    refresh_token: str,
    monkeypatch: pytest.MonkeyPatch,
):
    _, ids = server.make_tasks(1)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", refresh_token)
    ran = command("apply", write(f"version: 1\ntasks: [{{id: {ids[0]}, overlap: 5}}]\n"), "--yes")
    assert ran.code == 0
    assert refresh_token not in ran.out + ran.err
    assert server.read(ids[0])["overlap"] == 5


def test_the_schema_can_be_built_from_the_description_that_a_server_publishes(
    server: ServerUnderTest, command: Command
):
    address = f"{server.url}/docs/api/schema/json/"
    if server.http.get("/docs/api/schema/json/").status_code == 404:
        pytest.skip("the sandbox publishes no description of itself")
    assert command("schema", "build", "--from", address, "--out", "schema.json").code == 0
    properties = json.loads(Path("schema.json").read_text())["definitions"]["task"]["properties"]
    assert {"id", "data", "meta", "overlap", "absent"} <= properties.keys()
    assert "created_at" not in properties
