"""What keeps a text from being YAML, before anybody knows what it says."""

from __future__ import annotations

import re
from typing import Final

import yaml

from reconciler.manifest.readers.diagnostics import Diagnostics

_NOT_ALLOWED: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML does not allow, and U+0085, U+2028 and U+2029: these end a line in YAML 1.1, which the
parser speaks, and are like letters in YAML 1.2, which editors speak."""

_SYNTAX_HINTS: Final = (
    ("mapping values are not allowed", 'quote a text with ": " in it'),
    ("scanning an alias", "quote a text that begins with *"),
    ("invalid Unicode character escape", "write the character itself"),
    ("unknown escape", "write \\\\ for a backslash, or use single quotes"),
)
_ESCAPE: Final = re.compile("%[89a-fA-F]")


def report_character(text: str, diagnostics: Diagnostics) -> bool:
    """Note the first character that may not stand in YAML as it is; tell whether there is one."""
    found = _NOT_ALLOWED.search(text)
    if found is None:
        return False
    code = ord(found[0])
    escape = f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - one byte
    hint = f'remove it, or write "{escape}" in double quotes' if code else "remove it"
    at = _get_place(text, found.start())
    diagnostics.add(*at, f"the character U+{code:04X} is not allowed", hint=hint)
    return True


def report_escape(text: str, diagnostics: Diagnostics) -> None:
    """Note a tag whose escapes are not UTF-8; the parser passes them on, and says not where."""
    found = _ESCAPE.search(text)
    at = _get_place(text, found.start() if found else 0)
    message = "not YAML: the escapes in this tag are not UTF-8"
    diagnostics.add(*at, message, hint="manifests hold plain data only")


def report_syntax(error: yaml.MarkedYAMLError, text: str, diagnostics: Diagnostics) -> None:
    """Note where the parser gave up, and what it said."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    begun = error.context_mark.line + 1 if error.context_mark else line
    since = f"that begins on line {begun}" if begun != line else ""
    message = " ".join(filter(None, (error.context, since, error.problem)))
    found = text.splitlines()[line - 1 : line]
    hint = _make_syntax_hint(message, found[0][column - 1 : column] if found else "")
    diagnostics.add(line, column, f"not YAML: {message}", hint=hint)


def _make_syntax_hint(message: str, found: str) -> str:
    """Tell what to do about the slips that are common, by what the parser said."""
    if "cannot start any token" in message:
        tab = found == "\t"
        return (
            "indent with spaces, not with tabs" if tab else f"quote a text that begins with {found}"
        )
    return next((hint for words, hint in _SYNTAX_HINTS if words in message), "mend the YAML here")


def _get_place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
