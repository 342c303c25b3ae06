"""The overlay: facts that an API description cannot state (schemas/contract-overlay.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from reconciler.contract.api_schema import Node, get_child
from reconciler.contract.attributes import Attribute, Type
from reconciler.errors import ContractError

_COLUMNS = frozenset(field.name for field in fields(Attribute)) - {"name"}


def apply_overlay(attributes: Mapping[str, Attribute], overlay: Node) -> dict[str, Attribute]:
    """Return ``attributes``, in their order, corrected by the rows of ``overlay``.

    Rows for unknown attributes are skipped: editions differ. Integers that still lack a bound then
    get the general one.

    Raises:
        ContractError: a row names an unknown column or type.

    """
    rows = get_child(overlay, "attributes")
    bounds = get_child(overlay, "integers_without_bounds")
    return {
        name: _set_bounds(_correct(attribute, get_child(rows, name)), bounds)
        for name, attribute in attributes.items()
    }


def _correct(attribute: Attribute, row: Node) -> Attribute:
    unknown = row.keys() - _COLUMNS
    if unknown:
        raise ContractError(
            f"the overlay has unknown columns for {attribute.name}: {', '.join(sorted(unknown))}",
            hint=f"known columns: {', '.join(sorted(_COLUMNS))}",
        )
    changes: dict[str, Any] = dict(row)
    if "type" in changes:
        try:
            changes["type"] = Type(changes["type"])
        except ValueError as error:
            raise ContractError(
                f"the overlay has an unknown type for {attribute.name}: {changes['type']!r}",
                hint=f"known types: {', '.join(Type)}",
            ) from error
    return replace(attribute, **changes)


def _set_bounds(attribute: Attribute, bounds: Node) -> Attribute:
    if attribute.type is not Type.INTEGER:
        return attribute
    low, high = bounds.get("minimum"), bounds.get("maximum")
    if attribute.minimum is None and isinstance(low, int):
        attribute = replace(attribute, minimum=low)
    if attribute.maximum is None and isinstance(high, int):
        attribute = replace(attribute, maximum=high)
    return attribute
