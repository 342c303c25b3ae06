"""A plan or a report for the eyes of a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from reconciler.core.encoding import encode
from reconciler.core.ids import format_ranges
from reconciler.core.model import WARNINGS, Change, Plan, Status, TaskPlan, TaskProblem
from reconciler.core.notation import count_noun, escape_invisible, format_path, shorten
from reconciler.core.report import (
    GOOD,
    STOPPED,
    Outcome,
    Report,
    Run,
    TaskOutcome,
    count_outcomes,
    count_repaired,
    describe_outcome,
    group_not_started,
)
from reconciler.core.shard import Shard, format_shards
from reconciler.core.validation_document import Validation
from reconciler.core.values import box
from reconciler.errors import Source
from reconciler.renderers.change_lines import format_change, get_symbol
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.style import Style

_PATH_WIDTH: Final = 32
_PATH_MAX: Final = 400
_CHANGES_MAX: Final = 200
_RANGES_MAX: Final = 6
_INDENT: Final = "    "


def render_plan(plan: Plan, options: RenderOptions) -> str:
    """Write a plan: one entry for all tasks that change alike, or with ``full`` one for each."""
    style, full, progress = options.style, options.full, options.progress
    progress.begin("writing the plan", len(plan.tasks))
    lines = [style.dim(escape_invisible(str(plan.server)))]
    lines += _format_shards_line(plan.shards, style)
    lines.append("")
    for group in _group(map(_make_task_row, plan.tasks), full=full):
        lines += _format_entry(group, style=style, full=full)
        lines.append("")
        progress.advance(len(group))
    lines.append(_format_plan_summary(plan, style))
    if plan.updates:
        lines.append(style.dim(f"Digest: {plan.digest}"))
    return "\n".join(lines) + "\n"


def render_report(report: Report, options: RenderOptions) -> str:
    """Write what was changed, when, by whom and from what, and then what `render_outcomes` does."""
    style, full = options.style, options.full
    lines = [style.dim(escape_invisible(str(report.server)))]
    lines += _format_shards_line(report.shards, style)
    for run in report.runs:
        lines += ["", *_format_run(run, style)]
    lines.append("")
    changed = [_make_outcome_row(o) for o in report.outcomes if o.may_have_changed]
    for group in _group(changed, full=full):
        lines += _format_entry(group, style=style, full=full)
        lines.append("")
    message = render_outcomes(
        report.outcomes, style=style, command=report.command, complete=report.complete
    )
    return "\n".join(lines) + "\n" + message


def render_problems(validation: Validation, _options: RenderOptions) -> str:
    """Write each problem on a line, then how many there are, or how many tasks are declared."""
    lines = [escape_invisible(str(problem)) for problem in validation.problems]
    if lines:
        lines.append(f"{count_noun(len(lines), 'problem')} in the manifests")
    elif validation.tasks is not None:
        lines.append(f"Valid: {count_noun(validation.tasks, 'task')} declared.")
    return "".join(f"{line}\n" for line in lines)


def render_outcomes(
    outcomes: Sequence[TaskOutcome],
    *,
    style: Style,
    command: str = "apply",
    complete: bool = True,
) -> str:
    """Write which tasks are not as declared now, and why, then the counts.

    ``command`` is what was run, and goes on with what was not started; empty for different ones.
    Where the report is not ``complete``, its counts are not all that was done, and say so.
    """
    told = GOOD | {Outcome.INTERRUPTED}
    lines = [_format_outcome(outcome, style) for outcome in outcomes if outcome.outcome not in told]
    for error, tasks in group_not_started(outcomes).items():
        why = f": {error}"
        if error == STOPPED:
            why = f"; run {command} again to continue" if command else ""
        message = f"{count_noun(len(tasks), 'task')} not started"
        lines.append(f"{style.removed('!')} {style.bold(message)}{escape_invisible(why)}")
    counts = count_outcomes(outcomes)
    parts = [f"{number:,} {describe_outcome(outcome)}" for outcome, number in counts.items()] or [
        "0 tasks"
    ]
    message = ", ".join(parts if complete else [*parts, "the rest is not known"])
    if repaired := count_repaired(outcomes):
        lines.append(
            f"Changes of {count_noun(repaired, 'task')} were applied again: another client had "
            "undone them."
        )
    good = complete and all(outcome.is_good for outcome in outcomes)
    paint = style.added if good else style.removed
    lines.append(style.bold(paint(f"{command.capitalize() or 'All runs'}: {message}.")))
    return "\n".join(lines) + "\n"


def _format_shards_line(shards: tuple[Shard, ...], style: Style) -> list[str]:
    noun = "shard" if len(shards) == 1 else "shards"
    return [style.dim(f"Only tasks of {noun} {format_shards(shards)}")] if shards else []


def _format_run(run: Run, style: Style) -> Iterator[str]:
    """Write when a run was, by whom and from what, as far as it is known."""
    yield style.bold(f"{run.command.capitalize()} {run.started or '(time not recorded)'}")
    commit = run.commit
    known = {
        "ended": run.ended,
        "shard": format_shards(run.shards),
        "user": str(run.user or ""),
        "commit": commit.id + ", with uncommitted changes" * commit.dirty if commit else "",
        "digest": run.digest,
    }
    for name, value in known.items():
        if value:
            yield f"{_INDENT}{name:6}  {escape_invisible(value)}"


def _format_outcome(outcome: TaskOutcome, style: Style) -> str:
    mark = style.changed("!") if outcome.accepted else style.removed("!")
    heading = style.bold(f"task {outcome.task}")
    word = "left alone, as allowed" if outcome.accepted else describe_outcome(outcome.outcome)
    return f"{mark} {heading}  {word}: {escape_invisible(outcome.error)}"


@dataclass(frozen=True, slots=True)
class _Row:
    """What an entry shows of one task: ``stopped`` says what keeps it from being changed.

    ``time`` is when it was changed, empty in a plan.
    """

    task: int
    source: Source
    changes: tuple[Change, ...]
    stopped: str = ""
    problems: tuple[TaskProblem, ...] = ()
    time: str = ""


def _make_task_row(task: TaskPlan) -> _Row:
    stopped = "" if task.status is Status.UPDATE else task.status.value
    return _Row(task.task, task.source, _sort_by_path(task.changes), stopped, task.problems)


def _make_outcome_row(outcome: TaskOutcome) -> _Row:
    changes = _sort_by_path(outcome.changes)
    stopped = "" if outcome.outcome is Outcome.APPLIED else describe_outcome(outcome.outcome)
    return _Row(outcome.task, changes[0].source, changes, stopped, time=outcome.time)


def _group(rows: Iterable[_Row], *, full: bool) -> list[list[_Row]]:
    """Put tasks together that change in the same way, or have the same problems."""
    if full:
        return [[row] for row in rows]
    groups: dict[bytes, list[_Row]] = {}
    for row in rows:
        groups.setdefault(_compute_likeness(row), []).append(row)
    return list(groups.values())


def _sort_by_path(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Put changes in the order of their paths: alike is alike, in whatever order declared."""
    return tuple(sorted(changes, key=lambda change: change.path))


