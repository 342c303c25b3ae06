"""What a plan says about rules, and about keys that do not name one task, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.core.allowances import describe_allowances
from reconciler.core.notation import count_noun, escape_invisible, shorten
from reconciler.core.plan_model import Plan, PlannedRule, UnresolvedKey
from reconciler.core.rule_set import describe_planned_rule
from reconciler.renderers.render_options import RenderOptions

_KEYS_MAX: Final = 50
_INDENT: Final = "    "


def render_rules_and_keys(plan: Plan, options: RenderOptions) -> Iterator[str]:
    """Write an entry for each unresolved key, then a line for each rule."""
    shown = plan.unresolved if options.full else plan.unresolved[:_KEYS_MAX]
    for unresolved in shown:
        yield from _format_unresolved(unresolved, options)
    if len(shown) < len(plan.unresolved):
        more = count_noun(len(plan.unresolved) - len(shown), "more key")
        yield options.style.dim(f"… and {more} like these, --full shows all")
    if plan.unresolved:
        yield ""
    for rule in plan.rules:
        yield from _format_rule(rule, options)
    if plan.rules:
        yield ""


def _format_unresolved(unresolved: UnresolvedKey, options: RenderOptions) -> Iterator[str]:
    style, problem = options.style, unresolved.problem
    is_allowed = bool(problem.allowed)
    paint = style.changed if is_allowed else style.removed
    who = describe_allowances(problem.allowed)
    status = f"{problem.kind.value}{f' (allowed by {who})' if is_allowed else ''}"
    name = escape_invisible(f"key {shorten(str(unresolved.key))}")
    place = style.dim(escape_invisible(str(unresolved.source)))
    yield f"{paint('!')} {style.bold(name)}{paint(f'  {status}')}  {place}"
    yield f"{_INDENT}{escape_invisible(problem.message)}"
    if not is_allowed:
        yield f"{_INDENT}{style.dim(escape_invisible(problem.hint))}"


def _format_rule(planned: PlannedRule, options: RenderOptions) -> Iterator[str]:
    style, problem = options.style, planned.problem
    yield escape_invisible(describe_planned_rule(planned))
    if problem:
        paint = style.changed if problem.is_warning else style.removed
        yield f"{_INDENT}{paint(problem.kind.value)}: {escape_invisible(problem.message)}"
        yield f"{_INDENT}{style.dim(escape_invisible(problem.hint))}"
