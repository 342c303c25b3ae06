"""Values of a program to a document, as a manifest would hold them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.core.notation import format_value, shorten
from reconciler.core.values import Json
from reconciler.errors import Source
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import MAX_DEPTH, Document, MappedDocument
from reconciler.manifest.readers.json_parser import parse_bytes
from reconciler.manifest.readers.scalars import MAX_DIGITS
from reconciler.manifest.readers.source_map import Steps
from reconciler.manifest.readers.text_document import TextDocument
from reconciler.progress import NULL_PROGRESS, ProgressListener


def read_values(
    header: Mapping[str, Any],
    tasks: Iterable[Any],
    diagnostics: Diagnostics,
    *,
    progress: ProgressListener = NULL_PROGRESS,
) -> list[Document]:
    """Read the header and the tasks of a manifest from values.

    A value that is not JSON is reported, and read as null. Values are copied as JSON text, so that
    the caller can change the originals. The first task counts as line 1, the second as line 2, and
    so on; every column is 1.
    """
    convert = _Converter(diagnostics)
    headers = parse_bytes(_encode(convert(header, (), line=1)), diagnostics, start=(1, 1))
    texts = [
        _encode(convert(task, ("tasks", index), line=index + 1)) for index, task in enumerate(tasks)
    ]
    return [
        MemoryDocument(document, texts, diagnostics=diagnostics, progress=progress)
        for document in headers
    ]


class MemoryDocument(TextDocument):
    """A document whose tasks are texts in memory, each counted as one line."""

    def __init__(
        self,
        header: MappedDocument,
        texts: Sequence[bytes],
        *,
        diagnostics: Diagnostics,
        progress: ProgressListener,
    ) -> None:
        super().__init__(header, diagnostics, progress)
        self._texts = texts

    def _iterate_texts(self) -> Iterator[bytes]:
        return iter(self._texts)

    def _has_task(self, index: int) -> bool:
        return 0 <= index < len(self._texts)

    def _get_start(self, index: int) -> tuple[int, int]:
        return index + 1, 1

    def _get_text(self, index: int) -> bytes:
        return self._texts[index]

    def _locate(self, steps: Steps) -> tuple[Source, Source]:
        line = super()._locate(steps)[1].line
        source = Source(self._diagnostics.file, line, 1)
        return source, source

    def _locate_outside(self, steps: Steps) -> tuple[Source, Source]:
        if steps == ("tasks",):
            first = Source(self._diagnostics.file, 1, 1)
            return first, first
        return super()._locate_outside(steps)


_BITS_MAX: Final = int(MAX_DIGITS * math.log2(10))
VALUES_MAX: Final = 1_000_000
"""Most values of a task: a list that holds itself twice has 2**100 of them at `MAX_DEPTH`."""


class _TooManyValues(Exception):
    """A task has more than `VALUES_MAX` values."""


class _Converter:
    """Makes JSON of a program's values, and reports what cannot be JSON."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics
        self._line = 1
        self._left = VALUES_MAX

    def __call__(self, value: object, steps: Steps, *, line: int) -> Json:
        self._line = line
        self._left = VALUES_MAX
        try:
            return self._convert(value, steps, depth=0)
        except _TooManyValues:
            hint = "is the same list or dict used in many places?"
            self._report(steps, f"more than {VALUES_MAX:,} values", hint)
            return None

    def _convert(self, value: object, steps: Steps, *, depth: int) -> Json:
        self._left -= 1
        if not self._left:
            raise _TooManyValues
        value = _unwrap(value)
        match value:
            case None | bool():
                return value
            case str():
                return _copy_text(value)
            case int() | float():
                return self._convert_number(value, steps)
            case Mapping() | list() | tuple() if depth >= MAX_DEPTH:
                self._report(steps, f"objects and lists nested more than {MAX_DEPTH} deep")
            case Mapping():
                return self._convert_object(value, steps, depth=depth + 1)
            case list() | tuple():
                return [
                    self._convert(element, (*steps, number), depth=depth + 1)
                    for number, element in enumerate(value)
                ]
            case _:
                hint = "convert it to text, a number, True, False, None, a list or a dict"
                self._report(steps, f"a value of type {_name_type(value)} is not JSON", hint)
        return None

    def _convert_number(self, value: float, steps: Steps) -> Json:
        if isinstance(value, int):
            if value.bit_length() <= _BITS_MAX:
                return int(value)
            self._report(steps, f"an integer with more than {MAX_DIGITS:,} digits")
        elif math.isfinite(value):
            return float(value)
        else:
            hint = "use None if there is no value, or leave the key out"
            self._report(steps, f"JSON has no number {value}", hint)
        return None

    def _convert_object(self, value: Mapping[Any, Any], steps: Steps, *, depth: int) -> Json:
        converted: dict[str, Json] = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                shown = shorten(format_value(str(key)))
                message = f"expected a string as key, found {shown} of type {_name_type(key)}"
                self._report(steps, message, "convert it with str()")
                continue
            name = _copy_text(key)
            converted[name] = self._convert(inner, (*steps, name), depth=depth)
        return converted

    def _report(self, steps: Steps, message: str, hint: str = "") -> None:
        self._diagnostics.add(self._line, 1, message, hint=hint, steps=steps)


def _copy_text(text: str) -> str:
    """Return the text itself: ``str`` of an enumeration's member may be the member's name."""
    return str.__str__(text)


def _unwrap(value: object) -> object:
    """Return the plain value of a NumPy scalar, as pandas returns them."""
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        plain: object = value.item()  # type: ignore[attr-defined]  # each of them has it
        return plain
    return value


def _name_type(value: object) -> str:
    kind = type(value)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _encode(value: Json) -> bytes:
    return json.dumps(value, allow_nan=False).encode("ascii")
