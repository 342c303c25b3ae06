"""What a project tells about the tasks it expects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.under_test import ServerUnderTest

CONFIG = (
    '<View><Header value="Rate $title"/><Text name="text" value="$text"/>'
    '<Image name="image" value="$image"/><Choices name="mood" toName="text">'
    '<Choice value="good"/><Choice value="bad"/></Choices></View>'
)


def project_of(server: ServerUnderTest, label_config: str) -> dict[str, Any]:
    project = server.make_project(label_config)
    return dict(server.http.get(f"/api/projects/{project}/").json())


def reason(server: ServerUnderTest, label_config: str, data: dict[str, object]) -> str:
    """Give the reason why a task with this data cannot be created, or nothing if it can."""
    project = server.make_project(label_config)
    answer = server.http.post(f"/api/projects/{project}/import", json=[{"data": data}])
    if answer.status_code == 201:
        return ""
    [error] = answer.json()["validation_errors"]["non_field_errors"]
    return str(error)


def test_a_project_tells_its_label_config_as_it_was_written(server: ServerUnderTest):
    assert project_of(server, CONFIG)["label_config"] == CONFIG


def test_a_project_does_not_list_the_keys_that_its_tasks_need(server: ServerUnderTest):
    assert "data_types" not in project_of(server, CONFIG)


def test_the_parsed_config_leaves_out_what_no_control_names(server: ServerUnderTest):
    parsed = project_of(server, CONFIG)["parsed_label_config"]

    assert parsed == {
        "mood": {
            "type": "Choices",
            "to_name": ["text"],
            "inputs": [{"type": "Text", "valueType": None, "value": "text"}],
            "labels": ["good", "bad"],
            "labels_attrs": {"good": {"value": "good"}, "bad": {"value": "bad"}},
        }
    }


@pytest.mark.parametrize("missing", ["text", "image"])
def test_every_named_tag_with_a_variable_needs_its_key(server: ServerUnderTest, missing: str):
    data: dict[str, object] = {"text": "x", "image": "x"}
    del data[missing]

    assert f'"{missing}" key is expected in task data' in reason(server, CONFIG, data)


def test_a_tag_without_a_name_needs_nothing(server: ServerUnderTest):
    assert reason(server, CONFIG, {"text": "x", "image": "x"}) == ""


def test_a_variable_inside_a_value_needs_its_key(server: ServerUnderTest):
    config = '<View><Text name="text" value="Dear $who, $what"/></View>'

    assert '"who" key is expected' in reason(server, config, {})
    assert reason(server, config, {"who": "x"}) == ""


def test_a_variable_with_dots_is_a_path(server: ServerUnderTest):
    config = '<View><Text name="text" value="$a.b"/></View>'

    assert "key is expected" in reason(server, config, {"a": {}})
    assert reason(server, config, {"a": {"b": "x"}}) == ""


def test_a_project_may_ask_for_nothing(server: ServerUnderTest):
    assert reason(server, "<View></View>", {"anything": 1}) == ""


def test_a_project_tells_how_many_tasks_it_has(server: ServerUnderTest):
    project, _ = server.make_tasks(3)

    assert server.http.get(f"/api/projects/{project}/").json()["task_number"] == 3


def test_a_project_tells_when_a_read_would_run_a_model(server: ServerUnderTest):
    told = project_of(server, CONFIG)

    assert told["evaluate_predictions_automatically"] is False
    assert told["show_collab_predictions"] is True


def test_an_unknown_project_is_not_found(server: ServerUnderTest):
    answer = server.http.get("/api/projects/999999999/")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "No Project matches the given query."


def test_the_key_of_plain_text_is_stored_under_the_first_key_asked_for(server: ServerUnderTest):
    project = server.make_project(CONFIG)
    data = {"$undefined$": "x", "image": "y"}

    [task] = server.import_tasks(project, [{"data": data}])
    imported = server.read(task)["data"]
    written = server.update(task, {"data": {**data, "text": "lost"}})["data"]

    assert imported == written == {"image": "y", "text": "x"}
