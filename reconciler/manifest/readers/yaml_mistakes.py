"""What is wrong with a text that libyaml refuses: its terse messages, turned into advice.

libyaml says what it expected next and where it stopped. A writer wants to know where the mistake
is, which often lies before that place. The messages are those of libyaml 0.2.5 and 0.2.6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import yaml

from reconciler.core.notation import escape_invisible, format_value, shorten
from reconciler.manifest.readers.diagnostics import Mistake
from reconciler.manifest.readers.document import MAX_DEPTH
from reconciler.manifest.readers.foreign_content import recognise_template

_KEY: Final = re.compile(
    r"""(?P<indent>[ ]*(?:-[ ]+)*)
        (?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\#\[\]{}-][^:]*?)[ ]*:(?:[ ]|$)""",
    re.VERBOSE,
)
_COLON: Final = re.compile(r":\s")
_GLUED: Final = re.compile(r"-(?P<key>[^\s:{}\[\]-][^:{}\[\]]*):(?:\s|$)")
"""An element of a list whose dash has no space after it: ``-id: 101``."""
_ELEMENT: Final = re.compile(r"-(?:\s|$)")
_ENDS_OF_VALUES: Final = ('"', "'", "]", "}")
"""Last characters of values that are not unquoted texts."""

_QUOTE_IT: Final = "put the text in quotes"
_COLON_IN_TEXT: Final = 'an unquoted text cannot contain ": "'
_NO_TABS: Final = ("a tab is not allowed here", "indent with spaces, not with tabs")
_NO_COLON: Final = (
    "expected a colon and a space after this key",
    "write key: value, or indent the line if it continues the text above",
)
_NO_SPACE: Final = "a space is missing after -"
_BACKSLASH: Final = "write \\\\ for a backslash, or use single quotes"
_DIRECTIVE: Final = (
    "not a valid YAML directive",
    "remove the line: a manifest needs no directives",
)
_TAG: Final = ("an unquoted ! begins a tag, and this is not a valid one", _QUOTE_IT)
_BYTE_ORDER_MARK: Final = (
    "a byte order mark (U+FEFF) in the middle of the file",
    "remove this invisible character; were two files joined here?",
)
_TOO_DEEP: Final = f"objects and lists nested more than {MAX_DEPTH} deep"
_UNKNOWN: Final = ("not YAML from here on", "check the quotes, brackets and indentation")


class _Place(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int


class _Key(NamedTuple):
    """A key, and its place."""

    line: int
    column: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} on line {self.line}"


@dataclass(frozen=True, slots=True)
class _Failure:
    """Where libyaml stopped (``at``), and where the part that it was reading begins."""

    lines: Sequence[str]
    part: str
    begin: _Place
    at: _Place

    @property
    def line(self) -> str:
        """The line on which it stopped."""
        return self.get_line(self.at.line)

    @property
    def found(self) -> str:
        """The character at which it stopped; none at the end of a line."""
        return self.line[self.at.column - 1 : self.at.column]

    @property
    def is_first_in_line(self) -> bool:
        """Whether only spaces are before the place where it stopped."""
        return not self.line[: self.at.column - 1].strip(" ")

    @property
    def is_at_end(self) -> bool:
        """Whether it stopped because the text, or the document, ends."""
        rest = (self.line[self.at.column - 1 :], *self.lines[self.at.line :])
        return self.line.startswith(("---", "...")) or not any(map(str.strip, rest))

    def get_line(self, number: int) -> str:
        """Return a line by its number, without its end; empty past the last one."""
        return self.lines[number - 1] if number <= len(self.lines) else ""

    def list_keys_above(self) -> Iterator[_Key]:
        """List the keys above that the line may line up with, the innermost first."""
        inner = None
        for number in range(self.at.line - 1, 0, -1):
            found = _KEY.match(self.get_line(number))
            column = found.end("indent") + 1 if found else 0
            if found and (inner is None or column < inner):
                inner = column
                yield _Key(number, column, shorten(escape_invisible(found["key"]), 40))


