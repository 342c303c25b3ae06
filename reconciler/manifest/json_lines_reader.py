"""JSON lines to one document: the header on the first line, then a task a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.manifest.document import Complaints, Document
from reconciler.manifest.json_reader import read_json
from reconciler.plan.values import Json

_NOT_IN_HEADER: Final = (
    ("tasks", "the header of a .jsonl file holds no tasks", "write each on a line of its own"),
    ("id", "the first line is the header, and this is a task", 'begin with {"version": 1}'),
)


def read_json_lines(text: str, complaints: Complaints) -> list[Document]:
    """Read the lines as the document that they would be in one piece; empty lines are none."""
    lines = _filled_lines(text)
    first, line = next(lines, (1, ""))
    headers = read_json(line, complaints, first_line=first) if line else []
    if not headers or not isinstance(headers[0].value, dict):
        return headers
    if _refused(headers[0], headers[0].value, complaints):
        return []
    tasks: list[Json] = []
    marks = headers[0].marks
    marks.add(first + 1, 1)  # the key `tasks`, which nobody wrote
    marks.add(first + 1, 1)
    for number, line in lines:
        steps = ("tasks", len(tasks))
        for document in read_json(line, complaints, first_line=number, steps=steps):
            marks.extend(document.marks)
            tasks.append(document.value)
    return [Document({**headers[0].value, "tasks": tasks}, marks)]


def _refused(document: Document, header: Mapping[str, Json], complaints: Complaints) -> bool:
    """Note a first line that is a task, or a whole manifest, in the place of the header."""
    for key, message, hint in _NOT_IN_HEADER:
        if key in header:
            at = document.key_source((key,))
            complaints.add(at.line, at.column, message, hint=hint, steps=(key,))
            return True
    return False


def _filled_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(" \t\r"):
            yield number, line
