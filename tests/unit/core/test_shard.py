"""Parts of the tasks."""

from __future__ import annotations

import pytest

from reconciler.core.shard import Shard, find_missing_shards, format_shards, parse_shards


def test_the_first_of_three_begins_with_task_three():
    assert [task for task in range(1, 10) if Shard(3, 1).holds(task)] == [3, 6, 9]
    assert [task for task in range(1, 10) if Shard(3, 2).holds(task)] == [1, 4, 7]
    assert [task for task in range(1, 10) if Shard(3, 3).holds(task)] == [2, 5, 8]


@pytest.mark.parametrize(("text", "shard"), [("1/1", Shard(1, 1)), (" 12/64 ", Shard(64, 12))])
def test_a_shard_is_read(text: str, shard: Shard):
    assert Shard.parse(text) == shard
    assert str(shard) == text.strip()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0/3", "expected a shard from 1/3 to 3/3, found '0/3'"),
        ("4/3", "expected a shard from 1/3 to 3/3, found '4/3'"),
        *(
            (text, f"expected K/N, such as 2/4 for the second of four, found {text!r}")
            for text in (
                "x",
                "",
                "1",
                "1/",
                "/3",
                "1/0",
                "-1/3",
                "1/3/4",
                "1.0/3",
                "²/3",
                "1/1000000",
            )
        ),
    ],
)
def test_what_is_no_shard_is_refused(text: str, said: str):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the text is held below
        Shard.parse(text)
    assert str(refused.value) == said


def test_several_shards_are_written_and_read_in_order():
    shards = (Shard(4, 1), Shard(4, 4))
    assert format_shards(shards) == "1/4, 4/4"
    assert parse_shards("1/4, 4/4") == shards


@pytest.mark.parametrize("text", ["4/4, 1/4", "1/4, 1/4", "1/4, 2/3"])
def test_shards_that_are_not_of_one_division_are_refused(text: str):
    with pytest.raises(ValueError, match="expected different shards of one division"):
        parse_shards(text)


def test_what_lacks_is_named():
    assert format_shards(find_missing_shards((Shard(4, 1), Shard(4, 4)))) == "2/4, 3/4"
    assert list(find_missing_shards((Shard(1, 1),))) == []
    assert list(find_missing_shards(())) == []
