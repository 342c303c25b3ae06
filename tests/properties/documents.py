"""Values to write, and what documents say of them: for all that reads manifests."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from reconciler.core.values import Json
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document, MappedDocument
from reconciler.manifest.readers.jsonl_reader import LineFile
from reconciler.manifest.readers.source_map import Steps

Places: TypeAlias = dict[tuple[Steps, str], tuple[int, int]]
"""By steps and "key" or "value": line and column."""

MANY = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
parts: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)


lists_of_tasks: st.SearchStrategy[dict[str, Json]] = st.fixed_dictionaries(
    {"version": scalars, "tasks": st.lists(parts, max_size=3)}
)
values: st.SearchStrategy[Json] = parts | lists_of_tasks


def strict(value: Json) -> str:
    """Write a value such that 1, 1.0 and true, and 0.0 and -0.0, differ."""
    return json.dumps(value, sort_keys=True)


def only(documents: Sequence[Document], diagnostics: Diagnostics) -> Document:
    assert diagnostics.problems == []
    (document,) = documents
    return document


def whole(document: Document) -> Json:
    """Give what a document says, its tasks in their place."""
    if isinstance(document, MappedDocument):
        return document.assemble()
    assert isinstance(document.outline, dict)
    return {**document.outline, "tasks": [task for _, task, _ in document.read_tasks()]}


def places(document: Document) -> Places:
    return dict(_places(document, whole(document), ()))


def _places(
    document: Document, value: Json, steps: Steps
) -> Iterator[tuple[tuple[Steps, str], tuple[int, int]]]:
    source = document.locate_value(steps)
    yield (steps, "value"), (source.line, source.column)
    children = value.items() if isinstance(value, dict) else ()
    for key, inner in children:
        source = document.locate_key((*steps, key))
        yield ((*steps, key), "key"), (source.line, source.column)
        yield from _places(document, inner, (*steps, key))
    for index, inner in enumerate(value if isinstance(value, list) else ()):
        yield from _places(document, inner, (*steps, index))


@contextmanager
def file_of(text: str) -> Iterator[LineFile]:
    """Put text into a file: what is read of lines is looked up there again."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(text.encode("utf-8", "surrogateescape"))
        yield LineFile(Path(file.name))
