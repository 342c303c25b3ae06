"""Parts of plans and reports as JSON, and back: rules, keys, problems, places.

plan.schema.json and report.schema.json describe them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.core.annotation_impact import UNREAD, AnnotationImpact
from reconciler.core.conditions import Condition, Operator, ValueTest
from reconciler.core.model import TaskKey
from reconciler.core.paths import Path
from reconciler.core.plan_model import PlannedRule, UnresolvedKey
from reconciler.core.problems import Allowance, Kind, TaskProblem
from reconciler.core.rule import RuleRef
from reconciler.core.values import ABSENT, Json, NoValue, Side
from reconciler.errors import Source


def build_rule(planned: PlannedRule) -> dict[str, Json]:
    """Build the document of a rule: whom it is for, and what it did."""
    rule = planned.rule
    return {
        "name": rule.name,
        "project": rule.project,
        "source": build_source(rule.source),
        "where": [_build_condition(condition) for condition in rule.where],
        "matched": planned.matched,
        "overruled": planned.overruled,
        **({"problem": build_problem(planned.problem)} if planned.problem else {}),
    }


def restore_rule(document: Mapping[str, Any]) -> PlannedRule:
    """Restore a rule from a document that matches its schema."""
    ref = RuleRef(
        document["name"],
        int(document["project"]),
        restore_source(document["source"]),
        tuple(map(_restore_condition, document["where"])),
    )
    problem = restore_problem(document["problem"]) if "problem" in document else None
    return PlannedRule(ref, int(document["matched"]), int(document["overruled"]), problem)


def _build_condition(condition: Condition) -> Json:
    return {
        "path": list(condition.path),
        "tests": {test.operator.value: _build_operand(test) for test in condition.tests},
    }


def _build_operand(test: ValueTest) -> Json:
    return list(test.operand) if isinstance(test.operand, tuple) else test.operand


def _restore_condition(document: Mapping[str, Any]) -> Condition:
    tests = (_restore_test(Operator(name), value) for name, value in document["tests"].items())
    return Condition(tuple(document["path"]), tuple(tests))


def _restore_test(operator: Operator, operand: Json) -> ValueTest:
    """Restore a test; EQUALS and NOT take several values, which are stored as a list."""
    several = operator in {Operator.EQUALS, Operator.NOT} and isinstance(operand, list)
    return ValueTest(operator, tuple(operand) if several else operand)  # type: ignore[arg-type]


def build_seen(path: Path, value: Side) -> dict[str, Json]:
    """Build the document of a value that a condition read; without ``value``, there was none."""
    return {"path": list(path), **({} if isinstance(value, NoValue) else {"value": value})}


def restore_seen(document: Mapping[str, Any]) -> tuple[Path, Side]:
    """Restore a value that a condition read."""
    return tuple(document["path"]), document.get("value", ABSENT)


def build_key(key: TaskKey) -> dict[str, Json]:
    """Build the document of a key."""
    return {"path": list(key.path), "value": key.value}


def restore_key(document: Mapping[str, Any]) -> TaskKey:
    """Restore a key."""
    value = document["value"]
    return TaskKey(tuple(document["path"]), value if isinstance(value, str) else int(value))


def build_unresolved(unresolved: UnresolvedKey) -> dict[str, Json]:
    """Build the document of a key that does not name one task."""
    return {
        "key": build_key(unresolved.key),
        "project": unresolved.project,
        "source": build_source(unresolved.source),
        "problem": build_problem(unresolved.problem),
    }


def restore_unresolved(document: Mapping[str, Any]) -> UnresolvedKey:
    """Restore a key that does not name one task."""
    return UnresolvedKey(
        restore_key(document["key"]),
        int(document["project"]),
        restore_source(document["source"]),
        restore_problem(document["problem"]),
    )


def build_impact(impact: AnnotationImpact) -> dict[str, Json]:
    """Build the document of what changes do to the annotations of one task: counts, no values."""
    return {
        "annotations": None if impact.unread else impact.annotations,
        "people": list(impact.people),
        "regions": impact.regions,
        "moved": impact.moved,
        "beyond": impact.beyond,
        "unknown": impact.unknown,
    }


def restore_impact(document: Mapping[str, Any]) -> AnnotationImpact:
    """Restore what changes do to the annotations of one task."""
    if document["annotations"] is None:
        return UNREAD
    counts = (int(document[name]) for name in ("regions", "moved", "beyond", "unknown"))
    people = tuple(map(int, document["people"]))
    return AnnotationImpact(int(document["annotations"]), people, *counts)


def build_source(source: Source) -> dict[str, Json]:
    """Build the document of a place in a file; a file itself is its first character."""
    return {"file": source.file, "line": source.line or 1, "column": source.column or 1}


def restore_source(document: Mapping[str, Any]) -> Source:
    """Restore a place in a file."""
    return Source(document["file"], int(document["line"]), int(document["column"]))


def build_problem(problem: TaskProblem) -> dict[str, Json]:
    """Build the document of a problem."""
    return {
        "kind": problem.kind.value,
        "message": problem.message,
        "hint": problem.hint,
        **({"paths": _build_paths(problem.paths)} if problem.paths else {}),
        **({"may_be": problem.may_be.value} if problem.may_be else {}),
        **({"allowed": [*map(build_allowance, problem.allowed)]} if problem.allowed else {}),
    }


def restore_problem(document: Mapping[str, Any]) -> TaskProblem:
    """Restore a problem."""
    return TaskProblem(
        Kind(document["kind"]),
        document["message"],
        document["hint"],
        tuple(map(restore_allowance, document.get("allowed", ()))),
        _restore_paths(document),
        Kind(document["may_be"]) if "may_be" in document else None,
    )


def build_allowance(allowance: Allowance) -> dict[str, Json]:
    """Build the document of what accepts a problem."""
    return {
        "kind": allowance.kind.value,
        **({"paths": _build_paths(allowance.paths)} if allowance.paths else {}),
        "by": allowance.by,
        **({"reason": allowance.reason} if allowance.reason else {}),
        **({"source": build_source(allowance.source)} if allowance.source else {}),
    }


def restore_allowance(document: Mapping[str, Any]) -> Allowance:
    """Restore what accepts a problem."""
    source = restore_source(document["source"]) if "source" in document else None
    return Allowance(
        Kind(document["kind"]),
        _restore_paths(document),
        document["by"],
        document.get("reason", ""),
        source,
    )


def _build_paths(paths: Iterable[Path]) -> Json:
    return [list(path) for path in paths]


def _restore_paths(document: Mapping[str, Any]) -> tuple[Path, ...]:
    return tuple(map(tuple, document.get("paths", ())))