def _compute_likeness(task: _Row) -> bytes:
    """Tell tasks apart by what happens to them, whichever they are and wherever declared."""
    changes = [(c.path, box(c.before), box(c.after)) for c in task.changes]
    problems = [(problem.kind, problem.message) for problem in task.problems]
    return sha256(encode((task.stopped, changes, problems))).digest()


def _format_entry(group: Sequence[_Row], *, style: Style, full: bool) -> Iterator[str]:
    first = group[0]
    place = style.dim(_format_places(str(task.source) for task in group))
    mark = style.removed("!") if first.stopped else style.changed("~")
    status = style.removed(f"  {first.stopped}") if first.stopped else ""
    time = style.dim(f"  {first.time}") if full and first.time else ""
    yield f"{mark} {style.bold(_format_who(group))}{status}{time}  {place}"
    for problem in first.problems:
        yield from _format_problems(problem, style)
    shown = first.changes if full else first.changes[:_CHANGES_MAX]
    width = min(max((len(format_path(c.path)) for c in shown), default=0), _PATH_WIDTH)
    for number, change in enumerate(shown):
        sources = _format_places(str(task.changes[number].source) for task in group)
        yield from _format_change_entry(change, sources, style=style, full=full, width=width)
    if len(shown) < len(first.changes):
        more = count_noun(len(first.changes) - len(shown), "more change")
        yield f"{_INDENT}{style.dim(f'… and {more}, --full shows all')}"


def _format_change_entry(
    change: Change, sources: str, *, style: Style, full: bool, width: int
) -> Iterator[str]:
    mark = get_symbol(change.before, change.after, style)
    first, *rest = format_change(change.before, change.after, style=style, full=full)
    path = format_path(change.path)
    path = (path if full else shorten(path, _PATH_MAX)).ljust(width)
    yield f"{_INDENT}{mark} {path}  {first}  {style.dim(sources)}"
    for line in rest:
        yield f"{_INDENT * 2}{line}"


def _format_problems(problem: TaskProblem, style: Style) -> Iterator[str]:
    warning = problem.kind in WARNINGS
    paint = style.changed if warning else style.removed
    yield f"{_INDENT}{paint(problem.kind.value)}: {escape_invisible(problem.message)}"
    if problem.hint:
        yield f"{_INDENT}{style.dim(escape_invisible(problem.hint))}"


def _format_who(group: Sequence[_Row]) -> str:
    if len(group) == 1:
        return f"task {group[0].task}"
    return f"{len(group):,} tasks: {_format_ids([task.task for task in group])}"


def _format_ids(ids: Sequence[int]) -> str:
    """Write ids briefly: ``101-103, 107``."""
    ranges = format_ranges(ids)
    return ", ".join(ranges[:_RANGES_MAX]) + (", …" if len(ranges) > _RANGES_MAX else "")


def _format_places(sources: Iterable[str]) -> str:
    """Name the first place, and how many others there are."""
    different = list(dict.fromkeys(sources))
    more = f" and {len(different) - 1:,} more" if len(different) > 1 else ""
    return escape_invisible(different[0]) + more


def _format_plan_summary(plan: Plan, style: Style) -> str:
    counts = plan.summary()
    if not plan.tasks:
        return style.bold(
            style.added(f"No changes: {count_noun(counts['tasks'], 'task')} as declared.")
        )
    changes = sum(len(task.changes) for task in plan.updates)
    updates = count_noun(counts[Status.UPDATE], "task")
    due = f"{updates} to update ({count_noun(changes, 'change')})"
    parts = [due if changes else "nothing to update"]
    rest = (Status.UNCHANGED, Status.MISSING, Status.UNREADABLE, Status.BLOCKED)
    parts += [f"{counts[status]:,} {status.value}" for status in rest if counts[status]]
    return style.bold(f"Plan: {', '.join(parts)}.")
