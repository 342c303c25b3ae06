"""The rules of one project, applied to its tasks one by one; without I/O.

A rule adds what it declares to what the task declares itself, which wins. Conditions are judged on
the live values with the task's own declarations in place of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.contract.attributes import Attributes
from reconciler.core.allowances import narrow_to_documents
from reconciler.core.conditions import (
    Operator,
    Predicate,
    UnreadableConditionError,
    compile_conditions,
)
from reconciler.core.model import DesiredTask, Places
from reconciler.core.notation import count_noun, format_path, format_value, shorten
from reconciler.core.paths import (
    Path,
    PathIndex,
    are_nested,
    get_value,
    is_inside,
    iterate_managed,
    iterate_outwards,
    set_value,
)
from reconciler.core.plan_model import PlannedRule
from reconciler.core.problems import Allowance, Kind, TaskProblem
from reconciler.core.rule import Rule, RuleRef
from reconciler.core.values import ABSENT, UNREADABLE, Json, NoValue, Side, is_same
from reconciler.errors import Source


class RuledTask(NamedTuple):
    """A task with what rules add to it.

    ``rules`` maps each path that a rule declares to that rule, ``matching`` are all rules that
    match, and ``problems`` block the task. ``own`` is what the task declares itself, ``live`` what
    the server has.
    """

    desired: DesiredTask
    rules: Mapping[Path, RuleRef]
    matching: tuple[RuleRef, ...]
    live: Mapping[str, Side]
    own: DesiredTask | None
    problems: tuple[TaskProblem, ...] = ()

    def list_seen(self, rules: Iterable[RuleRef]) -> tuple[tuple[Path, Side], ...]:
        """List the values that conditions of ``rules`` found in the task's own declarations."""
        if self.own is None:
            return ()
        paths = dict.fromkeys(one.path for rule in rules for one in rule.where)
        own = PathIndex(_iterate_own_paths(self.own))
        seen = _overlay(self.live, self.own, {path[0] for path in paths})
        return tuple((path, get_value(seen, path)) for path in paths if own.find_overlapping(path))


class RuleSet:
    """The rules of one project, compiled once, and the counts of what they did."""

    def __init__(self, rules: Sequence[Rule], attributes: Attributes) -> None:
        self._rules = tuple(CompiledRule(rule, attributes) for rule in rules)
        self._names = frozenset(name for rule in rules for name in rule.names())

    @property
    def names(self) -> frozenset[str]:
        """The attributes that the rules read and write."""
        return self._names

    @property
    def source(self) -> Source:
        """Where the first rule is declared."""
        return self._rules[0].rule.ref.source

    def match(
        self, live: Mapping[str, Side], own: DesiredTask | None = None
    ) -> Sequence[CompiledRule]:
        """Return the rules that match a task, and count them.

        ``own`` is what the manifests declare for this task, if it may differ from ``live``. Raises
        UnreadableConditionError if a condition reads data that the server cannot return.
        """
        seen = _overlay(live, own, self._names) if own else live
        return [rule for rule in self._rules if rule.matches(seen, live)]

    def extend(
        self,
        task: int,
        live: Mapping[str, Side],
        own: DesiredTask | None,
        rules: Sequence[CompiledRule],
    ) -> RuledTask | None:
        """Add what ``rules``, which match a task, declare to its own declarations, if any.

        Returns None if they add nothing.
        """
        if own is None:
            for rule in rules:
                if not rule.holds(live):
                    break
            else:
                return None
        return _Extension(task, live, own).add_all(rules)

    def summarize(self) -> tuple[PlannedRule, ...]:
        """Return what each rule did, with what is wrong with it; call it after the last task."""
        return tuple(rule.summarize() for rule in self._rules)


