"""Requests that destroy: what the tool must never send, and what it meets where others did."""

from __future__ import annotations

import json

import pytest

from tests.live.under_test import ServerUnderTest

NO_TASK = "No Task matches the given query."


def detail(server: ServerUnderTest, task: int, body: dict[str, object]) -> tuple[int, str]:
    answer = server.patch(task, body)
    return answer.status_code, answer.json()["detail"]


@pytest.mark.parametrize(
    ("data", "name"),
    [([1, 2], "list"), ("text", "str"), (5, "int"), (1.5, "float"), (True, "bool")],
)
def test_data_that_is_no_object_breaks_the_task_for_every_later_patch(
    server: ServerUnderTest, data: object, name: str
):
    task = server.make_task()
    failure = (500, f"'{name}' object has no attribute 'keys'")

    assert detail(server, task, {"data": data}) == failure
    assert detail(server, task, {"overlap": 2}) == failure
    assert detail(server, task, {"data": {"text": "mended"}}) == failure


@pytest.mark.since("1.23")
@pytest.mark.parametrize("data", [[1, 2], "text"])
def test_a_list_or_string_as_data_was_stored_and_still_reads_unresolved(
    server: ServerUnderTest, data: object
):
    project, [task] = server.make_tasks(1)
    server.patch(task, {"data": data})

    assert server.get(task).status_code == server.page(project).status_code == 500
    assert server.read(task)["data"] == data
    assert server.listed(project, include="data") == [{"data": data}]


@pytest.mark.parametrize("data", [5, 1.5, True])
def test_a_number_or_boolean_as_data_breaks_every_read_of_the_task(
    server: ServerUnderTest, data: object
):
    task = server.make_task()
    server.patch(task, {"data": data})

    assert server.get(task).status_code == 500
    assert server.get(task, resolve_uri="false", include="id").status_code == 500


def test_a_broken_task_breaks_every_page_that_would_contain_it_and_no_other(
    server: ServerUnderTest,
):
    project, ids = server.make_tasks(3)
    server.patch(ids[1], {"data": 5})

    query: dict[str, str | int] = {"resolve_uri": "false", "include": "id", "page_size": 1}
    pages = [server.page(project, page=number, **query) for number in (1, 2, 3)]

    assert [page.status_code for page in pages] == [200, 500, 200]


def test_a_broken_task_still_tells_its_options(server: ServerUnderTest):
    task = server.make_task()
    server.patch(task, {"data": 5})

    assert "data" in server.options(task)


@pytest.mark.since("1.23")
@pytest.mark.parametrize("nothing", [None, ""])
def test_a_task_without_project_is_gone(server: ServerUnderTest, nothing: str | None):
    project, ids = server.make_tasks(2)

    assert server.update(ids[0], {"project": nothing})["project"] is None

    assert server.get(ids[0]).json()["detail"] == NO_TASK
    assert server.listed(project, include="id") == [{"id": ids[1]}]
    assert detail(server, ids[0], {"project": project}) == (404, NO_TASK)


def test_a_task_cannot_be_moved_to_another_project(server: ServerUnderTest):
    project, [task] = server.make_tasks(1)
    other = server.make_project()

    assert detail(server, task, {"project": other, "overlap": 2}) == (404, NO_TASK)
    assert server.read(task, include="project,overlap") == {"project": project, "overlap": 1}


def test_a_task_cannot_be_moved_to_a_project_that_does_not_exist(server: ServerUnderTest):
    project, [task] = server.make_tasks(1)
    failure = (500, "Project matching query does not exist.")

    assert detail(server, task, {"project": 999_999_999}) == failure
    assert server.read(task, include="project") == {"project": project}


@pytest.mark.parametrize("project", ["x", 2.5, [1], {"a": 1}])
def test_a_project_that_is_no_number_makes_the_server_fail(
    server: ServerUnderTest, project: object
):
    assert server.patch(server.make_task(), {"project": project}).status_code == 500


