from __future__ import annotations

import pytest

from reconciler.errors import Source
from reconciler.manifest.marks import Marks, Steps, key_node_of, node_of
from reconciler.plan.values import Json

# Nodes in the order in which they stand:
#      0  1     2  3   4     5    6  7   8     9   10
VALUE: Json = {"a": [10, {"b": 20}], "c": None, "d": []}
#      {  a     [  10  {     b    20 c   None  d   []


@pytest.mark.parametrize(
    ("steps", "node"),
    [
        ((), 0),
        (("a",), 2),
        (("a", 0), 3),
        (("a", 1), 4),
        (("a", 1, "b"), 6),
        (("c",), 8),
        (("d",), 10),
    ],
)
def test_the_node_of_a_value_is_found_by_counting(steps: Steps, node: int):
    assert node_of(VALUE, steps) == node


@pytest.mark.parametrize(
    ("steps", "node"),
    [((), 0), (("a",), 1), (("a", 1), 4), (("a", 1, "b"), 5), (("c",), 7), (("d",), 9)],
)
def test_the_node_of_a_key_stands_before_its_value_and_an_element_has_none(steps: Steps, node: int):
    assert key_node_of(VALUE, steps) == node


@pytest.mark.parametrize(
    "steps", [("x",), ("a", 2), ("a", "0"), ("c", "x"), ("d", 0), ("a", 1, "b", "x"), (0,)]
)
def test_there_is_no_node_for_what_is_not_there(steps: Steps):
    for find in (node_of, key_node_of):
        with pytest.raises(LookupError):
            find(VALUE, steps)


def test_marks_are_places_in_a_file():
    marks = Marks("a.yaml")
    marks.add(1, 1)
    marks.add(4_000_000_000, 3_000_000_000)
    assert marks.source(0) == Source("a.yaml", 1, 1)
    assert marks.source(1) == Source("a.yaml", 4_000_000_000, 3_000_000_000)


def test_marks_can_be_forgotten_repeated_and_joined():
    marks, other = Marks("a.jsonl"), Marks("a.jsonl")
    for line in (1, 2, 3, 4):
        marks.add(line, 1)
    marks.forget(3)
    marks.repeat(1, 3)
    other.add(9, 1)
    marks.extend(other)
    assert [marks.source(node).line for node in range(len(marks))] == [1, 2, 3, 2, 3, 9]