class CompiledRule:
    """A rule with its compiled condition and its counts."""

    def __init__(self, rule: Rule, attributes: Attributes) -> None:
        self.rule = rule
        self.matched = 0
        self._attributes = attributes
        self.overruled = 0
        self.left_out = 0
        self._predicate: Predicate = compile_conditions(rule.ref.where, attributes)
        self._written = tuple(sorted({path[0] for path in rule.list_paths()}))
        self._values = tuple(rule.values.items())
        self._unreadable = ""

    def matches(self, seen: Mapping[str, Side], live: Mapping[str, Side]) -> bool:
        """Tell whether the condition holds, and count it."""
        try:
            if not self._predicate(seen):
                return False
        except UnreadableConditionError as error:
            if error.name in seen:
                raise  # the data of this task is damaged
            self._unreadable = error.name
            return False
        for name in self._written:
            if name not in live:
                self._unreadable = name
                return False
        self.matched += 1
        return True

    def holds(self, live: Mapping[str, Side]) -> bool:
        """Tell whether everything that the rule declares is as it should be."""
        # Loops, as all() of generators takes three times as long for the few paths of a rule.
        for path, value in self._values:
            if not is_same(get_value(live, path), value):
                return False
        for path in self.rule.absent:
            if get_value(live, path) is not ABSENT:
                return False
        return next(self._iterate_rewritten(live), None) is None

    def iterate_results(self, live: Mapping[str, Side]) -> Iterator[tuple[Path, Side]]:
        """Yield what the rule declares for a task: paths and values, ABSENT for a removal."""
        yield from self.rule.values.items()
        yield from ((path, ABSENT) for path in self.rule.absent)
        yield from self._iterate_rewritten(live)

    def _iterate_rewritten(self, live: Mapping[str, Side]) -> Iterator[tuple[Path, str]]:
        for rewrite in self.rule.rewrites:
            value = get_value(live, rewrite.path)
            if isinstance(value, str) and value.startswith(rewrite.prefix):
                yield rewrite.path, rewrite.to + value[len(rewrite.prefix) :]

    def find_repetition(self, path: Path, value: Side) -> TaskProblem | None:
        """Find out whether a rewritten value would be rewritten again by the next run."""
        prefixes = [r.prefix for r in self.rule.rewrites if r.path == path]
        if isinstance(value, str) and any(map(value.startswith, prefixes)):
            return TaskProblem(
                Kind.RULE_CONFLICT,
                f"{describe_rule(self.rule.ref)} would rewrite {format_path(path)} to "
                f"{shorten(format_value(value))}, which still begins with the prefix to replace",
                "correct this value by hand, or make the prefix longer",
            )
        return None

    def summarize(self) -> PlannedRule:
        """Return what the rule did, with what is wrong with it."""
        rule = self.rule
        return PlannedRule(rule.ref, self.matched, self.overruled, self._find_problem())

    def _find_problem(self) -> TaskProblem | None:
        expect, matched = self.rule.expect, count_noun(self.matched, "task")
        if self._unreadable:
            return TaskProblem(
                Kind.RULE,
                f"the server's response has no {self._unreadable}, so the rule cannot be judged",
                "remove it from the rule: this edition, version or role does not show it",
            )
        if expect.minimum is not None and self.matched < expect.minimum:
            return TaskProblem(
                Kind.RULE,
                f"expected at least {count_noun(expect.minimum, 'task')}, found {matched}",
                "correct the condition, or the number under expect",
            )
        if expect.maximum is not None and self.matched > expect.maximum:
            return TaskProblem(
                Kind.RULE,
                f"expected at most {count_noun(expect.maximum, 'task')}, found {matched}",
                "correct the condition, or the number under expect",
            )
        if self.matched and self.left_out == self.matched:
            return TaskProblem(
                Kind.RULE,
                "every matching task declares all paths of the rule itself",
                "remove the rule, or the declarations of the tasks; pull --force writes pulled "
                "files again, without what rules write",
            )
        if not self.matched and not self.rule.uses_itself_up:
            advice = _advise_on_unused(self.rule, self._attributes)
            hint = f"if that is not intended, check the condition{advice}"
            return TaskProblem(Kind.RULE_UNUSED, "no task matches", hint)
        return None


_PLAIN = 2
"""The length of a path that has only one spelling: an attribute and a key."""


