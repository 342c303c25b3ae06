"""Batches whose list in an address stays short enough for proxies."""

from __future__ import annotations

import pytest

from reconciler.labelstudio.bulk.address_length import split_by_length


@pytest.mark.parametrize(
    ("items", "at_most", "batches"),
    [
        ([], 9, []),
        (["a", "b", "c"], 2, [["a", "b"], ["c"]]),
        (["a", "b", "c", "d"], 9, [["a", "b", "c"], ["d"]]),
        (["aaaaaaaaaaaa", "b", "c"], 9, [["aaaaaaaaaaaa"], ["b", "c"]]),
    ],
    ids=["nothing", "by count", "by length, with commas", "one that is too long"],
)
def test_items_are_split_in_their_order(items: list[str], at_most: int, batches: list[list[str]]):
    assert list(split_by_length(items, len, length_max=12, at_most=at_most)) == batches
