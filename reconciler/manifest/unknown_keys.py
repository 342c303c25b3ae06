"""Keys that the schema does not allow where they are: what is wrong, and what to write."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from reconciler.contract.attributes import Attributes
from reconciler.core.notation import (
    format_path,
    format_value,
    parse_path,
    shorten,
)
from reconciler.core.paths import Path
from reconciler.manifest.declarations import MERGEABLE
from reconciler.manifest.readers.source_map import Steps

_RULE_PARTS: Final = ("where", "set", "rewrite", "expect")
_ELSEWHERE: Final = {
    **dict.fromkeys(
        ("version", "server", "policy", "defaults", "tasks", "allow", "rules"),
        "write it at the top of the manifest",
    ),
    **dict.fromkeys(("id", "ids", "key", "keys"), "write it in a task: each has its own"),
    "absent": "write it in a task, in defaults or in a rule",
    **dict.fromkeys(_RULE_PARTS, "write it in a rule"),
}
_NO_POLICY: Final = (
    "policy does not apply to rules: set always merges",
    "remove it, and list the keys to remove in absent of the rule",
)
_ANY_OF: Final = "for one of several values, write the list itself: {path}: [a, b]"
_NOT: Final = "use not, with a value or a list of values"
_NO_PATTERNS: Final = "conditions have no patterns: use prefix or contains"
_OPERATORS: Final = {
    **dict.fromkeys(("in", "any_of", "anyof", "one_of", "oneof", "isin"), _ANY_OF),
    **dict.fromkeys(("!=", "<>", "ne", "neq", "not_equals", "notequals", "is_not"), _NOT),
    **dict.fromkeys(("not_in", "notin", "nin", "none_of", "not in"), _NOT),
    **dict.fromkeys(("=", "==", "===", "is", "eq", "equal_to"), "use equals"),
    **dict.fromkeys((">", "greater_than"), "use gt"),
    **dict.fromkeys((">=", "ge", "greater_or_equal"), "use gte"),
    **dict.fromkeys(("<", "less_than"), "use lt"),
    **dict.fromkeys(("<=", "le", "less_or_equal"), "use lte"),
    **dict.fromkeys(("startswith", "starts_with", "begins_with", "beginswith"), "use prefix"),
    **dict.fromkeys(("includes", "icontains", "substring"), "use contains"),
    **dict.fromkeys(("regex", "regexp", "matches", "like", "glob", "~"), _NO_PATTERNS),
    **dict.fromkeys(("endswith", "ends_with"), _NO_PATTERNS),
    **dict.fromkeys(("is_null", "isnull"), "write {equals: null}"),
}
"""What to use instead of operators of other languages."""

_ALIKE: Final = 0.75
"""How alike an operator must be: short words, such as text and exists, are alike by accident."""


_NESTED_MAX: Final = 4
"""Objects inside each other that a hint shows."""


def explain_unknown_key(
    steps: Steps, known: Sequence[str], attributes: Attributes
) -> tuple[str, str]:
    """Say what is wrong with the key at ``steps``, and what to do: a message and a hint.

    ``known`` are the keys that the schema allows there.
    """
    key = str(steps[-1])
    if key == "policy" and steps[0] == "rules":
        return _NO_POLICY
    if "equals" in known:
        return "unknown operator", _advise_operator(steps, known)
    inside = _parse_inner_path(key)
    if inside:
        return "a path is not a key here", _advise_nesting(inside, known)
    return _explain_misplaced(key, known, attributes) or _explain_unknown(key, known, attributes)


def _explain_misplaced(
    key: str, known: Sequence[str], attributes: Attributes
) -> tuple[str, str] | None:
    """Explain a key that belongs elsewhere, or to the server; None if it is not one."""
    if key in _ELSEWHERE:
        return "this key does not belong here", _ELSEWHERE[key]
    attribute = attributes.get(key)
    if attribute is not None and attribute.writable and "where" in known:
        return "this key does not belong here", "write it in set"
    if attribute is not None and not attribute.writable:
        return "this attribute is read-only", "remove it: only the server sets it"
    return None


def _explain_unknown(key: str, known: Sequence[str], attributes: Attributes) -> tuple[str, str]:
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return "unknown key", f"did you mean {close[0]}?"
    if key in attributes and "tasks" in known:
        return "this key does not belong here", "write it in a task or in defaults"
    if "overlap" in known:
        return "unknown key", f"if it is a key of data, write data: {_nest((key,))}"
    return "unknown key", f"known keys: {', '.join(known)}"


def _advise_operator(steps: Steps, known: Sequence[str]) -> str:
    """Say what to write instead of an operator that does not exist."""
    key, path = str(steps[-1]), str(steps[-2])
    advice = _OPERATORS.get(key.strip().lower())
    if path not in MERGEABLE and advice:
        return advice.replace("{path}", shorten(path))
    close = difflib.get_close_matches(key, known, n=1, cutoff=_ALIKE)
    if path not in MERGEABLE and close:
        return f"did you mean {close[0]}?"
    try:
        inner = shorten(format_path((*parse_path(path), key)), 200)
    except ValueError:
        inner = "data.key"
    listed = f"the operators are {', '.join(known)}"
    return f"if it is a key, write its path: {inner}: VALUE; {listed}"


def _parse_inner_path(key: str) -> Path:
    """Return a key as a path inside data or meta; empty if it is not spelled like one."""
    if not key.startswith(MERGEABLE):
        return ()
    try:
        path = parse_path(key)
    except ValueError:
        return ()
    return path if path[0] in MERGEABLE and len(path) > 1 else ()


def _advise_nesting(path: Path, known: Sequence[str]) -> str:
    nested = f"{path[0]}: {_nest(path[1:])}"
    if "where" in known:
        return f"write {nested} in set, or the path as a condition in where"
    return f"write {nested} in a task or in defaults" if "tasks" in known else f"write {nested}"


def _nest(keys: Path) -> str:
    """Write an object with one value inside: ``{source: {url: ...}}``."""
    shown = (
        key if key.isidentifier() else shorten(format_value(key)) for key in keys[:_NESTED_MAX]
    )
    opened = "".join(f"{{{key}: " for key in shown)
    return f"{opened}...{'}' * min(len(keys), _NESTED_MAX)}"
