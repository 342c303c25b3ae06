"""What PATCH stores, what it ignores, and what its answer proves."""

from __future__ import annotations

import pytest

from tests.live.attributes import ANSWERED, IGNORED, STORED
from tests.live.under_test import TEXT, ServerUnderTest

NOT_WRITABLE: dict[str, object] = {
    "id": 1,
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z",
    "annotations": [{"result": []}],
    "reviewed_at": "2020-01-01T00:00:00Z",
    "nothing": 1,
}


def without(task: dict[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in task.items() if name not in names}


def test_patch_replaces_whole_data(server: ServerUnderTest):
    task = server.make_task({"old": 1})

    server.update(task, {"data": {"text": "new"}})

    assert server.read(task)["data"] == {"text": "new"}


def test_patch_replaces_whole_meta(server: ServerUnderTest):
    task = server.make_task(meta={"old": 1, "kept": {"deep": 1}})

    server.update(task, {"meta": {"kept": {}}})

    assert server.read(task)["meta"] == {"kept": {}}


@pytest.mark.parametrize("name", STORED)
def test_patch_stores_this_attribute_and_no_other(server: ServerUnderTest, name: str):
    task = server.make_task()
    before = server.read(task)

    answer = server.update(task, {name: STORED[name]})

    assert answer[name] == STORED[name]
    assert server.read(task) == {
        **before,
        name: STORED[name],
        "updated_at": answer["updated_at"],
    }


@pytest.mark.parametrize("name", IGNORED)
def test_patch_answers_200_and_ignores_this_attribute(community: ServerUnderTest, name: str):
    if name in community.shown_anyway:
        pytest.skip("this release stores it")
    task = community.make_task()
    before = community.read(task)

    answer = community.update(task, {name: IGNORED[name]})

    assert name not in answer
    assert without(community.read(task), "updated_at") == without(before, "updated_at")


@pytest.mark.parametrize("name", NOT_WRITABLE)
def test_patch_ignores_what_is_not_writable(community: ServerUnderTest, name: str):
    task = community.make_task()
    before = community.read(task)

    community.update(task, {name: NOT_WRITABLE[name]})

    assert without(community.read(task), "updated_at") == without(before, "updated_at")


def test_the_answer_to_a_patch_carries_every_stored_attribute(community: ServerUnderTest):
    assert community.update(community.make_task(), {}).keys() == ANSWERED | community.shown_anyway


def test_the_answer_to_a_patch_agrees_with_the_next_read(server: ServerUnderTest):
    task = server.make_task()

    answer = server.update(task, STORED)

    shared = (answer.keys() & server.read(task).keys()) - {"updated_by"}
    assert {name: answer[name] for name in shared} == {
        name: server.read(task)[name] for name in shared
    }


def test_the_project_may_be_written_if_it_stays_the_same(server: ServerUnderTest):
    project, [task] = server.make_tasks(1)

    assert server.update(task, {"project": project, "overlap": 2})["project"] == project


def test_updated_by_is_a_number_in_the_answer_and_a_list_when_read(server: ServerUnderTest):
    task = server.make_task()
    assert server.update(task, {})["updated_by"] is None

    server.annotate(task)

    user = server.update(task, {})["updated_by"]
    assert server.read(task)["updated_by"] == [{"user_id": user}]


@pytest.mark.parametrize("body", [b"{}", b"", b'{"overlap":1}'])
def test_any_patch_moves_updated_at(server: ServerUnderTest, body: bytes):
    task = server.make_task()
    before = server.read(task)

    assert server.patch_raw(task, body).status_code == 200

    after = server.read(task)
    assert after["updated_at"] > before["updated_at"]
    assert without(after, "updated_at") == without(before, "updated_at")


def test_the_answer_to_a_patch_and_the_list_tell_the_same_time(server: ServerUnderTest):
    project, [task] = server.make_tasks(1)

    answer = server.update(task, {"overlap": 2})

    assert server.listed(project, include="id,updated_at") == [
        {"id": task, "updated_at": answer["updated_at"]}
    ]


def test_patch_works_without_trailing_slash(server: ServerUnderTest):
    task = server.make_task()

    assert server.http.patch(f"/api/tasks/{task}", json={"overlap": 4}).json()["overlap"] == 4


def test_a_refused_value_stores_none_of_the_request(server: ServerUnderTest):
    task = server.make_task()

    answer = server.patch(task, {"overlap": 7, "comment_count": "x", "data": {"text": "new"}})

    assert answer.status_code == 400
    assert server.read(task, include="overlap,data") == {"data": {"text": "text"}, "overlap": 1}


def test_a_refusal_names_each_attribute_and_why(server: ServerUnderTest):
    answer = server.patch(server.make_task(), {"overlap": None, "comment_count": "x"})

    assert answer.status_code == 400
    assert without(answer.json(), "id", "version") == {
        "status_code": 400,
        "detail": "Validation error",
        "exc_info": None,
        "validation_errors": {
            "overlap": ["This field may not be null."],
            "comment_count": ["A valid integer is required."],
        },
    }


def test_patch_of_an_unknown_task_is_not_found(server: ServerUnderTest):
    answer = server.patch(999_999_999, {"overlap": 1})

    assert answer.status_code == 404
    assert answer.json()["detail"] == "No Task matches the given query."


def test_patch_takes_data_without_the_keys_that_import_insists_on(server: ServerUnderTest):
    project = server.make_project(TEXT)
    items = [{"data": {"other": "x"}}]
    refused = server.http.post(f"/api/projects/{project}/import", json=items)
    [task] = server.import_tasks(project, [{"data": {"text": "x"}}])

    assert refused.status_code == 400
    [reason] = refused.json()["validation_errors"]["non_field_errors"]
    assert '"text" key is expected in task data' in reason
    assert server.update(task, {"data": {}})["data"] == {}


def test_a_body_that_is_not_declared_as_json_is_refused(server: ServerUnderTest):
    path = f"/api/tasks/{server.make_task()}/"

    answer = server.http.patch(path, content=b"{}", headers={"Content-Type": "text/plain"})

    assert answer.status_code == 415


def test_annotating_counts_anew_whatever_was_written(server: ServerUnderTest):
    task = server.make_task()
    server.annotate(task)
    written = {"total_annotations": 5, "cancelled_annotations": 8, "is_labeled": False}
    assert server.update(task, written).items() >= written.items()

    server.annotate(task)

    names = "total_annotations,cancelled_annotations,is_labeled"
    assert server.read(task, include=names) == {
        "total_annotations": 2,
        "cancelled_annotations": 8,
        "is_labeled": True,
    }


def test_a_skipped_annotation_renews_only_its_own_counter(server: ServerUnderTest):
    task = server.make_task()
    server.update(task, {"total_annotations": 5, "cancelled_annotations": 8})

    server.annotate(task, was_cancelled=True)

    names = "total_annotations,cancelled_annotations"
    counters = {"total_annotations": 5, "cancelled_annotations": 1}
    assert server.read(task, include=names) == counters


def test_is_labeled_counts_people_not_annotations(server: ServerUnderTest):
    task = server.make_task()
    server.update(task, {"overlap": 2})

    server.annotate(task)
    server.annotate(task)

    assert server.read(task, include="is_labeled") == {"is_labeled": False}


def test_annotations_fill_the_computed_attributes(server: ServerUnderTest):
    task = server.make_task()

    server.annotate(task, lead_time=2.0)
    server.annotate(task, lead_time=3.0)

    after = server.read(task)
    assert after["avg_lead_time"] == 2.5
    assert after["completed_at"] == after["annotations"][-1]["created_at"]
    assert len(after["annotators"]) == 1
