"""Markdown for a comment or the summary of a step: totals, what blocks, then each group.

Whatever the plan, it stays within a limit: groups are left out from the end, where the smallest
are, and the last lines say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import Any, Final, Generic, TypeVar

from reconciler.core.allowances import describe_accepted, describe_allowances
from reconciler.core.change_groups import (
    ChangeGroup,
    Effect,
    Example,
    count_blocked,
    count_paths,
    describe_blocked,
    describe_counts,
    group_changes,
    group_plan,
)
from reconciler.core.contrast import format_brief
from reconciler.core.finding import Checkup, Finding, Level
from reconciler.core.ids import format_ranges
from reconciler.core.model import TaskKey
from reconciler.core.named_task import format_id
from reconciler.core.notation import count_noun, format_path, shorten
from reconciler.core.paths import Path
from reconciler.core.plan_model import Plan, PlannedRule, UnresolvedKey
from reconciler.core.problem_groups import ProblemGroup, group_problems
from reconciler.core.redaction import RedactionNote
from reconciler.core.report import Report, Run
from reconciler.core.results import (
    Result,
    Severity,
    list_results,
    pick_results,
)
from reconciler.core.rule_set import describe_planned_rule
from reconciler.core.shown_digest import NO_KEY
from reconciler.core.size_limit import SizeLimit
from reconciler.core.validation_document import Validation
from reconciler.core.values import ABSENT
from reconciler.renderers.change_lines import format_change
from reconciler.renderers.effect_parts import describe_effect
from reconciler.renderers.markdown_text import format_block, format_code, format_html_code
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.style import PLAIN
from reconciler.renderers.summaries import has_no_changes, summarize

_EXAMPLES: Final = 20
"""Changes of a group that are shown if it has no more; of larger groups, `_FEW_EXAMPLES`."""

_FEW_EXAMPLES: Final = 5
_PATHS_MAX: Final = 8
_RANGES_MAX: Final = 12
"""Ranges of ids that are listed if there are no more; of more, `_FEW_RANGES`."""

_FEW_RANGES: Final = 3
_PATH_MAX: Final = 120
_NAME_MAX: Final = 200
_VALUE_MAX: Final = 80
_LINE_MAX: Final = 400
_MESSAGE_MAX: Final = 600
_MARKS: Final = {Effect.REMOVE: "-", Effect.ADD: "+", Effect.SET: "~"}
_KEYS_MAX: Final = 50
_LINES_MAX: Final = 80
_RESERVED: Final = 500
"""Characters for the lines that say what was left out."""

_MISFITS_MAX: Final = 20
"""Items that are tried although one before did not fit: smaller ones may."""

_WHERE: Final = "The `text` format with `--full`, and `json`, show all"


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Section(Generic[T]):
    """Items of which each is written, or left out, as a whole; all are called ``noun``.

    ``count`` says how many changes an item tells of, and ``title`` stands before the first.
    """

    noun: str
    items: Sequence[T]
    write: Callable[[T], str]
    title: str = ""
    count: Callable[[T], int] = lambda _: 0
    most: int | None = None


def render_plan(plan: Plan, options: RenderOptions) -> str:
    """Write a plan; one without changes and problems is one line."""
    summary = summarize(plan)
    if has_no_changes(plan) and not plan.tasks and not _list_rule_problems(plan):
        return f"{summary} {format_code(str(plan.server))}\n"
    groups = group_plan(plan, _EXAMPLES)
    problems = group_problems(plan.tasks)
    sections = (
        _list_paths(groups),
        *_list_problems(plan, problems, is_blocking=True),
        *_list_problems(plan, problems, is_blocking=False),
        _list_groups(groups, plan.rules),
        _Section("rule", plan.rules, _format_rule, "Rules"),
        _Section("note", list(_list_notes(plan)), _format_item, "Notes"),
    )
    origin = _format_origin(str(plan.server), plan.digest if plan.updates else "")
    return _assemble(summary, origin, sections, options.limit)


def render_report(report: Report, options: RenderOptions) -> str:
    """Write a report: what is not as declared, then what was changed."""
    changed = [one for one in report.outcomes if one.may_have_changed]
    groups = group_changes(changed, _EXAMPLES)
    results = [one for one in list_results(report) if one.severity is not Severity.NOTE]
    sections = (
        _list_paths(groups),
        _list_results(results, "Not as declared"),
        _list_groups(groups, ()),
        _Section("run", report.runs, lambda run: _format_item(_describe_run(run)), "Runs"),
        _Section("note", list(_list_redacted(report.redacted)), _format_item),
    )
    origin = _format_origin(str(report.server), "")
    return _assemble(summarize(report), origin, sections, options.limit)


def render_problems(validation: Validation, options: RenderOptions) -> str:
    """Write the problems of manifests."""
    summary = summarize(validation)
    if not validation.problems:
        return f"{summary}\n"
    section = _list_results(list_results(validation), with_place=True)
    return _assemble(summary, "", [section], options.limit)


def render_checkup(checkup: Checkup, options: RenderOptions) -> str:
    """Write what `doctor` found: what is not as it should be first."""
    order = (Level.PROBLEM, Level.WARNING, Level.NOTE, Level.OK)
    found = sorted(checkup.findings, key=lambda finding: order.index(finding.level))
    section = _Section("check", found, _format_finding)
    return _assemble(summarize(checkup), "", [section], options.limit)


def _assemble(
    summary: str, origin: str, sections: Iterable[_Section[Any]], limit: SizeLimit
) -> str:
    """Join what fits, and say what was left out."""
    paper = _Paper(limit, f"**{summary}**\n", f"\n{origin}\n" if origin else "")
    for section in sections:
        paper.write(section)
    return paper.finish()


class _Paper:
    """Text that never becomes longer than its limit: what does not fit is counted instead."""

    def __init__(self, limit: SizeLimit, beginning: str, end: str) -> None:
        self._limit = limit
        self._written = [beginning]
        self._end = end
        self._room = limit.count - limit.measure(beginning) - limit.measure(end) - _RESERVED
        self._left_out: list[str] = []

    def write(self, section: _Section[T]) -> None:
        """Write the items of a section that fit; after some that do not, no more are tried."""
        left_out = changes = 0
        lead = f"\n**{section.title}**\n\n" if section.title else "\n"
        for number, item in enumerate(section.items):
            may_fit = left_out < _MISFITS_MAX and (section.most is None or number < section.most)
            if may_fit and self._append(lead + section.write(item) + "\n"):
                lead = "" if self._written[-1].lstrip("\n").startswith("- ") or lead == "" else "\n"
            else:
                left_out += 1
                changes += section.count(item)
        if left_out:
            counted = f" with {count_noun(changes, 'change')}" if changes else ""
            self._left_out.append(f"{_count_more(left_out, section.noun)}{counted}")

    def _append(self, text: str) -> bool:
        size = self._limit.measure(text)
        if size > self._room:
            return False
        self._room -= size
        self._written.append(text)
        return True

    def finish(self) -> str:
        """Return the text, with its end, and what was left out."""
        if self._left_out:
            what = ", ".join(self._left_out)
            note = f"**Left out** to stay within {self._limit}: {what}. {_WHERE}.\n"
            self._written.append(f"\n{note}")
        return "".join([*self._written, self._end])


def _count_more(count: int, noun: str) -> str:
    first, _, rest = noun.partition(" ")
    return f"{count_noun(count, f'more {first}')}{rest and f' {rest}'}"


def _format_item(text: str) -> str:
    return f"- {format_code(text, _MESSAGE_MAX)}"


def _format_origin(server: str, digest: str) -> str:
    known = [f"Server: {format_code(server, _NAME_MAX)}"]
    if digest:
        known.append(f"digest: {format_code(digest)}")
    return ", ".join(known)


def _list_notes(plan: Plan) -> Iterator[str]:
    if allowed := describe_accepted(plan):
        yield f"Allowed: {allowed}"
    if targets := plan.describe_targets():
        yield targets
    yield from _list_redacted(plan.redacted)
    if plan.updates and not plan.digest:
        yield f"Digest: {NO_KEY}"


def _list_redacted(note: RedactionNote | None) -> Iterator[str]:
    if note:
        yield f"Redacted: {note.redaction.describe()}"


def _list_paths(groups: Sequence[ChangeGroup]) -> _Section[tuple[Path, Mapping[Effect, int]]]:
    """List how many changes each path has, if the groups do not say that themselves."""
    counted = count_paths(groups)
    items = [] if len(counted) == len(groups) else list(counted.items())
    blocked = count_blocked(groups)

    def write(item: tuple[Path, Mapping[Effect, int]]) -> str:
        path, counts = item
        described = describe_counts(counts, blocked[path])
        return f"- {format_code(format_path(path), _PATH_MAX)}: {described}"

    return _Section("path", items, write, count=lambda item: sum(item[1].values()), most=_PATHS_MAX)


def _list_problems(
    plan: Plan, groups: Sequence[ProblemGroup], *, is_blocking: bool
) -> Iterator[_Section[Any]]:
    """List what blocks the apply, or what else to know: always visible."""
    kinds = [group for group in groups if group.is_blocking is is_blocking]
    rules = [rule for rule in _list_rule_problems(plan) if rule.is_blocked is is_blocking]
    keys = [key for key in plan.unresolved if is_blocking is not bool(key.problem.allowed)]
    titles = chain(["Blocks the apply" if is_blocking else "Worth knowing"], repeat(""))
    if kinds:
        yield _Section("kind of problem", kinds, _format_problem_group, next(titles))
    if rules:
        yield _Section(
            "problem of rules", rules, _format_rule_problem, next(titles), most=_KEYS_MAX
        )
    if keys:
        yield _Section("key", keys, _format_key, next(titles), most=_KEYS_MAX)


def _list_groups(
    groups: Sequence[ChangeGroup], rules: Sequence[PlannedRule]
) -> _Section[ChangeGroup]:
    places = {planned.rule.name: str(planned.rule.source) for planned in rules}
    return _Section("group", groups, lambda group: _format_group(group, places), count=len)


def _list_results(
    results: Iterable[Result], title: str = "", *, with_place: bool = False
) -> _Section[Result]:
    def write(result: Result) -> str:
        return _format_result(result, with_place=with_place)

    return _Section("problem", pick_results(results).shown, write, title)


def _list_rule_problems(plan: Plan) -> list[PlannedRule]:
    return [rule for rule in plan.rules if rule.problem]


def _format_problem_group(group: ProblemGroup) -> str:
    first = group.first
    who = describe_allowances(first.allowed)
    is_accepted = not (group.is_blocking or first.is_warning)
    allowed = f" (allowed{f' by {format_code(who, _NAME_MAX)}' if who else ''})"
    more = f" and {group.different - 1:,} more" if group.different > 1 else ""
    place = f" in {_format_places(group)}" if group.is_blocking else ""
    line = (
        f"- {_sign(is_error=group.is_blocking)} **{first.kind.value}**"
        f"{allowed if is_accepted else ''}, {_format_tasks(group.tasks, group.key)}{place}: "
        f"{format_code(first.message, _MESSAGE_MAX)}{more}"
    )
    impact = f"<br>{group.impact}" if group.impact else ""
    return line + impact + _format_hint(first.hint if group.is_blocking else "")


def _format_rule(planned: PlannedRule) -> str:
    return _format_item(describe_planned_rule(planned))


def _format_rule_problem(planned: PlannedRule) -> str:
    assert planned.problem  # noqa: S101 - for type checkers
    problem = planned.problem
    name = format_code(planned.rule.name, _NAME_MAX)
    message = format_code(problem.message, _MESSAGE_MAX)
    sign = _sign(is_error=planned.is_blocked)
    return f"- {sign} **{problem.kind.value}**, rule {name}: {message}{_format_hint(problem.hint)}"


def _format_key(key: UnresolvedKey) -> str:
    problem = key.problem
    name = format_code(str(key.key), _NAME_MAX)
    place = format_code(str(key.source), _NAME_MAX)
    message = format_code(problem.message, _MESSAGE_MAX)
    sign = _sign(is_error=not problem.allowed)
    hint = _format_hint("" if problem.allowed else problem.hint)
    return f"- {sign} **{problem.kind.value}**, key {name} ({place}): {message}{hint}"


def _sign(*, is_error: bool) -> str:
    return "❌" if is_error else "⚠️"


def _format_hint(hint: str) -> str:
    return f"<br>{format_code(hint, _MESSAGE_MAX)}" if hint else ""


def _format_tasks(ids: Sequence[int], key: TaskKey | None) -> str:
    """Write ``3 tasks (1-2, 7)``, or a single task with its key."""
    if len(ids) == 1:
        return f"task {format_code(format_id(ids[0], key), _NAME_MAX) if key else ids[0]}"
    ranges = format_ranges(ids)
    if len(ranges) > _RANGES_MAX:
        ranges = [*ranges[:_FEW_RANGES], "…"]
    listed = ", ".join(ranges)
    return f"{count_noun(len(ids), 'task')} ({listed})"


def _format_group(group: ChangeGroup, places: dict[str, str]) -> str:
    path = format_html_code(format_path(group.path), _PATH_MAX)
    mark = _MARKS[group.simple_effect]
    key = group.examples[0].key
    count = count_noun(len(group), "task")
    if len(group) == 1:
        name = format_id(group.tasks[0], key)
        count = f"task {format_html_code(name, _NAME_MAX) if key else name}"
    count += describe_blocked(group.blocked, len(group))
    words = "".join(text for _, text in describe_effect(group))
    effect = format_html_code(words, 2 * _VALUE_MAX)
    return "\n".join(
        (
            f"<details><summary>{mark} {path} {count}: {effect}</summary>",
            "",
            format_block(islice(_format_examples(group), _LINES_MAX), "diff"),
            "",
            f"{_format_tasks(group.tasks, key)}, {_format_source(group, places)}",
            "",
            "</details>",
        )
    )


def _format_examples(group: ChangeGroup) -> Iterator[str]:
    """Write changes of a group, each below its task; one if all are the same."""
    all_same = group.before.count == 1 and group.after.count == 1
    shown = 1 if all_same else _EXAMPLES if len(group) <= _EXAMPLES else _FEW_EXAMPLES
    examples = group.examples[:shown]
    for example in examples:
        if not all_same or len(group) == 1:
            yield f"@@ task {shorten(format_id(example.task, example.key), _NAME_MAX)} @@"
        yield from _format_example(example)
    if len(examples) < len(group) and not all_same:
        yield f"@@ and {count_noun(len(group) - len(examples), 'more task')} @@"


def _format_example(example: Example) -> Iterator[str]:
    before, after = example.change.before, example.change.after
    lines = format_change(before, after, style=PLAIN, full=False)
    if len(lines) > 1:
        yield from (shorten(line, _LINE_MAX) for line in lines)
        return
    if before is not ABSENT:
        yield f"- {shorten(format_brief(before, after)[0], _LINE_MAX)}"
    if after is not ABSENT:
        yield f"+ {shorten(format_brief(before, after)[1], _LINE_MAX)}"


def _format_source(group: ChangeGroup, places: dict[str, str]) -> str:
    if not group.rule:
        return _format_places(group)
    place = places.get(group.rule, str(group.source))
    return f"rule {format_code(group.rule, _NAME_MAX)} in {format_code(place, _NAME_MAX)}"


def _format_places(group: ChangeGroup | ProblemGroup) -> str:
    more = f" and {group.sources - 1:,} more" if group.sources > 1 else ""
    return f"{format_code(str(group.source), _NAME_MAX)}{more}"


def _format_result(result: Result, *, with_place: bool) -> str:
    sign = _sign(is_error=result.severity is Severity.ERROR)
    who = result.subject
    if with_place:
        named = filter(None, (str(result.source), result.subject))
        who = ": ".join(map(format_code, named))
    message = format_code(result.message, _MESSAGE_MAX)
    return f"- {sign} {who}: {message}{_format_hint(result.hint)}"


def _describe_run(run: Run) -> str:
    # The number alone: forges show this to everyone who can read the repository.
    who = f"by user {run.user.id}" if run.user else ""
    return " ".join(filter(None, (run.command, run.started, who)))


def _format_finding(finding: Finding) -> str:
    if finding.level is Level.OK:
        return f"- ✅ {finding.check.value}: {format_code(finding.what)}"
    sign = _sign(is_error=finding.level is Level.PROBLEM)
    what = format_code(finding.what, _MESSAGE_MAX)
    hint = _format_hint(finding.remedy)
    return f"- {sign} **{finding.check.value}**: {what} ({finding.why}){hint}"
