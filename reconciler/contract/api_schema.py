"""The schemas inside an API description: references, combinations and forms of null."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from reconciler.contract.attributes import Type
from reconciler.errors import ContractError

Node: TypeAlias = Mapping[str, object]

# Real descriptions nest references a few levels deep; a deeper one refers to itself.
_DEPTH = 16
_NOTHING: Node = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a schema says about a value; ``type`` is None if it says nothing about types."""

    type: Type | None = None
    format: str | None = None
    nullable: bool = False
    minimum: int | None = None
    maximum: int | None = None
    description: str = ""
    read_only: bool = False
    is_null: bool = False

    def completed_by(self, other: Facts) -> Facts:
        """Fill in what this one leaves open from ``other``, which applies at the same time."""
        bounds_hold = self.type in (None, other.type)
        return Facts(
            type=self.type or other.type,
            format=self.format or (other.format if bounds_hold else None),
            nullable=self.nullable or other.nullable,
            minimum=other.minimum if self.minimum is None and bounds_hold else self.minimum,
            maximum=other.maximum if self.maximum is None and bounds_hold else self.maximum,
            description=self.description or other.description,
            read_only=self.read_only or other.read_only,
            is_null=self.is_null or other.is_null,
        )


def get_child(node: Node, *keys: str) -> Node:
    """Walk down objects by ``keys``; anything missing, or not an object, counts as empty."""
    for key in keys:
        inner = node.get(key)
        node = inner if isinstance(inner, Mapping) else _NOTHING
    return node


def resolve_references(document: Node, node: Node) -> Iterator[Node]:
    """Yield ``node`` and, one after the other, the nodes that it refers to.

    Raises:
        ContractError: a reference leads nowhere, out of the document, or in a circle.

    """
    for _ in range(_DEPTH):
        yield node
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return
        node = _find_target(document, reference)
    raise ContractError(
        f"the reference {node.get('$ref')!r} in the API description leads in a circle"
    )


def _find_target(document: Node, reference: str) -> Node:
    if not reference.startswith("#/"):
        raise ContractError(
            f"the API description refers to {reference!r}, which is outside of it",
            hint="bundle it into one document first",
        )
    keys = [key.replace("~1", "/").replace("~0", "~") for key in reference[2:].split("/")]
    target = get_child(document, *keys)
    if not target and keys[-1] not in get_child(document, *keys[:-1]):
        raise ContractError(f"the API description refers to {reference!r}, which it does not have")
    return target


def collect_properties(document: Node, node: Node, *, depth: int = _DEPTH) -> dict[str, list[Node]]:
    """Collect, for each property that an object of this schema may have, all its schemas.

    Every branch of allOf, oneOf and anyOf counts: a union by role has the properties of all roles.
    """
    found: dict[str, list[Node]] = {}
    if not depth:
        raise ContractError("the API description nests its combinations too deep")
    for step in resolve_references(document, node):
        own = get_child(step, "properties")
        for name in own:
            found.setdefault(name, []).append(get_child(own, name))
        for keyword in ("allOf", "oneOf", "anyOf"):
            for branch in _list_branches(step, keyword):
                for name, schemas in collect_properties(document, branch, depth=depth - 1).items():
                    found.setdefault(name, []).extend(schemas)
    return found


def read_facts(document: Node, node: Node, *, depth: int = _DEPTH) -> Facts:
    """Return what the schema ``node`` requires, references and combinations included."""
    if not depth:
        raise ContractError("the API description nests its combinations too deep")
    facts = Facts()
    for step in resolve_references(document, node):
        facts = facts.completed_by(_read_own_facts(step))
        for branch in _list_branches(step, "allOf"):
            facts = facts.completed_by(read_facts(document, branch, depth=depth - 1))
        for keyword in ("oneOf", "anyOf"):
            branches = _list_branches(step, keyword)
            if branches:
                one_of = [read_facts(document, branch, depth=depth - 1) for branch in branches]
                facts = facts.completed_by(_combine_alternatives(one_of))
    return facts


def _list_branches(node: Node, keyword: str) -> list[Node]:
    branches = node.get(keyword)
    if not isinstance(branches, Sequence) or isinstance(branches, str):
        return []
    return [branch for branch in branches if isinstance(branch, Mapping)]


def _read_own_facts(node: Node) -> Facts:
    """Read the keywords of one schema; OpenAPI 3.0 says ``nullable``, 3.1 lists the type null."""
    stated = node.get("type")
    names = stated if isinstance(stated, list) else [stated]
    types = [kind for kind in Type if kind is not Type.ANY and kind in names]
    only_null = names == ["null"] or node.get("enum") == [None]
    text = node.get("description")
    form = node.get("format")
    return Facts(
        type=_find_common_type(types),
        format=form if isinstance(form, str) else None,
        nullable=node.get("nullable") is True or "null" in names or only_null,
        minimum=_read_bound(node.get("minimum")),
        maximum=_read_bound(node.get("maximum")),
        description=" ".join(text.split()) if isinstance(text, str) else "",
        read_only=node.get("readOnly") is True,
        is_null=only_null,
    )


def _combine_alternatives(alternatives: list[Facts]) -> Facts:
    """Combine alternatives: what all of them require, and null if any of them allows it."""
    nullable = any(facts.nullable for facts in alternatives)
    solid = [facts for facts in alternatives if not facts.is_null]
    if not solid:
        return Facts(nullable=nullable, is_null=True)
    lows = [facts.minimum for facts in solid]
    highs = [facts.maximum for facts in solid]
    formats = {facts.format for facts in solid}
    return replace(
        solid[0],
        type=_find_common_type([facts.type or Type.ANY for facts in solid]),
        format=formats.pop() if len(formats) == 1 else None,
        nullable=nullable,
        minimum=None if None in lows else min(low for low in lows if low is not None),
        maximum=None if None in highs else max(high for high in highs if high is not None),
        read_only=all(facts.read_only for facts in solid),
    )


def _find_common_type(types: Sequence[Type]) -> Type | None:
    """Return the one type that covers all; ``ANY`` if there is none, None for no types."""
    distinct = set(types)
    if distinct == {Type.INTEGER, Type.NUMBER}:
        return Type.NUMBER
    if len(distinct) > 1:
        return Type.ANY
    return types[0] if types else None


def _read_bound(value: object) -> int | None:
    """Read a bound as an integer, None if it is not whole; some tools write bounds as floats."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value // 1 else None
