"""What a plan, a report, a validation or a checkup says of each place, for CI systems.

CI systems show results beside lines of files, and only so many: the weightiest come first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from reconciler.core.allowances import describe_allowances, is_blocking
from reconciler.core.annotation_impact import add_impacts
from reconciler.core.contrast import format_brief
from reconciler.core.encoding import encode
from reconciler.core.finding import Checkup, Level
from reconciler.core.model import Change, TaskKey
from reconciler.core.named_task import format_id, format_task
from reconciler.core.notation import count_noun, format_path, shorten
from reconciler.core.paths import Path
from reconciler.core.plan_model import Plan, PlannedRule, TaskPlan, UnresolvedKey
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.report import Outcome, Report, TaskOutcome, describe_outcome
from reconciler.core.validation_document import Validation
from reconciler.core.values import ABSENT, box
from reconciler.errors import Problem, Source

RESULTS_MAX: Final = 25_000
"""Results of a run that GitHub reads from SARIF."""

Judged: TypeAlias = Plan | Report | Validation | Checkup
"""What has results."""

_VALUE_MAX: Final = 120
_NAME_MAX: Final = 200
_MESSAGE_MAX: Final = 4_000
_ANNOTATED: Final = frozenset({Kind.ANNOTATED_DATA, Kind.ANNOTATED_EXTRA})


class Severity(StrEnum):
    """How much a result matters; an ERROR makes the command fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_SEVERITIES: Final = tuple(Severity)


class Topic(StrEnum):
    """What results are about, beside the kinds of problems and the outcomes."""

    ADD = "add"
    REMOVE = "remove"
    SET = "set"
    INVALID = "invalid-manifest"


@dataclass(frozen=True, slots=True)
class Result:
    """One result: its topic, where it belongs, what was found, and what to do.

    ``topic`` is a `Topic`, or the name of a kind of problem, an outcome or a check. ``source`` is
    None if no file is to blame. ``subject`` says whom it is about: tasks, a key or a rule.
    ``identity`` names the result without any value of a task, so that it stays the same when
    values are redacted. Results of one topic and ``group`` are alike, in different places.
    """

    severity: Severity
    topic: str
    source: Source | None
    subject: str
    message: str
    hint: str = ""
    tasks: int = 1
    identity: tuple[str, ...] = ()
    group: tuple[str, ...] = ()

    @property
    def is_annotated(self) -> bool:
        """Whether it is about data that annotations refer to."""
        return self.topic in _ANNOTATED

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}" if self.subject else self.message


class Fingerprinted(NamedTuple):
    """A result with its fingerprint, which is the same in later runs and whatever the order."""

    result: Result
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Picked:
    """The weightiest results, and how many there are of each severity, and were left out."""

    shown: tuple[Result, ...]
    total: Counter[Severity]
    left_out: Counter[Severity]

    def describe_left_out(self) -> str:
        """Say what was left out: ``12 errors, 1 warning left out: ...``; empty if nothing was."""
        counted = describe_severities(self.left_out)
        return f"{counted} left out: the json format has all" if counted else ""


def describe_severities(counts: Counter[Severity]) -> str:
    """Count results by severity: ``12 errors, 1 warning``; empty for none."""
    counted = [count_noun(counts[one], one.value) for one in _SEVERITIES if counts[one]]
    return ", ".join(counted)


def pick_results(results: Iterable[Result], limit: int = RESULTS_MAX) -> Picked:
    """Pick the weightiest results: what blocks, removals, annotated data, then by size."""
    ranked = sorted(results, key=_rank)
    total = Counter(result.severity for result in ranked)
    left_out = Counter(result.severity for result in ranked[limit:])
    return Picked(tuple(ranked[:limit]), total, left_out)


def _rank(result: Result) -> tuple[int, bool, bool, int, Source, tuple[str, ...]]:
    return (
        _SEVERITIES.index(result.severity),
        result.topic != Topic.REMOVE,
        not result.is_annotated,
        -result.tasks,
        result.source or Source(""),
        result.identity,
    )


