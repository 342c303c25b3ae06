"""Groups of changes and of problems as lines of text, for plans of many tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeAlias

from reconciler.core.allowances import describe_allowances
from reconciler.core.change_groups import (
    ChangeGroup,
    Effect,
    count_blocked,
    count_paths,
    describe_blocked,
    describe_counts,
)
from reconciler.core.ids import format_ranges
from reconciler.core.named_task import format_task
from reconciler.core.notation import (
    count_noun,
    escape_invisible,
    format_path,
    format_value,
    measure_width,
    pad,
    shorten,
)
from reconciler.core.paths import Path
from reconciler.core.plan_model import PlannedRule
from reconciler.core.problem_groups import ProblemGroup
from reconciler.errors import Source
from reconciler.renderers.effect_parts import Part, describe_effect, describe_sides
from reconciler.renderers.places import append_place
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.style import Style, strip_colors

_LINES_MAX: Final = 18
"""Lines for groups of changes; `--full` shows all tasks instead."""

_PROBLEMS_MAX: Final = 6
_PATHS_MAX: Final = 6
_GROUPS_OF_PATH: Final = 2
_RANGES_MAX: Final = 3
_PATH_WIDTH: Final = 28
_PATH_MAX: Final = 80
_COUNT_WIDTH: Final = 14
_MESSAGE_MAX: Final = 160
_INDENT: Final = "    "
Paint: TypeAlias = Callable[[str], str]


def format_totals(groups: Sequence[ChangeGroup], style: Style) -> Iterator[str]:
    """Write the number of changes by path, if most paths have several groups."""
    counted = count_paths(groups)
    if len(groups) < _GROUPS_OF_PATH * len(counted):
        return
    blocked = count_blocked(groups)
    for path, by_effect in islice(counted.items(), _PATHS_MAX):
        counts = describe_counts(by_effect, blocked[path])
        yield f"  {style.bold(_format_path(path, _PATH_WIDTH))}  {counts}"
    if len(counted) > _PATHS_MAX:
        rest = sum(sum(counts.values()) for counts in islice(counted.values(), _PATHS_MAX, None))
        more = count_noun(len(counted) - _PATHS_MAX, "more path")
        yield style.dim(f"  … and {more} with {count_noun(rest, 'change')}")


def format_groups(
    groups: Sequence[ChangeGroup], rules: Iterable[PlannedRule], options: RenderOptions
) -> Iterator[str]:
    """Write each group on a line, with examples below where its tasks change differently."""
    places = {planned.rule.name: planned.rule.source for planned in rules}
    columns = _measure_columns(groups)
    written = 0
    for number, group in enumerate(groups):
        lines = list(_format_group(group, places, options, columns))
        written += len(lines)
        if number and written > _LINES_MAX:
            left = groups[number:]
            more = count_noun(len(left), "more group")
            changes = count_noun(sum(map(len, left)), "change")
            yield options.style.dim(f"… and {more} with {changes}, --full shows every task")
            return
        yield from lines


def _measure_columns(groups: Iterable[ChangeGroup]) -> tuple[int, int]:
    """Return how wide the paths and the numbers of tasks are."""
    paths = (measure_width(format_path(group.path)) for group in groups)
    counts = (
        len(_count_tasks(group)) if len(group) > 1 else min(len(_count_tasks(group)), _COUNT_WIDTH)
        for group in groups
    )
    return min(max(paths, default=0), _PATH_WIDTH), max(counts, default=0)


def _format_group(
    group: ChangeGroup,
    places: Mapping[str, Source],
    options: RenderOptions,
    columns: tuple[int, int],
) -> Iterator[str]:
    style = options.style
    mark, paint = _choose_mark(group, style)
    path = style.bold(_format_path(group.path, columns[0]))
    count = pad(_count_tasks(group), columns[1])
    line = f"{paint(mark)} {path}  {count}  {_paint(describe_effect(group), style)}"
    yield from append_place(line, _format_source(group, places), options)
    if group.effect is Effect.VARY:
        for example in group.examples:
            sides = _paint(describe_sides(example.change.before, example.change.after), style)
            yield f"{_INDENT}{format_task(example.task, example.key)}: {sides}"


def _count_tasks(group: ChangeGroup) -> str:
    held = describe_blocked(group.blocked, len(group))
    if len(group) > 1:
        return f"{len(group):,} tasks{held}"
    return f"{format_task(group.tasks[0], group.examples[0].key)}{held}"


def _choose_mark(group: ChangeGroup, style: Style) -> tuple[str, Paint]:
    match group.simple_effect:
        case Effect.REMOVE:
            return "-", style.removed
        case Effect.ADD:
            return "+", style.added
    return "~", style.changed


def _paint(parts: Iterable[Part], style: Style) -> str:
    colors: dict[str, Paint] = {"old": style.removed, "new": style.added}
    return "".join(colors[kind](text) if kind else text for kind, text in parts)


def _format_path(path: Path, width: int) -> str:
    return pad(shorten(format_path(path), _PATH_MAX), width)


def _format_source(group: ChangeGroup, places: Mapping[str, Source]) -> str:
    """Write which rule makes the changes, or where they are declared."""
    if group.rule:
        source = places.get(group.rule, group.source)
        return escape_invisible(f"rule {format_value(group.rule)} ({source.file}:{source.line})")
    return escape_invisible(format_places(group))


def _format_tasks(ids: Sequence[int]) -> str:
    """Write ``1,203 tasks``, with their ids if these are few ranges."""
    if len(ids) == 1:
        return f"task {ids[0]}"
    ranges = format_ranges(ids)
    shown = f": {', '.join(ranges)}" if len(ranges) <= _RANGES_MAX else ""
    return f"{count_noun(len(ids), 'task')}{shown}"


def _append_message(line: str, message: str, options: RenderOptions) -> tuple[str, ...]:
    """Add a message to a line, or write it below if the terminal would wrap the line."""
    joined = f"{line}: {message}"
    if options.width is None or measure_width(strip_colors(joined)) <= options.width:
        return (joined,)
    return line, f"{_INDENT}{message}"


def format_places(group: ChangeGroup | ProblemGroup) -> str:
    """Write the first place that declares a group, and how many others do."""
    return f"{group.source}{f' and {group.sources - 1:,} more' if group.sources > 1 else ''}"


def format_problem_groups(groups: Sequence[ProblemGroup], options: RenderOptions) -> Iterator[str]:
    """Write each kind of problem on a line: how many tasks have it, and the first message."""
    style = options.style
    for group in groups[:_PROBLEMS_MAX]:
        first, paint = group.first, style.removed if group.is_blocking else style.changed
        who = describe_allowances(first.allowed)
        kind = paint(f"{group.kind.value}{f' (allowed by {who})' if who else ''}")
        named = format_task(group.tasks[0], group.key)
        example = f"{named}: " if len(group) > 1 else ""
        message = escape_invisible(f"{example}{shorten(first.message, _MESSAGE_MAX)}")
        tasks = _format_tasks(group.tasks) if len(group) > 1 else named
        *lines, last = _append_message(
            f"{paint('!')} {style.bold(tasks)}  {kind}", message, options
        )
        yield from lines
        if group.is_blocking:
            yield from append_place(last, escape_invisible(format_places(group)), options)
        else:
            yield last
        if group.impact:
            yield f"{_INDENT}{group.impact}"
        if group.is_blocking and first.hint:
            yield f"{_INDENT}{style.dim(escape_invisible(first.hint))}"
    if more := groups[_PROBLEMS_MAX:]:
        yield style.dim(f"… and {count_noun(len(more), 'more kind')} of problem, --full shows all")
