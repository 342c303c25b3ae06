"""Reading a task, and reading many."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.live.attributes import ONLY_IN_FULL, READABLE
from tests.live.under_test import ServerUnderTest

ERROR = {"id", "status_code", "version", "detail", "exc_info"}


def is_error(answer: httpx.Response, status: int, detail: str) -> bool:
    body = answer.json()
    return body.keys() == ERROR and (body["status_code"], body["detail"]) == (status, detail)


def test_a_task_reads_with_all_published_attributes(community: ServerUnderTest):
    shown = community.read(community.make_task()).keys()

    assert shown == READABLE | community.shown_anyway


def test_a_new_task_has_these_values(community: ServerUnderTest):
    task = community.read(community.make_task({"n": 1}, {"a": 1}))

    assert task["data"] == {"text": "text", "n": 1}
    assert task["meta"] == {"a": 1}
    assert (task["overlap"], task["inner_id"], task["is_labeled"]) == (1, 1, False)
    assert (task["updated_by"], task["comment_authors"]) == ([], [])
    assert (task["completed_at"], task["avg_lead_time"], task["draft_exists"]) == (
        None,
        None,
        False,
    )


def test_meta_that_was_not_imported_reads_as_an_empty_object(server: ServerUnderTest):
    _, [task] = server.make_tasks(1)

    assert server.read(task)["meta"] == {}


def test_the_path_works_with_and_without_trailing_slash(server: ServerUnderTest):
    task = server.make_task()

    with_slash, without = (server.http.get(f"/api/tasks/{task}{end}") for end in ("/", ""))

    assert with_slash.status_code == without.status_code == 200
    assert with_slash.json() == without.json()


def test_include_trims_the_answer_for_one_task(server: ServerUnderTest):
    task = server.make_task()

    assert server.read(task, include="id,overlap") == {"id": task, "overlap": 1}


@pytest.mark.parametrize(
    "name", ["", "nothing", pytest.param("allow_skip", marks=pytest.mark.since("1.23"))]
)
def test_include_of_what_the_server_does_not_read_gives_nothing(
    community: ServerUnderTest, name: str
):
    assert community.read(community.make_task(), include=name) == {}


def test_include_trims_the_list(server: ServerUnderTest):
    project, ids = server.make_tasks(2)

    assert server.listed(project, include="id") == [{"id": ids[0]}, {"id": ids[1]}]


def test_six_attributes_come_in_the_list_only_with_fields_all(community: ServerUnderTest):
    project, _ = community.make_tasks(1)

    [short], [full] = community.listed(project), community.listed(project, fields="all")

    assert full.keys() == READABLE | community.shown_anyway
    assert short.keys() == full.keys() - ONLY_IN_FULL


def test_include_trims_the_full_list_too(server: ServerUnderTest):
    project, _ = server.make_tasks(1)

    [task] = server.listed(project, fields="all", include="data,avg_lead_time")

    assert task.keys() == {"data", "avg_lead_time"}


def test_the_list_is_ordered_by_id_and_its_pages_count_from_one(server: ServerUnderTest):
    project, ids = server.make_tasks(5)

    pages = [server.listed(project, page=number, page_size=2) for number in (1, 2, 3)]

    assert [[task["id"] for task in page] for page in pages] == [ids[:2], ids[2:4], ids[4:]]


def test_the_list_says_how_many_tasks_there_are(server: ServerUnderTest):
    project, ids = server.make_tasks(3)
    server.annotate(ids[0])

    page = server.page(project, page_size=1).json()

    assert page.keys() == {"tasks", "total", "total_annotations", "total_predictions"}
    assert (page["total"], page["total_annotations"], page["total_predictions"]) == (3, 1, 0)


@pytest.mark.parametrize("page", ["3", "0", "x"])
def test_a_page_past_the_end_is_not_found(server: ServerUnderTest, page: str):
    project, _ = server.make_tasks(2)

    answer = server.page(project, page=page, page_size=1)

    assert is_error(answer, 404, "Invalid page.")


def test_a_project_without_tasks_has_one_empty_page(server: ServerUnderTest):
    assert server.listed(server.make_project()) == []


@pytest.mark.parametrize("size", ["", "0", "-1", "x"])
def test_a_page_has_100_tasks_unless_a_size_is_asked_for(server: ServerUnderTest, size: str):
    project, _ = server.make_tasks(101)

    assert len(server.listed(project, page_size=size, include="id")) == 100


def test_a_server_may_cut_pages_shorter_than_asked(server: ServerUnderTest):
    if server.page_size_max is None:
        pytest.skip("not known where this server cuts its pages")
    cap = server.page_size_max
    project, _ = server.make_tasks(cap + 1)

    pages = [server.listed(project, page_size=5 * cap, page=n, include="id") for n in (1, 2)]

    assert [len(page) for page in pages] == [cap, 1]


def test_the_list_needs_a_project(server: ServerUnderTest):
    answer = server.http.get("/api/tasks/")

    assert answer.status_code == 404
    assert answer.json() == {"detail": "Neither project nor view id specified"}


def test_the_list_of_an_unknown_project_is_not_found(server: ServerUnderTest):
    assert is_error(server.page(999_999_999), 404, "No Project matches the given query.")


def test_selected_items_lists_just_those_in_order_of_id(server: ServerUnderTest):
    project, ids = server.make_tasks(4)

    page = server.select(project, [ids[3], ids[1], ids[1]])

    assert [task["id"] for task in page["tasks"]] == [ids[1], ids[3]]
    assert page["total"] == 2


def test_selected_items_leaves_out_what_is_not_in_the_project(server: ServerUnderTest):
    project, [mine] = server.make_tasks(1)
    _, [other] = server.make_tasks(1)

    page = server.select(project, [mine, other, 999_999_999])

    assert (page["tasks"], page["total"]) == ([{"id": mine}], 1)


def test_none_of_the_selected_items_found_is_an_empty_list(server: ServerUnderTest):
    project, _ = server.make_tasks(1)

    assert server.select(project, [999_999_999])["tasks"] == []


def test_an_empty_selection_lists_everything(server: ServerUnderTest):
    project, ids = server.make_tasks(2)

    assert [task["id"] for task in server.select(project, [])["tasks"]] == ids


def test_500_selected_items_fit_one_request(server: ServerUnderTest):
    project, ids = server.make_tasks(500)
    query = json.dumps({"selectedItems": {"all": False, "included": ids}})

    tasks = server.listed(project, include="id", page_size=500, query=query)

    assert [task["id"] for task in tasks] == ids


def test_an_unknown_task_is_not_found(server: ServerUnderTest):
    assert is_error(server.get(999_999_999), 404, "No Task matches the given query.")


@pytest.mark.parametrize(
    "path", ["/api/tasks/abc/", "/api/tasks/-1/", "/api/nothing/", "/api/projects/1/import/"]
)
def test_the_router_answers_with_a_page_where_it_knows_no_path(server: ServerUnderTest, path: str):
    answer = server.http.get(path)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_answers_cannot_be_asked_for_conditionally_or_compressed(server: ServerUnderTest):
    answer = server.get(server.make_task())

    missing = ("ETag", "Last-Modified", "Content-Encoding", "RateLimit", "X-RateLimit-Limit")
    assert [name for name in missing if name in answer.headers] == []


def test_resolve_uri_wants_a_boolean(server: ServerUnderTest):
    project, _ = server.make_tasks(1)

    answer = server.page(project, resolve_uri="maybe")

    assert answer.status_code == 400
    assert answer.json()["validation_errors"].keys() == {"resolve_uri"}
