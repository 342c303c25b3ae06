"""The rules of a document: read, checked one by one, with the place of each of their parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from reconciler.contract.attributes import Attributes
from reconciler.contract.manifest_schema import RULE_NAME_MAX, RULES_MAX
from reconciler.core.addresses import find_resolved_address
from reconciler.core.conditions import Condition, Operator, ValueTest
from reconciler.core.notation import format_path, format_value, parse_path, shorten
from reconciler.core.paths import Path, are_nested, iterate_leaves
from reconciler.core.rule import Expectation, Rewrite, Rule, RuleRef
from reconciler.core.rule_checks import (
    Finding,
    Part,
    check_conditions,
    check_names,
    check_rule,
    check_rules,
)
from reconciler.core.values import Json
from reconciler.errors import ManifestError, Problem, Source
from reconciler.manifest.checks import check_absent, check_attributes_at, explain_inner_path
from reconciler.manifest.declarations import Header, parse_absent_path, read_header
from reconciler.manifest.path_mistakes import explain_no_path, explain_wildcard, suggest_spelling
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import MAX_DEPTH, Document
from reconciler.manifest.readers.memory_reader import read_values
from reconciler.manifest.readers.source_map import Steps
from reconciler.manifest.validation import check_rule_form


class DeclaredRule(NamedTuple):
    """A rule with the places of its parts.

    ``steps`` maps a part and a path in it to where it is in the document. ``is_complete`` is false
    if parts of the rule could not be read, and ``is_sound`` is true if nothing is wrong with the
    rule by itself: only such rules are compared with each other.
    """

    rule: Rule
    document: Document
    position: int
    steps: Mapping[tuple[Part, Path], Steps]
    is_complete: bool
    is_sound: bool = False

    def locate(self, finding: Finding) -> Problem:
        """Give a finding its place."""
        whole: Steps = ("rules", self.position)
        part: Steps = (*whole, finding.part.value) if finding.part else whole
        steps = self.steps.get((finding.part, finding.path), part)
        return _make_problem_at(self.document, steps, finding.message, finding.hint)

    def find_written_key(self, path: Path, project: int, declared: Source) -> Iterator[Problem]:
        """Find out whether the rule changes the keys of its project."""
        if self.rule.ref.project != project:
            return
        for (part, written), steps in self.steps.items():
            if part is not Part.WHERE and are_nested(written, path):
                yield _make_problem_at(
                    self.document,
                    steps,
                    f"a rule cannot change {format_path(path)}, which holds the keys of tasks "
                    f"({declared})",
                    "remove it from the rule",
                )


def read_rules(
    header: Header, written: Sequence[Json], attributes: Attributes
) -> tuple[list[DeclaredRule], list[Problem]]:
    """Read the rules of a document; returns them with the problems of each by itself."""
    rules: list[DeclaredRule] = []
    problems: list[Problem] = []
    for position, value in enumerate(written):
        reader = _RuleReader(header, position, attributes)
        declared = reader.read(value)
        problems += reader.problems
        told = {problem.source for problem in reader.problems}
        found = list(check_rule(declared.rule, attributes))
        for finding in found:
            problem = declared.locate(finding)
            # Of a rule that could not be read as a whole, only its parts can be judged.
            if problem.source not in told and (declared.is_complete or finding.part):
                problems.append(problem)
        rules.append(declared._replace(is_sound=declared.is_complete and not found))
    return rules, problems


def read_conditions(
    where: Mapping[str, Json], attributes: Attributes, *, name: str
) -> tuple[Condition, ...]:
    """Read conditions that stand outside of a manifest, and check them as those of rules.

    ``name`` is where they stand, for messages. Raises ManifestError.
    """
    diagnostics = Diagnostics(name)
    rule: dict[str, Json] = {"name": name, "where": dict(where)}
    document = read_values({"version": 1, "rules": [rule]}, (), diagnostics)[0]
    reader = _RuleReader(read_header(document, {}), 0, attributes)
    outline = document.outline
    assert isinstance(outline, dict)  # noqa: S101 - for type checkers
    declared = reader.read(outline["rules"][0])  # type: ignore[index]
    told = [*diagnostics.problems, *reader.problems]
    told += [declared.locate(f) for f in check_conditions(declared.rule, attributes) if not told]
    if told:
        at = Source(name)
        moved = (replace(p, source=at, path=_strip_rule(p.path)) for p in told)
        raise ManifestError(tuple(sorted(set(moved))))
    return declared.rule.ref.where


def _strip_rule(path: str) -> str:
    """Leave out the steps to a condition, which stands outside of a rule."""
    return path.removeprefix("rules[0].where").removeprefix("rules[0].").removeprefix(".")


def check_declared_rules(
    rules: Sequence[DeclaredRule], keyed: Iterable[Header], attributes: Attributes
) -> list[Problem]:
    """Check the rules of a run against each other, and against the headers that declare keys."""
    if len(rules) > RULES_MAX:
        first = rules[RULES_MAX]
        message = f"{len(rules):,} rules, and a run may have {RULES_MAX:,}"
        steps: Steps = ("rules", first.position)
        hint = "join rules that do the same, or declare the tasks themselves"
        return [_make_problem_at(first.document, steps, message, hint)]
    owners = {id(declared.rule): declared for declared in rules}
    named = [declared.rule for declared in rules if declared.rule.name]
    sound = [declared.rule for declared in rules if declared.is_sound]
    found = [*check_names(named), *check_rules(sound, attributes)]
    problems = [owners[id(finding.rule)].locate(finding) for finding in found]
    keys: dict[tuple[int | None, Path | None], Header] = {}
    for header in keyed:
        keys.setdefault((header.project, header.key), header)
    for (project, path), header in keys.items():
        if project is not None and path is not None:
            for declared in rules:
                problems += declared.find_written_key(path, project, header.source_of("key"))
    return problems


class _RuleReader:
    """Reads one rule, as far as it can be read, and collects its problems."""

    def __init__(self, header: Header, position: int, attributes: Attributes) -> None:
        self.problems: list[Problem] = []
        self._header = header
        self._document = header.document
        self._at: Steps = ("rules", position)
        self._position = position
        self._attributes = attributes
        self._steps: dict[tuple[Part, Path], Steps] = {}

    def read(self, value: Json) -> DeclaredRule:
        """Read the rule; its name is empty if it has none."""
        refused, usable = check_rule_form(
            self._document, self._position, value, attributes=self._attributes
        )
        self.problems += refused
        name = str(usable.get("name", ""))
        if not name.isprintable() or name != name.strip():
            self._report(
                ("name",),
                f"expected printable text without spaces around it, of at most {RULE_NAME_MAX} "
                "characters",
                "the name is written on one line of plans",
            )
        rule = self._build(name, usable)
        is_complete = not self.problems
        return DeclaredRule(rule, self._document, self._position, self._steps, is_complete)

    def _build(self, name: str, usable: Mapping[str, Any]) -> Rule:
        where = tuple(self._read_conditions(usable.get("where", {})))
        values = dict(self._read_set(usable.get("set", {})))
        absent = tuple(self._read_absent(usable))
        rewrites = tuple(self._read_rewrites(usable.get("rewrite", {})))
        expect = usable.get("expect", {})
        source = self._document.locate_value(self._at)
        return Rule(
            RuleRef(name, self._header.project or 0, source, where),
            values,
            absent,
            rewrites,
            Expectation(_to_count(expect.get("min")), _to_count(expect.get("max"))),
            self._locate_writes(),
            self._header.allow,
        )

    def _locate_writes(self) -> dict[Path, Source]:
        sources: dict[Path, Source] = {}
        for (part, path), steps in self._steps.items():
            if part is not Part.WHERE:
                sources.setdefault(path, self._document.locate_key(steps))
        return sources

    def _read_conditions(self, written: Mapping[str, Json]) -> Iterator[Condition]:
        explain = self._explain_condition_path
        for text, path in self._iterate_paths(Part.WHERE, written, explain):
            yield Condition(path, tuple(_read_tests(written[text])))

    def _explain_condition_path(self, path: Path) -> tuple[str, str] | None:
        if len(path) > MAX_DEPTH:
            return f"the path is more than {MAX_DEPTH} keys deep", "shorten the path"
        if path[0] not in self._attributes and (suggestion := suggest_spelling(path)):
            return f"{shorten(format_path(path), 200)} is not a path", suggestion
        return None

    def _read_set(self, declared: Mapping[str, Json]) -> Iterator[tuple[Path, Json]]:
        at: Steps = (*self._at, "set")
        self.problems += check_attributes_at(self._document, at, declared, self._header.project)
        for name, value in declared.items():
            for path, leaf in iterate_leaves((name,), value):
                self._steps[Part.SET, path] = (*at, *path)
                yield path, leaf

    def _read_absent(self, usable: Mapping[str, Any]) -> Iterator[Path]:
        refused = list(
            check_absent(
                self._document,
                self._at,
                {"absent": usable.get("absent", [])},
                attributes=self._attributes,
            )
        )
        self.problems += refused
        bad = {problem.path for problem in refused}
        for number, written in enumerate(usable.get("absent", ())):
            steps = (*self._at, "absent", number)
            if format_path(steps) not in bad:
                path = parse_absent_path(written)
                self._steps[Part.ABSENT, path] = steps
                yield path

    def _read_rewrites(self, written: Mapping[str, Any]) -> Iterator[Rewrite]:
        explain = self._explain_rewritten_path
        for text, path in self._iterate_paths(Part.REWRITE, written, explain):
            rewrite = Rewrite(path, written[text]["prefix"], written[text]["to"])
            address = find_resolved_address(rewrite.to)
            if address is not None:
                self._report(
                    ("rewrite", text, "to"),
                    f"{shorten(format_value(address))} is an address that the server generated",
                    "declare the stored address, such as s3://bucket/key",
                )
            yield rewrite

    def _explain_rewritten_path(self, path: Path) -> tuple[str, str] | None:
        return explain_inner_path(path, "rewritten", self._attributes)

    def _iterate_paths(
        self,
        part: Part,
        written: Mapping[str, Any],
        explain: Callable[[Path], tuple[str, str] | None],
    ) -> Iterator[tuple[str, Path]]:
        """Yield the keys of an object that are paths, with the paths; report the others."""
        for text in written:
            try:
                path = parse_path(text)
            except ValueError:
                self._report((part, text), *explain_no_path(text, part))
                continue
            other = self._steps.get((part, path))
            problem = explain_wildcard(text, path) or explain(path)
            if problem is None and other is not None:
                problem = f"duplicate path {shorten(format_path(path), 200)}", "keep one of the two"
            if problem:
                self._report((part, text), *problem)
                continue
            self._steps[part, path] = (*self._at, part, text)
            yield text, path

    def _report(self, steps: Steps, message: str, hint: str) -> None:
        at = (*self._at, *steps)
        self.problems.append(_make_problem_at(self._document, at, message, hint))


def _read_tests(written: Json) -> Iterator[ValueTest]:
    """Read a condition in one of its three forms: a value, a list of values, operators."""
    if isinstance(written, list):
        yield ValueTest(Operator.EQUALS, tuple(written))
    elif isinstance(written, dict):
        for name, operand in written.items():
            yield _read_test(Operator(name), operand)
    else:
        yield ValueTest(Operator.EQUALS, (written,))


def _read_test(operator: Operator, operand: Json) -> ValueTest:
    if operator is Operator.EQUALS:
        return ValueTest(operator, (operand,))
    if operator is Operator.NOT:
        return ValueTest(operator, tuple(operand) if isinstance(operand, list) else (operand,))
    return ValueTest(operator, operand)


def _to_count(written: float | None) -> int | None:
    return None if written is None else int(written)


def _make_problem_at(document: Document, steps: Steps, message: str, hint: str) -> Problem:
    return Problem(document.locate_value(steps), format_path(steps), message, hint)
