"""Plans, reports and problems as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from reconciler.core.allowances import (
    describe_accepted,
    describe_allowances,
    is_accepted,
    list_blocked,
    list_blocking,
)
from reconciler.core.annotation_impact import AnnotationImpact, add_impacts
from reconciler.core.change_groups import ChangeGroup, group_changes, group_plan
from reconciler.core.encoding import encode
from reconciler.core.finding import Checkup
from reconciler.core.ids import format_ranges
from reconciler.core.model import Change, TaskKey
from reconciler.core.named_task import format_id, format_task
from reconciler.core.notation import (
    count_noun,
    escape_invisible,
    format_path,
    measure_width,
    pad,
    shorten,
)
from reconciler.core.plan_model import Plan, PlannedRule, Status, TaskPlan
from reconciler.core.problem_groups import group_problems
from reconciler.core.problems import Allowance, Kind, TaskProblem
from reconciler.core.redaction import RedactionNote
from reconciler.core.report import (
    GOOD,
    STOPPED,
    Outcome,
    Report,
    Run,
    TaskOutcome,
    count_repaired,
    describe_outcome,
    describe_outcomes,
    group_not_started,
    list_run_facts,
)
from reconciler.core.shard import Shard, format_shards
from reconciler.core.shown_digest import NO_KEY
from reconciler.core.validation_document import Validation
from reconciler.core.values import box
from reconciler.errors import Source
from reconciler.renderers.change_lines import format_change, get_symbol
from reconciler.renderers.checkup_lines import format_checkup
from reconciler.renderers.group_lines import format_groups, format_problem_groups, format_totals
from reconciler.renderers.places import append_place
from reconciler.renderers.problem_lines import format_problems
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.rules_and_keys import render_rules_and_keys
from reconciler.renderers.style import Style
from reconciler.renderers.summaries import has_no_changes, summarize

_PATH_WIDTH: Final = 32
_PATH_MAX: Final = 400
_CHANGES_MAX: Final = 200
_ENTRY_LINES_MAX: Final = 34
"""Lines for entries; a plan that needs more shows its changes by path and effect."""
_RANGES_MAX: Final = 6
_REASONS_MAX: Final = 10
_OUTCOMES_MAX: Final = 50
_INDENT: Final = "    "
_STALE_HINTS: Final = {
    "apply": " (to change stale tasks, plan again)",
    "revert": " (to revert stale tasks, run revert again)",
}
"""By command: what the last line says if tasks are stale. Applying the same plan does not help."""


def render_plan(plan: Plan, options: RenderOptions) -> str:
    """Write a plan: one entry for all tasks with the same changes; with ``full``, one for each."""
    style, progress = options.style, options.progress
    progress.begin("writing the plan", len(plan.tasks))
    lines = [style.dim(escape_invisible(str(plan.server)))]
    lines += _format_shards_line(plan.shards, style)
    lines.append("")
    groups = _group(map(_make_task_row, plan.tasks), full=options.full)
    entries = _format_few_entries(groups, options)
    lines += _format_by_meaning(plan, options) if entries is None else entries
    lines += render_rules_and_keys(plan, options)
    if len(groups) > 1:
        lines += _format_blocked(plan, options)
    lines.append(_format_summary(plan, style))
    if allowed := describe_accepted(plan):
        lines.append(style.changed(escape_invisible(f"Allowed: {allowed}.")))
    if targets := plan.describe_targets():
        lines.append(style.changed(targets))
    if plan.redacted:
        lines += _format_redacted(plan.redacted, style)
    if plan.updates:
        lines.append(style.dim(f"Digest: {plan.digest or NO_KEY}"))
    return "\n".join(lines) + "\n"


def _format_redacted(note: RedactionNote, style: Style) -> Iterator[str]:
    """Write which values are masked."""
    yield style.dim(escape_invisible(f"Redacted: {note.redaction.describe()}"))


def _format_few_entries(
    groups: Sequence[Sequence[_Row]], options: RenderOptions
) -> list[str] | None:
    """Write an entry for all tasks with the same changes; None if that takes too many lines."""
    lines: list[str] = []
    for group in groups:
        lines += _format_entry(group, options)
        lines.append("")
        options.progress.advance(len(group))
        if not options.full and len(lines) > _ENTRY_LINES_MAX and len(groups) > 1:
            return None
    return lines


def _format_by_meaning(plan: Plan, options: RenderOptions) -> Iterator[str]:
    """Write the changes by path and effect, then the problems by kind."""
    yield from _format_changes(group_plan(plan), plan.rules, options)
    if problems := group_problems(plan.tasks):
        yield from format_problem_groups(problems, options)
        yield ""


def _format_changes(
    groups: Sequence[ChangeGroup], rules: Sequence[PlannedRule], options: RenderOptions
) -> Iterator[str]:
    """Write what changes by path and effect, and before that the totals by path if they help."""
    if totals := list(format_totals(groups, options.style)):
        yield from [*totals, ""]
    yield from format_groups(groups, rules, options)
    yield ""


def render_report(report: Report, options: RenderOptions) -> str:
    """Write what was changed, when, by whom and from what, and then what `render_outcomes` does."""
    style, full = options.style, options.full
    lines = [style.dim(escape_invisible(str(report.server)))]
    lines += _format_shards_line(report.shards, style)
    if report.redacted:
        lines += _format_redacted(report.redacted, style)
    for run in report.runs:
        lines += ["", *_format_run(run, style)]
    lines.append("")
    changed = [_make_outcome_row(o) for o in report.outcomes if o.may_have_changed]
    entries = _format_few_entries(_group(changed, full=full), options)
    if entries is None:
        outcomes = [outcome for outcome in report.outcomes if outcome.may_have_changed]
        entries = [*_format_changes(group_changes(outcomes), (), options)]
    lines += entries
    message = render_outcomes(
        report.outcomes, style=style, command=report.command, complete=report.complete, full=full
    )
    return "\n".join(lines) + "\n" + message


def render_problems(validation: Validation, options: RenderOptions) -> str:
    """Write each problem on a line and then their number, or how many tasks are declared."""
    lines: Iterable[str] = ()
    if validation.problems:
        lines = format_problems(validation.problems, full=options.full)
    elif validation.tasks is not None:
        lines = [summarize(validation)]
    return "".join(f"{line}\n" for line in lines)


def render_checkup(checkup: Checkup, options: RenderOptions) -> str:
    """Write what `doctor` found, grouped and aligned."""
    return "".join(f"{line}\n" for line in format_checkup(checkup, options.style))


def render_outcomes(
    outcomes: Sequence[TaskOutcome],
    *,
    style: Style,
    command: str = "apply",
    complete: bool = True,
    full: bool = False,
) -> str:
    """Write which tasks are not as declared, and why, then the counts.

    ``command`` is the command that ran, and that continues with tasks not started; empty if there
    were several. If the report is not ``complete``, the last line says that the rest is unknown.
    """
    lines = list(_format_outcomes(outcomes, style, full=full))
    for error, tasks in group_not_started(outcomes).items():
        why = f": {error}"
        if error == STOPPED:
            why = f"; run {command} again to continue" if command else ""
        message = f"{count_noun(len(tasks), 'task')} not started"
        lines.append(f"{style.removed('!')} {style.bold(message)}{escape_invisible(why)}")
    parts = describe_outcomes(outcomes) or ["0 tasks"]
    message = ", ".join(parts if complete else [*parts, "the rest is unknown"])
    if repaired := count_repaired(outcomes):
        lines.append(
            f"Changes of {count_noun(repaired, 'task')} were applied again: another client had "
            "undone them."
        )
    if any(outcome.outcome is Outcome.STALE for outcome in outcomes):
        message += _STALE_HINTS.get(command, "")
    good = complete and all(outcome.is_good for outcome in outcomes)
    paint = style.added if good else style.removed
    lines.append(style.bold(paint(f"{command.capitalize() or 'All runs'}: {message}.")))
    return "\n".join(lines) + "\n"


def _format_outcomes(outcomes: Sequence[TaskOutcome], style: Style, *, full: bool) -> Iterator[str]:
    """Write the tasks that are not as declared; after the first few of an outcome, only ids."""
    folded: dict[str, list[int]] = {}
    for outcome in outcomes:
        if outcome.outcome in GOOD or outcome.outcome is Outcome.INTERRUPTED:
            continue
        word = "left alone, as allowed" if outcome.accepted else describe_outcome(outcome.outcome)
        tasks = folded.setdefault(word, [])
        tasks.append(outcome.task)
        if full or len(tasks) <= _OUTCOMES_MAX:
            mark = style.changed("!") if outcome.accepted else style.removed("!")
            heading = style.bold(format_task(outcome.task, outcome.key))
            who = describe_allowances(outcome.allowed) if outcome.accepted else ""
            why = f"{outcome.error}{who and f' (allowed by {who})'}"
            yield f"{mark} {heading}  {word}: {escape_invisible(why)}"
    for word, tasks in folded.items():
        if not full and (rest := tasks[_OUTCOMES_MAX:]):
            heading = style.bold(count_noun(len(rest), "more task"))
            yield f"{style.removed('!')} {heading}  {word}: {', '.join(format_ranges(rest))}"


def _format_shards_line(shards: tuple[Shard, ...], style: Style) -> list[str]:
    noun = "shard" if len(shards) == 1 else "shards"
    return [style.dim(f"Only tasks of {noun} {format_shards(shards)}")] if shards else []


def _format_run(run: Run, style: Style) -> Iterator[str]:
    """Write when a run was, by whom and from what, as far as it is known."""
    yield style.bold(f"{run.command.capitalize()} {run.started or '(time not recorded)'}")
    for name, value in list_run_facts(run).items():
        yield f"{_INDENT}{name:6}  {escape_invisible(value)}"


@dataclass(frozen=True, slots=True)
class _Row:
    """What an entry shows of one task: ``stopped`` is the status of one that is not changed.

    ``accepted`` says of each of its ``problems`` whether it is allowed. ``allowed`` is what
    accepted problems of a task in a report, and ``time`` is when it was changed; both are empty in
    a plan. ``impacts`` are what the changes do to its annotations, by its problems.
    """

    task: int
    source: Source
    changes: tuple[Change, ...]
    stopped: str = ""
    problems: tuple[TaskProblem, ...] = ()
    accepted: tuple[bool, ...] = ()
    allowed: tuple[Allowance, ...] = ()
    time: str = ""
    key: TaskKey | None = None
    impacts: tuple[AnnotationImpact | None, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """Whether nothing about the task blocks the apply."""
        judged = zip(self.problems, self.accepted, strict=True)
        found = [accepted for problem, accepted in judged if not problem.is_warning]
        return bool(found) and all(found)


def _make_task_row(task: TaskPlan) -> _Row:
    stopped = "" if task.status is Status.UPDATE else task.status.value
    changes = _sort_by_path(task.changes)
    accepted = tuple(is_accepted(problem, task) for problem in task.problems)
    return _Row(
        task.task,
        task.source,
        changes,
        stopped,
        task.problems,
        accepted,
        key=task.key,
        impacts=tuple(map(task.find_impact, task.problems)),
    )


def _make_outcome_row(outcome: TaskOutcome) -> _Row:
    changes = _sort_by_path(outcome.changes)
    stopped = "" if outcome.outcome is Outcome.APPLIED else describe_outcome(outcome.outcome)
    return _Row(
        outcome.task,
        changes[0].source,
        changes,
        stopped,
        allowed=outcome.allowed,
        time=outcome.time,
        key=outcome.key,
    )


def _group(rows: Iterable[_Row], *, full: bool) -> list[list[_Row]]:
    """Group tasks that have the same changes and the same problems."""
    if full:
        return [[row] for row in rows]
    groups: dict[bytes, list[_Row]] = {}
    for row in rows:
        groups.setdefault(_compute_likeness(row), []).append(row)
    return list(groups.values())


def _sort_by_path(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Sort changes by path, so that tasks compare equal in whatever order they are declared."""
    return tuple(sorted(changes, key=lambda change: change.path))


