"""Which tasks and rules two states of the same manifests declare differently.

What counts is what is declared, with all that headers add to it; where it stands does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, TypeAlias

from reconciler.core.encoding import encode_canonical
from reconciler.core.paths import Path
from reconciler.core.problems import Allowance
from reconciler.core.rule import Rule
from reconciler.core.since import NAMED_MAX, DeclaredDifference
from reconciler.core.values import Json
from reconciler.manifest.combination import combine, find_conflicts
from reconciler.manifest.declarations import Declaration, Header
from reconciler.manifest.index import DesiredIndex, ProjectKey
from reconciler.manifest.readers.document import Document

_DIGEST_SIZE: Final = 16

Name: TypeAlias = "int | ProjectKey | str"
"""The id or the key of a task, or the name of a rule."""


@dataclass(frozen=True, slots=True)
class DeclaredState:
    """What manifests declare at one time.

    Files that ``is_compared`` does not accept are left out. ``context`` is what else decides what
    they mean, such as the server. ``is_named`` tells of a file whether the run is about it.
    """

    index: DesiredIndex
    is_compared: Callable[[str], bool]
    context: str = ""
    is_named: Callable[[str], bool] = bool


@dataclass(frozen=True, slots=True)
class StateComparison:
    """The difference, and what is gone: how many tasks and rules, and the first, as selectors."""

    difference: DeclaredDifference
    gone: int
    named: tuple[str, ...]


def compare_states(now: DeclaredState, before: DeclaredState) -> StateComparison:
    """Compare what is declared now with what was declared before."""
    projects: dict[str, int] = {rule.name: rule.ref.project for rule in now.index.rules}
    earlier = {name: (digest, file) for name, digest, file in _digest_state(before)}
    gone = dict.fromkeys(earlier)
    taken: set[str] = set()
    differing: list[Name] = []
    for name, digest, _ in _digest_state(now):
        known, file = earlier.get(name, (None, ""))
        gone.pop(name, None)
        taken.add(file)
        if digest is None or known != digest:
            differing.append(name)
    # A file that the run does not name is meant if something of it moved into the run.
    for name in [*gone]:
        file = earlier[name][1]
        if file not in taken and not before.is_named(file):
            del gone[name]
    named = tuple(map(_write, islice(gone, NAMED_MAX)))
    rules = {n: projects[n] for n in differing if isinstance(n, str)}
    return StateComparison(_build_difference([*differing, *gone], rules), len(gone), named)


def _build_difference(names: Iterable[Name], rules: Mapping[str, int]) -> DeclaredDifference:
    tasks: set[int] = set()
    keys: dict[int, dict[Path, set[str | int]]] = {}
    for name in names:
        if isinstance(name, int):
            tasks.add(name)
        elif isinstance(name, ProjectKey):
            paths = keys.setdefault(name.project, {})
            paths.setdefault(name.key.path, set()).add(name.key.value)
    return DeclaredDifference(
        frozenset(tasks),
        {p: {path: frozenset(of) for path, of in paths.items()} for p, paths in keys.items()},
        rules,
    )


def _write(name: Name) -> str:
    if isinstance(name, ProjectKey):
        return f"key:{name.key}"
    return f"rule:{name}" if isinstance(name, str) else str(name)


def _digest_state(state: DeclaredState) -> Iterator[tuple[Name, bytes | None, str]]:
    """Yield what is declared: its name, its digest and its file.

    What conflicts has no digest: it equals nothing.
    """
    files = _HeaderFiles()
    for name, declarations in state.index.iterate_declarations():
        compared = [d for d in declarations if state.is_compared(files.find(d.header))]
        if compared:
            first = compared[0].header
            digest = _digest_task(compared, state.context)
            yield name, digest, files.find(first)
    servers = _list_servers(state.index.documents)
    for rule in state.index.rules:
        file = rule.ref.source.file
        if state.is_compared(file):
            digest = _digest_rule(rule, [state.context, *sorted(servers[file])])
            yield rule.name, digest, file


class _HeaderFiles:
    """The files of headers, each looked up once."""

    def __init__(self) -> None:
        self._files: dict[int, str] = {}

    def find(self, header: Header) -> str:
        file = self._files.get(id(header))
        if file is None:
            file = self._files[id(header)] = header.document.locate_value(()).file
        return file


def _list_servers(documents: Iterable[Document]) -> dict[str, set[str]]:
    """List the servers that the documents of each file declare."""
    servers: dict[str, set[str]] = {}
    for document in documents:
        file = document.locate_value(()).file
        servers.setdefault(file, set()).add(_get_server(document))
    return servers


def _digest_task(declarations: Sequence[Declaration], context: str) -> bytes | None:
    if len(declarations) > 1 and find_conflicts(declarations):
        return None
    task = combine(declarations)
    return _digest(
        [
            context,
            sorted({_get_server(d.header.document) for d in declarations}),
            task.project,
            dict(task.attributes),
            sorted(task.replaced),
            sorted(map(list, task.absent)),
            _describe_allowances(a for d in declarations for a in d.header.allow),
        ]
    )


def _get_server(document: Document) -> str:
    outline = document.outline
    return str(outline.get("server", "")) if isinstance(outline, dict) else ""


def _digest_rule(rule: Rule, context: list[str]) -> bytes:
    tested = {
        encode_canonical([*one.path]).decode(): [
            [test.operator, test.operand] for test in one.tests
        ]
        for one in rule.ref.where
    }
    expect = rule.expect
    written: list[Any] = [
        context,
        rule.ref.project,
        {path: _make_lists(tests) for path, tests in tested.items()},
        sorted([[*path], value] for path, value in _sort_values(rule.values)),
        sorted(map(list, rule.absent)),
        sorted([[*one.path], one.prefix, one.to] for one in rule.rewrites),
        [expect.minimum, expect.maximum],
        _describe_allowances(rule.allow),
    ]
    return _digest(written)


def _sort_values(values: Mapping[Path, Json]) -> Iterator[tuple[Path, str]]:
    """Yield values as text, which can be sorted."""
    return ((path, encode_canonical([value]).decode()) for path, value in values.items())


def _make_lists(value: Any) -> Any:  # noqa: ANN401 - JSON with tuples
    return [*map(_make_lists, value)] if isinstance(value, (list, tuple)) else value


def _describe_allowances(allow: Iterable[Allowance]) -> list[list[Any]]:
    described = {
        encode_canonical([one.kind, sorted(map(list, one.paths)), one.reason]) for one in allow
    }
    return [[one.decode()] for one in sorted(described)]


def _digest(described: list[Any]) -> bytes:
    return blake2b(encode_canonical(described), digest_size=_DIGEST_SIZE).digest()


_KEY: Final = re.compile(rb"rules[\"']?\s*:")
_BEFORE_KEY: Final = re.compile(rb"(?:^|[{,?]|\xef\xbb\xbf|[!&]\S+\s)\s*[\"']?\Z", re.MULTILINE)
_WHOLE_SCALAR: Final = re.compile(rb"rules[\"']?[ \t\r]*(?:$|[,}\]#])", re.MULTILINE)
_INDIRECT_KEY: Final = re.compile(rb"(?:^|[\s{,\[:])(?:\?\s|&[^\s,\[\]{}]+\s)", re.MULTILINE)
"""The signs of YAML's ``? key`` and of an anchor: a key can be written by an alias."""

_ESCAPED_LETTER: Final = re.compile(rb"\\(?:x|u00|U000000)(?:72|75|6[cC]|65|73)|\\\r?\n")
"""Letters of the word that a double-quoted string may escape, or break by an escaped line end."""

_BEFORE: Final = 4_096
"""Bytes: a tag or an anchor before a key is shorter."""


def may_have_rules(contents: bytes) -> bool:
    """Tell quickly whether a file may declare rules; only a reader can tell for sure."""
    if b"\\" in contents and _ESCAPED_LETTER.search(contents):
        return True
    if b"rules" not in contents:
        return False
    keys = (found.start() for found in _KEY.finditer(contents))
    if any(_BEFORE_KEY.search(contents[max(0, at - _BEFORE) : at]) for at in keys):
        return True
    return bool(_WHOLE_SCALAR.search(contents) and _INDIRECT_KEY.search(contents))
