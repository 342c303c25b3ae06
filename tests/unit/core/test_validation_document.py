"""What `validate` found, as a document."""

from __future__ import annotations

from reconciler.core.validation_document import Validation, build_validation_document
from reconciler.errors import Problem, Source
from reconciler.renderers.wording import describe_declared

PROBLEM = Problem(Source("tasks.yaml", 3, 5), "data.text", "is a number", "write it in quotes")


def test_manifests_without_a_problem_are_valid():
    assert build_validation_document(Validation((), tasks=3)) == {
        "format_version": "1.0",
        "kind": "validation",
        "valid": True,
        "tasks": 3,
        "problems": [],
    }


def test_a_problem_is_written_with_its_place():
    assert build_validation_document(Validation((PROBLEM,))) == {
        "format_version": "1.0",
        "kind": "validation",
        "valid": False,
        "tasks": None,
        "problems": [
            {
                "source": {"file": "tasks.yaml", "line": 3, "column": 5},
                "path": "data.text",
                "message": "is a number",
                "hint": "write it in quotes",
            }
        ],
    }


def test_rules_are_counted_where_there_are_any():
    assert build_validation_document(Validation((), tasks=3, rules=2))["rules"] == 2
    assert describe_declared(2, 3) == "2 tasks and 3 rules"
    assert describe_declared(1, 0) == "1 task"
