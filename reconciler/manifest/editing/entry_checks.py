"""Checks of entries before they are written: they must pass what every manifest must pass."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.contract.attributes import Attributes
from reconciler.core.values import Json
from reconciler.errors import ManifestError, Problem
from reconciler.manifest.loader import load_values
from reconciler.manifest.readers.document import Document

_ENTRY: Final = re.compile(r"tasks\[(\d+)\]")


def find_invalid_entries(
    document: Document, entries: Sequence[Mapping[str, Json]], attributes: Attributes
) -> dict[int, Problem]:
    """Return the first problem of each new entry of a document, by its position in ``entries``."""
    outline = document.outline if isinstance(document.outline, dict) else {}
    header = {name: value for name, value in outline.items() if name not in {"tasks", "rules"}}
    try:
        load_values(header, entries, attributes, name="entries")
    except ManifestError as error:
        found: dict[int, Problem] = {}
        for problem in error.problems:
            found.setdefault(_find_position(problem), problem)
        return found
    return {}


def _find_position(problem: Problem) -> int:
    """Return the position of the entry with a problem; its place may be that of the defaults."""
    named = _ENTRY.match(problem.path)
    return int(named[1]) if named else problem.source.line - 1
