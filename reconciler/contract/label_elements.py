"""The named elements of a label config, and the value in ``data`` that each of them shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.contract.label_config import Path, Tag, find_tag_paths, read_tags

_ONE_KEY: Final = re.compile(r"\$([\w.]+)")
"""A value that is one variable, and not an element of a list."""

_TEXT_KEY: Final = "text"
_CHANGES_TEXT: Final = frozenset({"encoding", "resolver"})
"""Attributes by which the page shows another text than ``data`` holds."""


@dataclass(frozen=True, slots=True)
class LabelElement:
    """An element that annotations name: an object such as ``Text``, or a control.

    ``kind`` is its name in lower case. ``shown`` are the paths inside ``data`` that may hold the
    value it shows; empty if that is not one value. ``used`` are these and all others that its
    attributes use. ``is_verbatim`` is whether the page shows the value itself, and not another one
    that it decodes or looks up. ``value_type`` is its ``valueType``, and ``text_key`` the key of
    the text in each paragraph.
    """

    kind: str
    shown: frozenset[Path]
    used: frozenset[Path]
    is_verbatim: bool = True
    value_type: str = ""
    text_key: str = _TEXT_KEY


def find_elements(label_config: str) -> Mapping[str, LabelElement]:
    """Return the named elements of a label config, by name; those that share a name are left out.

    Raises:
        UnreadableLabelConfigError: it cannot be read.

    """
    tags = [tag for tag in read_tags(label_config) if tag.attributes.get("name")]
    counted = Counter(tag.attributes["name"] for tag in tags)
    return {
        name: _make_element(tag) for tag in tags if counted[name := tag.attributes["name"]] == 1
    }


def _make_element(tag: Tag) -> LabelElement:
    values = tag.lowered
    whole = _ONE_KEY.fullmatch(values.get("value", ""))
    # The page takes a key with that very name, or else a path.
    shown = frozenset({(whole[1],), tuple(whole[1].split("."))} if whole else ())
    return LabelElement(
        tag.kind,
        shown,
        shown.union(find_tag_paths(tag)),
        not values.keys() & _CHANGES_TEXT,
        values.get("valuetype", "").lower(),
        values.get("textkey", _TEXT_KEY),
    )
