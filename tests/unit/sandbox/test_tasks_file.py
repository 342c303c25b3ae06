"""The file that a sandbox starts from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.errors import SettingsError
from reconciler.sandbox.state import Storage
from reconciler.sandbox.tasks_file import load_state

PROJECT = {"id": 7, "title": "Seven"}
TASK = {"id": 101, "project": 7, "data": {"text": "x"}}


def write(folder: Path, description: object) -> Path:
    path = folder / "tasks.json"
    path.write_text(json.dumps(description), encoding="utf-8")
    return path


def message(folder: Path, description: object, edition: str = "community") -> str:
    with pytest.raises(SettingsError) as caught:
        load_state(write(folder, description), edition)
    return str(caught.value).removeprefix(f"{folder / 'tasks.json'}: ")


def test_without_a_file_there_is_an_example():
    state = load_state(None)

    assert list(state.projects) == [1]
    assert list(state.tasks) == [1, 2, 3, 4, 5]


def test_a_file_gives_projects_and_tasks(tmp_path: Path):
    task = {**TASK, "meta": None, "overlap": 3, "last_comment_updated_at": "2026-01-02"}

    state = load_state(write(tmp_path, {"projects": [PROJECT], "tasks": [task]}))

    assert state.projects[7].title == "Seven"
    values = state.tasks[101].values
    assert (values["project"], values["overlap"], values["meta"]) == (7, 3, None)
    assert values["last_comment_updated_at"] == "2026-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("value", "storage"),
    [
        (True, Storage()),
        (False, None),
        ("bucket", Storage("bucket")),
        ({"bucket": "b", "presign": False}, Storage("b", presign=False)),
    ],
)
def test_a_project_may_have_a_storage(tmp_path: Path, value: object, storage: Storage | None):
    state = load_state(write(tmp_path, {"projects": [{**PROJECT, "storage": value}]}))

    assert state.projects[7].storage == storage


def test_a_task_may_have_annotations_which_its_counters_count(tmp_path: Path):
    made = [
        {"result": [{"id": "r"}], "completed_by": 2},
        {"result": []},
        {"result": [], "was_cancelled": True},
    ]
    description = {"projects": [PROJECT], "tasks": [{**TASK, "annotations": made}]}
    state = load_state(write(tmp_path, description))

    assert [one.completed_by for one in state.annotations_of(101)] == [2, 1, 1]
    values = state.tasks[101].values
    assert (values["total_annotations"], values["cancelled_annotations"]) == (2, 1)


def test_enterprise_attributes_need_the_enterprise_edition(tmp_path: Path):
    description = {"projects": [PROJECT], "tasks": [{**TASK, "allow_skip": False}]}

    wrong = message(tmp_path, description)
    state = load_state(write(tmp_path, description), "enterprise")

    assert wrong == "tasks[0].allow_skip: the community edition stores no such attribute"
    assert state.tasks[101].values["allow_skip"] is False


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ([], "expected an object with projects and tasks"),
        ({"task": []}, "top level: unknown key 'task'"),
        ({"projects": {}}, "projects: expected a list"),
        ({"projects": [1]}, "projects[0]: expected an object"),
        ({"projects": [{}]}, "projects[0].id: expected a positive integer"),
        ({"projects": [PROJECT, PROJECT]}, "projects[1].id: duplicate id 7"),
        ({"projects": [{"id": 1, "name": "x"}]}, "projects[0].name: unknown key"),
        (
            {"projects": [{"id": 1, "storage": 1}]},
            "projects[0].storage: expected true, false, the name of a bucket, or {bucket, presign}",
        ),
        ({"tasks": [TASK]}, "tasks[0].project: this file has no project 7"),
        (
            {"projects": [PROJECT], "tasks": [{"project": 7, "data": []}]},
            "tasks[0].data: expected an object",
        ),
        (
            {"projects": [PROJECT], "tasks": [{**TASK, "annotations": {}}]},
            "tasks[0].annotations: expected a list",
        ),
        (
            {"projects": [PROJECT], "tasks": [{**TASK, "annotations": [{}, 1]}]},
            "tasks[0].annotations[1]: expected an object",
        ),
        (
            {"projects": [PROJECT], "tasks": [{**TASK, "overlap": None}]},
            "tasks[0].overlap: This field may not be null.",
        ),
        (
            {"projects": [PROJECT], "tasks": [{**TASK, "overlap": "many"}]},
            "tasks[0].overlap: A valid integer is required.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, description: object, expected: str):
    assert message(tmp_path, description) == expected


def test_a_label_config_must_be_xml(tmp_path: Path):
    wrong = message(tmp_path, {"projects": [{"id": 1, "label_config": "<View>"}]})

    assert wrong.startswith("projects[0].label_config: not XML")


def test_a_file_that_is_not_json_is_named(tmp_path: Path):
    path = tmp_path / "tasks.json"
    path.write_text("{", encoding="utf-8")

    with pytest.raises(SettingsError, match=r"tasks\.json: not JSON"):
        load_state(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"none\.json: No such file"):
        load_state(tmp_path / "none.json")
