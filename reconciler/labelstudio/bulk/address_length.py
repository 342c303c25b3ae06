"""Splitting what an address lists, so that no address gets too long for proxies."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

_Item = TypeVar("_Item")
_COMMA: Final = len("%2C")


def split_by_length(
    items: Iterable[_Item],
    measure: Callable[[_Item], int],
    *,
    length_max: int,
    at_most: int = sys.maxsize,
) -> Iterator[list[_Item]]:
    """Split items into batches of ``at_most``, whose list in an address has ``length_max`` at most.

    ``measure`` returns how many characters an item takes in an address; an item that is longer than
    the limit has a batch of its own.
    """
    batch: list[_Item] = []
    length = 0
    for item in items:
        characters = measure(item) + _COMMA
        if batch and (len(batch) == at_most or length + characters > length_max):
            yield batch
            batch, length = [], 0
        batch.append(item)
        length += characters
    if batch:
        yield batch
