"""How often Python collects the garbage that counting references does not free.

A run creates trees by the million: pages, tasks, changes. They are freed as soon as nothing refers
to them, and to search them for cycles every 700 objects takes a tenth of a plan's time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_OBJECTS: Final = 10_000
"""More than a page of 1,000 tasks consists of, so that most are freed before a collection."""


def relax_gc() -> None:
    """Collect garbage every ten thousand objects from now on."""
    gc.set_threshold(_OBJECTS, 10, 10)


def freeze_gc() -> None:
    """Exempt all objects from the collection with which Python ends: it takes 30 ms.

    The process frees them anyway.
    """
    gc.freeze()


@contextmanager
def pause_gc() -> Iterator[None]:
    """Collect no garbage: where all is kept to the end, collecting takes as long as reading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
