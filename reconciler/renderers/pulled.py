"""What a pull wrote, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.core.notation import count_noun, escape_invisible
from reconciler.core.pull_result import Pulled, Remark

FILES_MAX: Final = 20
"""Files that are listed without ``full``."""

REMARKS_MAX: Final = 20
"""Remarks of one kind that are listed without ``full``."""


def format_pulled(pulled: Pulled, *, full: bool = False) -> str:
    """Write which files there are, what they do not declare, and what to do next."""
    return "".join(f"{escape_invisible(line)}\n" for line in _iterate_lines(pulled, full=full))


def format_remarks(
    *,
    undeclared: Sequence[Remark],
    by_id: Sequence[Remark],
    left_out: Sequence[Remark],
    full: bool = False,
) -> str:
    """Write what a pull or an update does not declare, and why; empty if there is nothing."""
    lines = (
        *_iterate_remarks("Undeclared", undeclared, full=full),
        *_iterate_remarks("Declared by id", by_id, full=full),
        *_iterate_remarks("Left out", left_out, full=full),
    )
    return "".join(f"{escape_invisible(line)}\n" for line in lines)


def _iterate_lines(pulled: Pulled, *, full: bool) -> Iterator[str]:
    files = pulled.files if full else pulled.files[:FILES_MAX]
    for file in files:
        yield f"{file.path}: {count_noun(file.tasks, 'task')}"
    if len(files) < len(pulled.files):
        yield f"and {count_noun(len(pulled.files) - len(files), 'more file')}"
    if not pulled.files:
        yield "Nothing to write."
    yield from _iterate_remarks("Undeclared", pulled.undeclared, full=full)
    yield from _iterate_remarks("Declared by id", pulled.by_id, full=full)
    yield from _iterate_remarks("Left out", pulled.left_out, full=full)
    total = count_noun(pulled.tasks, "task")
    yield f"Pulled {total} of project {pulled.project}."
    yield f"Next: reconciler plan {pulled.folder}"


def _iterate_remarks(title: str, remarks: Sequence[Remark], *, full: bool) -> Iterator[str]:
    if not remarks:
        return
    yield f"{title}:"
    shown = remarks if full else remarks[:REMARKS_MAX]
    for remark in shown:
        at = f"{remark.path}: " if remark.path else ""
        yield f"  {at}{_name_tasks(remark)}: {remark.reason}"
    if len(shown) < len(remarks):
        yield f"  and {count_noun(len(remarks) - len(shown), 'more reason')}"


def _name_tasks(remark: Remark) -> str:
    listed = ", ".join(map(str, remark.examples))
    if remark.tasks == 1:
        return f"task {listed}"
    more = ", ..." if remark.tasks > len(remark.examples) else ""
    return f"{remark.tasks:,} tasks ({listed}{more})"
