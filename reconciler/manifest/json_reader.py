"""JSON text to documents, with the place of every node.

JSON is read as JSON and not as the YAML that it nearly is: YAML's parser refuses the
surrogate pairs with which JSON writers escape characters beyond the basic plane.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Final

from reconciler.manifest.document import MAX_DEPTH, Complaints, Document, text_problem
from reconciler.manifest.marks import Marks, Steps
from reconciler.manifest.scalars import integer, real
from reconciler.plan.notation import shortened, value_text
from reconciler.plan.values import ABSENT, Json, Maybe

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_TOKEN: Final = re.compile(
    r"""(?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")
      | (?P<real>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))
      | (?P<integer>-?(?:0|[1-9][0-9]*))
      | (?P<word>[A-Za-z_+-][A-Za-z0-9_+-]*)
      | (?P<mark>[][{}:,])""",
    re.VERBOSE,
)
_WORDS: Final[dict[str, Json]] = {"null": None, "true": True, "false": False}


class _Stop(Exception):
    """Nothing after this can be read; the complaint is made."""


def read_json(
    text: str, complaints: Complaints, *, first_line: int = 1, steps: Steps = ()
) -> list[Document]:
    """Read one document, which stands at ``steps`` and starts on ``first_line`` of its file."""
    reader = _Reader(text, complaints, first_line=first_line, steps=steps)
    try:
        value = reader.document()
    except _Stop:
        return []
    return [] if value is ABSENT else [Document(value, reader.marks)]


class _Reader:
    """A recursive descent over the tokens of a text."""

    def __init__(self, text: str, complaints: Complaints, *, first_line: int, steps: Steps) -> None:
        self.marks = Marks(complaints.file)
        self._text = text
        self._complaints = complaints
        self._first_line = first_line
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._steps: list[str | int] = [*steps]
        self._at = 0

    def document(self) -> Maybe:
        value = self._value(*self._token())
        self._skip_space()
        if self._at < len(self._text):
            self._complain(self._at, "text after the end of the document", "one document a file")
        return value

    def _token(self) -> tuple[str, str, int]:
        """Take the next token: its kind, its text, and where it starts."""
        self._skip_space()
        start = self._at
        found = _TOKEN.match(self._text, start)
        if not found:
            raise self._syntax_error(start, "a value")
        self._at = found.end()
        return str(found.lastgroup), found[0], start

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _value(self, kind: str, text: str, start: int) -> Maybe:
        self._mark(start)
        if kind == "mark" and text in "[{":
            if len(self._steps) >= MAX_DEPTH:
                self._complain(start, f"objects and lists nested more than {MAX_DEPTH} deep")
                raise _Stop
            return self._object() if text == "{" else self._array()
        if kind == "string":
            return self._string(text, start)
        if kind == "word" and text in _WORDS:
            return _WORDS[text]
        if kind in {"integer", "real"}:
            try:
                return integer(text) if kind == "integer" else real(text)
            except ValueError as error:
                message, hint = error.args
                return self._complain(start, message, hint)
        if text in {"NaN", "Infinity", "-Infinity"}:
            return self._complain(start, f"{text} is no number that JSON has", "")
        raise self._syntax_error(start, "a value")

    def _string(self, text: str, start: int) -> Maybe:
        value: str = json.loads(text)
        problem = text_problem(value)
        return self._complain(start, *problem) if problem else value

    def _object(self) -> Maybe:
        result: dict[str, Json] = {}
        lines: dict[str, int] = {}
        kind, text, start = self._token()
        while text != "}":
            before = len(self.marks)
            key = self._key(kind, text, start, lines)
            self._expect(":")
            self._steps.append(key if isinstance(key, str) else "?")
            value = self._value(*self._token())
            self._steps.pop()
            if isinstance(key, str) and value is not ABSENT:
                result[key] = value
            else:
                self.marks.forget(before)
            if self._expect(",", "}") == "}":
                break
            kind, text, start = self._token()
            if text == "}":
                raise self._syntax_error(start, "a key")
        return result

    def _key(self, kind: str, text: str, start: int, lines: dict[str, int]) -> Maybe:
        if kind != "string":
            raise self._syntax_error(start, "a key in double quotes")
        self._mark(start)
        key = self._string(text, start)
        if not isinstance(key, str):
            return key
        if key in lines:
            found = shortened(value_text(key))
            hint = f"first on line {lines[key]}; keep one"
            return self._complain(start, f"the key {found} stands twice", hint)
        lines[key] = self._place(start)[0]
        return key

    def _array(self) -> Maybe:
        result: list[Json] = []
        token = self._token()
        while token[1] != "]":
            before = len(self.marks)
            self._steps.append(len(result))
            value = self._value(*token)
            self._steps.pop()
            if value is ABSENT:
                self.marks.forget(before)
            else:
                result.append(value)
            if self._expect(",", "]") == "]":
                break
            token = self._token()
            if token[1] == "]":
                raise self._syntax_error(token[2], "a value")
        return result

    def _expect(self, *marks: str) -> str:
        self._skip_space()
        if self._text[self._at : self._at + 1] not in marks:
            raise self._syntax_error(self._at, " or ".join(map(repr, marks)))
        self._at += 1
        return self._text[self._at - 1]

    def _mark(self, offset: int) -> None:
        self.marks.add(*self._place(offset))

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, offset)
        return line - 1 + self._first_line, offset - self._line_starts[line - 1] + 1

    def _syntax_error(self, offset: int, expected: str) -> _Stop:
        found = _TOKEN.match(self._text, offset)
        rest = found[0] if found else self._text[offset : offset + 1]
        said = f"found {shortened(value_text(rest))}" if rest else "the text ends here"
        self._complain(offset, f"not JSON: expected {expected}, {said}", "mend the JSON here")
        return _Stop()

    def _complain(self, offset: int, message: str, hint: str = "") -> Maybe:
        line, column = self._place(offset)
        self._complaints.add(line, column, message, hint=hint, steps=tuple(self._steps))
        return ABSENT
