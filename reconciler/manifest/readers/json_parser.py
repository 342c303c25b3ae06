"""JSON text to documents, with the place of every node.

JSON is not read as YAML, although nearly all of it is YAML: the YAML parser refuses the surrogate
pairs with which JSON writers escape characters beyond the basic plane.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Final

from reconciler.core.notation import format_value, shorten
from reconciler.core.values import ABSENT, Json, Maybe
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import MAX_DEPTH, MappedDocument, PackedTasks
from reconciler.manifest.readers.foreign_content import recognise_at
from reconciler.manifest.readers.scalars import (
    find_text_problem,
    parse_integer,
    parse_real,
    replace_refused,
)
from reconciler.manifest.readers.source_map import SourceMap, Steps
from reconciler.progress import NULL_PROGRESS, ProgressListener

_SPACE: Final = re.compile(r"[ \t\r\n]*")
# Possessive, so that matching a long string stores no positions to backtrack to.
_CHARACTERS: Final = r""""(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"""
_STRING_BEGUN: Final = re.compile(_CHARACTERS)
_TOKEN: Final = re.compile(
    r"[ \t\r\n]*+(?:"
    f'(?P<string>{_CHARACTERS}")'
    r"""
      | (?P<real>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))
      | (?P<integer>-?(?:0|[1-9][0-9]*))
      | (?P<word>[A-Za-z_+-][A-Za-z0-9_+-]*)
      | (?P<mark>[][{}:,]))""",
    re.VERBOSE,
)
_WORDS: Final[dict[str, Json]] = {"null": None, "true": True, "false": False}


_CLOSING: Final = frozenset("]}")
_PYTHON_WORDS: Final = {"True": "true", "False": "false", "None": "null"}
_KEY: Final = "a key in double quotes"
_HINTS: Final = {
    _KEY: "write the key in double quotes",
    "a value": "add the value, or write a text in double quotes",
    "a comma or }": "put a comma between two keys, or close the object with }",
    "a comma or ]": "put a comma between two elements, or close the list with ]",
    "a colon": "write a colon between a key and its value",
}
_MARK_NAMES: Final = {":": "a colon", ",": "a comma"}


class _Stop(Exception):
    """The rest cannot be read; the reason has been reported."""


def parse_json(
    text: str,
    diagnostics: Diagnostics,
    *,
    start: tuple[int, int] = (1, 1),
    steps: Steps = (),
    progress: ProgressListener = NULL_PROGRESS,
) -> list[MappedDocument]:
    """Parse one document, which lies at ``steps`` and begins at ``start`` (line, column)."""
    parser = _Parser(text, diagnostics, start=start, steps=steps, progress=progress)
    try:
        value = parser.parse()
    except _Stop:
        return []
    return [MappedDocument(replace_refused(value), parser.packed, parser.source_map)]


def parse_bytes(
    text: bytes, diagnostics: Diagnostics, *, start: tuple[int, int], steps: Steps = ()
) -> list[MappedDocument]:
    """Parse bytes as `parse_json` does; report bytes that are not UTF-8."""
    try:
        characters = text.decode()
    except UnicodeDecodeError as error:
        line, column = start
        column += len(text[: error.start].decode())
        diagnostics.add(line, column, "not UTF-8", hint="save the file as UTF-8", steps=steps)
        return []
    return parse_json(characters, diagnostics, start=start, steps=steps)


