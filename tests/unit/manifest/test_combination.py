from __future__ import annotations

from textwrap import dedent

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.model import DesiredTask
from reconciler.errors import Problem
from reconciler.manifest.combination import combine, find_conflicts
from reconciler.manifest.declarations import Declaration, read_header
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.yaml_reader import read_yaml
from reconciler.manifest.validation import check_outline


def declared(file: str, text: str) -> list[Declaration]:
    diagnostics = Diagnostics(file)
    documents = read_yaml(text, diagnostics)
    assert diagnostics.problems == []
    found: list[Declaration] = []
    for document in documents:
        _, accepted = check_outline(document, load_contract())
        header = read_header(document, accepted)
        found += [header.read_declaration(index) for index, _, _ in document.read_tasks()]
    return found


def combined(declarations: list[Declaration]) -> tuple[DesiredTask, list[Problem]]:
    return combine(declarations), find_conflicts(declarations)


def a(task: str, header: str = "") -> list[Declaration]:
    return declared("a.yaml", f"version: 1\n{header}\ntasks:\n- {task}\n")


def b(task: str, header: str = "") -> list[Declaration]:
    return declared("b.yaml", f"version: 1\n{header}\ntasks:\n- {task}\n")


def test_disjoint_declarations_of_a_task_combine():
    task, problems = combined(
        a("{id: 1, data: {x: {a: 1}}, absent: [data.old]}", "policy: {meta: replace}")
        + b("{id: 1, data: {x: {b: 2}, y: 3}, meta: {m: 1}, absent: [data.x.c]}", "project: 7")
    )
    assert problems == []
    assert task.attributes == {"data": {"x": {"a": 1, "b": 2}, "y": 3}, "meta": {"m": 1}}
    assert task.absent == (("data", "old"), ("data", "x", "c"))
    assert (task.project, task.replaced) == (7, frozenset())
    assert str(task.source) == "a.yaml:4:3"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("data", "x", "a"), "a.yaml:4:22"),
        (("data", "x", "b"), "b.yaml:4:22"),
        (("data", "x", "b", "inside"), "b.yaml:4:22"),
        (("data", "old"), "b.yaml:4:39"),
        (("meta",), "b.yaml:4:50"),
        (("data",), "a.yaml:4:11"),
        (("overlap",), "a.yaml:4:3"),
    ],
)
def test_each_path_is_declared_where_it_stands(path: tuple[str, ...], place: str):
    first = a("{id: 1, data: {x: {a: 1}}}")
    task, _ = combined(first + b("{id: 1, data: {x: {b: 1}}, absent: [data.old], meta: {m: 1}}"))
    assert str(task.places.source_of(path)) == place


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("overlap: 1", "overlap: 1"),
        ("data: {a: 1}", "data: {a: 2}"),
        ("data: {a: 1}", "data: {a: {b: 1}}"),
        ("data: {a: {}}", "data: {a: {b: 1}}"),
        ("meta: null", "meta: {a: 1}"),
        ("data: {a: 1}", "absent: [data.a]"),
        ("data: {a: {b: 1}}", "absent: [data.a]"),
        ("absent: [data.a.b]", "data: {a: 1}"),
        ("absent: [data.a]", "absent: [data.a]"),
    ],
)
def test_paths_that_meet_are_a_conflict_in_either_order(left: str, right: str):
    for one, other in ((left, right), (right, left)):
        _, problems = combined(a(f"{{id: 1, {one}}}") + b(f"{{id: 1, {other}}}"))
        (problem,) = problems
        assert problem.source.file == "b.yaml"
        assert "a.yaml:4:" in problem.message


@pytest.mark.parametrize(
    "entries", ["{id: 1, overlap: 3}\n- {id: 1}", "{id: 1}\n- {id: 1, overlap: 3}"]
)
def test_a_default_for_one_entry_and_another_value_in_the_other_are_a_conflict(entries: str):
    _, (problem,) = combined(a(entries, "defaults: {overlap: 2}"))
    assert problem.path == "overlap"


def test_defaults_of_two_documents_are_two_declarations():
    header = "defaults: {overlap: 2}"
    _, (problem,) = combined(a("{id: 1}", header) + b("{id: 1}", header))
    assert str(problem) == (
        "b.yaml:2:12: overlap: task 1 also declares this at a.yaml:2:12 "
        "(declare each path in one place only, or correct the id)"
    )


def test_every_declaration_is_held_against_all_before_it():
    c = declared("c.yaml", "version: 1\ntasks: [{id: 1, meta: 1, overlap: 1}]\n")
    _, problems = combined(a("{id: 1, overlap: 1}") + b("{id: 1, meta: 1}") + c)
    assert [(problem.path, problem.source.file) for problem in problems] == [
        ("meta", "c.yaml"),
        ("overlap", "c.yaml"),
    ]


def test_defaults_that_stand_after_the_tasks_are_found_where_they_stand():
    text = """
        version: 1
        tasks:
        - {id: 1, data: {a: 1}}
        - {id: 2}
        defaults:
          overlap: 2
          data: {b: {c: 3}}
    """
    first, second = declared("a.yaml", dedent(text))
    assert str(first.source_of(("data", "b", "c"))) == "a.yaml:8:14"
    assert str(second.source_of(("overlap",))) == "a.yaml:7:3"
    assert str(second.source_of(("data", "b"))) == "a.yaml:8:10"