def _compute_likeness(task: _Row) -> bytes:
    """Compute a digest of what happens to a task, without its id and where it is declared."""
    changes = [(c.path, box(c.before), box(c.after)) for c in task.changes]
    problems = [
        (problem.kind, problem.message, accepted, [one.reason for one in problem.allowed])
        for problem, accepted in zip(task.problems, task.accepted, strict=True)
    ]
    allowed = [(one.kind, one.reason) for one in task.allowed]
    return sha256(encode((task.stopped, changes, problems, allowed))).digest()


def _format_entry(group: Sequence[_Row], options: RenderOptions) -> Iterator[str]:
    first, style, full = group[0], options.style, options.full
    blocking = first.stopped and first.stopped != Status.UNCHANGED and not first.is_accepted
    paint = style.removed if blocking else style.changed
    mark = paint("!" if first.stopped else "~")
    allowed = " (allowed)" if first.is_accepted else ""
    status = paint(f"  {first.stopped}{allowed}") if first.stopped else ""
    time = style.dim(f"  {first.time}") if full and first.time else ""
    heading = f"{mark} {style.bold(_format_who(group))}{status}{time}"
    yield from append_place(heading, _format_places(str(row.source) for row in group), options)
    for number, problem in enumerate(first.problems):
        allowed_by = [one for row in group for one in row.problems[number].allowed]
        accepted = first.accepted[number]
        impact = add_impacts(row.impacts[number] for row in group)
        yield from _format_problem(
            problem, style, accepted=accepted, allowed_by=allowed_by, impact=impact
        )
    for number, one in enumerate(first.allowed):
        who = describe_allowances(row.allowed[number] for row in group)
        yield f"{_INDENT}{style.changed(_format_kind(one.kind, accepted=True, who=who))}"
    shown = first.changes if full else first.changes[:_CHANGES_MAX]
    longest = max((measure_width(format_path(c.path)) for c in shown), default=0)
    for number, change in enumerate(shown):
        sources = _format_places(str(row.changes[number].source) for row in group)
        yield from _format_change_entry(change, sources, options, width=min(longest, _PATH_WIDTH))
    if len(shown) < len(first.changes):
        more = count_noun(len(first.changes) - len(shown), "more change")
        yield f"{_INDENT}{style.dim(f'… and {more}, --full shows all')}"


