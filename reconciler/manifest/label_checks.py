"""What manifests declare against what is locked of their servers: label configs, attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, NamedTuple

from reconciler.contract.attributes import Attributes
from reconciler.contract.honoured_attributes import ALWAYS_HONOURED
from reconciler.contract.label_config import UnreadableLabelConfigError
from reconciler.contract.label_needs import Need, find_needs, is_address
from reconciler.core.locked_server import DEFAULT, LockedServer
from reconciler.core.notation import format_path, format_value, shorten
from reconciler.core.paths import Path
from reconciler.core.problems import Allowance, Kind
from reconciler.core.rule import Rewrite
from reconciler.core.rule_checks import Part
from reconciler.core.server_address import is_same_server
from reconciler.core.values import ABSENT, Json, NoValue, Side
from reconciler.errors import Problem, SettingsError
from reconciler.manifest.declarations import NOT_ATTRIBUTES, Header, parse_absent_path
from reconciler.manifest.lock_file import LockFile, choose_servers
from reconciler.manifest.readers.source_map import Steps
from reconciler.manifest.rule_declarations import DeclaredRule

_ALLOW: Final = "if intended, allow label-config in this manifest"
_NEEDS_MAX: Final = 1_000
"""How many needs tasks are checked for: no page has as many, and each takes time with each task."""

_SHAPES_MAX: Final = 1_000
"""How many lists of declared attributes are remembered of a document."""

_USUAL_ADDRESSES: Final = ("s3://", "https://", "gs://", "/data/", "http://")
"""How most addresses begin: to see that is faster than a pattern."""

_NAMES: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "the string",
    bool: "the boolean",
    int: "the integer",
    float: "the number",
}


class LocatedNeed(NamedTuple):
    """What an element of a locked label config needs, and its place, as messages name it."""

    need: Need
    place: str

    @property
    def path(self) -> Path:
        """The path from the task."""
        return "data", *self.need.path

    def explain_missing(self) -> tuple[str, str]:
        """Write the message and the hint for a task that would be without the key."""
        name = shorten(format_path(self.need.path), 200)
        return f"{name} is missing: {self._where} uses it", f"add it; {_ALLOW}"

    def explain_removed(self) -> tuple[str, str]:
        """Write the message and the hint for the removal of the key."""
        path = shorten(format_path(self.path), 200)
        return f"would remove {path}, which {self._where} uses", f"keep the key; {_ALLOW}"

    def explain_kind(self, value: Json) -> tuple[str, str]:
        """Write the message and the hint for a value of another kind."""
        expected = self.need.describe_kinds()
        message = f"expected {expected}, found {_describe(value)}: {self._where} uses it"
        return message, f"correct it; {_ALLOW}"

    @property
    def _where(self) -> str:
        return f"<{shorten(self.need.tag)}> at {self.place}"


@dataclass(frozen=True, slots=True)
class LockedFacts:
    """What is locked for the tasks of one document.

    ``ignored`` are the attributes that a server ignores, each with the place that says so.
    """

    needs: tuple[LocatedNeed, ...]
    ignored: Mapping[str, str]


class LabelChecks:
    """Builds the check of each document, from the lock that belongs to its file.

    ``find_lock`` returns the lock of a file, None if it has none. ``environment`` is empty to check
    against all environments. ``lock_problems`` lists those that ``find_lock`` has met. ``notes``
    collects what could not be checked.
    """

    def __init__(
        self,
        find_lock: Callable[[str], LockFile | None],
        attributes: Attributes,
        environment: str = "",
        *,
        lock_problems: Callable[[], Iterable[Problem]] = tuple,
    ) -> None:
        self.notes: dict[str, None] = {}
        self._find_lock = find_lock
        self._attributes = attributes
        self._environment = environment
        self._lock_problems = lock_problems
        self._needs: dict[tuple[str, str, int], tuple[LocatedNeed, ...]] = {}
        self._problems: dict[Problem, None] = {}

    def list_problems(self) -> list[Problem]:
        """List the problems of the locks themselves that were found so far."""
        return [*self._lock_problems(), *self._problems]

    def build_check(self, header: Header, file: str, name: str) -> TaskCheck | None:
        """Build the check of a document; None if nothing is locked that matters to its tasks.

        ``name`` is the name of its project; empty if it has a number, or none.
        """
        lock = self._find_lock(file)
        if lock is None:
            return None
        facts = self._collect(lock, header, name)
        if not facts.needs and not facts.ignored:
            return None
        return TaskCheck(header, facts)

    def _collect(self, lock: LockFile, header: Header, name: str) -> LockedFacts:
        needs: list[LocatedNeed] = []
        ignored: dict[str, str] = {}
        found_project = header.project is None
        servers = choose_servers(lock.lock, self._environment)
        if not servers and self._environment:
            self._note(f"{lock.path}: environment {self._environment} is not in it")
            return LockedFacts((), {})
        for environment, server in servers.items():
            if not _is_declared_server(header, server):
                continue
            for attribute, place in self._find_ignored(lock, environment, server):
                ignored.setdefault(attribute, place)
            for number in _find_numbers(server, header.project, name):
                found_project = True
                needs += self._find_needs(lock, environment, server, number)
        if not found_project:
            shown = shorten(name, 200) if name else header.project
            self._note(f"{lock.path}: project {shown} is not in it, so its label config")
        return LockedFacts(_drop_repeated(needs), ignored)

    def _note(self, message: str) -> None:
        what = " is not checked" if message.endswith("label config") else ": nothing is checked"
        hint = "run reconciler doctor --update-lock"
        self.notes.setdefault(f"{message}{what} ({hint})")

    def _find_ignored(
        self, lock: LockFile, environment: str, server: LockedServer
    ) -> Iterator[tuple[str, str]]:
        if server.honoured is None:
            return
        source = lock.locate_honoured(environment)
        place = _format_place(source.file, source.line, environment)
        for name, attribute in self._attributes.items():
            if attribute.writable and name not in server.honoured | ALWAYS_HONOURED:
                yield name, place

    def _find_needs(
        self, lock: LockFile, environment: str, server: LockedServer, number: int
    ) -> tuple[LocatedNeed, ...]:
        key = lock.path, environment, number
        if key not in self._needs:
            self._needs[key] = tuple(self._read_needs(lock, environment, server, number))
        return self._needs[key]

    def _read_needs(
        self, lock: LockFile, environment: str, server: LockedServer, number: int
    ) -> Iterator[LocatedNeed]:
        try:
            found = find_needs(server.projects[number].label_config)
        except UnreadableLabelConfigError as error:
            at = lock.locate_line(environment, number, 0)
            message = f"the label config of project {number} cannot be read: {error}"
            hint = "run reconciler doctor --update-lock"
            self._problems.setdefault(Problem(at, "", shorten(message, 300), hint))
            return
        for need in found:
            at = lock.locate_line(environment, number, need.line)
            yield LocatedNeed(need, _format_place(at.file, at.line, environment))


def _drop_repeated(needs: Iterable[LocatedNeed]) -> tuple[LocatedNeed, ...]:
    """Keep the first of equal needs, as of several environments, and only so many in all."""
    distinct: dict[Need, LocatedNeed] = {}
    for located in needs:
        distinct.setdefault(replace(located.need, line=0), located)
    return tuple(islice(distinct.values(), _NEEDS_MAX))


def _is_declared_server(header: Header, server: LockedServer) -> bool:
    """Tell whether a document may be for a server: it declares none, or this one."""
    outline = header.document.outline
    declared = outline.get("server") if isinstance(outline, dict) else None
    try:
        return not isinstance(declared, str) or is_same_server(declared, server.address)
    except SettingsError:
        return False


def _find_numbers(server: LockedServer, project: int | None, name: str) -> list[int]:
    """Find the locked projects that a document means by a number, or by a name without one."""
    if project is None:
        return []
    if project >= 0:
        return [project] if project in server.projects else []
    return [locked.number for locked in server.projects.values() if name in locked.names]


def _format_place(file: str, line: int, environment: str) -> str:
    where = "" if environment == DEFAULT else f" ({environment})"
    return f"{file}:{line}{where}"


class TaskCheck:
    """Checks the tasks, the defaults and the rules of one document against what is locked."""

    def __init__(self, header: Header, facts: LockedFacts) -> None:
        self._header = header
        self._ignored = facts.ignored
        self._needs = tuple(n for n in facts.needs if not _is_allowed(header.allow, n.path))
        self._defaults = header.defaults.get("data")
        self._replaces = "data" in header.replaced
        self._tests = self._build_tests()
        self._others = tuple(n for n in self._needs if len(n.need.path) > 1 or not n.need.kinds)
        self._shapes: set[tuple[str, ...]] = set()
        self._keys = [key for key, *_ in self._tests]
        self._missing = [ABSENT] * len(self._keys)
        self._addresses = [place for place, (*_, is_one) in enumerate(self._tests) if is_one]
        self._fitting: set[tuple[type, ...]] = set()
        self._accepts_no_data = not self._finds_missing_in_defaults()

    def _build_tests(self) -> tuple[tuple[str, frozenset[type], bool], ...]:
        """Build what `accepts` tests first: by key, the types that fit, and whether as an address.

        `NoValue` is the type of a key that is not declared.
        """
        tests: dict[str, tuple[frozenset[type], bool]] = {}
        for located in self._needs:
            need = located.need
            if len(need.path) == 1 and need.kinds:
                fitting = need.types | {NoValue} if self._may_lack(located) else need.types
                types, is_address = tests.get(need.path[0], (fitting, False))
                tests[need.path[0]] = types & fitting, is_address or need.is_address
        return tuple((key, *test) for key, test in tests.items())

    def accepts(self, task: Mapping[str, Any]) -> bool:
        """Tell, at once for most tasks, whether `explain` finds nothing; False if unsure."""
        if tuple(task) not in self._shapes and not self._accepts_shape(task):
            return False
        data = task.get("data")
        if data is None:
            return self._accepts_no_data
        values = tuple(map(data.get, self._keys, self._missing))
        if tuple(map(type, values)) not in self._fitting:
            return self._accepts_values(values, data)
        for place in self._addresses:
            value = values[place]
            if value is not ABSENT and not value.startswith(_USUAL_ADDRESSES):
                return self._accepts_values(values, data)
        return not self._others or self._accepts_others(data)

    def _accepts_values(self, values: tuple[Any, ...], data: dict[str, Json]) -> bool:
        """Judge values of the tested keys one by one, and remember their types if they fit."""
        for value, (_, types, must_be_address) in zip(values, self._tests, strict=True):
            if type(value) not in types:
                return False
            if must_be_address and isinstance(value, str) and not is_address(value):
                return False
        found = tuple(map(type, values))
        may_be_text = all(found[place] in {str, NoValue} for place in self._addresses)
        if may_be_text and len(self._fitting) < _SHAPES_MAX:
            self._fitting.add(found)
        return self._accepts_others(data)

    def _accepts_others(self, data: dict[str, Json]) -> bool:
        return all(self._judge(located, data) for located in self._others)

    def _accepts_shape(self, task: Mapping[str, Any]) -> bool:
        """Tell whether a task removes nothing and declares nothing that is ignored."""
        if "absent" in task or not self._ignored.keys().isdisjoint(task):
            return False
        if len(self._shapes) < _SHAPES_MAX:
            self._shapes.add(tuple(task))
        return True

    def _judge(self, located: LocatedNeed, data: dict[str, Json]) -> bool:
        value = _find_value(data, located.need.path)
        if isinstance(value, NoValue):
            return self._may_lack(located) and not _has_no_keys(data, located.need.path)
        return located.need.fits(value)

    def _may_lack(self, located: LocatedNeed) -> bool:
        """Tell whether a task that declares data need not declare the key itself."""
        is_given = located.path == self._header.key or not isinstance(
            _find_value(self._defaults, located.need.path), NoValue
        )
        return not (self._replaces and located.need.is_required) or is_given

    def _finds_missing_in_defaults(self) -> bool:
        return self._defaults is not None and not all(map(self._may_lack, self._needs))

    def check_defaults(self) -> Iterator[Problem]:
        """Check what all tasks share: values and removals in the defaults."""
        defaults = self._header.defaults
        yield from self._find_ignored(("defaults",), defaults)
        yield from self._find_wrong_kinds(("defaults", "data"), self._defaults)
        for number, path in enumerate(self._header.absent):
            yield from self._find_removed(("defaults", "absent", number), path)

    def explain(self, index: int, task: Mapping[str, Any]) -> Iterator[Problem]:
        """Find the problems of one task, except those that its defaults have."""
        steps: Steps = ("tasks", index)
        absent = [parse_absent_path(written) for written in task.get("absent", ())]
        yield from self._find_ignored(steps, task)
        yield from self._find_wrong_kinds((*steps, "data"), task.get("data"))
        removed: set[Path] = set()
        for number, path in enumerate(absent):
            problems = list(self._find_removed((*steps, "absent", number), path))
            removed |= {path} if problems else set()
            yield from problems
        yield from self._find_missing(steps, task, tuple(absent), removed)

    def _find_missing(
        self, steps: Steps, task: Mapping[str, Any], absent: tuple[Path, ...], told: set[Path]
    ) -> Iterator[Problem]:
        own = {name: task[name] for name in task if name not in NOT_ATTRIBUTES}
        data = self._header.add_defaults(own, absent).get("data")
        if not isinstance(data, dict):
            return
        seen: set[Path] = set()
        for located in self._needs:
            path = located.need.path
            if not located.need.is_required or path in seen or located.path == self._header.key:
                continue
            if any(located.path[: len(other)] == other for other in told):
                continue
            lacks = isinstance(_find_value(data, path), NoValue)
            if lacks and (self._replaces or _has_no_keys(data, path)):
                seen.add(path)
                at = (*steps, "data") if "data" in task else steps
                yield self._make_problem(at, located.explain_missing())

    def _find_wrong_kinds(self, steps: Steps, data: Json) -> Iterator[Problem]:
        seen: set[Path] = set()
        for located in self._needs:
            path = located.need.path
            value = _find_value(data, path)
            if isinstance(value, NoValue) or path in seen or located.need.fits(value):
                continue
            seen.add(path)
            yield self._make_problem(
                (*steps, *_find_steps(data, path)), located.explain_kind(value)
            )

    def _find_removed(self, steps: Steps, path: Path) -> Iterator[Problem]:
        for located in self._needs:
            if located.need.is_required and located.path[: len(path)] == path:
                yield self._make_problem(steps, located.explain_removed())
                return

    def _find_ignored(self, steps: Steps, declared: Iterable[str]) -> Iterator[Problem]:
        for name in declared:
            if name in self._ignored:
                message = (
                    f"the server ignores updates of {name}: {self._ignored[name]} lists all "
                    "attributes that it stores"
                )
                yield self._make_problem((*steps, name), (message, "remove it"))

    def check_rule(self, declared: DeclaredRule) -> Iterator[Problem]:
        """Check what a rule writes."""
        rule = declared.rule
        for name in dict.fromkeys(path[0] for path in rule.values):
            yield from self._find_ignored(("rules", declared.position, "set"), [name])
        for path, value in rule.values.items():
            yield from self._judge_set(declared.steps[Part.SET, path], path, value)
        for path in rule.absent:
            yield from self._find_removed(declared.steps[Part.ABSENT, path], path)
        for rewrite in rule.rewrites:
            yield from self._judge_rewrite(declared.steps[Part.REWRITE, rewrite.path], rewrite)

    def _judge_set(self, steps: Steps, path: Path, value: Json) -> Iterator[Problem]:
        for located in self._needs:
            depth = len(located.path)
            if path[:depth] == located.path:
                found: Json = value if path == located.path else {}
                if not located.need.fits(found):
                    yield self._make_problem(steps, located.explain_kind(found))
                    return
            elif (
                located.need.is_required
                and located.path[: len(path)] == path
                and not isinstance(value, dict)
            ):
                yield self._make_problem(steps, located.explain_missing())
                return

    def _judge_rewrite(self, steps: Steps, rewrite: Rewrite) -> Iterator[Problem]:
        """Check the new beginning of an address; of an empty one nothing is known."""
        begun = f"{rewrite.to}x"
        for located in self._needs:
            is_judged = located.path == rewrite.path and located.need.is_address
            if is_judged and rewrite.to and not located.need.fits(begun):
                yield self._make_problem((*steps, "to"), located.explain_kind(rewrite.to))
                return

    def _make_problem(self, steps: Steps, explained: tuple[str, str]) -> Problem:
        source = self._header.document.locate_value(steps)
        return Problem(source, format_path(steps), *explained)


def _is_allowed(allow: Sequence[Allowance], path: Path) -> bool:
    """Tell whether a document allows problems with the label config at a path."""
    return any(
        one.kind is Kind.LABEL_CONFIG
        and (not one.paths or any(path[: len(outer)] == outer for outer in one.paths))
        for one in allow
    )


def _find_value(data: Json, path: Path) -> Side:
    """Return a value in data: at a path, or at a key with the very name, as the page finds it."""
    value: Side = data
    for key in path:
        value = value.get(key, ABSENT) if isinstance(value, dict) else ABSENT
    if isinstance(value, NoValue) and len(path) > 1 and isinstance(data, dict):
        return data.get(".".join(path), ABSENT)
    return value


def _find_steps(data: Json, path: Path) -> Path:
    """Return the steps to the value that `_find_value` returns."""
    value: Json = data
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return (".".join(path),)
        value = value[key]
    return path


def _has_no_keys(data: Json, path: Path) -> bool:
    """Tell whether a value on the way to a path cannot have keys."""
    value: Json = data
    for key in path[:-1]:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return not isinstance(value, dict)


def _describe(value: Json) -> str:
    if value is None:
        return "null"
    name = _NAMES[type(value)]
    if isinstance(value, dict | list):
        return name
    return f"{name} {shorten(format_value(value))}"
