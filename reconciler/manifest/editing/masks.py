"""Manifests with hidden values, for people to see."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from typing import Final

import yaml

from reconciler.core.notation import parse_path
from reconciler.core.paths import Path, are_nested
from reconciler.manifest.editing.json_nodes import read_json_nodes
from reconciler.manifest.editing.nodes import Node, Shape
from reconciler.manifest.editing.splices import Splice, apply_splices
from reconciler.manifest.editing.yaml_nodes import read_whole_nodes

HIDDEN: Final = "(redacted)"

_MARK: Final = BOM_UTF8.decode()
_LINE_BREAK: Final = re.compile(r"\r\n?|\n")


def mask_values(file: str, raw: bytes, redact: Sequence[Path]) -> str:
    """Return the text of a manifest with `HIDDEN` in place of the values at the paths ``redact``.

    The reader must accept the file. Values in tasks, defaults and rules are hidden, and keys of
    tasks. Lines keep their numbers.
    """
    text = raw.decode()
    if not redact:
        return text
    mark = _MARK if text.startswith(_MARK) else ""
    text = text.removeprefix(_MARK)
    splices: list[Splice] = []
    for node in sorted(_find_hidden(file, text, redact), key=_locate):
        # A key that is not read here may be any: so one node may be inside another.
        if not splices or node.content >= splices[-1].end:
            kept = "".join(_LINE_BREAK.findall(text, node.content, node.end))
            splices.append(Splice(node.content, node.end, HIDDEN + kept))
    return mark + apply_splices(text, splices)


def _locate(node: Node) -> tuple[int, int]:
    return node.content, -node.end


def _find_hidden(file: str, text: str, redact: Sequence[Path]) -> Iterator[Node]:
    name = file.lower()
    masks = _Masks(text, redact)
    if name.endswith(".jsonl"):
        header, *tasks = (read_json_nodes(text, at) for at in _iterate_lines(text))
        yield from masks.find_in_document(header)
        for task in tasks:
            yield from masks.find_in_task(task)
    elif name.endswith(".json"):
        yield from masks.find_in_document(read_json_nodes(text))
    else:
        for node in read_whole_nodes(text):
            yield from masks.find_in_document(node)


def _iterate_lines(text: str) -> Iterator[int]:
    """Yield where each line begins that is not empty."""
    at = 0
    for line in text.split("\n"):
        if line.strip():
            yield at
        at += len(line) + 1


class _Masks:
    """Finds the nodes to hide in one text."""

    def __init__(self, text: str, redact: Sequence[Path]) -> None:
        self._text = text
        # Of two paths, one inside the other, the shorter hides both.
        self._redact = [
            path
            for path in set(redact)
            if not any(path != other and path[: len(other)] == other for other in redact)
        ]
        self._hides_keys = False

    def find_in_document(self, node: Node) -> Iterator[Node]:
        """Find what is to be hidden in the outermost object of a document."""
        key = [self._read(child) for child in self._get(node, "key")]
        self._hides_keys = any(name is None or self._touches(name) for name in key)
        for defaults in self._get(node, "defaults"):
            yield from self._find_values(defaults)
        for rules in self._get(node, "rules"):
            for rule in rules.children:
                yield from self._find_in_rule(rule)
        for tasks in self._get(node, "tasks"):
            for task in tasks.children:
                yield from self.find_in_task(task)

    def find_in_task(self, task: Node) -> Iterator[Node]:
        """Find what is to be hidden in an entry of tasks."""
        yield from self._find_values(task)
        for name in ("key", "keys") if self._hides_keys else ():
            yield from self._get(task, name)

    def _find_in_rule(self, rule: Node) -> Iterator[Node]:
        for values in self._get(rule, "set"):
            yield from self._find_values(values)
        for name in ("where", "rewrite"):
            for conditions in self._get(rule, name):
                for key, child in zip(conditions.keys, conditions.children, strict=True):
                    path = self._read(key)
                    if path is None or self._touches(path):
                        yield child

    def _find_values(self, node: Node) -> Iterator[Node]:
        for path in self._redact:
            nodes = [node]
            for name in path:
                nodes = [child for one in nodes for child in self._get(one, name)]
            yield from nodes

    def _get(self, node: Node, name: str) -> Iterator[Node]:
        """Yield the values of a key; those of keys that are not read here, too."""
        if node.shape is Shape.OBJECT:
            for key, child in zip(node.keys, node.children, strict=True):
                if self._read(key) in {name, None}:
                    yield child

    def _touches(self, written: str) -> bool:
        try:
            path = parse_path(written)
        except ValueError:
            return True
        return any(are_nested(path, hidden) for hidden in self._redact)

    def _read(self, node: Node) -> str | None:
        """Read a scalar; None for an alias, and for what has a tag."""
        if node.shape is not Shape.SCALAR or node.tag:
            return None
        text = self._text[node.content : node.end]
        return text if not node.style else _read_quoted(text)


def _read_quoted(text: str) -> str | None:
    try:
        found = yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    return found if isinstance(found, str) else None
