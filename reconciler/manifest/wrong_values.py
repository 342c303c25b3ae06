"""Values of a wrong form: what to write instead, if that is clear from the value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from reconciler.contract.manifest_schema import ALLOWED_KINDS
from reconciler.core.notation import format_value, shorten
from reconciler.core.values import Json
from reconciler.manifest.readers.source_map import Steps

_VARIABLE: Final = re.compile(r"\$\{?[A-Za-z_]\w*\}?|\$\([A-Za-z_]\w*\)|%[A-Za-z_]\w*%|<[A-Z_]+>")
_ID: Final = re.compile(r"[0-9]{1,19}")
_SEPARATED: Final = re.compile(r"\s*[,;\s]\s*")
_RANGE: Final = re.compile(r"([0-9]{1,19})\s*(?:-|\.\.+|:)\s*([0-9]{1,19})")
_SHOWN_MAX: Final = 200
_READ_MAX: Final = 2_000
"""Characters of a text in which several ids are looked for."""

NO_VARIABLES: Final = (
    "manifests do not read variables: write the value, or replace the variable before, for example "
    "with envsubst"
)
_FORMS: Final = {
    ("rules",): 'begin each rule with "- "',
    ("allow",): 'write a list: [{kind: annotated-data, reason: "why it is intended"}]',
    ("defaults",): "write attributes with values, such as {overlap: 2}",
    ("tasks", 0): "write {id: 101, ...}: a task is an object",
    ("rules", 0): "write {name: ..., where: ..., set: ...}: a rule is an object",
    ("rules", 0, "where"): "write paths with values, such as {data.split: val}",
    ("rules", 0, "set"): "write attributes with values, such as {overlap: 2}",
    ("rules", 0, "rewrite"): 'write paths with prefixes: {data.image: {prefix: "a/", to: "b/"}}',
    ("rules", 0, "expect"): "write {min: 100}, {max: 2000}, or both in one object",
}
"""By place, with 0 for any index: the form that is expected there."""


def is_variable(text: str) -> bool:
    """Tell whether a text is only a variable of a shell or of a pipeline that was not replaced."""
    return bool(_VARIABLE.fullmatch(text.strip()))


def advise_form(steps: Steps, found: Json) -> str:
    """Say what to write instead of a value of a wrong type; empty if it is not clear."""
    place = tuple(0 if isinstance(step, int) else step for step in steps)
    match place:
        case _ if isinstance(found, str) and is_variable(found):
            return NO_VARIABLES
        case ("allow", 0):
            kind = found if found in ALLOWED_KINDS else ALLOWED_KINDS[0]
            return f'write {{kind: {kind}, reason: "why it is intended"}}'
        case ("tasks", 0, "ids" | "keys" as name):
            return f"write a list: {_write_list(found, name)}"
        case ("tasks", 0, "id" | "key" as name) if _are_several(found, name):
            return f"for several tasks, write {name}s: {_write_list(found, name)}"
        case ("tasks", 0) if isinstance(found, int) and not isinstance(found, bool):
            return f"write {{id: {found}, ...}}: a task is an object"
    return _FORMS.get(place, "")


def _are_several(found: Json, name: str) -> bool:
    if isinstance(found, str):
        return name == "id" and bool(_SEPARATED.search(found.strip()) or _RANGE.fullmatch(found))
    return isinstance(found, list)


def _write_list(found: Json, name: str) -> str:
    """Write the list that a value seems to stand for: ``101, 102`` is two ids."""
    elements: Iterable[Json]
    if isinstance(found, str):
        found = found if len(found) <= _READ_MAX else ""
        ranges = _RANGE.sub(r"\1-\2", found.strip())
        elements = filter(None, _SEPARATED.split(ranges))
    else:
        elements = found if isinstance(found, list) else [found]
    written = [_write_element(element, name) for element in elements]
    example = "[101, 107-120]" if name.startswith("id") else '["x-000102", "x-000103"]'
    is_clear = bool(written) and all(written)
    return shorten(f"[{', '.join(written)}]", _SHOWN_MAX) if is_clear else example


def _write_element(element: Json, name: str) -> str:
    """Write an element of ``ids`` or ``keys`` as YAML; empty if it cannot be one."""
    if isinstance(element, str):
        if _ID.fullmatch(element) or _RANGE.fullmatch(element):
            return element if name.startswith("id") else format_value(element)
        return shorten(format_value(element)) if name.startswith("key") else ""
    return str(element) if type(element) is int else ""
