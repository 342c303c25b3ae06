"""Problems of manifests as lines; many of one kind are folded into one line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.core.notation import count_noun, escape_invisible
from reconciler.errors import Problem

_SHOWN_MAX: Final = 50
"""Problems of one kind that are shown, unless the user asks for all."""
_VARYING: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[0-9][0-9,.]*')


def format_problems(problems: Sequence[Problem], *, full: bool) -> Iterator[str]:
    """Write a line for each problem, one for those of a kind that are folded, and the total."""
    found: Counter[str] = Counter()
    for problem in problems:
        kind = _describe_kind(problem)
        found[kind] += 1
        if full or found[kind] <= _SHOWN_MAX:
            yield escape_invisible(str(problem))
    for kind, count in found.items():
        if not full and count > _SHOWN_MAX:
            more = count_noun(count - _SHOWN_MAX, "more problem")
            yield f"… and {more} like this: {escape_invisible(kind)} (--full shows all)"
    yield f"{count_noun(len(problems), 'problem')} in the manifests"


def _describe_kind(problem: Problem) -> str:
    """Write a problem without what varies between problems of its kind: values and numbers."""
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return _VARYING.sub("…", text)
