"""A declared path that does not exist, beside a key whose name is spelled like it, with dots."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.core.flat_keys import find_flat_key
from reconciler.core.paths import Path
from reconciler.core.values import Json

CONTEXT = ("data", "llm", "inputs", "ctx")


@pytest.mark.parametrize(
    ("data", "flat"),
    [
        ({"llm.inputs.ctx": 1}, ("data", "llm.inputs.ctx")),
        ({"llm": {"inputs.ctx": 1}}, ("data", "llm", "inputs.ctx")),
        ({"llm.inputs": {"ctx": 1}}, ("data", "llm.inputs", "ctx")),
        ({"llm.inputs": 1, "llm": {"inputs.ctx": None}}, ("data", "llm", "inputs.ctx")),
    ],
)
def test_a_key_with_dots_is_found(data: Json, flat: Path) -> None:
    assert find_flat_key({"data": data}, CONTEXT) == flat


@pytest.mark.parametrize(
    "data",
    [{}, None, "llm.inputs.ctx", {"llm": 1}, {"llm.inputs": 1}, {"inputs.ctx": 1}, {"data.llm": 1}],
)
def test_another_key_is_not(data: Json) -> None:
    assert find_flat_key({"data": data}, CONTEXT) == ()


def test_an_attribute_or_a_key_without_dots_has_no_other_spelling() -> None:
    assert find_flat_key({"data": {"a": 1}, "data.a": 1}, ("data",)) == ()
    assert find_flat_key({"data": {"b": 1}, "data.a": 1}, ("data", "a")) == ()


@given(st.lists(st.lists(st.sampled_from("ab"), min_size=1).map(".".join), min_size=1))
def test_every_way_to_join_keys_is_found(joined: list[str]) -> None:
    flat = ("data", *joined)
    path = ("data", *".".join(joined).split("."))
    assume(path != flat)
    value: Json = 1
    for key in reversed(joined):
        value = {key: value}
    assert find_flat_key({"data": value}, path) == flat
