"""Whether the regions of annotations still fit when the data that they are in changes.

A region is judged only if the words that it holds prove that its offsets are understood: they must
be the words at these offsets in the data before the change. Everything else cannot be told.

The page of Label Studio 1.23.2 (seen in Chromium) counts the offsets of ``Text`` in characters, and
those of ``Paragraphs`` and ``HyperText`` in UTF-16 code units. In ``text`` it stores what the
browser's selection gives, with ``\\n`` for a line break and without some of the white space; so
that comparison ignores white space.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from sys import byteorder
from typing import Final, TypeAlias

from reconciler.contract.label_config import Path
from reconciler.contract.label_elements import LabelElement
from reconciler.contract.label_needs import is_address
from reconciler.core.annotation_impact import UNREAD, AnnotationImpact
from reconciler.core.model import Change
from reconciler.core.paths import are_nested, get_value, is_inside
from reconciler.core.values import ABSENT, Json, Side

_LINE_BREAK: Final = "\\n"
"""What the page stores for a line break: two characters."""

_MARKUP: Final = re.compile(r"[<&\r]")
_ROOT_TEXT: Final = "/text()[1]"
"""Where the page says that the text of an HTML document without elements is."""

_UTF16: Final = "utf-16-le" if byteorder == "little" else "utf-16-be"
_LAST_OF_BMP: Final = "\uffff"
_INDEX_DIGITS_MAX: Final = 9

_COMPARED_MAX: Final = 100_000_000
"""Characters that are compared for one task; no real annotations need as many."""


class Fit(IntEnum):
    """What a change does to a region."""

    SAME = 0
    UNKNOWN = 1
    MOVED = 2
    BEYOND = 3


_Texts: TypeAlias = Sequence[str]
"""Texts as their offsets count: one for an element of text, one for each paragraph."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of texts: from ``start`` in the text ``first`` up to ``end`` in the text ``last``."""

    first: int
    start: int
    last: int
    end: int

    def measure(self, texts: _Texts) -> int:
        """Count the characters that are compared, and the texts."""
        parts = self.cut(texts) or ()
        return len(parts) + sum(map(len, parts))

    def cut(self, texts: _Texts) -> list[str] | None:
        """Return the part of each text that is inside; None if it reaches beyond their end."""
        if self.last >= len(texts):
            return None
        if self.start > len(texts[self.first]) or self.end > len(texts[self.last]):
            return None
        parts = [*texts[self.first : self.last + 1]]
        parts[-1] = parts[-1][: self.end]
        parts[0] = parts[0][self.start :]
        return parts


@dataclass(frozen=True, slots=True)
class _Sides:
    """The value that an element shows, before and after a change.

    Each side has its texts; None if it is no text, or a text that the page shows in another way.
    ``gone`` is whether there is no value afterwards. ``needs_words`` is whether only the words of a
    region can prove that the text is what the page shows.
    """

    before: _Texts | None
    after: _Texts | None
    gone: bool
    needs_words: bool


