"""A plan or a report for the eyes of a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from reconciler.apply.report import GOOD, TaskOutcome, count_repaired, counted
from reconciler.plan.digest import digest
from reconciler.plan.encoding import encode
from reconciler.plan.model import WARNINGS, Change, Plan, Status, TaskPlan, TaskProblem
from reconciler.plan.notation import counted_noun, path_text, shortened, visible
from reconciler.plan.shard import shards_text
from reconciler.plan.values import ABSENT
from reconciler.render.style import Style
from reconciler.render.values import change_lines, symbol
from reconciler.watch import NOBODY, Watch

_PATH_WIDTH: Final = 32
_PATH_MAX: Final = 400
_CHANGES_MAX: Final = 200
_RANGES_MAX: Final = 6
_INDENT: Final = "    "


def render_plan(plan: Plan, *, style: Style, full: bool = False, watch: Watch = NOBODY) -> str:
    """Write a plan: one entry for all tasks that change alike, or with ``full`` one for each."""
    watch.begin("writing the plan", len(plan.tasks))
    lines = [style.dim(visible(str(plan.server)))]
    if plan.shards:
        shards = "shard" if len(plan.shards) == 1 else "shards"
        lines.append(style.dim(f"Only tasks of {shards} {shards_text(plan.shards)}"))
    lines.append("")
    for group in _groups(plan.tasks, full=full):
        lines += _entry(group, style=style, full=full)
        lines.append("")
        watch.advance(len(group))
    lines.append(_plan_summary(plan, style))
    if plan.updates:
        lines.append(style.dim(f"Digest: {digest(plan)}"))
    return "\n".join(lines) + "\n"


def render_report(outcomes: Sequence[TaskOutcome], *, style: Style, complete: bool = True) -> str:
    """Write what an apply did: every task that is not as declared now, then the counts.

    Where the report is not ``complete``, its counts are not all that was done, and say so.
    """
    lines = [_outcome_line(outcome, style) for outcome in outcomes if outcome.outcome not in GOOD]
    counts = counted(outcomes)
    parts = [f"{number:,} {_words(outcome)}" for outcome, number in counts.items()] or ["0 tasks"]
    said = ", ".join(parts if complete else [*parts, "the rest is not known"])
    if repaired := count_repaired(outcomes):
        lines.append(
            f"Applied again, as another write had undone it: {counted_noun(repaired, 'task')}."
        )
    good = complete and all(outcome.is_good for outcome in outcomes)
    dress = style.added if good else style.removed
    lines.append(style.bold(dress(f"Apply: {said}.")))
    return "\n".join(lines) + "\n"


def _outcome_line(outcome: TaskOutcome, style: Style) -> str:
    mark = style.changed("!") if outcome.accepted else style.removed("!")
    heading = style.bold(f"task {outcome.task}")
    word = "left alone, as allowed" if outcome.accepted else _words(outcome.outcome)
    return f"{mark} {heading}  {word}: {visible(outcome.error)}"


def _words(outcome: str) -> str:
    return outcome.replace("_", " ")


def _groups(tasks: Iterable[TaskPlan], *, full: bool) -> list[list[TaskPlan]]:
    """Put tasks together that change in the same way, or have the same problems."""
    if full:
        return [[_by_path(task)] for task in tasks]
    groups: dict[bytes, list[TaskPlan]] = {}
    for task in map(_by_path, tasks):
        groups.setdefault(_likeness(task), []).append(task)
    return list(groups.values())


def _by_path(task: TaskPlan) -> TaskPlan:
    """Put changes in the order of their paths: alike is alike, in whatever order declared."""
    return replace(task, changes=tuple(sorted(task.changes, key=lambda change: change.path)))


def _likeness(task: TaskPlan) -> bytes:
    """Tell tasks apart by what happens to them, whichever they are and wherever declared."""
    changes = [
        (change.path, *([] if side is ABSENT else [side] for side in (change.before, change.after)))
        for change in task.changes
    ]
    problems = [(problem.kind, problem.message) for problem in task.problems]
    return sha256(encode((task.status, changes, problems))).digest()


def _entry(group: Sequence[TaskPlan], *, style: Style, full: bool) -> Iterator[str]:
    first = group[0]
    place = style.dim(_places(str(task.source) for task in group))
    stopped = first.status is not Status.UPDATE
    mark = style.removed("!") if stopped else style.changed("~")
    status = style.removed(f"  {first.status.value}") if stopped else ""
    yield f"{mark} {style.bold(_who(group))}{status}  {place}"
    for problem in first.problems:
        yield from _problem_lines(problem, style)
    shown = first.changes if full else first.changes[:_CHANGES_MAX]
    width = min(max((len(path_text(c.path)) for c in shown), default=0), _PATH_WIDTH)
    for number, change in enumerate(shown):
        sources = _places(str(task.changes[number].source) for task in group)
        yield from _change_entry(change, sources, style=style, full=full, width=width)
    if len(shown) < len(first.changes):
        more = counted_noun(len(first.changes) - len(shown), "more change")
        yield f"{_INDENT}{style.dim(f'… and {more}, --full shows all')}"


def _change_entry(
    change: Change, sources: str, *, style: Style, full: bool, width: int
) -> Iterator[str]:
    mark = symbol(change.before, change.after, style)
    first, *rest = change_lines(change.before, change.after, style=style, full=full)
    path = path_text(change.path)
    path = (path if full else shortened(path, _PATH_MAX)).ljust(width)
    yield f"{_INDENT}{mark} {path}  {first}  {style.dim(sources)}"
    for line in rest:
        yield f"{_INDENT * 2}{line}"


def _problem_lines(problem: TaskProblem, style: Style) -> Iterator[str]:
    warning = problem.kind in WARNINGS
    dress = style.changed if warning else style.removed
    yield f"{_INDENT}{dress(problem.kind.value)}: {visible(problem.message)}"
    if problem.hint:
        yield f"{_INDENT}{style.dim(visible(problem.hint))}"


def _who(group: Sequence[TaskPlan]) -> str:
    if len(group) == 1:
        return f"task {group[0].task}"
    return f"{len(group):,} tasks: {_ranges([task.task for task in group])}"


def _ranges(ids: Sequence[int]) -> str:
    """Write ids briefly: ``101-103, 107``."""
    ranges: list[tuple[int, int]] = []
    for task in sorted(ids):
        if ranges and task == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], task)
        else:
            ranges.append((task, task))
    written = [f"{low}-{high}" if high > low else str(low) for low, high in ranges[:_RANGES_MAX]]
    return ", ".join(written) + (", …" if len(ranges) > _RANGES_MAX else "")


def _places(sources: Iterable[str]) -> str:
    """Name the first place, and how many others there are."""
    different = list(dict.fromkeys(sources))
    more = f" and {len(different) - 1:,} more" if len(different) > 1 else ""
    return visible(different[0]) + more


def _plan_summary(plan: Plan, style: Style) -> str:
    counts = plan.summary()
    if not plan.tasks:
        return style.bold(
            style.added(f"No changes: {counted_noun(counts['tasks'], 'task')} as declared.")
        )
    changes = sum(len(task.changes) for task in plan.updates)
    updates = counted_noun(counts[Status.UPDATE], "task")
    due = f"{updates} to update ({counted_noun(changes, 'change')})"
    parts = [due if changes else "nothing to update"]
    rest = (Status.UNCHANGED, Status.MISSING, Status.UNREADABLE, Status.BLOCKED)
    parts += [f"{counts[status]:,} {status.value}" for status in rest if counts[status]]
    return style.bold(f"Plan: {', '.join(parts)}.")
