"""The result of `validate`, as data and as a JSON document; see validation.schema.json."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.document_parts import build_source
from reconciler.core.plan_document import FORMAT_VERSION
from reconciler.core.values import Json
from reconciler.errors import Problem


@dataclass(frozen=True, slots=True)
class Validation:
    """All problems of the manifests of a run, in order of place.

    ``tasks`` counts the declared tasks, and ``rules`` the rules; None if problems make the numbers
    unknown.
    """

    problems: tuple[Problem, ...]
    tasks: int | None = None
    rules: int | None = None


def build_validation_document(validation: Validation) -> dict[str, Json]:
    """Build the document of a validation."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "validation",
        "valid": not validation.problems,
        "tasks": validation.tasks,
        **({"rules": validation.rules} if validation.rules else {}),
        "problems": [_build_problem(problem) for problem in validation.problems],
    }


def _build_problem(problem: Problem) -> Json:
    return {
        "source": build_source(problem.source),
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
    }