def _advise_on_unused(rule: Rule, attributes: Attributes) -> str:
    """Say what conditions that match nothing often overlook, as far as it applies to this rule."""
    tests = [test for condition in rule.ref.where for test in condition.tests]
    equal = [test.operand for test in tests if test.operator is Operator.EQUALS]
    operands = [one for operand in equal if isinstance(operand, tuple) for one in operand]
    advice: list[str] = []
    if any(isinstance(one, list) for one in operands):
        advice.append("equals compares with the whole list, and for any of its values, omit equals")
    if (other := next(filter(_may_be_of_other_type, operands), None)) is not None:
        advice.append(_advise_on_type(other))
    named = [condition.path for condition in rule.ref.where if len(condition.path) == _PLAIN]
    if name := next((path[1] for path in named if path[1] in attributes), ""):
        advice.append(f"for the attribute {name} of tasks, write {name}")
    deep = (condition.path for condition in rule.ref.where if len(condition.path) > _PLAIN)
    if path := next(deep, None):
        flat = format_path((path[0], ".".join(path[1:])))
        advice.append(f"if a key has dots in its name, write '{shorten(flat, 100)}'")
    return "".join(f"; {one}" for one in advice)


def _advise_on_type(value: Json) -> str:
    shown = shorten(format_value(value), 100)
    if isinstance(value, str):
        return f"{shown} is text, and if tasks have the number, omit the quotes"
    return f"{shown} is a number, and if tasks have text, write it in quotes as it is there"


def _may_be_of_other_type(value: Json) -> bool:
    """Tell whether a value is a number, or a string that spells one."""
    if isinstance(value, str):
        return value.isdecimal()
    return isinstance(value, int | float) and not isinstance(value, bool)


class _Extension:
    """One task, while rules add to it."""

    def __init__(self, task: int, live: Mapping[str, Side], own: DesiredTask | None) -> None:
        self._task = task
        self._live = live
        self._own = own
        self._own_paths = PathIndex(_iterate_own_paths(own) if own else ())
        self._results: dict[Path, tuple[Side, CompiledRule]] = {}
        self._added = PathIndex()
        self._problems: list[TaskProblem] = []

    def add_all(self, rules: Sequence[CompiledRule]) -> RuledTask | None:
        for rule in rules:
            self._add(rule)
        if not self._results and not self._problems:
            return None
        refs = {path: rule.rule.ref for path, (_, rule) in self._results.items()}
        return RuledTask(
            self._build(refs),
            refs,
            tuple(rule.rule.ref for rule in rules),
            self._live,
            self._own,
            tuple(dict.fromkeys(self._problems)),
        )

    def _add(self, rule: CompiledRule) -> None:
        overruled = left = 0
        for path, value in rule.iterate_results(self._live):
            if self._is_own(path):
                overruled += 1
                continue
            left += 1
            self._problems += filter(None, [rule.find_repetition(path, value)])
            self._put(path, value, rule)
        rule.overruled += bool(overruled)
        rule.left_out += bool(overruled) and not left

    def _is_own(self, path: Path) -> bool:
        """Tell whether the task itself declares the path, something around it or inside it."""
        return self._own_paths.find_overlapping(path) is not None

    def _put(self, path: Path, value: Side, rule: CompiledRule) -> None:
        other_path = self._added.find_overlapping(path)
        if other_path is None:
            self._results[path] = value, rule
            self._added.add(path)
            return
        other, earlier = self._results[other_path]
        if path == other_path and is_same(value, other):
            return
        if value is ABSENT and other is ABSENT:
            self._put_removal(path, rule)
            return
        self._problems.append(_make_conflict(path, value, rule, (other_path, other, earlier)))

    def _put_removal(self, path: Path, rule: CompiledRule) -> None:
        """Keep the removal that includes others; what another rule sets inside is a conflict."""
        nested = [other for other in self._results if are_nested(other, path)]
        for other_path in nested:
            value, earlier = self._results[other_path]
            if value is not ABSENT:
                other = (other_path, value, earlier)
                self._problems.append(_make_conflict(path, ABSENT, rule, other))
                return
        if any(len(other_path) <= len(path) for other_path in nested):
            return
        for other_path in nested:
            del self._results[other_path]
        self._results[path] = ABSENT, rule
        self._added = PathIndex(self._results)

    def _build(self, refs: Mapping[Path, RuleRef]) -> DesiredTask:
        own = self._own
        attributes = dict(own.attributes) if own else {}
        absent = list(own.absent) if own else []
        sources: dict[Path, Source] = {}
        for path, (value, rule) in self._results.items():
            sources[path] = rule.rule.sources.get(path, refs[path].source)
            if isinstance(value, NoValue):
                absent.append(path)
            else:
                name, *keys = path
                attributes[name] = set_value(attributes.get(name, ABSENT), tuple(keys), value)
        places = _RuledPlaces(own.places if own else None, sources)
        allow = narrow_to_documents(self._iterate_allowances())
        if own:
            return own._replace(
                attributes=attributes, absent=tuple(absent), places=places, allow=allow
            )
        project = self._live.get("project")
        return DesiredTask(
            id=self._task,
            project=project if isinstance(project, int) else None,
            attributes=attributes,
            replaced=frozenset(),
            absent=tuple(absent),
            places=places,
            allow=allow,
        )

    def _iterate_allowances(self) -> Iterator[tuple[tuple[Allowance, ...], Iterable[Path]]]:
        """Yield what each document allows, with the paths that it declares."""
        if self._own:
            yield self._own.allow, _iterate_own_paths(self._own)
        for path, (_, rule) in self._results.items():
            yield rule.rule.allow, (path,)


