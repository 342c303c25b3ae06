from __future__ import annotations

import pytest

from reconciler.core.values import Json
from reconciler.errors import Source
from reconciler.manifest.readers.document import MappedDocument, PackedTasks
from reconciler.manifest.readers.source_map import SourceMap, Steps, count_nodes, list_nodes

# Nodes in the order in which they stand:
#      0  1     2  3   4     5    6  7   8     9   10
VALUE: Json = {"a": [10, {"b": 20}], "c": None, "d": []}
#      {  a     [  10  {     b    20 c   None  d   []


def test_nodes_are_numbered_as_they_stand_each_key_before_its_value():
    assert list_nodes(VALUE, start=0) == {
        (): (0, 0),
        ("a",): (1, 2),
        ("a", 0): (3, 3),
        ("a", 1): (4, 4),
        ("a", 1, "b"): (5, 6),
        ("c",): (7, 8),
        ("d",): (9, 10),
    }
    assert count_nodes(VALUE) == 11


def document(value: Json) -> MappedDocument:
    """A document whose nodes stand in lines of their own."""
    source_map = SourceMap("a.yaml")
    for line in range(count_nodes(value)):
        source_map.add(line, 1)
    return MappedDocument(value, PackedTasks(), source_map)


@pytest.mark.parametrize("around", [VALUE, {"x": VALUE}, {"tasks": [1, VALUE]}, [[], VALUE]])
def test_every_part_of_a_document_is_found(around: Json):
    whole = document(around)
    for steps, (key, value) in list_nodes(around, start=0).items():
        assert whole.locate_key(steps).line == key
        assert whole.locate_value(steps).line == value


@pytest.mark.parametrize(
    "steps", [("x",), ("a", 2), ("a", "0"), ("c", "x"), ("d", 0), ("a", 1, "b", "x"), (0,)]
)
def test_there_is_no_place_for_what_is_not_there(steps: Steps):
    places: list[tuple[Json, Steps]] = [(VALUE, ()), ({"tasks": [VALUE]}, ("tasks", 0))]
    for around, before in places:
        for find in (document(around).locate_value, document(around).locate_key):
            with pytest.raises(LookupError):
                find((*before, *steps))


def test_marks_are_places_in_a_file():
    source_map = SourceMap("a.yaml")
    source_map.add(1, 1)
    source_map.add(4_000_000_000, 3_000_000_000)
    assert source_map.get_source(0) == Source("a.yaml", 1, 1)
    assert source_map.get_source(1) == Source("a.yaml", 4_000_000_000, 3_000_000_000)


def test_marks_can_be_repeated_also_when_they_were_forgotten():
    source_map = SourceMap("a.jsonl")
    for line in (1, 2, 3, 4):
        source_map.add(line, 1)
    places = source_map.copy_since(1)
    source_map.forget(3)
    source_map.repeat(places)
    assert [source_map.get_source(node).line for node in range(len(source_map))] == [
        1,
        2,
        3,
        2,
        3,
        4,
    ]
