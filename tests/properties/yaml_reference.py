"""A slow reference: PyYAML's graph of nodes, and YAML 1.2's core schema in plain words."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

import yaml
from hypothesis import assume
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.core.values import Json
from reconciler.manifest.readers.document import MAX_DEPTH
from tests.properties.documents import Places


class Refused(Exception):
    """Not a value that a manifest can hold."""


class PlainLoader(yaml.CSafeLoader):
    """Leaves the meaning of plain scalars open: their tag is empty, that of quoted ones ``!``."""

    def resolve(self, kind: type[Node], _value: object, implicit: tuple[bool, bool]) -> str:
        return "!" if kind is ScalarNode and not implicit[0] else ""


@dataclass(frozen=True)
class Read:
    value: Json
    places: Places
    levels: int


class Reference:
    """Reads nodes, each once; an alias is a node that was read before.

    The graph does not tell where aliases stand, nor ``! 1``, a string, from ``1``: those places
    come from the events.
    """

    def __init__(
        self,
        text: str,
        aliases: Iterator[tuple[int, int]],
        strings: Container[tuple[int, int]],
    ) -> None:
        self.text = text
        self.aliases = aliases
        self.strings = strings
        self.read: dict[int, Read | None] = {}

    def node(self, node: Node) -> Read:
        if id(node) in self.read:
            known = self.read[id(node)]
            if known is None:
                raise Refused("inside itself")
            return Read(
                known.value, {**known.places, ((), "value"): next(self.aliases)}, known.levels
            )
        self.read[id(node)] = None
        found = self.new(node)
        if found.levels > MAX_DEPTH:
            raise Refused("too deep")
        self.read[id(node)] = found
        return found

    def new(self, node: Node) -> Read:
        here: Places = {((), "value"): start_of(node)}
        if isinstance(node, ScalarNode):
            tag = "!" if start_of(node) in self.strings else node.tag
            return Read(core(tag, node.value), here, 0)
        own = "seq" if isinstance(node, SequenceNode) else "map"
        if node.tag not in {"", "!", f"tag:yaml.org,2002:{own}"}:
            raise Refused(node.tag)
        if isinstance(node, SequenceNode):
            found = self.sequence(node)
        else:
            assert isinstance(node, MappingNode)
            found = self.mapping(node)
        return Read(found.value, {**here, **found.places}, found.levels + 1)

    def sequence(self, node: SequenceNode) -> Read:
        elements = [self.node(inner) for inner in node.value]
        found = {
            ((index, *steps), kind): place
            for index, element in enumerate(elements)
            for (steps, kind), place in element.places.items()
        }
        levels = max((element.levels for element in elements), default=0)
        return Read([element.value for element in elements], found, levels)

    def mapping(self, node: MappingNode) -> Read:
        result: dict[str, Json] = {}
        found: Places = {}
        levels = 0
        for key_node, value_node in node.value:
            alias = id(key_node) in self.read
            key = self.node(key_node)
            plain = key_node.tag == "" and start_of(key_node) not in self.strings
            merge = key.value == "<<" and plain and not alias
            if not isinstance(key.value, str) or merge or key.value in result:
                raise Refused(key.value)
            if not alias and not value_of_its_own(self.text, key_node, value_node):
                raise Refused("no value")
            value = self.node(value_node)
            result[key.value] = value.value
            found[(key.value,), "key"] = key.places[(), "value"]
            for (steps, kind), place in value.places.items():
                found[(key.value, *steps), kind] = place
            levels = max(levels, value.levels)
        return Read(result, found, levels)


def value_of_its_own(text: str, key: Node, value: Node) -> bool:
    """Tell whether anything stands for a value: at least the colon after the key."""
    empty = value.start_mark.index == value.end_mark.index
    return not empty or ":" in text[key.end_mark.index : value.start_mark.index]


def core(tag: str, text: str) -> Json:
    """Give a scalar its value by chapter 10.3.2 of YAML 1.2, and by what JSON can hold."""
    name = tag.removeprefix("tag:yaml.org,2002:")
    if "\0" in text:
        raise Refused("NUL")
    if tag == "!" or name == "str":
        return text
    value = core_plain(text)
    if tag == "":
        return value
    if name == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    types = {"null": type(None), "bool": bool, "int": int, "float": float}
    if name == tag or type(value) is not types.get(name):
        raise Refused(tag)
    return value


def core_plain(text: str) -> Json:
    if re.fullmatch("null|Null|NULL|~|", text):
        return None
    if re.fullmatch("true|True|TRUE|false|False|FALSE", text):
        return text.lower() == "true"
    if re.fullmatch("[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch("0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, base=0)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        if float(text) in {float("inf"), float("-inf")}:
            raise Refused(text)
        return float(text)
    if re.fullmatch(r"[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN", text):
        raise Refused(text)
    return text


def reference(text: str) -> list[Read] | None:
    """Read all documents of a text; None where any of it is refused."""
    if re.search("[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text):
        return None
    try:
        events = list(yaml.parse(text, PlainLoader))
        nodes = list(yaml.compose_all(text, PlainLoader))
        aliases = [start_of(event) for event in events if isinstance(event, yaml.AliasEvent)]
        strings = {start_of(event) for event in events if getattr(event, "tag", None) == "!"}
        read = Reference(text, iter(aliases), strings)
        return [read.node(node) for node in nodes]
    except yaml.composer.ComposerError as error:
        # An anchor may be set again; PyYAML's graph does not allow it.
        assume("duplicate anchor" not in str(error))
        return None
    except (yaml.YAMLError, Refused, UnicodeDecodeError):
        return None


def start_of(of: yaml.Event | Node) -> tuple[int, int]:
    mark = of.start_mark
    assert mark is not None
    return mark.line + 1, mark.column + 1
