"""How often Python's garbage collector searches for reference cycles.

A run creates millions of objects: pages, tasks, changes. Reference counting frees them, and
searching them for cycles every 700 objects takes a tenth of a plan's time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_OBJECTS: Final = 10_000
"""More than a page of 1,000 tasks has, so that most are freed before a collection."""


def relax_gc() -> None:
    """Collect garbage only every ten thousand objects."""
    gc.set_threshold(_OBJECTS, 10, 10)


def freeze_gc() -> None:
    """Skip the collection at the end of Python, which takes 30 ms.

    The operating system frees the memory anyway.
    """
    gc.freeze()


@contextmanager
def pause_gc() -> Iterator[None]:
    """Collect no garbage: if all objects stay alive, collecting takes as long as reading them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
