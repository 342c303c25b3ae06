"""Content that is not a manifest, recognised by what is typical of it.

Nothing here runs for a manifest that can be parsed: callers ask once parsing has failed, or once
the whole text turned out to be a single string.
"""

from __future__ import annotations

import re
from typing import Final

from reconciler.core.values import Json
from reconciler.manifest.readers.diagnostics import Mistake

_LFS_POINTER: Final = "version https://git-lfs.github.com/"
_CONFLICT: Final = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?=[ \r\n]|$)", re.MULTILINE)
_CSV: Final = re.compile(r"""[\w"'][\w"' ./-]*(?:[,;\t][\w"'][\w"' ./-]*)+\r?(?:\n|$)""")
"""The header of a table: two names or more on the first line, separated without spaces."""

_TEMPLATE_MARKS: Final = ("{{", "{%", "{#")

_LFS: Final = (
    "this is a Git LFS pointer, not the file itself",
    "run git lfs pull to get the file",
)
_UNRESOLVED: Final = (
    "unresolved merge conflict",
    "keep the right lines, and remove those that begin with <<<<<<<, ======= and >>>>>>>",
)
_ROWS: Final = (
    "write a .yaml file with version: 1 and tasks:, and below tasks: each row as a task, such as "
    '"- {id: 101, overlap: 2}"'
)
_TABLE: Final = ("this looks like CSV, and CSV is not a manifest", _ROWS)

_TABLE_SUFFIXES: Final = (".csv", ".tsv", ".xlsx", ".xls", ".ods")
_MOVE_IT: Final = "move it out of the folder of the manifests"
_AROUND_JSON: Final = 'write {"version": 1, "tasks": LIST}, with the list in place of LIST'
_ABOVE_YAML: Final = "write version: 1 first, and put the list below a line tasks:"


def recognise_text(text: str) -> Mistake | None:
    """Recognise a text that is not YAML, or only one YAML string; None if it is not known."""
    if text.startswith(_LFS_POINTER):
        return Mistake(1, 1, *_LFS)
    conflict = _CONFLICT.search(text)
    if conflict:
        return Mistake(text.count("\n", 0, conflict.start()) + 1, 1, *_UNRESOLVED)
    return Mistake(1, 1, *_TABLE) if _CSV.match(text) else None


def recognise_at(text: str, offset: int) -> tuple[str, str] | None:
    """Tell what stands at ``offset``, where a JSON parser gave up: a message and a hint."""
    if text.startswith(_LFS_POINTER, offset):
        return _LFS
    if _CONFLICT.match(text, offset):
        return _UNRESOLVED
    if offset == 0 and _CSV.match(text):
        return _TABLE
    return recognise_template(text, offset) or recognise_template(text, offset - 1)


def recognise_template(text: str, offset: int) -> tuple[str, str] | None:
    """Tell whether a template mark stands at ``offset``: a message and a hint, or None."""
    mark = text[offset : offset + 2] if offset >= 0 else ""
    if mark not in _TEMPLATE_MARKS:
        return None
    return (
        f"found the template mark {mark} outside of quotes",
        "render the template first, or quote a text that contains it",
    )


def recognise_name(path: str) -> tuple[str, str] | None:
    """Tell by its name what a file is that is not a manifest: a message and a hint, or None."""
    if path.lower().endswith(_TABLE_SUFFIXES):
        return "a table is not a manifest", _ROWS
    return None


def recognise_value(value: Json, *, is_json: bool = False) -> tuple[str, str] | None:
    """Tell what a document is that the schema refuses: a message and a hint, or None.

    Known are saved plans, reports, and lists of tasks without a header. ``is_json`` is whether the
    document is JSON, in which a header is written otherwise.
    """
    if isinstance(value, dict) and "format_version" in value and "version" not in value:
        if value.get("kind") == "report":
            hint = f"read it with reconciler show, or {_MOVE_IT}"
            return "this is a report, not a manifest", hint
        if "digest" in value:
            hint = (
                f"read it with reconciler show, carry it out with reconciler apply, or {_MOVE_IT}"
            )
            return "this is a saved plan, not a manifest", hint
    if isinstance(value, list) and any(
        isinstance(element, dict) and not element.keys().isdisjoint({"id", "data"})
        for element in value
    ):
        return (
            "this is a list of tasks without a header",
            _AROUND_JSON if is_json else _ABOVE_YAML,
        )
    return None