_Explain: TypeAlias = Callable[[_Failure], Mistake]


def explain_mistake(error: yaml.MarkedYAMLError, text: str) -> Mistake:
    """Say what is wrong with ``text``, where, and what to do, without libyaml's own words."""
    at = _get_place(error.problem_mark or error.context_mark)
    begin = _get_place(error.context_mark) if error.context_mark else at
    failure = _Failure(text.splitlines(), error.context or "", begin, at)
    if failure.line.startswith("\ufeff"):
        return Mistake(at.line, 1, *_BYTE_ORDER_MARK)
    return _EXPLANATIONS.get(str(error.problem), _here(*_UNKNOWN))(failure)


def _get_place(mark: object) -> _Place:
    return _Place(getattr(mark, "line", 0) + 1, getattr(mark, "column", 0) + 1)


def _here(message: str, hint: str) -> _Explain:
    return lambda failure: Mistake(*failure.at, message, hint)


def _at_beginning(message: str, hint: str) -> _Explain:
    return lambda failure: Mistake(*failure.begin, message, hint)


def _explain_character(failure: _Failure) -> Mistake:
    if failure.found == "\t":
        return Mistake(*failure.at, *_NO_TABS)
    template = recognise_template(failure.line, failure.at.column - 2)
    if template:
        return Mistake(failure.at.line, failure.at.column - 1, *template)
    return Mistake(*failure.at, f"an unquoted text cannot begin with {failure.found}", _QUOTE_IT)


def _explain_no_colon(failure: _Failure) -> Mistake:
    line = failure.get_line(failure.begin.line)
    template = recognise_template(line, failure.begin.column - 1)
    glued = None if template else _explain_glued_dash(failure, failure.begin.line)
    return glued or Mistake(*failure.begin, *(template or _NO_COLON))


def _explain_glued_dash(failure: _Failure, number: int) -> Mistake | None:
    """Explain a line that begins with a dash and a key, without a space between them."""
    line = failure.get_line(number)
    glued = _GLUED.match(line.strip())
    if not glued:
        return None
    hint = f'write "- {shorten(escape_invisible(glued["key"]), 40)}: ..."'
    return Mistake(number, _get_indent(line), _NO_SPACE, hint)


def _explain_colon(failure: _Failure) -> Mistake:
    """Explain a colon that YAML does not allow: it saw one text where two keys were meant."""
    before = failure.line[: failure.at.column - 1]
    if _COLON.search(before) or _ELEMENT.match(before.strip()):
        return Mistake(*failure.at, _COLON_IN_TEXT, _QUOTE_IT)
    numbers = range(failure.at.line - 1, 0, -1)
    above = next((number for number in numbers if failure.get_line(number).strip()), 0)
    glued = _explain_glued_dash(failure, above or failure.at.line)
    if glued:
        return glued
    if above and not _KEY.match(failure.get_line(above)):
        return Mistake(above, _get_indent(failure.get_line(above)), *_NO_COLON)
    return _explain_indentation(failure)


def _explain_indentation(failure: _Failure) -> Mistake:
    if glued := _explain_glued_dash(failure, failure.at.line):
        return glued
    column = _get_indent(failure.line)
    keys = list(failure.list_keys_above())
    if not keys:
        message = "expected an element of the list above"
        return Mistake(failure.at.line, column, message, 'begin it with "- "')
    keys.sort(key=lambda key: (abs(key.column - column), -key.column))
    hint = f"line this up with {' or '.join(map(str, keys[:2]))}"
    return Mistake(failure.at.line, column, "wrong indentation", hint)


def _explain_end_of_block(failure: _Failure) -> Mistake:
    """Explain what ends an object or a list without belonging to what is around it."""
    if not failure.is_first_in_line:
        return _explain_rest(failure)
    is_element = _ELEMENT.match(failure.line.strip())
    if is_element and failure.part == "while parsing a block mapping":
        above = range(failure.at.line - 1, 0, -1)
        other = next((n for n in above if _ELEMENT.match(failure.get_line(n).strip())), None)
        hint = f"line this up with the dash on line {other}" if other else "put it below its key"
        return Mistake(*failure.at, "expected a key, found an element of a list", hint)
    return _explain_indentation(failure)


