"""Which texts in data are stored addresses, and which of them a later read has lost."""

from __future__ import annotations

import pytest

from reconciler.core.addresses import find_lost_addresses, find_undeclared_addresses
from reconciler.core.values import ABSENT, Json
from tests.unit.core.building import change

STORED = [
    "s3://bucket/x.jpg",
    "gs://bucket/x",
    "azure-blob://container/x",
    "/data/upload/7/x.jpg",
    "/data/local-files/?d=x.jpg",
    '<img src="s3://bucket/x.jpg"/>',
]
NOT_STORED = [
    "",
    "A sentence.",
    "https://example.org/x.jpg",
    "http://example.org/?next=1",
    "data:image/jpeg;base64,AAAA",
    "/tasks/10/resolve/?fileuri=czM6Ly9i",
    "either/or",
    "ratio 1://",
]


@pytest.mark.parametrize("text", STORED)
def test_addresses_of_storages_and_of_the_server_itself_are_stored_ones(text: str):
    live: dict[str, Json] = {"data": {"image": text, "n": 1}}
    assert find_undeclared_addresses(live, [change("data.n", 1, 2)]) == (("data", "image"),)


@pytest.mark.parametrize("text", NOT_STORED)
def test_other_texts_are_none(text: str):
    live: dict[str, Json] = {"data": {"image": text, "n": 1}}
    assert find_undeclared_addresses(live, [change("data.n", 1, 2)]) == ()


def test_where_data_is_not_sent_no_address_is_lost():
    live: dict[str, Json] = {"data": {"image": "A picture.", "n": 1}}
    known = [("data", "image")]
    assert list(find_lost_addresses(known, live, [change("overlap", 1, 2)])) == []
    assert list(find_lost_addresses(known, live, [change("data.n", 1, 2)])) == [
        (("data", "image"), "A picture.")
    ]


def test_a_long_text_is_looked_through_once():
    live: dict[str, Json] = {"data": {"a": "ab" * 500_000 + "://x"}}
    assert find_undeclared_addresses(live, [change("data.n", 1, 2)]) == (("data", "a"),)


def test_an_address_beside_a_large_value_that_changes_is_found():
    boxes: list[Json] = [{"x": n} for n in range(1_000)]
    live: dict[str, Json] = {
        "data": {"boxes": boxes, "image": "s3://b/1", "deep": [[["/data/upload/x"]]]}
    }
    assert find_undeclared_addresses(live, [change("data.boxes", boxes, [])]) == (
        ("data", "image"),
        ("data", "deep", "0", "0", "0"),
    )


def test_addresses_inside_lists_and_objects_are_named_by_index_and_key():
    live: dict[str, Json] = {
        "data": {"pages": [{"image": "s3://b/1"}, {"image": "s3://b/2"}], "n": 1}
    }
    assert find_undeclared_addresses(live, [change("data.n", 1, 2)]) == (
        ("data", "pages", "0", "image"),
        ("data", "pages", "1", "image"),
    )


@pytest.mark.parametrize("path", ["data", "data.a", "data.a.image"])
def test_what_is_changed_is_not_sent_along(path: str):
    live: dict[str, Json] = {"data": {"a": {"image": "s3://b/1"}}}
    assert find_undeclared_addresses(live, [change(path, None, None)]) == ()


def test_where_data_does_not_change_none_of_it_is_sent():
    live: dict[str, Json] = {"data": {"image": "s3://b/1"}}
    assert find_undeclared_addresses(live, [change("overlap", 1, 2), change("meta.a", 1, 2)]) == ()


@pytest.mark.parametrize(
    ("now", "lost"),
    [
        ({"image": "data:image/png;base64,AAAA"}, True),
        ({"image": "https://bucket.example.org/x?signature=1"}, True),
        ({"image": "s3://bucket/another.jpg"}, False),
        ({"image": None}, False),
        ({}, False),
    ],
)
def test_an_address_is_lost_where_another_kind_of_text_stands_in_its_place(
    now: dict[str, Json], *, lost: bool
):
    found = list(find_lost_addresses([("data", "image")], {"data": now}, [change("data.n", 1, 2)]))
    assert found == ([(("data", "image"), now["image"])] if lost else [])


def test_an_address_that_is_changed_or_removed_is_not_lost():
    live: dict[str, Json] = {"data": {"image": "data:image/png;base64,AAAA"}}
    removed = change("data.image", "s3://b/1", ABSENT)
    assert list(find_lost_addresses([("data", "image")], live, [removed])) == []
