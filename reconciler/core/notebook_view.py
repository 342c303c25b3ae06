"""A plan or a report as HTML, of limited size, in the notebook's colours, without scripts.

Values are untrusted, so all of them pass through `_escape`. This module writes all other
`_Markup`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain, islice
from typing import Final, NewType

from reconciler.core.allowances import describe_allowances, is_accepted
from reconciler.core.annotation_impact import AnnotationImpact, add_impacts
from reconciler.core.contrast import are_brief, format_brief
from reconciler.core.ids import format_ranges
from reconciler.core.inner_difference import FirstDifferences, find_first_differences
from reconciler.core.model import Change
from reconciler.core.named_task import format_id
from reconciler.core.notation import count_noun, escape_invisible, format_path, shorten
from reconciler.core.plan_model import (
    Plan,
    PlannedRule,
    ServerIdentity,
    Status,
    TaskPlan,
    UnresolvedKey,
)
from reconciler.core.redacted_model import mask_plan, mask_report
from reconciler.core.redaction import RedactionNote
from reconciler.core.report import Report, Run, TaskOutcome, describe_outcome
from reconciler.core.rule_set import describe_planned_rule
from reconciler.core.shard import Shard, format_shards
from reconciler.core.shown_digest import NO_KEY
from reconciler.core.values import Side

_TASKS_MAX: Final = 50
_SIZE_MAX: Final = 80_000
"""No task is added to a table that has this many characters."""
_LINES_MAX: Final = 5
"""No change is added to a task that has this many lines."""
_INNER_MAX: Final = 3
_CONCERNS_MAX: Final = 10
_RUNS_MAX: Final = 5
_RANGES_MAX: Final = 6
_TEXT_MAX: Final = 300
_PATH_MAX: Final = 120

_Markup = NewType("_Markup", str)
_Line = Sequence[_Markup]
"""The cells of one line of the table, except those that all lines of a task share."""

_CLASS: Final = "reconciler-view"
_DIM: Final = "opacity: 0.7"
_STYLE: Final = (
    f".{_CLASS} th, .{_CLASS} td {{ text-align: left; vertical-align: top; max-width: 30em;"
    f" overflow-wrap: anywhere }} .{_CLASS} code {{ white-space: pre-wrap }}"
)
"""Spaces are kept, as they may be the difference. Notebooks are light or dark, so no colours."""
_RENDER: Final = "print(reconciler.render(…, full=True))"


@dataclass(frozen=True, slots=True)
class _Row:
    """What the table shows of one task; ``name`` is its id, with the key that names it."""

    name: str
    status: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Concern:
    """A problem of a task; ``lead`` introduces one that does not block it.

    ``shows_impact`` is whether to say what the changes do to the annotations of the task.
    """

    status: str
    reason: str
    hint: str = ""
    lead: str = ""
    shows_impact: bool = False


def format_plan_html(plan: Plan) -> str:
    """Write the server of a plan, what blocks it, and the changes of the first tasks.

    The result has at most 200 kB. Only the digest takes time that grows with the values.
    """
    plan = mask_plan(plan)
    digest = f"Digest: {plan.digest or NO_KEY}" if plan.updates else ""
    return _format_view(
        f"Plan: {plan.describe()}",
        [
            _describe_server(plan.server),
            _describe_shards(plan.shards),
            shorten(plan.describe_targets(), _TEXT_MAX),
            *_describe_keys(plan.unresolved),
            *_describe_rules(plan.rules),
            _describe_redacted(plan.redacted),
            digest,
        ],
        concerns=chain.from_iterable(map(_find_concerns, plan.tasks)),
        rows=[
            _Row(format_id(task.task, task.key), _describe_status(task), task.changes)
            for task in plan.tasks
        ],
        status="Status",
        impacts={task.task: task.impact for task in plan.tasks if task.impact},
    )


def format_report_html(report: Report) -> str:
    """Write the runs of a report, its failures, and the first changes, in at most 200 kB."""
    report = mask_report(report)
    runs = [_describe_run(run) for run in report.runs[:_RUNS_MAX]]
    more = len(report.runs) - len(runs)
    outcomes = report.outcomes
    return _format_view(
        f"{report.command.capitalize() or 'All runs'}: {report.describe()}",
        [
            _describe_server(report.server),
            _describe_shards(report.shards),
            *runs,
            f"… and {count_noun(more, 'more run')}" if more else "",
            _describe_redacted(report.redacted),
        ],
        concerns=chain.from_iterable(map(_find_failures, outcomes)),
        rows=[
            _Row(format_id(one.task, one.key), _describe_outcome(one), one.changes)
            for one in outcomes
        ],
        status="Outcome",
        impacts={},
    )


def _format_view(
    heading: str,
    facts: Iterable[str],
    *,
    concerns: Iterable[tuple[int, _Concern]],
    rows: Iterable[_Row],
    status: str,
    impacts: Mapping[int, AnnotationImpact],
) -> str:
    return _dress(
        "div",
        _dress("style", _Markup(_STYLE)),
        _dress("div", _dress("strong", _escape(heading))),
        *(_dress("div", _escape(fact), style=_DIM) for fact in facts if fact),
        *_format_concerns(_group(concerns), impacts),
        *_format_table([row for row in rows if row.changes], status),
        **{"class": _CLASS},
    )


def _describe_server(server: ServerIdentity) -> str:
    return shorten(str(server), _TEXT_MAX)


def _describe_redacted(note: RedactionNote | None) -> str:
    return shorten(f"Redacted: {note.redaction.describe()}", _TEXT_MAX) if note else ""


def _describe_status(task: TaskPlan) -> str:
    return "to update" if task.status is Status.UPDATE else task.status.value


def _describe_outcome(outcome: TaskOutcome) -> str:
    if outcome.accepted:
        return "left alone, as allowed"
    return describe_outcome(outcome.outcome)


def _describe_shards(shards: tuple[Shard, ...]) -> str:
    noun = "shard" if len(shards) == 1 else "shards"
    return f"Only tasks of {noun} {shorten(format_shards(shards), _TEXT_MAX)}" if shards else ""


def _describe_keys(keys: Sequence[UnresolvedKey]) -> Iterator[str]:
    """Say which keys do not name exactly one task."""
    for key in keys[:_CONCERNS_MAX]:
        problem = key.problem
        allowed = " (allowed)" if problem.allowed else ""
        message = f"Key {key.key}: {problem.kind.value}{allowed}: {problem.message}"
        yield shorten(message, _TEXT_MAX)
    if len(keys) > _CONCERNS_MAX:
        yield f"… and {count_noun(len(keys) - _CONCERNS_MAX, 'more key')}"


def _describe_rules(rules: Sequence[PlannedRule]) -> Iterator[str]:
    """Say how many tasks each rule matches, and what is wrong with it."""
    for rule in rules[:_CONCERNS_MAX]:
        problem = f"; {rule.problem.kind.value}: {rule.problem.message}" if rule.problem else ""
        yield shorten(f"{describe_planned_rule(rule)}{problem}", _TEXT_MAX)
    if len(rules) > _CONCERNS_MAX:
        yield f"… and {count_noun(len(rules) - _CONCERNS_MAX, 'more rule')}"


def _describe_run(run: Run) -> str:
    """Write the times, user, commit and digest of a run, as far as they are known."""
    commit = run.commit
    known = {
        "": run.started,
        "ended ": run.ended,
        "by ": str(run.user or ""),
        "targets ": str(run.targets),
        "commit ": commit.id + " with uncommitted changes" * commit.dirty if commit else "",
        "digest ": run.digest,
    }
    parts = [f"{name}{shorten(text, _PATH_MAX)}" for name, text in known.items() if text]
    return f"{run.command.capitalize()}: {', '.join(parts)}"


def _find_concerns(task: TaskPlan) -> Iterator[tuple[int, _Concern]]:
    status = _describe_status(task)
    for problem in task.problems:
        kind = "" if problem.kind == status else f"{problem.kind}: "
        accepted = is_accepted(problem, task)
        lead = "Warning: " if problem.is_warning else "Allowed: " * accepted
        who = describe_allowances(problem.allowed)
        hint = f"allowed by {who}" if who else problem.hint
        has_impact = task.find_impact(problem) is not None
        yield task.task, _Concern(status, kind + problem.message, hint, lead, has_impact)


def _find_failures(outcome: TaskOutcome) -> Iterator[tuple[int, _Concern]]:
    if outcome.accepted or not outcome.is_good:
        status = _describe_outcome(outcome)
        who = describe_allowances(outcome.allowed) if outcome.accepted else ""
        hint = f"allowed by {who}" if who else ""
        lead = "Warning: " * outcome.accepted
        yield outcome.task, _Concern(status, outcome.error, hint, lead)


def _group(concerns: Iterable[tuple[int, _Concern]]) -> dict[_Concern, list[int]]:
    """Group tasks by concern; those that block come first."""
    groups: dict[_Concern, list[int]] = {}
    for task, concern in concerns:
        groups.setdefault(concern, []).append(task)
    return dict(sorted(groups.items(), key=lambda group: bool(group[0].lead)))


def _format_concerns(
    groups: dict[_Concern, list[int]], impacts: Mapping[int, AnnotationImpact]
) -> Iterator[_Markup]:
    if not groups:
        return
    items = [_format_concern(*group, impacts) for group in islice(groups.items(), _CONCERNS_MAX)]
    if more := len(groups) - len(items):
        items.append(_dress("li", _escape(f"… and {count_noun(more, 'more problem')}")))
    yield _dress("ul", *items)


def _format_concern(
    concern: _Concern, tasks: Sequence[int], impacts: Mapping[int, AnnotationImpact]
) -> _Markup:
    who = f"Task {tasks[0]}" if len(tasks) == 1 else f"{len(tasks):,} tasks"
    which = f" ({_format_ids(tasks)})" if len(tasks) > 1 else ""
    reason = f": {shorten(concern.reason, _TEXT_MAX)}" if concern.reason else ""
    impact = add_impacts(map(impacts.get, tasks)) if concern.shows_impact else None
    reason += f"; {impact}" if impact else ""
    hint = f" ({shorten(concern.hint, _TEXT_MAX)})" if concern.hint else ""
    return _dress(
        "li",
        _escape(concern.lead),
        _dress("strong", _escape(f"{who} {concern.status}")),
        _escape(which + reason),
        _dress("span", _escape(hint), style=_DIM),
    )


def _format_ids(tasks: Sequence[int]) -> str:
    ranges = format_ranges(tasks)
    return ", ".join(ranges[:_RANGES_MAX]) + ", …" * (len(ranges) > _RANGES_MAX)


def _format_table(rows: Sequence[_Row], status: str) -> Iterator[_Markup]:
    """Write the changes of as many tasks as the table has room for, and count the others."""
    if not rows:
        return
    shown: list[_Markup] = []
    size = 0
    for row in rows[:_TASKS_MAX]:
        if size > _SIZE_MAX:
            break
        shown.append(_format_task(row))
        size += len(shown[-1])
    titles = ("Task", status, "Path", "Before", "After", "Declared at")
    head = _dress("tr", *(_dress("th", _escape(title)) for title in titles))
    yield _dress("table", _dress("thead", head), *shown)
    if more := len(rows) - len(shown):
        message = f"… and {count_noun(more, 'more task')} with changes; "
        code = _dress("code", _escape(_RENDER))
        yield _dress("div", _escape(message), code, _escape(" shows all"), style=_DIM)


def _format_task(row: _Row) -> _Markup:
    """Write the lines of one task; the first one has its id and status."""
    lines: list[_Line] = []
    left = sorted(row.changes, key=lambda change: change.path, reverse=True)
    while left and len(lines) < _LINES_MAX:
        lines += _format_change(left.pop())
    if left:
        lines.append(
            [_dress("td", _escape(f"… and {count_noun(len(left), 'more change')}"), colspan=4)]
        )
    shared = [_dress("td", _escape(text), rowspan=len(lines)) for text in (row.name, row.status)]
    lines[0] = [*shared, *lines[0]]
    return _dress("tbody", *(_dress("tr", *line) for line in lines))


def _format_change(change: Change) -> Iterator[_Line]:
    """Write a change, or the first differences inside a large list or object."""
    path, source = format_path(change.path), str(change.source)
    inside = _look_inside(change.before, change.after)
    if inside is None or not inside.first:
        yield _format_line(path, change.before, change.after, source)
        return
    for inner in inside.first:
        inner_path = format_path((*change.path, *inner.path))
        yield _format_line(inner_path, inner.before, inner.after, source)
    if more := inside.describe_others():
        note = _dress("td", _escape(f"… {more}"), colspan=3)
        yield [_format_code(shorten(path, _PATH_MAX)), note]


def _look_inside(before: Side, after: Side) -> FirstDifferences | None:
    """Find where lists and large objects differ; None for a change that is shown in full."""
    if isinstance(before, list) and isinstance(after, list):
        return find_first_differences(before, after, _INNER_MAX)
    if isinstance(before, dict) and isinstance(after, dict) and not are_brief(before, after):
        return find_first_differences(before, after, _INNER_MAX)
    return None


def _format_line(path: str, before: Side, after: Side, source: str) -> _Line:
    old, new = format_brief(before, after)
    place = _dress("td", _escape(shorten(source, _PATH_MAX)), style=_DIM)
    return [*map(_format_code, (shorten(path, _PATH_MAX), old, new)), place]


def _format_code(text: str) -> _Markup:
    """Write a path or a value."""
    return _dress("td", _dress("code", _escape(text)))


def _escape(text: str) -> _Markup:
    """Escape untrusted text for use between two tags."""
    return _Markup(escape(escape_invisible(text), quote=False))


def _dress(tag: str, *parts: _Markup, **attributes: str | int) -> _Markup:
    """Wrap parts in an element; its tag and attributes come only from this module."""
    opening = " ".join([tag, *(f'{name}="{value}"' for name, value in attributes.items())])
    return _Markup(f"<{opening}>{''.join(parts)}</{tag}>")