@pytest.mark.parametrize("project", [0, False, [], {}])
def test_a_project_that_counts_as_empty_is_refused(server: ServerUnderTest, project: object):
    answer = server.patch(server.make_task(), {"project": project})

    assert answer.status_code == 400
    assert answer.json()["validation_errors"].keys() == {"project"}


@pytest.mark.parametrize("body", [b"[1]", b"null", b"5", b'"x"'])
def test_a_body_that_is_no_object_makes_the_server_fail_and_stores_nothing(
    server: ServerUnderTest, body: bytes
):
    task = server.make_task()
    before = server.read(task)

    assert server.patch_raw(task, body).status_code == 500
    assert server.read(task) == before


def test_a_lone_surrogate_is_stored_and_breaks_reading_until_overwritten(
    community: ServerUnderTest,
):
    project, [task] = community.make_tasks(1)

    answer = community.patch(task, {"data": {"text": "\ud83d"}})

    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/html")
    assert community.get(task).status_code == community.page(project).status_code == 500
    assert community.read(task, include="id") == {"id": task}
    assert community.update(task, {"data": {"text": "mended"}})["data"] == {"text": "mended"}
    assert community.read(task, include="data") == {"data": {"text": "mended"}}


SURROGATES = pytest.mark.parametrize(
    "data",
    [{"text": "\ud83d"}, {"text": "x", "deep": {"list": ["a\udc00"]}}, {"text": "x", "k\ud800": 1}],
    ids=["value", "deep", "key"],
)


@SURROGATES
def test_a_task_with_a_lone_surrogate_is_listed_where_data_is_left_out(
    community: ServerUnderTest, data: dict[str, object]
):
    project, ids = community.make_tasks(2)
    query = json.dumps({"selectedItems": {"all": False, "included": ids}})
    [before] = community.listed(project, include="id,updated_at", query=query)[1:]
    community.patch(ids[1], {"data": data})

    assert community.page(project, query=query, include="id,data").status_code == 500
    assert community.page(project, query=query, fields="all").status_code == 500
    names = "id,meta,overlap,project,total_annotations,cancelled_annotations,avg_lead_time"
    shown = community.listed(project, query=query, fields="all", include=f"{names},updated_at")
    assert shown[1].keys() == {*names.split(","), "updated_at"}
    assert shown[1]["updated_at"] > before["updated_at"]


@SURROGATES
def test_an_update_of_a_task_with_a_lone_surrogate_answers_500_and_is_stored(
    community: ServerUnderTest, data: dict[str, object]
):
    task = community.make_task()
    community.patch(task, {"data": data})

    assert community.patch(task, {"overlap": 2}).status_code == 500
    assert community.patch(task, {"meta": {"a": 1}}).status_code == 500
    assert community.read(task, include="overlap,meta") == {"overlap": 2, "meta": {"a": 1}}
    answer = community.update(task, {"data": {"text": "mended"}})
    assert (answer["data"], answer["overlap"]) == ({"text": "mended"}, 2)


def test_a_lone_surrogate_in_meta_breaks_what_shows_meta_until_meta_is_written(
    community: ServerUnderTest,
):
    task = community.make_task()

    assert community.patch(task, {"meta": {"a": "\ud800"}}).status_code == 500
    assert community.get(task).status_code == 500
    assert community.get(task, include="meta").status_code == 500
    assert community.read(task, include="data") == {"data": {"text": "text"}}
    assert community.patch(task, {"data": {"text": "new"}}).status_code == 500
    assert community.read(task, include="data") == {"data": {"text": "new"}}
    assert community.update(task, {"meta": {}})["meta"] == {}


def test_import_takes_a_lone_surrogate(community: ServerUnderTest):
    project = community.make_project()
    body = json.dumps([{"data": {"text": "\ud800"}}]).encode()
    path, headers = f"/api/projects/{project}/import", {"Content-Type": "application/json"}

    assert community.http.post(path, content=body, headers=headers).status_code == 201
    assert community.page(project).status_code == 500
    assert len(community.listed(project, include="id")) == 1
