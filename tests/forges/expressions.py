"""Expressions of GitHub's workflows, as far as ours use them.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}")
_TOKEN: Final = re.compile(r"\s*(?:('(?:[^']|'')*')|(&&|\|\||==|!=|[()])|([\w.-]+))")
_STATUS: Final = re.compile(r"\b(always|success|failure|cancelled)\(")

Context = Mapping[str, Any]
Value = str | bool | int


def fill(text: object, context: Context) -> str:
    """Replace the expressions in a text."""
    return _EXPRESSION.sub(lambda found: _write(evaluate(found[1], context)), str(text))


def is_step_due(condition: str, context: Context, *, has_failed: bool) -> bool:
    """Tell whether a step runs: after a failure, only if its condition asks for the status."""
    if has_failed and not _STATUS.search(condition):
        return False
    return not condition or bool(evaluate(condition.strip().removeprefix("${{"), context))


def evaluate(text: str, context: Context) -> Value:
    """Evaluate an expression; what is not in the context is empty."""
    tokens = [found.group().strip() for found in _TOKEN.finditer(text)]
    assert "".join(tokens) == re.sub(r"\s(?=(?:[^']*'[^']*')*[^']*$)", "", text), text
    value = _evaluate_or(tokens, context)
    assert not tokens, tokens
    return value


def _evaluate_or(tokens: list[str], context: Context) -> Value:
    value = _evaluate_and(tokens, context)
    while tokens and tokens[0] == "||":
        tokens.pop(0)
        other = _evaluate_and(tokens, context)
        value = value or other
    return value


def _evaluate_and(tokens: list[str], context: Context) -> Value:
    value = _compare(tokens, context)
    while tokens and tokens[0] == "&&":
        tokens.pop(0)
        other = _compare(tokens, context)
        value = value and other
    return value


def _compare(tokens: list[str], context: Context) -> Value:
    value = _read(tokens, context)
    if tokens and tokens[0] in {"==", "!="}:
        operator = tokens.pop(0)
        # Texts are compared without regard to case.
        is_equal = _write(value).lower() == _write(_read(tokens, context)).lower()
        return is_equal is (operator == "==")
    return value


def _read(tokens: list[str], context: Context) -> Value:
    token = tokens.pop(0)
    if token == "(":
        value = _evaluate_or(tokens, context)
        assert tokens.pop(0) == ")"
        return value
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if tokens and tokens[0] == "(":
        assert token == "always", f"unknown function {token}"
        del tokens[:2]
        return True
    return _look_up(token, context)


def _look_up(name: str, context: Context) -> Value:
    value: Any = context
    for part in name.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    assert not isinstance(value, Mapping), name
    return "" if value is None else value


def _write(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
