"""Problems and messages without the values that they may quote.

A message is text: what it quotes cannot be found in it for certain. So a message is shown only if
it is known to quote no redacted value; otherwise a sentence takes its place that holds for all
problems of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from reconciler.core.notation import format_path, parse_path
from reconciler.core.paths import Path
from reconciler.core.problems import Allowance, Kind, TaskProblem
from reconciler.core.redaction import Redaction
from reconciler.core.report import STOPPED
from reconciler.errors import Problem

NOT_SHOWN: Final = "not shown, as it may quote redacted values"

_SEE: Final = "run it without redaction, where nobody else sees the output, to read the message"

_INSTEAD: Final[Mapping[Kind, str]] = {
    Kind.MISSING: "no task of the project has this key",
    Kind.AMBIGUOUS: "several tasks of the project have this key",
    Kind.UNREADABLE: "the values of the task cannot be read",
    Kind.LABEL_CONFIG: "would remove what the project's label config uses or may use",
    Kind.RESOLVED_ADDRESS: "would store an address that the server generated",
    Kind.RULE_CONFLICT: "two rules contradict each other, or one would change its own result",
    Kind.RULE: "a problem of this rule",
    Kind.RULE_UNUSED: "no task matches",
    Kind.FLAT_KEY: "a key with dots in its name resembles a declared path",
    Kind.TYPE_CHANGE: "would change the type of a value",
}
"""For kinds whose messages may quote values: what is said in place of the message."""

_HARMLESS: Final = (
    "the task does not exist on the server, or the token may not see it",
    "its key names several tasks",
    "the data of the task is stored as something other than an object",
    "the server cannot read the data of this task, but it returns everything else",
    "no task matches",
    "every matching task declares all paths of the rule itself",
)
"""Messages of such kinds that quote nothing."""

_HARMLESS_FORMS: Final = re.compile(
    r"expected at (?:least|most) [0-9,]+ tasks?, found [0-9,]+ tasks?"
    r"|the server's response has no [a-z_]+, so (?:the rule cannot be judged"
    r"|its current value is unknown)"
    r"|its objects and lists are nested more than [0-9]+ deep"
)

_OF_VALUES: Final = frozenset({Kind.TYPE_CHANGE, Kind.FLAT_KEY, Kind.LIST_ELEMENT})
"""Warnings that tell of what kind a value is."""


def redact_problem(
    problem: TaskProblem, redaction: Redaction, paths: Iterable[Path] = ()
) -> TaskProblem | None:
    """Return a problem as it may be shown, None for a warning that itself tells of a value.

    ``paths`` are those that its message may name, beside its own.
    """
    known = (*problem.paths, *paths)
    about = problem.paths or known
    if problem.kind in _OF_VALUES and (not about or any(map(redaction.touches, about))):
        return None
    message, hint = problem.message, problem.hint
    if problem.kind is Kind.RULE_UNUSED:
        hint = "if that is not intended, check the condition"
    elif _may_quote(problem):
        message, hint = f"{_INSTEAD[problem.kind]} (the message is {NOT_SHOWN})", _SEE
    return replace(
        problem,
        message=redaction.cut_text(message, known),
        hint=redaction.cut_text(hint, known),
        paths=redaction.cut_all(problem.paths),
        allowed=redact_allowances(problem.allowed, redaction),
    )


def _may_quote(problem: TaskProblem) -> bool:
    """Tell whether the message of a problem may quote a redacted value, or what the server said."""
    if problem.kind not in _INSTEAD or problem.message in _HARMLESS:
        return False
    if _HARMLESS_FORMS.fullmatch(problem.message):
        return False
    if problem.kind is Kind.LABEL_CONFIG:
        return "cannot be read" in problem.message
    return problem.kind not in _OF_VALUES


def redact_allowances(
    allowances: Iterable[Allowance], redaction: Redaction
) -> tuple[Allowance, ...]:
    """Return allowances with their paths cut; their reasons are written to be shown."""
    return tuple(
        replace(one, paths=redaction.cut_all(one.paths), by=redaction.cut_text(one.by, one.paths))
        for one in allowances
    )


_CONSTANT_ERRORS: Final = frozenset(
    {
        "",
        STOPPED,
        "the server no longer finds the task",
        "the task is in a different project than when it was planned",
        "the update was sent, but the task can no longer be read",
    }
)
_LISTING_ERRORS: Final = re.compile(
    r"changed on the server since the plan: "
    r"|the server returned 200 but did not store "
    r"|stored, but different when read again: "
)
_SERVER_ERRORS: Final = re.compile(r"(?:GET|PATCH|POST) [^\s?]+ returned [0-9]{3}(?=[: ])")


def redact_error(error: str, redaction: Redaction, paths: Iterable[Path]) -> str:
    """Return why a task failed, as far as it quotes nothing; ``paths`` are those it may list."""
    if error in _CONSTANT_ERRORS or error in _HARMLESS:
        return error
    if found := _LISTING_ERRORS.match(error):
        named = [path for path in paths if format_path(path) in error]
        return found[0] + ", ".join(map(format_path, redaction.cut_all(named)))
    if found := _SERVER_ERRORS.match(error):
        return f"{found[0]}; the rest is {NOT_SHOWN}"
    return f"the reason is {NOT_SHOWN}"


_PLACES: Final = re.compile(r"(?:tasks\[[0-9]+\]|defaults)(?:\.|(?=\[)|$)")
_OUTLINE: Final = re.compile(
    r"(?:version|server|project|policy|key)\b.*"
    r"|tasks|tasks\[[0-9]+\]\.ids?\b[^\"]*|rules\[[0-9]+\]\.expect\b[^\"]*"
)
_NAMING: Final = frozenset({"key", "keys", "absent", "allow", "tasks", "rules", "defaults"})
"""What is no attribute of a task: its problems quote keys, and paths of any depth."""
_ATTRIBUTE: Final = re.compile(r"[a-z_]+")


def redact_manifest_problem(problem: Problem, redaction: Redaction) -> Problem:
    """Return a problem of a manifest as it may be shown: its message, if that quotes nothing.

    Syntax errors quote the text around them, and problems of rules other paths.
    """
    if not problem.source.line or _OUTLINE.fullmatch(problem.path):
        return _be_discreet(problem)
    found = _PLACES.match(problem.path)
    begin = found.end() if found else 0
    path = _parse(problem.path[begin:])
    if not path or path[0] in _NAMING:
        shown = _cut_outline(problem.path)
    elif root := redaction.find_root(path):
        shown = problem.path[:begin] + format_path(root)
    elif redaction.touches(path) or "not JSON" in problem.message:
        shown = problem.path
    else:
        return _be_discreet(problem)
    message = f"the problem is {NOT_SHOWN}"
    return replace(problem, path=shown, message=message, hint=_SEE, discreet="")


def _be_discreet(problem: Problem) -> Problem:
    return replace(problem, message=problem.discreet or problem.message, discreet="")


def _parse(text: str) -> Path:
    """Parse the path inside a task, up to an element of a list; empty if it is none."""
    while text:
        try:
            return parse_path(text)
        except ValueError:
            shorter = text.rpartition("[")[0]
            if "…" in text or not shorter:
                break
            text = shorter
    first = _ATTRIBUTE.match(text)
    return (first[0],) if first else ()


def _cut_outline(path: str) -> str:
    """Return the beginning of a path that names no key: ``rules[0].where``."""
    found = re.match(r"[a-z]+(?:\[[0-9]+\])?(?:\.[a-z_]+)?", path)
    return found[0] if found else ""