def _explain_rest(failure: _Failure) -> Mistake:
    rest = shorten(format_value(failure.line[failure.at.column - 1 :]))
    before = failure.line[: failure.at.column - 1].rstrip()[-1:]
    inside = {
        "'": "quote the whole value, and write '' for a quote inside it",
        '"': 'quote the whole value, and write \\" for a quote inside it',
    }
    hint = inside.get(before, "quote the whole value")
    return Mistake(*failure.at, f"expected the end of the value, found {rest}", hint)


def _explain_brackets(kind: str, closing: str) -> _Explain:
    def explain(failure: _Failure) -> Mistake:
        first = failure.get_line(failure.begin.line)
        template = recognise_template(first, failure.begin.column - 1)
        if template:
            return Mistake(*failure.begin, *template)
        before = failure.line[: failure.at.column - 1].rstrip()
        is_second_colon = failure.found == ":" and _COLON.search(before)
        if is_second_colon and not before.endswith(_ENDS_OF_VALUES):
            hint = f"{_QUOTE_IT}; or if two keys are meant, put a comma between them"
            return Mistake(*failure.at, _COLON_IN_TEXT, hint)
        is_end = failure.is_at_end or _begins_next_element(failure)
        if is_end or (failure.found == ":" and not is_second_colon):
            return Mistake(*failure.begin, f"this {kind} is not closed", f"close it with {closing}")
        rest = shorten(format_value(failure.line[failure.at.column - 1 :]))
        return Mistake(
            *failure.at,
            f"expected a comma or {closing}, found {rest}",
            "put a text with brackets, braces or commas in quotes",
        )

    return explain


def _begins_next_element(failure: _Failure) -> bool:
    """Tell whether a line after the opening bracket is an element beside the one that it is in."""
    limit = _get_indent(failure.get_line(failure.begin.line))
    lines = map(failure.get_line, range(failure.begin.line + 1, failure.at.line + 1))
    return any(_get_indent(line) <= limit and _ELEMENT.match(line.strip()) for line in lines)


def _explain_no_value(failure: _Failure) -> Mistake:
    if failure.is_at_end or not failure.found:
        hint = "close the bracket or brace that is still open"
        return Mistake(*failure.at, "expected a value, found the end of the text", hint)
    if failure.part == "while parsing a flow node":
        message = f"expected a value, found {failure.found}"
        return Mistake(*failure.at, message, "add the value, or quote the text")
    return Mistake(*failure.at, f"an unquoted text cannot begin with {failure.found}", _QUOTE_IT)


def _explain_no_document(failure: _Failure) -> Mistake:
    above = [line for line in failure.lines[: failure.at.line - 1] if line.strip()]
    if above and above[0].startswith("%"):
        number = failure.lines.index(above[0]) + 1
        return Mistake(number, 1, *_DIRECTIVE)
    if above and above[0].startswith(" "):
        return _explain_indentation(failure)
    return Mistake(
        *failure.at, "text after the end of the document", "begin another document with ---"
    )


def _explain_open_quote(failure: _Failure) -> Mistake:
    quote = failure.get_line(failure.begin.line)[failure.begin.column - 1]
    return Mistake(*failure.begin, "this quote is not closed", f"close it with {quote}")


def _explain_escape(failure: _Failure) -> Mistake:
    found = failure.line[failure.at.column - 1 : failure.at.column + 1]
    shown = escape_invisible(found)
    return Mistake(*failure.at, f"{shown} is not an escape in double quotes", _BACKSLASH)


def _explain_name(failure: _Failure) -> Mistake:
    mark, kind = ("*", "an alias") if "alias" in failure.part else ("&", "an anchor")
    message = f"an unquoted {mark} begins {kind}, and this is not a valid one"
    return Mistake(*failure.begin, message, _QUOTE_IT)