class RegionJudge:
    """Judges the regions of one task by its changes of ``data``."""

    def __init__(
        self, elements: Mapping[str, LabelElement] | None, changes: Iterable[Change]
    ) -> None:
        """Judge by the ``elements`` of the label config; if they are None, nothing can be told."""
        self._elements = elements or {}
        self._changes = [change for change in changes if change.path[0] == "data"]
        self._sides: dict[str, _Sides | Fit] = {}
        self._compared = 0

    def measure(self, annotations: Json) -> AnnotationImpact:
        """Count what the changes do to the annotations of the task, as the server lists them."""
        if not isinstance(annotations, list) or not all(isinstance(a, dict) for a in annotations):
            return UNREAD
        fits: Counter[Fit] = Counter()
        people: set[int] = set()
        for annotation in annotations:
            assert isinstance(annotation, dict)  # noqa: S101 - for type checkers
            people.update(_read_person(annotation.get("completed_by")))
            fits.update(self.judge(annotation.get("result")))
        return AnnotationImpact(
            len(annotations),
            tuple(sorted(people)),
            fits.total(),
            fits[Fit.MOVED],
            fits[Fit.BEYOND],
            fits[Fit.UNKNOWN],
        )

    def judge(self, result: Json) -> Iterator[Fit]:
        """Judge the regions of one annotation: entries with one id are one region."""
        if not isinstance(result, list):
            if result:
                yield Fit.UNKNOWN
            return
        regions: dict[Hashable, list[Mapping[str, Json]]] = {}
        for number, entry in enumerate(result):
            if not isinstance(entry, dict):
                yield Fit.UNKNOWN
            elif entry.get("type") != "relation":
                name = entry.get("id")
                regions.setdefault(name if isinstance(name, str) else number, []).append(entry)
        yield from map(self._judge_region, regions.values())

    def _judge_region(self, entries: Sequence[Mapping[str, Json]]) -> Fit:
        values = [value for e in entries if isinstance(value := e.get("value"), dict)]
        spans = [value for value in values if "start" in value]
        words = next((w for v in spans if isinstance(w := v.get("text"), str)), None)
        fit = self._judge_span(entries[0].get("to_name"), spans[0] if spans else {}, words)
        if fit is Fit.SAME and any(self._touches(entry.get("from_name")) for entry in entries):
            return Fit.UNKNOWN
        return fit

    def _judge_span(self, name: Json, value: Mapping[str, Json], words: str | None) -> Fit:
        """Judge one region of the element called ``name``."""
        element = self._find(name)
        if element is None:
            return Fit.UNKNOWN
        assert isinstance(name, str)  # noqa: S101 - for type checkers
        if name not in self._sides:
            self._sides[name] = self._find_sides(element)
        sides = self._sides[name]
        if isinstance(sides, Fit):
            return sides
        span = _read_span(element.kind, value)
        if span is None or self._compared > _COMPARED_MAX:
            return Fit.UNKNOWN
        self._compared += span.measure(sides.before or ())
        if not _is_understood(span, sides, words):
            return Fit.UNKNOWN
        if sides.gone:
            return Fit.BEYOND
        if sides.after is None:
            return Fit.UNKNOWN
        parts = span.cut(sides.after)
        if parts is None:
            return Fit.BEYOND
        return Fit.SAME if parts == span.cut(sides.before or ()) else Fit.MOVED

    def _find(self, name: Json) -> LabelElement | None:
        return self._elements.get(name) if isinstance(name, str) else None

    def _touches(self, name: Json) -> bool:
        """Tell whether the changes concern what the element called ``name`` uses."""
        element = self._find(name)
        return element is not None and bool(self._list_touched(element))

    def _list_touched(self, element: LabelElement) -> list[Path]:
        changed = [change.path for change in self._changes]
        return [
            path
            for path in element.used
            if any(are_nested(("data", *path), other) for other in changed)
        ]

    def _find_sides(self, element: LabelElement) -> _Sides | Fit:
        """Return both sides of what an element shows, or the fit of all of its regions."""
        touched = self._list_touched(element)
        if not touched and element.shown:
            return Fit.SAME
        if len(touched) != 1 or touched[0] not in element.shown or not element.is_verbatim:
            return Fit.UNKNOWN
        path = ("data", *touched[0])
        around = [change for change in self._changes if is_inside(path, change.path)]
        if len(around) != 1:
            return Fit.UNKNOWN
        change = around[0]
        before, after = (_dig(side, path, change.path) for side in (change.before, change.after))
        return _make_sides(element, before, after)


def _dig(value: Side, path: Path, outer: Path) -> Side:
    """Return what is at ``path`` in the value at ``outer``, which is around it or the same."""
    return get_value({"": value}, ("", *path[len(outer) :]))


