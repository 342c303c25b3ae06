"""JSON lines to one document: the header on the first line, then a task a line."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.manifest.document import Complaints, Document
from reconciler.manifest.json_reader import read_json
from reconciler.plan.values import Json


def read_json_lines(text: str, complaints: Complaints) -> list[Document]:
    """Read the lines as the document that they would be in one piece; empty lines are none."""
    lines = _filled_lines(text)
    first, line = next(lines, (1, ""))
    headers = read_json(line, complaints, first_line=first) if line else []
    if not headers or not isinstance(headers[0].value, dict):
        return headers
    if "tasks" in headers[0].value:
        hint = "the first line is the header alone; each line after it is a task"
        complaints.add(first, 1, "tasks in the header of a .jsonl file", hint=hint)
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


def _filled_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line