@dataclass(frozen=True, slots=True)
class _RuledPlaces:
    """The places of a task to which rules add paths."""

    own: Places | None
    sources: Mapping[Path, Source]

    @property
    def source(self) -> Source:
        return self.own.source if self.own else next(iter(self.sources.values()))

    def source_of(self, path: Path) -> Source:
        around = iterate_outwards(path)
        found = next((self.sources[p] for p in around if p in self.sources), None)
        if found is None and self.own is None:
            inside = (s for p, s in self.sources.items() if is_inside(p, path))
            found = next(inside, self.source)
        return found or (self.own.source_of(path) if self.own else self.source)


def _iterate_own_paths(own: DesiredTask) -> Iterator[Path]:
    return iterate_managed(own.attributes, own.replaced, own.absent)


def _overlay(
    live: Mapping[str, Side], own: DesiredTask, names: Collection[str]
) -> Mapping[str, Side]:
    """Return the task as it will be after its own declarations, for the attributes ``names``."""
    seen = dict(live)
    for name in own.attributes.keys() & names:
        declared = own.attributes[name]
        seen[name] = declared if name in own.replaced else _merge(live.get(name, ABSENT), declared)
    for path in own.absent:
        if path[0] in names and path[0] in seen:
            seen[path[0]] = set_value(seen[path[0]], path[1:], ABSENT)
    return seen


def _merge(live: Side, declared: Json) -> Side:
    if live is UNREADABLE:
        return live
    if not (isinstance(live, dict) and isinstance(declared, dict)):
        return declared
    merged: dict[str, Json] = dict(live)
    for key, value in declared.items():
        inner = _merge(live.get(key, ABSENT), value)
        if not isinstance(inner, NoValue):
            merged[key] = inner
    return merged


def describe_rule(rule: RuleRef) -> str:
    """Write ``rule "drop the old score" (rules.yaml:7)``."""
    return f"rule {format_value(rule.name)} ({rule.source.file}:{rule.source.line})"


def describe_planned_rule(planned: PlannedRule) -> str:
    """Write what a rule did: ``rule "a" (rules.yaml:7): 5 tasks match, overruled at 1 of them``."""
    matched = count_noun(planned.matched, "task")
    verb = "matches" if planned.matched == 1 else "match"
    overruled = f", overruled at {planned.overruled:,} of them" if planned.overruled else ""
    return f"{describe_rule(planned.rule)}: {matched} {verb}{overruled}"


def _make_conflict(
    path: Path, value: Side, rule: CompiledRule, other: tuple[Path, Side, CompiledRule]
) -> TaskProblem:
    other_path, other_value, earlier = other
    return TaskProblem(
        Kind.RULE_CONFLICT,
        f"{describe_rule(earlier.rule.ref)} {_describe_result(other_path, other_value)}, but "
        f"{describe_rule(rule.rule.ref)} {_describe_result(path, value)}",
        "change the condition of one of the two, or declare the value in the task",
    )


def _describe_result(path: Path, value: Side) -> str:
    if value is ABSENT:
        return f"removes {format_path(path)}"
    return f"sets {format_path(path)} to {shorten(format_value(value))}"