def _make_sides(element: LabelElement, before: Side, after: Side) -> _Sides | Fit:
    if element.value_type == "url":
        return Fit.UNKNOWN  # the text is elsewhere
    old, new = (_find_texts(element, side) for side in (before, after))
    return _Sides(
        None if old is None else _count_as_page(element, old),
        None if new is None else _count_as_page(element, new),
        gone=after is ABSENT,
        needs_words=_needs_words(element, old or ()),
    )


def _find_texts(element: LabelElement, value: Side) -> _Texts | None:
    """Return the texts that an element shows; None if it shows others, or none."""
    match element.kind:
        case "text":
            found: Sequence[Side] = [value]
        case "hypertext" if isinstance(value, str) and not _MARKUP.search(value):
            found = [value]
        case "paragraphs" if isinstance(value, list):
            key = element.text_key
            found = [one.get(key) if isinstance(one, dict) else None for one in value]
        case _:
            return None
    texts = [text for text in found if isinstance(text, str)]
    return texts if len(texts) == len(found) else None


def _count_as_page(element: LabelElement, texts: _Texts) -> _Texts:
    return texts if element.kind == "text" else list(map(_split_into_units, texts))


def _split_into_units(text: str) -> str:
    """Return a text as browsers hold it: each UTF-16 code unit is a character."""
    if not _is_wide(text):
        return text
    return "".join(map(chr, memoryview(text.encode(_UTF16, "surrogatepass")).cast("H")))


def _is_wide(text: str) -> bool:
    """Tell whether characters are more than one UTF-16 code unit."""
    return not text.isascii() and max(text) > _LAST_OF_BMP


def _needs_words(element: LabelElement, before: _Texts) -> bool:
    """Tell whether offsets alone do not prove a region: it may be in what an address leads to.

    Other programs may count characters in another way than the page.
    """
    if element.kind == "hypertext" or any(map(_is_wide, before)):
        return True
    is_unsure = element.kind == "text" and not element.value_type
    return is_unsure and any(map(is_address, before))


def _read_span(kind: str, value: Mapping[str, Json]) -> _Span | None:
    """Read the offsets of a region, as the page stores them; None if it has none."""
    start, end = value.get("start"), value.get("end")
    if kind == "text":
        return _make_span(0, start, 0, end)
    offsets = value.get("startOffset"), value.get("endOffset")
    if kind == "hypertext":
        return _make_span(0, offsets[0], 0, offsets[1]) if start == end == _ROOT_TEXT else None
    return _make_span(_read_index(start), offsets[0], _read_index(end), offsets[1])


def _read_index(value: Json) -> Json:
    """Return the index of a paragraph, which the page stores as a string."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= _INDEX_DIGITS_MAX:
        return int(value)
    return value


def _make_span(first: Json, start: Json, last: Json, end: Json) -> _Span | None:
    for number in (first, start, last, end):
        if type(number) is not int or number < 0:
            return None
    assert isinstance(first, int)  # noqa: S101 - for type checkers
    assert isinstance(start, int)  # noqa: S101
    assert isinstance(last, int)  # noqa: S101
    assert isinstance(end, int)  # noqa: S101
    return _Span(first, start, last, end) if (first, start) <= (last, end) else None


def _is_understood(span: _Span, sides: _Sides, words: str | None) -> bool:
    """Tell whether the data before the change has the region's words at its offsets."""
    parts = span.cut(sides.before or ())
    if parts is None:
        return False
    if words is None:
        return not sides.needs_words
    found, wanted = map(_remove_space, ("".join(parts), words))
    return _split_into_units(found) == _split_into_units(wanted)


def _remove_space(text: str) -> str:
    return "".join(text.replace(_LINE_BREAK, "").split())


def _read_person(value: Json) -> Iterator[int]:
    """Yield the id of a user, which the server shows alone or with their name."""
    number = value.get("id") if isinstance(value, dict) else value
    if type(number) is int:
        yield number
