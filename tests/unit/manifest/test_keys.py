"""Tasks named by keys, in the index: which live tasks hold them, and what is declared for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.model import TaskKey
from reconciler.errors import ManifestError
from reconciler.manifest.files import find_manifests
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import ProjectNumbers, load_manifests

PATH = ("data", "id")
MANIFEST = """\
version: 1
project: 7
key: data.id
tasks:
- {key: a, overlap: 2}
- {key: 7, overlap: 2}
- {id: 1, overlap: 3}
- {id: 2, data: {text: t}}
"""


def index(tmp_path: Path, text: str, projects: ProjectNumbers | None = None) -> DesiredIndex:
    (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
    return load_manifests(
        find_manifests([str(tmp_path / "m.yaml")]), load_contract(), projects=projects
    )


def live(key: object, overlap: int = 2, project: int = 7) -> dict[str, object]:
    return {"id": 1, "project": project, "data": {"id": key}, "overlap": overlap}


@pytest.mark.parametrize(
    ("value", "held"),
    [("a", "a"), (7, 7), (7.0, 7), ("7", None), (True, None), (None, None), ([7], None)],
)
def test_a_task_holds_a_key_by_json_equality(tmp_path: Path, value: object, held: str | int):
    desired = index(tmp_path, MANIFEST)
    expected = {5: (TaskKey(PATH, held),)} if held else {}

    assert desired.find_keys(7, {5: live(value)}) == expected  # type: ignore[dict-item]
    assert desired.find_keys(8, {5: live(value)}) == {}  # type: ignore[dict-item]


def test_what_is_declared_by_id_and_by_key_combines(tmp_path: Path):
    task = index(tmp_path, MANIFEST).build(2, (TaskKey(PATH, "a"),))

    assert task.attributes == {"data": {"text": "t"}, "overlap": 2}
    assert (task.id, task.key) == (2, TaskKey(PATH, "a"))


def test_a_task_declared_twice_by_id_and_by_key_is_a_conflict(tmp_path: Path):
    with pytest.raises(ManifestError) as caught:
        index(tmp_path, MANIFEST).build(1, (TaskKey(PATH, "a"),))

    assert "task 1 also declares this at" in str(caught.value)
    assert "m.yaml:7:11" in str(caught.value)


def test_nothing_declared_is_a_key_error(tmp_path: Path):
    desired = index(tmp_path, MANIFEST)
    for keys in ((), (TaskKey(PATH, "b"),)):
        with pytest.raises(KeyError):
            desired.build(9, keys)


def test_a_task_named_by_a_key_cannot_declare_another_by_its_id(tmp_path: Path):
    text = MANIFEST.replace("data: {text: t}", "data: {id: b}")
    with pytest.raises(ManifestError, match="is named by the key"):
        index(tmp_path, text).build(2, (TaskKey(PATH, "a"),))


def test_only_tasks_that_may_differ_are_compared(tmp_path: Path):
    desired = index(tmp_path, MANIFEST)
    found = {11: live("a"), 12: live(7, overlap=1), 13: live("other"), 1: live("a", 3)}
    keys = desired.find_keys(7, found)  # type: ignore[arg-type]

    # Task 1 is declared twice, and only reading both declarations shows that they conflict.
    assert list(desired.filter_differing(found, keys)) == [12, 1]  # type: ignore[arg-type]


def test_the_same_key_may_name_a_task_of_each_project(tmp_path: Path):
    text = MANIFEST + "---\n" + MANIFEST.replace("project: 7", "project: 8").replace("2}", "5}")
    text = text.replace("- {id: 1, overlap: 3}\n- {id: 2, data: {text: t}}\n", "")
    desired = index(tmp_path, text)
    keys = desired.find_keys(8, {5: live("a", 5, 8)})  # type: ignore[dict-item]

    assert desired.build(5, keys[5], 8).attributes == {"overlap": 5}
    assert keys == {5: (TaskKey(PATH, "a"),)}
    assert [(group.project, list(group.keys)) for group in desired.list_key_groups()] == [
        (7, ["a", 7]),
        (8, ["a", 7]),
    ]


def test_a_key_is_declared_where_its_entry_begins(tmp_path: Path):
    (group,) = index(tmp_path, MANIFEST).list_key_groups()

    assert str(group.source_of(7)).endswith("m.yaml:6:3")


def test_keys_are_counted_and_their_attribute_is_read(tmp_path: Path):
    desired = index(tmp_path, "version: 1\nproject: 7\nkey: meta.id\ntasks: [{keys: [a, b]}]\n")

    assert len(desired) == 2
    assert desired.names() == {"meta"}
    assert list(desired.list_ids()) == []


def test_names_of_projects_become_numbers(tmp_path: Path):
    desired = index(
        tmp_path, "version: 1\nproject: reviews\ntasks: [{id: 1}]\n", {"reviews": 7}.__getitem__
    )

    assert desired[1].project == 7


def test_an_unknown_name_of_a_project_is_a_problem_at_its_place(tmp_path: Path):
    def find(name: str) -> int:
        raise LookupError(f"no project is named {name}")

    with pytest.raises(ManifestError, match=r"m\.yaml:2:10: project: no project is named x"):
        index(tmp_path, "version: 1\nproject: x\ntasks: [{id: 1}]\n", find)