def _format_change_entry(
    change: Change, sources: str, options: RenderOptions, *, width: int
) -> Iterator[str]:
    style, full = options.style, options.full
    mark = get_symbol(change.before, change.after, style)
    first, *rest = format_change(change.before, change.after, style=style, full=full)
    path = format_path(change.path)
    path = pad(path if full else shorten(path, _PATH_MAX), width)
    yield from append_place(f"{_INDENT}{mark} {path}  {first}", sources, options)
    for line in rest:
        yield f"{_INDENT * 2}{line}"


def _format_problem(
    problem: TaskProblem,
    style: Style,
    *,
    accepted: bool,
    allowed_by: Iterable[Allowance],
    impact: AnnotationImpact | None,
) -> Iterator[str]:
    paint = style.changed if accepted or problem.is_warning else style.removed
    kind = _format_kind(problem.kind, accepted=accepted, who=describe_allowances(allowed_by))
    yield f"{_INDENT}{paint(kind)}: {escape_invisible(problem.message)}"
    if impact:
        yield f"{_INDENT}{impact}"
    if problem.hint and not accepted:
        yield f"{_INDENT}{style.dim(escape_invisible(problem.hint))}"


def _format_kind(kind: Kind, *, accepted: bool, who: str) -> str:
    """Write ``annotated-data (allowed by rules.yaml:9: the bucket moved)``."""
    by = f" by {who}" if who else ""
    return escape_invisible(f"{kind.value}{f' (allowed{by})' if accepted else ''}")


