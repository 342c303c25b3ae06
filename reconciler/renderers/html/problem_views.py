"""Problems for the page: those of each task, and all of a kind together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.core.allowances import describe_allowances, is_accepted
from reconciler.core.annotation_impact import AnnotationImpact, add_impacts
from reconciler.core.ids import format_ranges
from reconciler.core.named_task import format_id
from reconciler.core.notation import count_noun, shorten
from reconciler.core.plan_model import Plan, TaskPlan
from reconciler.core.problems import TaskProblem

BAD: Final = "bad"
WARN: Final = "warn"
_MESSAGE_MAX: Final = 1_000
_MESSAGES_MAX: Final = 2
_RANGES_MAX: Final = 1_000
_RULES_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Concern:
    """Problems of one kind: ``label`` says what they do, ``tasks`` names those that have them.

    ``impacts`` are what the changes do to the annotations of tasks, as far as it is known.
    """

    kind: str
    tone: str
    label: str
    messages: dict[str, None] = field(default_factory=dict)
    hints: dict[str, None] = field(default_factory=dict)
    by: dict[str, None] = field(default_factory=dict)
    tasks: dict[int, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    impacts: dict[int, AnnotationImpact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProblemList:
    """The problems of a page, each text once, and the concerns that they make up."""

    numbers: dict[tuple[str, str, str, str, str, str], int] = field(default_factory=dict)
    concerns: dict[tuple[str, str], Concern] = field(default_factory=dict)

    def add(
        self,
        problem: TaskProblem,
        *,
        accepted: bool,
        task: int | None,
        name: str = "",
        impact: AnnotationImpact | None = None,
    ) -> int:
        """Add a problem of a task, or of something that has a name; return its number."""
        who = describe_allowances(problem.allowed) if accepted else ""
        blocks = not problem.is_warning and not accepted
        label = "blocks the apply" if blocks else "allowed" if accepted else "warning"
        return self.add_text(
            problem.kind.value,
            problem.message,
            "" if accepted else problem.hint,
            label=label,
            by=who,
            tone=BAD if blocks else WARN,
            task=task,
            name=name,
            impact=impact,
        )

    def add_text(  # noqa: PLR0913 - the parts of a problem
        self,
        kind: str,
        message: str,
        hint: str = "",
        *,
        label: str,
        tone: str,
        by: str = "",
        task: int | None = None,
        name: str = "",
        impact: AnnotationImpact | None = None,
    ) -> int:
        """Add a problem that consists of texts; return its number."""
        message, hint, by = (shorten(text, _MESSAGE_MAX) for text in (message, hint, by))
        concern = self.concerns.setdefault((label, kind), Concern(kind, tone, label))
        concern.messages[message] = None
        concern.hints[hint] = None
        concern.by[by] = None
        if task is not None:
            concern.tasks[task] = name or str(task)
            if impact:
                concern.impacts[task] = impact
                message = f"{message}; {impact}"
        elif name:
            concern.others.append(name)
        return self.numbers.setdefault((kind, message, hint, tone, by, label), len(self.numbers))

    def build(self) -> dict[str, Any]:
        """Build the parts of the page, the concerns that block first."""
        concerns = sorted(
            self.concerns.values(),
            key=lambda one: (one.tone != BAD, one.label == "warning", -len(one.tasks)),
        )
        names = ("kind", "message", "hint", "tone", "by", "label")
        return {
            "problems": [dict(zip(names, texts, strict=True)) for texts in self.numbers],
            "concerns": [_build_concern(concern) for concern in concerns],
        }


def add_task_problems(problems: ProblemList, task: TaskPlan) -> tuple[int, ...]:
    """Add the problems of a task, and return their numbers."""
    name = format_id(task.task, task.key)
    return tuple(
        problems.add(
            problem,
            accepted=is_accepted(problem, task),
            task=task.task,
            name=name,
            impact=task.find_impact(problem),
        )
        for problem in task.problems
    )


def add_rule_problems(problems: ProblemList, plan: Plan) -> None:
    """Add the problems of rules, which are no rows."""
    for planned in plan.rules:
        if planned.problem:
            accepted = bool(planned.problem.allowed)
            name = f"rule {planned.rule.name} ({planned.rule.source})"
            problems.add(planned.problem, accepted=accepted, task=None, name=name)


def _build_concern(concern: Concern) -> dict[str, Any]:
    messages = list(concern.messages)
    more = len(messages) - _MESSAGES_MAX
    impact = add_impacts(concern.impacts.values())
    return {
        "kind": concern.kind,
        "tone": concern.tone,
        "title": f"{_count(concern)}: {concern.kind}",
        "label": concern.label,
        "by": "; ".join(_first(filter(None, concern.by), 3)),
        "messages": [*messages[:_MESSAGES_MAX], *([str(impact)] if impact else [])],
        "more": f"… and {count_noun(more, 'more message')} like these" if more > 0 else "",
        "hint": "; ".join(_first(filter(None, concern.hints), 3)),
        "only": len(concern.tasks) == 1,
        "tasks": "" if len(concern.tasks) == 1 else _format_ids([*concern.tasks], concern.others),
    }


def _first(texts: Iterable[str], most: int) -> Iterator[str]:
    return (text for _, text in zip(range(most), texts, strict=False))


def _count(concern: Concern) -> str:
    if len(concern.tasks) == 1 and not concern.others:
        return f"Task {next(iter(concern.tasks.values()))}"
    counted = [count_noun(len(concern.tasks), "task")] if concern.tasks else []
    if concern.others:
        noun = concern.others[0].partition(" ")[0]
        counted.append(count_noun(len(concern.others), noun))
    return " and ".join(counted)


def _format_ids(tasks: Sequence[int], others: Sequence[str]) -> str:
    ranges = format_ranges(tasks)
    more = f" and {len(ranges) - _RANGES_MAX:,} more ranges" if len(ranges) > _RANGES_MAX else ""
    names = [shorten(name, 200) for name in others[:_RULES_MAX]]
    names += [f"{len(others) - _RULES_MAX:,} more"] if len(others) > _RULES_MAX else []
    return ", ".join([*ranges[:_RANGES_MAX], *names]) + more
