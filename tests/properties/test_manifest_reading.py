"""What the readers of manifests promise of any text, and paths of any keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.core.notation import format_path, parse_path
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document
from reconciler.manifest.readers.json_parser import parse_json
from reconciler.manifest.readers.json_reader import read_json
from reconciler.manifest.readers.jsonl_reader import read_jsonl
from reconciler.manifest.readers.yaml_reader import read_yaml
from tests.properties.documents import MANY, file_of, places
from tests.properties.yaml_texts import mutated


def read_json_bytes(text: str, diagnostics: Diagnostics) -> Sequence[Document]:
    """Read what is UTF-8, as all is that comes to this reader."""
    return read_json(text.encode("utf-8", "replace"), diagnostics)


anything = st.text() | st.text(
    st.sampled_from(list(" \n\t-:?,[]{}#&*!|>'\"%@`\\~<0123456789abne.+_/u$"))
)
decoded = st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))
half = st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@settings(MANY, max_examples=1000)
@given(anything | decoded | half | mutated())
@example("!<%ED%A0%80> x")
@example("!!float 0o14")
@example("0x" + "F" * 5000)
@example("&a [*a]")
@example('"\\ud800"')
@example("[" * 5000)
@example('{"a":' * 5000)
@example('{"tasks": ["\\ud800", 1e400, 1]}')
def test_no_text_makes_a_reader_raise(text: str):
    with file_of(text) as file:
        readers: list[Callable[[Diagnostics], Sequence[Document]]] = [
            *(partial(read, text) for read in (read_yaml, parse_json, read_json_bytes)),
            partial(read_jsonl, file),
        ]
        for read in readers:
            diagnostics = Diagnostics("a")
            assert all(len(places(document)) > 0 for document in read(diagnostics))
            assert all(problem.source.line >= 1 for problem in diagnostics.problems)
            assert all(problem.source.column >= 1 for problem in diagnostics.problems)


@MANY
@given(st.lists(st.text(), min_size=1, max_size=4).map(tuple))
def test_a_path_is_read_back_as_it_was_written(path: tuple[str, ...]):
    assert parse_path(format_path(path)) == path