def _format_blocked(plan: Plan, options: RenderOptions) -> Iterator[str]:
    """Write which tasks block the apply, and why, without their changes."""
    reasons: dict[str, list[_Row]] = {}
    for task in list_blocked(plan):
        for problem in list_blocking(task):
            reason = f"{problem.kind.value}: {escape_invisible(problem.message)}"
            reasons.setdefault(reason, []).append(_make_task_row(task))
    if not reasons:
        return
    style = options.style
    yield style.bold("Blocked:")
    shown = list(reasons.items())[: None if options.full else _REASONS_MAX]
    for reason, tasks in shown:
        yield f"{_INDENT}{style.removed('!')} {_format_who(tasks)}  {reason}"
    if len(shown) < len(reasons):
        more = count_noun(len(reasons) - len(shown), "more reason")
        yield f"{_INDENT}{style.dim(f'… and {more}, --full shows all')}"
    yield ""


def _format_who(group: Sequence[_Row]) -> str:
    if len(group) == 1:
        return format_task(group[0].task, group[0].key)
    if any(row.key for row in group):
        return f"{len(group):,} tasks: {_format_keyed(group)}"
    return f"{len(group):,} tasks: {_format_ids([row.task for row in group])}"


def _format_keyed(group: Sequence[_Row]) -> str:
    """Write ids with their keys: ``101 (x-1), 103 (x-3)``."""
    shown = [format_id(row.task, row.key) for row in group[:_RANGES_MAX]]
    return ", ".join(shown) + (", …" if len(group) > _RANGES_MAX else "")


def _format_ids(ids: Sequence[int]) -> str:
    """Write ids briefly: ``101-103, 107``."""
    ranges = format_ranges(ids)
    return ", ".join(ranges[:_RANGES_MAX]) + (", …" if len(ranges) > _RANGES_MAX else "")


def _format_places(sources: Iterable[str]) -> str:
    """Write the first place, and how many others there are."""
    different = list(dict.fromkeys(sources))
    more = f" and {len(different) - 1:,} more" if len(different) > 1 else ""
    return escape_invisible(different[0]) + more


def _format_summary(plan: Plan, style: Style) -> str:
    summary = summarize(plan)
    return style.bold(style.added(summary) if has_no_changes(plan) else summary)
