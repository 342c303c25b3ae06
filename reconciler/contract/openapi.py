"""An API description -> the table of attributes.

Two forms must work: the contract of this repository (schemas/task-api.openapi.yaml), and the
description that a server publishes at /docs/api/schema/json/. The latter names only ``data`` and
``project`` in the body of PATCH; the other writable attributes are those in PATCH's answer without
``readOnly`` (seen with Community 1.23.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from reconciler.contract.api_description import read_document
from reconciler.contract.api_schema import (
    Facts,
    Node,
    collect_properties,
    get_child,
    read_facts,
    resolve_references,
)
from reconciler.contract.attributes import Attribute, Type
from reconciler.contract.location import locate_schema
from reconciler.contract.overlay import apply_overlay
from reconciler.errors import ContractError

# A prefix is allowed: a server behind a path publishes its paths with it.
_TASK_PATH = re.compile(r"(?:/.*)?/api/tasks/\{[^/{}]+\}/?")


@cache
def load_contract() -> Mapping[str, Attribute]:
    """Return the attributes of the repository's own contract, in its order; read once.

    Raises:
        ContractError: the installation lacks the files.

    """
    document = read_document(locate_schema("task-api.openapi.yaml"))
    return MappingProxyType(build_attributes(document, load_overlay()))


@cache
def load_overlay() -> Node:
    """Return the overlay that applies to every API description; read once.

    Raises:
        ContractError: the installation lacks the file.

    """
    return read_document(locate_schema("contract-overlay.yaml"))


def build_attributes(document: Node, overlay: Node) -> dict[str, Attribute]:
    """Return all attributes that GET returns or PATCH takes, those of GET first.

    The schema of an attribute comes from PATCH's body, else PATCH's answer, else GET's: a manifest
    holds the form in which an attribute is written.

    Raises:
        ContractError: not OpenAPI 3, or it does not describe both operations of a task.

    """
    _require_openapi(document)
    patch = _find_operation(document, "patch")
    body = collect_properties(document, _find_content(document, get_child(patch, "requestBody")))
    answer = collect_properties(document, _find_answer(document, patch))
    read = collect_properties(document, _find_answer(document, _find_operation(document, "get")))
    attributes = {}
    for name in dict.fromkeys((*read, *body, *answer)):
        written = _find_written(document, (*body.get(name, ()), *answer.get(name, ())))
        if get_child(overlay, "attributes", name).get("writable") is False:
            written = []
        seen = [read_facts(document, schema) for schema in read.get(name, ())]
        if written or seen:
            attributes[name] = _build_attribute(name, written, seen=seen)
    return apply_overlay(attributes, overlay)


def _find_written(document: Node, schemas: Iterable[Node]) -> list[Facts]:
    """Return the facts of those ``schemas`` that are not read-only."""
    return [facts for facts in (read_facts(document, s) for s in schemas) if not facts.read_only]


def _build_attribute(name: str, written: list[Facts], *, seen: list[Facts]) -> Attribute:
    facts = (written or seen)[0]
    described = (other.description for other in (*written, *seen) if other.description)
    return Attribute(
        name=name,
        type=facts.type or Type.ANY,
        description=next(described, ""),
        format=facts.format,
        nullable=facts.nullable,
        minimum=facts.minimum,
        maximum=facts.maximum,
        readable=bool(seen),
        writable=bool(written),
    )


def _require_openapi(document: Node) -> None:
    version = document.get("openapi")
    if isinstance(version, str) and version.startswith("3."):
        return
    found = f"OpenAPI {version}" if version else "no key 'openapi'"
    if document.get("swagger"):
        found = f"Swagger {document['swagger']}"
    raise ContractError(
        f"expected an OpenAPI 3 document, found {found}",
        hint="a server publishes its description at /docs/api/schema/json/",
    )


def _find_operation(document: Node, method: str) -> Node:
    """Find an operation of a single task; the plain path wins over one with a prefix."""
    paths = get_child(document, "paths")
    matching = sorted((path for path in paths if _TASK_PATH.fullmatch(str(path))), key=len)
    for path in matching:
        operation = get_child(paths, path, method)
        if operation:
            return operation
    raise ContractError(
        f"the API description does not describe {method.upper()} /api/tasks/{{id}}/",
        hint="it must describe reading and updating a single task",
    )


def _find_answer(document: Node, operation: Node) -> Node:
    """Return the schema of a successful answer."""
    responses = get_child(operation, "responses")
    good = sorted(str(status) for status in responses if str(status).startswith("2"))
    # A status may be an unquoted number in YAML.
    by_text = {str(status): answer for status, answer in responses.items()}
    return _find_content(document, get_child(by_text, good[0])) if good else {}


def _find_content(document: Node, holder: Node) -> Node:
    """Return the JSON schema that a request body or a response holds, reference or not."""
    for step in resolve_references(document, holder):
        content = get_child(step, "content")
        kinds = [str(kind) for kind in content if "json" in str(kind)]
        for kind in sorted(kinds, key=lambda kind: (kind != "application/json", kind)):
            return get_child(content, kind, "schema")
    return {}
