"""How often Python looks for garbage, which counting references does not find.

What a run makes by the million are trees: pages, tasks, changes. They go as soon as nobody holds
them, and looking through them for cycles each 700 objects takes a tenth of a plan's time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_OBJECTS: Final = 10_000
"""More than a page of 1,000 tasks is made of, so that most are gone before anybody looks."""


def relax_gc() -> None:
    """Look for garbage each ten thousand objects from now on."""
    gc.set_threshold(_OBJECTS, 10, 10)


def freeze_gc() -> None:
    """Exempt all that is there: Python ends with a look through it, which takes it 30 ms.

    What it would find goes with the process.
    """
    gc.freeze()


@contextmanager
def pause_gc() -> Iterator[None]:
    """Look for no garbage: where all is kept to the end, looking takes as long as reading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