class _Parser:
    """A recursive descent over the tokens of a text."""

    def __init__(
        self,
        text: str,
        diagnostics: Diagnostics,
        *,
        start: tuple[int, int],
        steps: Steps,
        progress: ProgressListener,
    ) -> None:
        self.source_map = SourceMap(diagnostics.file)
        self.packed = PackedTasks()
        self._text = text
        self._diagnostics = diagnostics
        self._progress = progress
        self._start = start
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._steps: list[str | int] = [*steps]
        self._at = 0

    def parse(self) -> Maybe:
        value = self._parse_value(*self._take_token("a value"))
        self._skip_space()
        if self._at < len(self._text):
            hint = "write one document per file, or one task per line in a .jsonl file"
            self._report(self._at, "text after the end of the document", hint)
        return value

    def _take_token(self, expected: str) -> tuple[str, str, int]:
        """Take the next token: its kind, its text, and where it starts."""
        found = _TOKEN.match(self._text, self._at)
        if not found or found.lastgroup is None:
            self._skip_space()
            raise self._report_syntax(self._at, expected)
        kind = found.lastgroup
        self._at = found.end()
        return kind, found[kind], found.start(kind)

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _parse_value(self, kind: str, text: str, start: int) -> Maybe:
        self._map(start)
        if kind == "mark" and text in "[{":
            if len(self._steps) >= MAX_DEPTH:
                self._report(start, f"objects and lists nested more than {MAX_DEPTH} deep")
                raise _Stop
            return self._parse_object() if text == "{" else self._parse_array()
        if kind == "string":
            return self._parse_string(text, start)
        if kind == "word" and text in _WORDS:
            return _WORDS[text]
        if kind in {"integer", "real"}:
            try:
                return parse_integer(text) if kind == "integer" else parse_real(text)
            except ValueError as error:
                message, hint = error.args
                return self._report(start, message, hint)
        if text in {"NaN", "Infinity", "-Infinity"}:
            return self._report(start, f"JSON has no number {text}", "quote it, or use null")
        raise self._report_syntax(start, "a value")

    def _parse_string(self, text: str, start: int) -> Maybe:
        value: str = json.loads(text)
        problem = find_text_problem(value)
        return self._report(start, *problem) if problem else value

    def _parse_object(self) -> Maybe:
        result: dict[str, Json] = {}
        lines: dict[str, int] = {}
        kind, text, start = self._take_token(_KEY)
        while text != "}":
            before = len(self.source_map)
            key = self._parse_key(kind, text, start, lines)
            self._take_mark(":")
            self._steps.append(key if isinstance(key, str) else "?")
            value = self._parse_value(*self._take_token("a value"))
            self._steps.pop()
            if isinstance(key, str):
                result[key] = replace_refused(value)
            else:
                self.source_map.forget(before)
            if self._take_mark(",", "}") == "}":
                break
            kind, text, start = self._take_token(_KEY)
            if text == "}":
                raise self._report_syntax(start, _KEY)
        return result

    def _parse_key(self, kind: str, text: str, start: int, lines: dict[str, int]) -> Maybe:
        if kind != "string":
            raise self._report_syntax(start, _KEY)
        self._map(start)
        key = self._parse_string(text, start)
        if not isinstance(key, str):
            return key
        if key in lines:
            found = shorten(format_value(key))
            hint = f"first on line {lines[key]}; keep one of the two"
            return self._report(start, f"duplicate key {found}", hint)
        lines[key] = self._find_place(start)[0]
        return key

    def _parse_array(self) -> Maybe:
        result: list[Json] = []
        number = 0
        token = self._take_token("a value")
        while token[1] != "]":
            self._steps.append(number)
            self._parse_element(*token, into=result)
            self._steps.pop()
            number += 1
            if self._take_mark(",", "]") == "]":
                break
            token = self._take_token("a value")
            if token[1] == "]":
                raise self._report_syntax(token[2], "a value")
        return result

    def _parse_element(self, kind: str, text: str, start: int, *, into: list[Json]) -> None:
        """Read one element; pack it if it is a task, as there may be many."""
        node = len(self.source_map)
        value = replace_refused(self._parse_value(kind, text, start))
        if self._steps[:-1] == ["tasks"]:
            self.packed.append(value, node=node, end=len(self.source_map))
            self._progress.advance()
        else:
            into.append(value)

    def _take_mark(self, *marks: str) -> str:
        if self._text[self._at : self._at + 1] not in marks:
            self._skip_space()
        if self._text[self._at : self._at + 1] not in marks:
            raise self._report_syntax(
                self._at, " or ".join(_MARK_NAMES.get(mark, mark) for mark in marks)
            )
        self._at += 1
        return self._text[self._at - 1]

    def _map(self, offset: int) -> None:
        self.source_map.add(*self._find_place(offset))

    def _find_place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, offset)
        first_line, first_column = self._start
        column = offset - self._line_starts[line - 1] + (first_column if line == 1 else 1)
        return line - 1 + first_line, column

    def _report_syntax(self, offset: int, expected: str) -> _Stop:
        if self._text[offset : offset + 1] == '"' and not _TOKEN.match(self._text, offset):
            return self._report_string(offset)
        foreign = recognise_at(self._text, offset)
        if foreign:
            self._report(offset, *foreign)
            return _Stop()
        found = _TOKEN.match(self._text, offset)
        rest = found[0] if found else self._text[offset : offset + 1]
        shown = shorten(format_value(rest)) if rest else "the end of the text"
        hint = self._make_hint(offset, expected, rest)
        self._report(offset, f"not JSON: expected {expected}, found {shown}", hint)
        return _Stop()

    def _make_hint(self, offset: int, expected: str, found: str) -> str:
        """Tell what to do about ``found``, for the mistakes that are common."""
        if not found:
            return "is the file complete?"
        if found in _CLOSING and self._text[:offset].rstrip().endswith(","):
            return "remove the comma before it"
        if found in {"/", "#"}:
            return "JSON has no comments; remove it"
        if found == "'":
            return "use double quotes"
        if found in _PYTHON_WORDS:
            return f"write {_PYTHON_WORDS[found]}"
        if offset == 0:
            return "if this is YAML, name the file .yaml"
        return _HINTS.get(expected, "")

    def _report_string(self, start: int) -> _Stop:
        """Report what is wrong with a string that does not end."""
        begun = _STRING_BEGUN.match(self._text, start)
        at = begun.end() if begun else start
        if at == len(self._text):
            self._report(start, "not JSON: this string is not closed", 'close it with "')
        elif self._text[at] == "\\":
            found = shorten(format_value(self._text[at : at + 2]))
            hint = "write \\\\ for a backslash"
            self._report(at, f"not JSON: {found} is not an escape", hint)
        else:
            found = json.dumps(self._text[at])
            hint = f"close the string before it, or write it as {found[1:-1]}"
            self._report(
                at, f"not JSON: the character {found} is not allowed inside a string", hint
            )
        return _Stop()

    def _report(self, offset: int, message: str, hint: str = "") -> Maybe:
        line, column = self._find_place(offset)
        self._diagnostics.add(line, column, message, hint=hint, steps=tuple(self._steps))
        return ABSENT
