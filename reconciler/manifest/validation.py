"""Documents checked against the manifest schema: the problems, and the accepted keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.contract.manifest_schema import EDITOR_PATTERNS
from reconciler.contract.schema_check import SchemaCheck, load_schema_check
from reconciler.core.values import Json
from reconciler.errors import Problem
from reconciler.manifest.explanation import explain_error
from reconciler.manifest.readers.document import Document
from reconciler.manifest.readers.source_map import Steps

if TYPE_CHECKING:
    from jsonschema import ValidationError

_Explain: TypeAlias = "Callable[[ValidationError], Iterator[Problem]]"


@cache
def get_header_check() -> SchemaCheck:
    """Return the check of documents whose list of tasks has been emptied."""
    return load_schema_check("manifest.schema.json", without_patterns_of=EDITOR_PATTERNS)


@cache
def get_task_check() -> SchemaCheck:
    """Return the check of single tasks."""
    return load_schema_check("manifest.schema.json", "task", without_patterns_of=EDITOR_PATTERNS)


@cache
def get_rule_check() -> SchemaCheck:
    """Return the check of single rules."""
    return load_schema_check("manifest.schema.json", "rule", without_patterns_of=EDITOR_PATTERNS)


def check_outline(
    document: Document, attributes: Attributes
) -> tuple[list[Problem], dict[str, Any]]:
    """Check everything outside of the tasks and the rules against the schema.

    Returns the problems, and the accepted keys for further checks.
    """
    explain = _make_explainer((), document, attributes)
    outline = document.outline
    rules = outline.get("rules") if isinstance(outline, dict) else None
    if not isinstance(outline, dict) or not isinstance(rules, list):
        problems, accepted = _split_accepted(outline, get_header_check(), explain)
        return problems, {**accepted}  # callers drop keys, and the outline keeps them
    problems, accepted = _split_accepted({**outline, "rules": []}, get_header_check(), explain)
    return problems, {**accepted, "rules": rules}


def check_task(
    document: Document, index: int, task: Json, *, attributes: Attributes
) -> tuple[list[Problem], dict[str, Any]]:
    """Check one task against the schema; returns its problems and its accepted keys."""
    if get_task_check().accepts(task) and isinstance(task, dict):
        return [], task
    explain = _make_explainer(("tasks", index), document, attributes)
    return _split_accepted(task, get_task_check(), explain)


def check_rule_form(
    document: Document, index: int, rule: Json, *, attributes: Attributes
) -> tuple[list[Problem], dict[str, Any]]:
    """Check one rule against the schema; returns its problems and what it accepts.

    Of the objects in a rule, each key is accepted by itself.
    """
    explain = _make_explainer(("rules", index), document, attributes)
    check = get_rule_check()
    if check.accepts(rule) or not isinstance(rule, dict):
        return _split_accepted(rule, check, explain)
    problems: list[Problem] = []
    bad: set[Steps] = set()
    for error in check.explain(rule):
        bad.add(tuple(error.absolute_path)[:2])
        problems += explain(error)
    return problems, {
        key: {name: inner for name, inner in part.items() if (key, name) not in bad}
        if isinstance(part, dict)
        else part
        for key, part in rule.items()
        if (key,) not in bad
    }


_REPORTED_MAX: Final = 20
"""Problems inside one key of a task that are reported."""
_ERRORS_MAX: Final = 1_000


def _make_explainer(steps: Steps, document: Document, attributes: Attributes) -> _Explain:
    return lambda error: explain_error(error, steps, document, attributes)


def _split_accepted(
    value: Json, check: SchemaCheck, explain: _Explain
) -> tuple[list[Problem], dict[str, Any]]:
    """Return the problems of an object, and its keys without problems."""
    if check.accepts(value):
        return [], value if isinstance(value, dict) else {}
    problems: list[Problem] = []
    bad: Counter[str | int] = Counter()
    for error in check.explain(value):
        bad.update(list(error.absolute_path)[:1])
        # Of a list of a million wrong elements, each would take longer to find than the last.
        if max(bad.values(), default=0) <= _REPORTED_MAX:
            problems += explain(error)
        elif bad.total() > _ERRORS_MAX:
            return problems, {}
    accepted = value.items() if isinstance(value, dict) else ()
    return problems, {key: inner for key, inner in accepted if key not in bad}
