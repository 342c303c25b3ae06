"""What the elements of a label config need in ``data``: which key, and which kind of value.

The kinds are those that the server accepts at import (``_DATA_TYPES`` of its ``tasks/validation``),
narrowed by what the labelling page of 1.23.2 can show: the page stays empty, or shows an error,
for everything else. PATCH accepts any value. Elements that are in neither source are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType
from typing import Final, TypeAlias

from reconciler.contract.label_config import Path, Tag, find_required_key, read_tags


class ValueKind(StrEnum):
    """A kind of value in data, named as messages name it."""

    STRING = "a string"
    NUMBER = "a number"
    BOOLEAN = "a boolean"
    LIST = "a list"
    OBJECT = "an object"
    NULL = "null"
    ADDRESS = "an address"


_Kinds: TypeAlias = tuple[ValueKind, ...]

_STRING, _NUMBER, _BOOLEAN = ValueKind.STRING, ValueKind.NUMBER, ValueKind.BOOLEAN
_LIST, _OBJECT, _NULL, _ADDRESS = (
    ValueKind.LIST,
    ValueKind.OBJECT,
    ValueKind.NULL,
    ValueKind.ADDRESS,
)

_BY_TAG: Final[Mapping[str, _Kinds]] = {
    "text": (_STRING, _NUMBER, _BOOLEAN, _LIST),
    "header": (_STRING, _NUMBER, _BOOLEAN),
    "hypertext": (_STRING,),
    "image": (_ADDRESS, _LIST),
    "audio": (_ADDRESS,),
    "audioplus": (_ADDRESS,),
    "video": (_ADDRESS,),
    "pdf": (_ADDRESS,),
    "paragraphs": (_LIST, _STRING),
    "chat": (_LIST, _STRING),
    "table": (_OBJECT, _LIST, _STRING),
    "list": (_LIST,),
    "ranker": (_LIST, _STRING),
    "choices": (_STRING, _LIST),
    "labels": (_STRING, _LIST),
    "polygonlabels": (_STRING, _LIST),
    "brushlabels": (_STRING, _LIST),
    "ellipselabels": (_STRING, _LIST),
    "hypertextlabels": (_STRING, _LIST),
    "keypointlabels": (_STRING, _LIST),
    "paragraphlabels": (_STRING, _LIST),
    "rectanglelabels": (_STRING, _LIST),
    "timeserieslabels": (_STRING, _LIST),
    "taxonomy": (_STRING, _LIST, _NULL),
}
"""By element in lower case, as the page ignores case: what its ``value`` may be."""

_BY_VALUE_TYPE: Final[Mapping[tuple[str, str], _Kinds]] = {
    ("text", "url"): (_ADDRESS,),
    ("hypertext", "url"): (_ADDRESS,),
    ("paragraphs", "url"): (_ADDRESS,),
    ("paragraphs", "json"): (_LIST,),
    ("timeseries", ""): (_ADDRESS,),
    ("timeseries", "url"): (_ADDRESS,),
    ("timeseries", "json"): (_OBJECT, _LIST),
}
"""By element and ``valueType``, which is ``url`` for a time series without one. The default of the
others depends on the server's SECURE_MODE, which it does not show."""

_TYPES: Final[Mapping[ValueKind, tuple[type, ...]]] = {
    _STRING: (str,),
    _ADDRESS: (str,),
    _NUMBER: (int, float),
    _BOOLEAN: (bool,),
    _LIST: (list,),
    _OBJECT: (dict,),
    _NULL: (NoneType,),
}

_ADDRESS_PATTERN: Final = re.compile(r"\s*(?:/|[A-Za-z][A-Za-z0-9+.-]*:|[^\s/:]*/)\S")
"""What a browser or the server can read from: an absolute or relative path with a slash, or any
scheme. A word without both would be looked for beside the labelling page."""

_WHOLE: Final = re.compile(r"\$([\w.\[\]{}]+)")


@dataclass(frozen=True, slots=True)
class Need:
    """What one element of a label config needs at a path in ``data``.

    ``tag`` is the name of the element and ``line`` its line in the config, from 1. ``is_required``
    is whether the task cannot be labelled without the key. ``kinds`` is empty if any value will do.
    """

    path: Path
    tag: str
    line: int
    is_required: bool
    kinds: _Kinds = ()

    @property
    def types(self) -> frozenset[type]:
        """The Python types of JSON values that have a fitting kind."""
        return frozenset(type_ for kind in self.kinds for type_ in _TYPES[kind])

    @property
    def is_address(self) -> bool:
        """Whether a string must be an address."""
        return _ADDRESS in self.kinds and _STRING not in self.kinds

    def fits(self, value: object) -> bool:
        """Tell whether a value is of a fitting kind."""
        if not self.kinds:
            return True
        is_fitting = type(value) in self.types
        return is_fitting and not (
            self.is_address and isinstance(value, str) and not is_address(value)
        )

    def describe_kinds(self) -> str:
        """Write ``a string, a number or a list``."""
        *others, last = self.kinds
        return f"{', '.join(others)} or {last}" if others else str(last)


def is_address(text: str) -> bool:
    """Tell whether text may be an address: a path with a slash, or anything with a scheme."""
    return _ADDRESS_PATTERN.match(text) is not None


def find_needs(label_config: str) -> tuple[Need, ...]:
    """Return what the elements of a label config need, in order.

    A key is required if import refuses a task without it, or if it is the ``valueList`` of a named
    image. Raises UnreadableLabelConfigError.
    """
    root, *tags = read_tags(label_config)
    found = [*_find_needs(root, is_root=True)]
    for tag in tags:
        found += _find_needs(tag, is_root=False)
    return tuple(dict.fromkeys(found))


def _find_needs(tag: Tag, *, is_root: bool) -> Iterator[Need]:
    # The page takes all that is inside a HyperText as one text.
    is_shown = tag.kind == "hypertext" or not tag.in_hypertext
    if (key := find_required_key(tag)) and not is_root:
        kinds = _find_kinds(tag) if is_shown else ()
        yield Need(_split_path(key), tag.name, tag.line, is_required=True, kinds=kinds)
    if not is_shown:
        return
    values = tag.lowered
    if tag.kind == "repeater" and (whole := _WHOLE.fullmatch(values.get("on", ""))):
        yield Need(_split_path(whole[1]), tag.name, tag.line, is_required=False, kinds=(_LIST,))
    if tag.kind == "image" and values.get("name"):
        whole = _WHOLE.fullmatch(values.get("valuelist", ""))
        if whole:
            kinds = (_LIST, _ADDRESS)
            yield Need(_split_path(whole[1]), tag.name, tag.line, is_required=True, kinds=kinds)


def _find_kinds(tag: Tag) -> _Kinds:
    """Return the kinds that fit the ``value`` of an element; none if nothing is known."""
    value = tag.attributes.get("value", "")
    if not _WHOLE.fullmatch(value):
        return ()
    if "[" in value:
        return (_LIST,)  # of which the element is a part
    if tag.lowered.get("resolver"):
        return ()  # it decides what the value is turned into
    value_type = tag.lowered.get("valuetype", "").lower()
    return _BY_VALUE_TYPE.get((tag.kind, value_type)) or _BY_TAG.get(tag.kind, ())


def _split_path(key: str) -> Path:
    """Return the path of a key as import reads it: dots separate steps, an index ends it."""
    steps = tuple(key.partition("[")[0].split("."))
    return steps if all(steps) else (key,)