def show_each_group(results: Iterable[Result]) -> list[Result]:
    """Sort by severity, and there put one result of each group before the second of any.

    Where only a few are shown, these are of as many groups as possible.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    ranked: list[tuple[int, int, Result]] = []
    for result in results:
        group = (result.severity, result.topic, *result.group)
        ranked.append((_SEVERITIES.index(result.severity), seen[group], result))
        seen[group] += 1
    return [result for *_, result in sorted(ranked, key=itemgetter(0, 1))]


def add_fingerprints(results: Sequence[Result]) -> Iterator[Fingerprinted]:
    """Add the fingerprints; results that are alike are told apart by the order of their places."""
    seen: Counter[tuple[str, ...]] = Counter()
    numbers: dict[int, int] = {}
    order = sorted(range(len(results)), key=lambda n: results[n].source or Source(""))
    for number in order:
        identity = results[number].identity
        seen[identity] += 1
        numbers[number] = seen[identity]
    for number, result in enumerate(results):
        text = json.dumps([*result.identity, numbers[number]])
        yield Fingerprinted(result, sha256(text.encode()).hexdigest()[:32])


def list_results(found: Judged) -> list[Result]:
    """List the problems, and the changes that a plan would make, or that a report says were made.

    Of a checkup, list all that is not as it should be.
    """
    match found:
        case Plan():
            return _list_plan_results(found)
        case Report():
            return _list_report_results(found)
        case Validation():
            return list(map(_judge_problem, found.problems))
    return _list_checkup_results(found)


def _list_plan_results(plan: Plan) -> list[Result]:
    return [
        *_list_task_problems(plan.tasks),
        *map(_judge_key, plan.unresolved),
        *(_judge_rule(rule, rule.problem) for rule in plan.rules if rule.problem),
        *_list_changes(plan.updates),
    ]


def _list_report_results(report: Report) -> list[Result]:
    applied = (one for one in report.outcomes if one.outcome is Outcome.APPLIED)
    return [*_list_outcomes(report.outcomes), *_list_changes(applied)]


def _list_checkup_results(checkup: Checkup) -> list[Result]:
    severities = {
        Level.PROBLEM: Severity.ERROR,
        Level.WARNING: Severity.WARNING,
        Level.NOTE: Severity.NOTE,
    }
    return [
        Result(
            severities[finding.level],
            finding.check.value,
            None,
            f"{finding.area.value}: {finding.check.value}",
            finding.what,
            finding.remedy,
            identity=(finding.check.value,),
        )
        for finding in checkup.findings
        if finding.level in severities
    ]


_ProblemPlace: TypeAlias = tuple[Kind, Source, tuple[Path, ...], Severity]


def _list_task_problems(tasks: Iterable[TaskPlan]) -> Iterator[Result]:
    """Make a result for the problems of one kind and place."""
    found: dict[_ProblemPlace, list[tuple[TaskPlan, TaskProblem]]] = {}
    for task in tasks:
        for problem in task.problems:
            severity = Severity.ERROR if is_blocking(problem, task) else Severity.WARNING
            place = (problem.kind, _find_source(task, problem), problem.paths, severity)
            found.setdefault(place, []).append((task, problem))
    for (kind, source, paths, severity), rows in found.items():
        first = rows[0][1]
        named = [_NamedTask(task.task, task.key) for task, _ in rows]
        messages = len({problem.message for _, problem in rows})
        more = f" (and {messages - 1:,} more messages)" if messages > 1 else ""
        impact = add_impacts({task.task: task.find_impact(one) for task, one in rows}.values())
        yield Result(
            severity,
            kind.value,
            source,
            _name_tasks(named),
            f"{_describe(first)}{more}" + (f"; {impact}" if impact else ""),
            first.hint if severity is Severity.ERROR else "",
            len(named),
            _identify(kind.value, source, *map(format_path, paths), _find_least_id(named)),
        )


def _find_source(task: TaskPlan, problem: TaskProblem) -> Source:
    """Find the place of the change that a problem is about, else that of the task."""
    for change in task.changes:
        if change.path in problem.paths:
            return change.source
    return task.source


def _describe(problem: TaskProblem) -> str:
    message = shorten(problem.message, _MESSAGE_MAX)
    if not problem.allowed:
        return message
    by = describe_allowances(problem.allowed)
    return f"{message} (allowed{by and f' by {by}'})"


def _judge_key(unresolved: UnresolvedKey) -> Result:
    problem, source = unresolved.problem, unresolved.source
    is_error = not problem.allowed
    place = f"{source.line}:{source.column}"
    return Result(
        Severity.ERROR if is_error else Severity.WARNING,
        problem.kind.value,
        source,
        f"key {shorten(str(unresolved.key), _NAME_MAX)}",
        _describe(problem),
        problem.hint if is_error else "",
        identity=_identify(problem.kind.value, source, format_path(unresolved.key.path), place),
    )


def _judge_rule(planned: PlannedRule, problem: TaskProblem) -> Result:
    rule = planned.rule
    return Result(
        Severity.WARNING if problem.is_warning else Severity.ERROR,
        problem.kind.value,
        rule.source,
        f"rule {shorten(rule.name, _NAME_MAX)}",
        _describe(problem),
        problem.hint,
        planned.matched,
        _identify(problem.kind.value, rule.source, rule.name),
    )


_ChangePlace: TypeAlias = tuple[Path, Source, str, bool, bool]


def _list_changes(tasks: Iterable[TaskPlan | TaskOutcome]) -> Iterator[Result]:
    """Make a result for the changes of one path that are declared at one place."""
    found: dict[_ChangePlace, list[tuple[_NamedTask, Change]]] = {}
    for task in tasks:
        named = _NamedTask(task.task, task.key)
        for change in task.changes:
            sides = (change.before is ABSENT, change.after is ABSENT)
            place = (change.path, change.source, change.rule, *sides)
            found.setdefault(place, []).append((named, change))
    for (path, source, rule, is_new, is_gone), rows in found.items():
        topic = Topic.ADD if is_new else Topic.REMOVE if is_gone else Topic.SET
        named_tasks = [task for task, _ in rows]
        name = format_path(path)
        yield Result(
            Severity.NOTE,
            topic.value,
            source,
            _name_tasks(named_tasks),
            f"{shorten(name, _NAME_MAX)}: {_describe_changes([change for _, change in rows])}",
            tasks=len(named_tasks),
            identity=_identify(topic.value, source, name, rule or _find_least_id(named_tasks)),
            group=(name, rule),
        )


def _describe_changes(changes: Sequence[Change]) -> str:
    """Write the first change, and how many different ones there are."""
    first = changes[0]
    old, new = (shorten(s, _VALUE_MAX) for s in format_brief(first.before, first.after))
    if first.before is ABSENT:
        text = f"added {new}"
    elif first.after is ABSENT:
        text = f"removed, was {old}"
    else:
        text = f"{old} -> {new}"
    if len(changes) == 1:
        return text
    different = len({encode((box(c.before), box(c.after))) for c in changes})
    return f"{text}, and {different - 1:,} different" if different > 1 else text


def _list_outcomes(outcomes: Iterable[TaskOutcome]) -> Iterator[Result]:
    """Make a result for the tasks of one place that are not as declared, for the same reason."""
    found: dict[tuple[Outcome, Source | None, str, bool], list[_NamedTask]] = {}
    for one in outcomes:
        if not one.is_good or one.accepted:
            source = one.changes[0].source if one.changes else None
            place = (one.outcome, source, one.error, one.accepted)
            found.setdefault(place, []).append(_NamedTask(one.task, one.key))
    for (outcome, source, error, accepted), named in found.items():
        words = describe_outcome(outcome)
        yield Result(
            Severity.WARNING if accepted else Severity.ERROR,
            outcome.value,
            source,
            _name_tasks(named),
            f"{words} (allowed)" if accepted else f"{words}: {shorten(error, _MESSAGE_MAX)}",
            tasks=len(named),
            identity=_identify(outcome.value, source, _find_least_id(named)),
        )


def _judge_problem(problem: Problem) -> Result:
    return Result(
        Severity.ERROR,
        Topic.INVALID.value,
        problem.source,
        shorten(problem.path, _NAME_MAX),
        shorten(problem.message, _MESSAGE_MAX),
        problem.hint,
        identity=_identify(Topic.INVALID.value, problem.source, problem.path),
    )


def _identify(topic: str, source: Source | None, *names: str) -> tuple[str, ...]:
    """Name a result by its topic, file and names: lines move, and values may be redacted."""
    return (topic, source.file if source else "", *names)


class _NamedTask(NamedTuple):
    task: int
    key: TaskKey | None


def _name_tasks(tasks: Sequence[_NamedTask]) -> str:
    """Name one task; count several, and name the first: a reader can look at that one."""
    if len(tasks) == 1:
        return format_task(*tasks[0])
    return f"{count_noun(len(tasks), 'task')}, the first {format_id(*tasks[0])}"


def _find_least_id(tasks: Iterable[_NamedTask]) -> str:
    return str(min(task.task for task in tasks))
