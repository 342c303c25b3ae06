"""Whether the regions of annotations still fit when the data that they are in changes.

A region is judged only if the words that it holds prove that its offsets are understood: they must
be the words at these offsets in the data before the change. Everything else cannot be told. The
page of Label Studio 1.23.2 (read in its source) counts offsets in UTF-16 code units, a line break
as one. In ``text`` it stores what a browser's selection gives, with ``\\n`` for a line break and
without some of the white space; so that comparison ignores white space.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from reconciler.contract.label_config import Path
from reconciler.contract.label_elements import LabelElement
from reconciler.contract.label_needs import is_address
from reconciler.core.annotation_impact import UNREAD, AnnotationImpact
from reconciler.core.model import Change
from reconciler.core.paths import are_nested, get_value, is_inside
from reconciler.core.values import ABSENT, Json, Side

_SPACE: Final = re.compile(r"(?:\s|\\n)+")
_MARKUP: Final = re.compile(r"[<&\r]")
_ROOT_TEXT: Final = "/text()[1]"
"""Where the page says that the text of an HTML document without elements is."""

_UTF16: Final = "utf-16-le"
_UNIT: Final = 2
"""Bytes of a UTF-16 code unit."""

_LAST_OF_BMP: Final = "\uffff"
_INDEX_DIGITS_MAX: Final = 9

_COMPARED_MAX: Final = 200_000_000
"""Bytes of text that are compared for one task; no real annotations need as many."""


class Fit(IntEnum):
    """What a change does to a region."""

    SAME = 0
    UNKNOWN = 1
    MOVED = 2
    BEYOND = 3


_Texts: TypeAlias = Sequence[bytes]
"""Texts in UTF-16: one for an element of text, one for each paragraph."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of texts: from ``start`` in the text ``first`` up to ``end`` in the text ``last``."""

    first: int
    start: int
    last: int
    end: int

    def measure(self, texts: _Texts) -> int:
        """Count the bytes that are compared, and the texts."""
        parts = self.cut(texts) or ()
        return len(parts) + sum(map(len, parts))

    def cut(self, texts: _Texts) -> list[bytes] | None:
        """Return the part of each text that is inside; None if it reaches beyond their end."""
        if self.last >= len(texts):
            return None
        begin, end = self.start * _UNIT, self.end * _UNIT
        if begin > len(texts[self.first]) or end > len(texts[self.last]):
            return None
        parts = [*texts[self.first : self.last + 1]]
        parts[-1] = parts[-1][:end]
        parts[0] = parts[0][begin:]
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
    shown = _find_texts(element, before), _find_texts(element, after)
    return _Sides(*shown, gone=after is ABSENT, needs_words=_needs_words(element, before))


def _find_texts(element: LabelElement, value: Side) -> _Texts | None:
    """Return the texts that an element shows, as browsers hold them; None if it shows others."""
    match element.kind:
        case "text":
            return _encode_all([value])
        case "hypertext":
            return _encode_all([value]) if _is_plain(value) else None
        case "paragraphs":
            return _encode_all(_list_paragraphs(value, element.text_key))
    return None


def _needs_words(element: LabelElement, before: Side) -> bool:
    """Tell whether offsets alone do not prove a region: it may be in what an address leads to.

    Other programs count characters beyond the BMP as one.
    """
    if element.kind == "hypertext":
        return True
    if element.kind != "text" or not isinstance(before, str):
        return False
    is_wide = not before.isascii() and max(before) > _LAST_OF_BMP
    return is_wide or (not element.value_type and is_address(before))


def _is_plain(value: Side) -> bool:
    """Tell whether a text is the same as HTML."""
    return isinstance(value, str) and not _MARKUP.search(value)


def _list_paragraphs(value: Side, text_key: str) -> list[Side]:
    """List the texts of paragraphs; one that is no text stands for a value that has none."""
    if not isinstance(value, list):
        return [ABSENT]
    return [one.get(text_key, ABSENT) if isinstance(one, dict) else ABSENT for one in value]


def _encode_all(values: Iterable[Side]) -> _Texts | None:
    texts: list[bytes] = []
    for value in values:
        if not isinstance(value, str):
            return None
        texts.append(value.encode(_UTF16, "surrogatepass"))
    return texts


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
    found = "".join(part.decode(_UTF16, "surrogatepass") for part in parts)
    return _SPACE.sub("", found) == _SPACE.sub("", words)


def _read_person(value: Json) -> Iterator[int]:
    """Yield the id of a user, which the server shows alone or with their name."""
    number = value.get("id") if isinstance(value, dict) else value
    if type(number) is int:
        yield number
