"""Reporting what makes a text invalid YAML."""

from __future__ import annotations

import re
from typing import Final

import yaml

from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.foreign_content import recognise_text
from reconciler.manifest.readers.yaml_mistakes import explain_mistake

_NOT_ALLOWED: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML does not allow, and U+0085, U+2028 and U+2029: they end a line in YAML 1.1, which the
parser follows, and are ordinary characters in YAML 1.2, which editors follow."""

_MARK_BEFORE_DOCUMENT: Final = re.compile(r"^\ufeff(?=---(?:\s|$))", re.MULTILINE)
_ESCAPE: Final = re.compile("%[89a-fA-F]")


def report_character(text: str, diagnostics: Diagnostics) -> bool:
    """Report the first character that YAML does not allow unescaped; tell whether there is one."""
    found = _NOT_ALLOWED.search(text)
    if found is None:
        return False
    code = ord(found[0])
    escape = f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - one byte
    hint = f'remove it, or write "{escape}" in double quotes' if code else "remove it"
    at = _get_place(text, found.start())
    diagnostics.add(*at, f"the character U+{code:04X} is not allowed", hint=hint)
    return True


def drop_byte_order_marks(text: str) -> str:
    """Remove the byte order marks before ``---``, where YAML 1.2 allows them and libyaml does not.

    They get there when files are joined.
    """
    return _MARK_BEFORE_DOCUMENT.sub("", text) if "\ufeff" in text else text


def report_escape(text: str, diagnostics: Diagnostics) -> None:
    """Report a tag whose escapes are not UTF-8: the error of PyYAML has no place."""
    found = _ESCAPE.search(text)
    at = _get_place(text, found.start() if found else 0)
    message = "the escapes in this tag are not UTF-8"
    diagnostics.add(*at, message, hint="remove the tag")


def report_syntax(error: yaml.MarkedYAMLError, text: str, diagnostics: Diagnostics) -> None:
    """Report why libyaml stopped: content of another kind, or a mistake."""
    diagnostics.add_mistake(recognise_text(text) or explain_mistake(error, text))


def _get_place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