def _explain_behind_mark(failure: _Failure) -> Mistake:
    """Explain text after the mark of a block, a directive or a tag, on the same line."""
    if "block scalar" in failure.part:
        return Mistake(
            *failure.at,
            "expected the text after | or > on the next line",
            "move it there, or quote a text that begins with | or >",
        )
    return Mistake(*failure.begin, *(_DIRECTIVE if "directive" in failure.part.lower() else _TAG))


_EXPLANATIONS: Final[dict[str, _Explain]] = {
    # Messages of libyaml's scanner.
    "found character that cannot start any token": _explain_character,
    "found a tab character that violates indentation": _here(*_NO_TABS),
    "found a tab character where an indentation space is expected": _here(*_NO_TABS),
    "could not find expected ':'": _explain_no_colon,
    "mapping values are not allowed in this context": _explain_colon,
    "block sequence entries are not allowed in this context": _here(
        '"- " is not allowed here',
        'begin a list on a line of its own, or quote a text that begins with "- "',
    ),
    "mapping keys are not allowed in this context": _here(
        '"? " is not allowed here', 'quote a text that begins with "? "'
    ),
    "found unexpected ':'": _here(
        "a colon needs a space after it here", 'write ": ", or quote the text'
    ),
    "did not find expected alphabetic or numeric character": _explain_name,
    "did not find expected comment or line break": _explain_behind_mark,
    "did not find expected whitespace or line break": _explain_behind_mark,
    "did not find expected whitespace": _explain_behind_mark,
    "did not find expected tag URI": _explain_behind_mark,
    "did not find URI escaped octet": _explain_behind_mark,
    "did not find expected '!'": _explain_behind_mark,
    "found an incorrect leading UTF-8 octet": _explain_behind_mark,
    "found an incorrect trailing UTF-8 octet": _explain_behind_mark,
    "did not find the expected '>'": _at_beginning(*_TAG),
    "found unknown directive name": _at_beginning(*_DIRECTIVE),
    "could not find expected directive name": _at_beginning(*_DIRECTIVE),
    "found unexpected non-alphabetical character": _at_beginning(*_DIRECTIVE),
    "did not find expected version number": _at_beginning(*_DIRECTIVE),
    "did not find expected digit or '.' character": _at_beginning(*_DIRECTIVE),
    "found extremely long version number": _at_beginning(*_DIRECTIVE),
    "found an indentation indicator equal to 0": _here(
        "a text after | or > cannot be indented by 0", "write | or > without the 0"
    ),
    "found unexpected end of stream": _explain_open_quote,
    "found unexpected document indicator": _explain_open_quote,
    "found unknown escape character": _explain_escape,
    "did not find expected hexdecimal number": _here(
        "\\x, \\u and \\U need 2, 4 and 8 hexadecimal digits", _BACKSLASH
    ),
    "found invalid Unicode character escape code": _here(
        "this escape is not a character", "write the character itself"
    ),
    "exceeded maximum nesting depth": _here(_TOO_DEEP, ""),
    # Messages of libyaml's parser.
    "did not find expected <document start>": _explain_no_document,
    "found incompatible YAML document": _here(
        "this document asks for another version of YAML", _DIRECTIVE[1]
    ),
    "found duplicate %YAML directive": _here("duplicate directive", _DIRECTIVE[1]),
    "found duplicate %TAG directive": _here("duplicate directive", _DIRECTIVE[1]),
    "found undefined tag handle": _at_beginning(*_TAG),
    "did not find expected node content": _explain_no_value,
    "did not find expected key": _explain_end_of_block,
    "did not find expected '-' indicator": _explain_end_of_block,
    "did not find expected ',' or ']'": _explain_brackets("list", "]"),
    "did not find expected ',' or '}'": _explain_brackets("object", "}"),
}
"""By libyaml's message: how to explain it."""


def _get_indent(line: str) -> int:
    """Return the column at which the text of a line begins."""
    return len(line) - len(line.lstrip(" ")) + 1
