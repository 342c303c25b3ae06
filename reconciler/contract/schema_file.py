"""The manifest schema as a file: builds its text, and compares a committed one with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from reconciler.contract.api_description import ApiDescription, read_document
from reconciler.contract.attributes import Attribute, Attributes
from reconciler.contract.manifest_schema import build_manifest_schema, format_schema
from reconciler.contract.openapi import build_attributes, load_contract, load_overlay
from reconciler.errors import ContractError

_ROOT = "(the whole file)"


def build_schema(description: ApiDescription | None = None) -> str:
    """Return the text of the manifest schema for an API description.

    None stands for the repository's own contract.

    Raises:
        ContractError: the description is not one of this API.

    """
    return format_schema(build_manifest_schema(list_attributes(description)))


def list_attributes(description: ApiDescription | None) -> Mapping[str, Attribute]:
    """Return the attributes of an API description; None stands for our own contract.

    An attribute without a description gets ours: editors show it.

    Raises:
        ContractError: as ``build_schema``; the message names the description.

    """
    if description is None:
        return load_contract()
    try:
        return _describe(build_attributes(description.document, load_overlay()))
    except ContractError as error:
        raise ContractError(f"{description.name}: {error.message}", hint=error.hint) from error


def compare_schema(committed: Path, description: ApiDescription | None = None) -> list[str]:
    """Return how a committed schema differs from a newly built one; [] if it does not.

    Each line names a place by its JSON pointer, and the difference. The same content in another
    order or layout is a difference, too: the next build would change the file.

    Raises:
        ContractError: ``committed`` cannot be read, or the description is not one of this API.

    """
    built = build_schema(description)
    found = read_document(committed)
    lines = list(_find_differences(found, json.loads(built), pointer=""))
    if not lines and committed.read_text(encoding="utf-8") != built:
        lines = [f"{_ROOT}: the same content in another order or layout"]
    return lines


def _describe(attributes: Attributes) -> dict[str, Attribute]:
    ours = load_contract()
    return {
        name: replace(row, description=ours[name].description)
        if not row.description and name in ours
        else row
        for name, row in attributes.items()
    }


def _find_differences(committed: object, built: object, *, pointer: str) -> Iterator[str]:
    """Compare two JSON values, types included: to Python 1, 1.0 and true are equal."""
    if isinstance(committed, Mapping) and isinstance(built, Mapping):
        for key in dict.fromkeys((*committed, *built)):
            place = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            if key not in built:
                yield f"{place}: committed, but not in the contract"
            elif key not in committed:
                yield f"{place}: in the contract, but not committed"
            else:
                yield from _find_differences(committed[key], built[key], pointer=place)
    elif json.dumps(committed, default=str) != json.dumps(built):
        both = f"committed {_shorten(committed)}, but the contract says {_shorten(built)}"
        yield f"{pointer or _ROOT}: {both}"


def _shorten(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:199]}…"  # noqa: PLR2004 - one line on a terminal
