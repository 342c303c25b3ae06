"""Changes of a value's type that a missing or needless pair of quotes may have caused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reconciler.core.model import Change
from reconciler.core.notation import format_path, format_value, shorten
from reconciler.core.paths import Path, get_value
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.values import ABSENT, Side, is_same

_OBJECTS: Final = ("data", "meta")
_WORDS: Final[dict[str, Side]] = {"true": True, "false": False, "null": None}
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,100}(\.[0-9]{0,100})?([eE][-+]?[0-9]{1,2})?", re.ASCII)


def find_type_changes(changes: Iterable[Change]) -> Iterator[TaskProblem]:
    """Warn of strings in data and meta that become the number they spell, and of the reverse.

    YAML reads 000102 without quotes as the number 102.
    """
    for change in changes:
        before, after = change.before, change.after
        if change.path[0] not in _OBJECTS:
            continue
        if isinstance(before, str) and _spells(before, after):
            hint = f"if you mean the text, write {_show(before)} in quotes"
        elif isinstance(after, str) and _spells(after, before):
            hint = f"if you mean the value without quotes, write {_show(before)}"
        else:
            continue
        message = f"{format_path(change.path)} is {_describe(before)}, and would become "
        yield TaskProblem(
            Kind.TYPE_CHANGE, f"{message}{_describe(after)}", hint, paths=(change.path,)
        )


def find_list_elements(absent: Iterable[Path], live: Mapping[str, Side]) -> Iterator[TaskProblem]:
    """Warn of paths to remove that lead into a list, whose elements no path names."""
    for path in absent:
        for length in range(2, len(path)):
            if isinstance(get_value(live, path[:length]), list):
                around = format_path(path[:length])
                yield TaskProblem(
                    Kind.LIST_ELEMENT,
                    f"{format_path(path)} cannot be removed: {around} is a list",
                    f"declare the whole list {around} as it should be",
                    paths=(path,),
                )
                break


def _spells(text: str, value: Side) -> bool:
    """Tell whether a string is a spelling of a number, true, false or null."""
    if isinstance(value, str | list | dict) or value is ABSENT:
        return False
    word = text.strip().lower()
    if word in _WORDS:
        return _WORDS[word] is value
    if isinstance(value, bool) or not _NUMBER.fullmatch(word):
        return False
    return is_same(int(word) if word.lstrip("-+").isdigit() else float(word), value)


def _describe(value: Side) -> str:
    if value is None:
        return "null"
    kinds: dict[type, str] = {str: "string", bool: "boolean"}
    return f"the {kinds.get(type(value), 'number')} {_show(value)}"


def _show(value: Side) -> str:
    return shorten(format_value(value))
