"""Plans, reports and validations as they may be shown: with redacted values masked.

Rendering begins with these, so that no format needs to know of redaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from reconciler.core.conditions import Condition, Operator, ValueTest
from reconciler.core.model import Change, TaskKey
from reconciler.core.paths import Path
from reconciler.core.plan_model import Plan, PlannedRule, Status, TaskPlan, UnresolvedKey
from reconciler.core.redacted_problems import (
    redact_allowances,
    redact_error,
    redact_manifest_problem,
    redact_problem,
)
from reconciler.core.redaction import SHOW_ALL, Masks, Redaction, RedactionNote, RedactionSettings
from reconciler.core.report import Report, Run, TaskOutcome
from reconciler.core.rule import RuleRef
from reconciler.core.shown_digest import NO_DIGEST_KEY, DigestKey
from reconciler.core.target import Selector, SelectorKind, Targets
from reconciler.core.validation_document import Validation
from reconciler.core.values import Json, NoValue, Redacted, Side
from reconciler.errors import Problem


def redact_plan(plan: Plan, redaction: Redaction, key: DigestKey = NO_DIGEST_KEY) -> Plan:
    """Return a plan with what is redacted masked; it is for showing only.

    Its digest is that of the original, signed with ``key``.
    """
    if not redaction:
        return plan
    masking = _Masking(redaction)
    for planned in plan.rules:
        masking.name_rule(planned)
    return replace(
        plan,
        tasks=tuple(masking.mask_tasks(plan.tasks)),
        unresolved=tuple(map(masking.mask_unresolved, plan.unresolved)),
        rules=tuple(map(masking.mask_rule, plan.rules)),
        targets=masking.mask_targets(plan.targets),
        redacted=RedactionNote(redaction, key.sign(plan.digest)),
        hidden=SHOW_ALL,
    )


def redact_report(report: Report, redaction: Redaction, key: DigestKey = NO_DIGEST_KEY) -> Report:
    """Return a report with what is redacted masked, and with signed digests."""
    if not redaction:
        return report
    masking = _Masking(redaction)

    def mask_run(run: Run) -> Run:
        return replace(run, digest=key.sign(run.digest), targets=masking.mask_targets(run.targets))

    return replace(
        report,
        outcomes=tuple(map(masking.mask_outcome, report.outcomes)),
        runs=tuple(map(mask_run, report.runs)),
        redacted=RedactionNote(redaction),
        hidden=SHOW_ALL,
    )


def mask_plan(plan: Plan, more: RedactionSettings = SHOW_ALL) -> Plan:
    """Return a plan as it may be shown: with what it hides masked, and ``more``."""
    hidden = plan.hidden.join(more)
    return redact_plan(plan, hidden.redaction, hidden.digest_key)


def mask_report(report: Report, more: RedactionSettings = SHOW_ALL) -> Report:
    """Return a report as it may be shown: with what it hides masked, and ``more``."""
    hidden = report.hidden.join(more)
    return redact_report(report, hidden.redaction, hidden.digest_key)


def redact_outcomes(
    outcomes: Iterable[TaskOutcome], redaction: Redaction
) -> tuple[TaskOutcome, ...]:
    """Return outcomes with what is redacted masked."""
    masking = _Masking(redaction)
    return tuple(map(masking.mask_outcome, outcomes)) if redaction else tuple(outcomes)


def redact_problems(problems: Iterable[Problem], redaction: Redaction) -> tuple[Problem, ...]:
    """Return problems of manifests with what is redacted masked, each once, in their order."""
    if not redaction:
        return tuple(problems)
    return tuple(dict.fromkeys(redact_manifest_problem(one, redaction) for one in problems))


def redact_validation(validation: Validation, redaction: Redaction) -> Validation:
    """Return a validation with what is redacted masked."""
    return replace(validation, problems=redact_problems(validation.problems, redaction))


class _Masking:
    """Masks the parts of one plan or report, so that equal values have one marker in all of it."""

    def __init__(self, redaction: Redaction) -> None:
        self.redaction = redaction
        self.masks = Masks(redaction)
        self.names: dict[str, str] = {}

    def mask_tasks(self, tasks: Iterable[TaskPlan]) -> Iterator[TaskPlan]:
        """Yield tasks, except those of which nothing is left but hidden warnings."""
        for task in tasks:
            masked = self._mask_task(task)
            if masked.problems or masked.status is not Status.UNCHANGED or not task.problems:
                yield masked

    def _mask_task(self, task: TaskPlan) -> TaskPlan:
        paths = tuple(change.path for change in task.changes)
        found = (redact_problem(problem, self.redaction, paths) for problem in task.problems)
        return replace(
            task,
            changes=self.mask_changes(task.changes),
            problems=tuple(problem for problem in found if problem),
            key=self._mask_key(task.key),
            rules=tuple(map(self._mask_ref, task.rules)),
            allow=redact_allowances(task.allow, self.redaction),
            seen=tuple(self._mask_seen(task.seen)),
            addresses=(),
            planned=(),
        )

    def _mask_seen(self, seen: Iterable[tuple[Path, Side]]) -> Iterator[tuple[Path, Side]]:
        """Mask what conditions read, and leave out what is below a redacted path."""
        for path, value in seen:
            if self.redaction.cut(path) == path:
                yield path, self.masks.mask(path, value)

    def mask_changes(self, changes: Sequence[Change]) -> tuple[Change, ...]:
        """Mask changes; those below a redacted path become one of that path."""
        masked: dict[Path, Change] = {}
        inner: dict[Path, list[Change]] = {}
        for change in changes:
            root = self.redaction.find_root(change.path)
            if root is None or root == change.path:
                masked[change.path] = self._mask_change(change)
            else:
                inner.setdefault(root, []).append(change)
                masked.setdefault(root, change)
        for root, parts in inner.items():
            masked[root] = self._merge_changes(root, parts)
        return tuple(masked.values())

    def _mask_change(self, change: Change) -> Change:
        if not (self.masks.is_touched(change.path) or change.rule in self.names):
            return change
        before = self.masks.mask(change.path, change.before)
        after = self.masks.mask(change.path, change.after)
        rule = self.names.get(change.rule, change.rule)
        return replace(change, before=before, after=after, rule=rule)

    def _merge_changes(self, root: Path, parts: Sequence[Change]) -> Change:
        """Make one change of several inside a redacted value, which tells of no key in it."""
        rules = {change.rule for change in parts}
        rule = rules.pop() if len(rules) == 1 else ""
        return Change(
            root,
            self.masks.mark_parts((change.path, change.before) for change in parts),
            self.masks.mark_parts((change.path, change.after) for change in parts),
            min(change.source for change in parts),
            self.names.get(rule, rule),
        )

    def mask_outcome(self, outcome: TaskOutcome) -> TaskOutcome:
        """Mask the outcome of a task."""
        paths = [change.path for change in outcome.changes]
        return replace(
            outcome,
            changes=self.mask_changes(outcome.changes),
            error=redact_error(outcome.error, self.redaction, paths),
            key=self._mask_key(outcome.key),
            allowed=redact_allowances(outcome.allowed, self.redaction),
        )

    def _mask_key(self, key: TaskKey | None) -> TaskKey | None:
        if key is None or (root := self.redaction.find_root(key.path)) is None:
            return key
        return TaskKey(root, Redacted(self.masks.mark(key.value)))

    def mask_unresolved(self, unresolved: UnresolvedKey) -> UnresolvedKey:
        """Mask a key that does not name one task; its problem quotes it."""
        key = self._mask_key(unresolved.key)
        if key is None or key == unresolved.key:
            return unresolved
        problem = redact_problem(unresolved.problem, self.redaction, [unresolved.key.path])
        return replace(unresolved, key=key, problem=problem or unresolved.problem)

    def name_rule(self, planned: PlannedRule) -> None:
        """Hide the name of a rule that holds a redacted value of its condition."""
        rule = planned.rule
        quoted = (
            text
            for condition in rule.where
            if self.redaction.touches(condition.path)
            for test in condition.tests
            for text in _iterate_texts(test.operand)
        )
        if any(text in rule.name for text in quoted):
            self.names[rule.name] = Redacted(f"(redacted rule {len(self.names) + 1})")

    def mask_rule(self, planned: PlannedRule) -> PlannedRule:
        """Mask a rule, and what is wrong with it."""
        problem = planned.problem and redact_problem(planned.problem, self.redaction)
        return replace(planned, rule=self._mask_ref(planned.rule), problem=problem)

    def _mask_ref(self, rule: RuleRef) -> RuleRef:
        where = tuple(map(self._mask_condition, rule.where))
        return replace(rule, name=self.names.get(rule.name, rule.name), where=where)

    def _mask_condition(self, condition: Condition) -> Condition:
        if not self.redaction.touches(condition.path):
            return condition
        path = self.redaction.cut(condition.path)
        return Condition(path, tuple(self._mask_test(path, test) for test in condition.tests))

    def _mask_test(self, path: Path, test: ValueTest) -> ValueTest:
        if test.operator is Operator.EXISTS:
            return test
        operand = test.operand
        if isinstance(operand, tuple):
            masked = (_as_json(self.masks.mask(path, one)) for one in operand)
            return ValueTest(test.operator, tuple(masked))
        return ValueTest(test.operator, _as_json(self.masks.mask(path, operand)))

    def mask_targets(self, targets: Targets) -> Targets:
        """Hide the keys among targets, as their paths are not known, and cut paths."""
        return Targets(
            tuple(map(self._mask_selector, targets.include)),
            tuple(map(self._mask_selector, targets.exclude)),
        )

    def _mask_selector(self, selector: Selector) -> Selector:
        if selector.kind is SelectorKind.KEY:
            return replace(selector, text="key:(redacted)", value="(redacted)")
        if selector.kind is SelectorKind.RULE and selector.value in self.names:
            name = self.names[selector.value]
            return replace(selector, text=f"rule:{name}", value=name)
        if selector.kind is SelectorKind.PATH:
            text = self.redaction.cut_text(selector.text, [selector.path])
            return replace(selector, text=text, path=self.redaction.cut(selector.path))
        return selector


def _iterate_texts(operand: object) -> Iterator[str]:
    """Yield the strings and numbers of an operand as a name may write them."""
    if isinstance(operand, str) and operand:
        yield operand
    elif isinstance(operand, list | tuple):
        for one in operand:
            yield from _iterate_texts(one)
    elif isinstance(operand, dict):
        for one in operand.values():
            yield from _iterate_texts(one)
    elif isinstance(operand, int | float) and not isinstance(operand, bool):
        yield str(operand)


def _as_json(value: Side) -> Json:
    return None if isinstance(value, NoValue) else value
