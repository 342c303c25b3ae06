"""The keys of ``data`` that the label config of a project uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str, ...]

_WORD: Final = re.compile(r"\$(\w+)")
_VARIABLE: Final = re.compile(r"\$([\w.\[\]{}]+)")
_BETWEEN_STEPS: Final = re.compile(r"[.\[\]]+")
_TEXT: Final = frozenset({"value", "valuelist"})
"""Attributes, in lower case, in which the labelling page also replaces variables within text."""


class UnreadableLabelConfigError(ValueError):
    """A label config that is not XML, or has a document type and so may define entities."""


@dataclass(frozen=True, slots=True)
class Tag:
    """An element of a label config; ``text`` is the text directly inside it, in pieces.

    ``name`` is its name as written, without a namespace, and ``kind`` the same in lower case.
    ``series`` is the value of the time series that it is or is in, None outside of one. ``line``
    is its line in the label config, from 1.
    """

    name: str
    kind: str
    attributes: Mapping[str, str]
    in_hypertext: bool
    series: str | None
    line: int
    text: list[str] = field(default_factory=list)

    @property
    def lowered(self) -> dict[str, str]:
        """The attributes by their names in lower case, as the labelling page ignores case."""
        return {name.lower(): value for name, value in self.attributes.items()}


def find_required_keys(label_config: str) -> tuple[str, ...]:
    """Return the keys that the server requires in ``data`` when a task is created, in order.

    A key may be a path with dots, and may end with an index: ``pages[0].url``. The rule is that
    of the server's ``extract_data_types``: of each named element below the root, all of ``value``
    after a leading dollar, or else the first word after a dollar anywhere in it. PATCH accepts
    ``data`` without these keys.

    Raises:
        UnreadableLabelConfigError: it cannot be read.

    """
    _root, *tags = read_tags(label_config)
    keys = map(find_required_key, tags)
    return tuple(dict.fromkeys(filter(None, keys)))


def find_value_tags(label_config: str) -> dict[str, str]:
    """Return the element by which import judges the value of each required key.

    Of several elements with one key, that is the last, but the first video. Raises
    UnreadableLabelConfigError.
    """
    found: dict[str, str] = {}
    for tag in read_tags(label_config)[1:]:
        key = find_required_key(tag)
        if key and found.get(key) != "Video":
            found[key] = tag.name
    return found


def find_used_paths(label_config: str) -> frozenset[Path]:
    """Return the paths inside ``data`` whose removal would take something from annotators.

    These are the required keys, and what the labelling page replaces (read from the source of
    the page of 1.23.2): variables such as ``$image`` or ``$a.b`` in ``value`` and ``valueList``
    and in the text of elements. In all other attributes a variable counts only if it is the
    whole value, as in ``frameRate="$fps"``; few of them are variables to the page, but other
    releases and editions have tags of their own. An amount of money amid text (``$100 or more``)
    is not a variable. The columns of a time series count as well. Comments and styles do not.

    Raises:
        UnreadableLabelConfigError: it cannot be read.

    """
    tags = [tag for tag in read_tags(label_config) if tag.kind != "style"]
    return frozenset(chain.from_iterable(map(find_tag_paths, tags)))


def find_required_key(tag: Tag) -> str:
    """Return the key that the server requires because of one element; empty if none."""
    value = tag.attributes.get("value", "") if tag.attributes.get("name") else ""
    if len(value) > 1 and value.startswith("$"):
        return value[1:]
    word = _WORD.search(value)
    return word[1] if word else ""


def find_tag_paths(tag: Tag) -> Iterator[Path]:
    """Yield the paths inside ``data`` that one element uses, as `find_used_paths` describes."""
    if key := find_required_key(tag):
        yield from _list_possible_paths(key)
    for name, value in tag.attributes.items():
        # The page takes all that is inside a HyperText, tags too, as one text.
        yield from _find_variables(value, amid_text=tag.in_hypertext or name.lower() in _TEXT)
    yield from _find_variables("".join(tag.text).strip(), amid_text=True)
    yield from _find_columns(tag)


def _find_variables(text: str, *, amid_text: bool) -> Iterator[Path]:
    whole = _VARIABLE.fullmatch(text)
    if whole:
        yield from _list_possible_paths(whole[1])
    elif amid_text:
        for name in _VARIABLE.findall(text):
            if not name[0].isdigit():
                yield from _list_possible_paths(name)
                # In "Dear $who.Welcome" the server reads `who`, the page `who.Welcome`.
                yield from (tuple(_split_steps(name)[:1]),)


def _list_possible_paths(variable: str) -> Iterator[Path]:
    """Yield the paths that a variable may mean: a key with that very name, or a path."""
    yield (variable,)
    steps = _split_steps(variable)
    # Elements of a list have no path: the list as a whole counts as used.
    inside_list = (at for at, step in enumerate(steps) if at and (step.isdigit() or "{" in step))
    yield tuple(steps[: next(inside_list, len(steps))])


def _split_steps(variable: str) -> list[str]:
    return [step for step in _BETWEEN_STEPS.split(variable) if step] or [variable]


def _find_columns(tag: Tag) -> Iterator[Path]:
    """Yield the columns of a time series: inside its value or, without one, in data."""
    if tag.series is None:
        return
    for name in filter(None, map(tag.attributes.get, ("timeColumn", "column"))):
        if tag.series.startswith("$"):
            yield from ((*path, name) for path in _list_possible_paths(tag.series[1:]))
        elif not tag.series:
            yield (name,)


def read_tags(label_config: str) -> list[Tag]:
    """Read the elements of a label config in order, the root first.

    The parser and its settings are the server's, so the server refuses the same configs: those
    with a document type, which entities and references to other files need.
    """
    # They take 20 ms to load, and most runs need no label config.
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415 - not what parses

    from defusedxml.ElementTree import DefusedXMLParser  # noqa: PLC0415

    document = _Document()
    parser = DefusedXMLParser(target=document, forbid_dtd=True)
    document.get_line = lambda: parser.parser.CurrentLineNumber
    try:
        parser.feed(label_config)
        parser.close()
    except (ParseError, ValueError) as error:
        raise UnreadableLabelConfigError(str(error)) from error
    return document.tags


class _Document:
    """Collects the elements that the parser finds; without a tree, depth does not matter."""

    def __init__(self) -> None:
        self.tags: list[Tag] = []
        self.get_line: Callable[[], int] = lambda: 0
        self._open: list[Tag] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        plain = name.rpartition("}")[2]
        kind = plain.lower()
        around = self._open[-1] if self._open else None
        in_hypertext = kind == "hypertext" or (around is not None and around.in_hypertext)
        series = around.series if around else None
        if kind == "timeseries":
            series = attributes.get("value", "")
        tag = Tag(plain, kind, attributes, in_hypertext, series, self.get_line())
        self.tags.append(tag)
        self._open.append(tag)

    def end(self, _name: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].text.append(text)

    def close(self) -> None:
        """Do nothing: the parser requires this method."""
