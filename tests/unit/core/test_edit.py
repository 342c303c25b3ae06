"""The body of an update: whole attributes, with nothing lost that nobody declared."""

from __future__ import annotations

import pytest

from reconciler.core.edit import apply_changes
from reconciler.core.model import Change
from reconciler.core.values import ABSENT, Json
from tests.unit.core.building import change

LIVE: dict[str, Json] = {"data": {"z": 1, "a": {"b": [1], "c": None}}, "meta": None, "overlap": 1}


def test_changes_of_one_attribute_become_one_object_in_the_order_read():
    body = apply_changes(LIVE, [change("data.a.c", None, 2), change("data.new", ABSENT, 3)])
    assert list(body) == ["data"]
    assert str(body["data"]) == "{'z': 1, 'a': {'b': [1], 'c': 2}, 'new': 3}"


def test_attributes_that_do_not_change_are_not_sent():
    assert apply_changes(LIVE, [change("overlap", 1, 2)]) == {"overlap": 2}
    assert apply_changes(LIVE, []) == {}


def test_a_key_can_go_and_what_was_read_stays_as_it_was():
    assert apply_changes(LIVE, [change("data.a.b", [1], ABSENT)]) == {
        "data": {"z": 1, "a": {"c": None}}
    }
    assert LIVE["data"] == {"z": 1, "a": {"b": [1], "c": None}}


def test_a_whole_attribute_can_be_replaced_and_changed_further():
    changes = [change("meta", None, {"a": 1}), change("meta.b", ABSENT, 2)]
    assert apply_changes(LIVE, changes) == {"meta": {"a": 1, "b": 2}}


@pytest.mark.parametrize(
    ("impossible", "kind", "said"),
    [
        (change("overlap", 1, ABSENT), ValueError, "an attribute cannot be removed: overlap"),
        (
            change("meta.a", ABSENT, 1),
            TypeError,
            "cannot change 'a' inside a value that is not an object",
        ),
        (
            change("none.a", ABSENT, 1),
            TypeError,
            "cannot change 'a' inside a value that is not an object",
        ),
        (
            change("data.z.b", ABSENT, 1),
            TypeError,
            "cannot change 'b' inside a value that is not an object",
        ),
        (
            change("data.n.b", ABSENT, 1),
            TypeError,
            "cannot change 'b' inside a value that is not an object",
        ),
    ],
)
def test_what_cannot_be_is_a_mistake_of_the_caller(
    impossible: Change, kind: type[Exception], said: str
):
    with pytest.raises(kind, match=f"^{said}$"):
        apply_changes(LIVE, [impossible])


def test_many_keys_of_one_object_change_and_what_was_read_stays_as_it_was():
    wide: Json = {f"k{n}": n for n in range(300)}
    live: dict[str, Json] = {"data": {"w": wide, "z": {"a": 1}}}
    changes = [change(f"data.w.k{n}", n, n + 1) for n in range(300)]
    body = apply_changes(live, [*changes, change("data.w.k0", 1, ABSENT)])
    assert body == {"data": {"w": {f"k{n}": n + 1 for n in range(1, 300)}, "z": {"a": 1}}}
    assert wide == {f"k{n}": n for n in range(300)}


def test_a_declared_value_is_not_changed_by_a_change_inside_it():
    declared: Json = {"a": 1}
    changes = [change("meta", None, declared), change("meta.b", ABSENT, 2)]
    assert apply_changes(LIVE, changes) == {"meta": {"a": 1, "b": 2}}
    assert declared == {"a": 1}
