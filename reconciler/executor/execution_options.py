"""How a plan is to be carried out: what the caller decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from reconciler.core.model import Kind
from reconciler.core.report import TaskOutcome
from reconciler.executor.batches import DEFAULT_LIMITS, BatchLimits
from reconciler.progress import NULL_PROGRESS, ProgressListener

DEFAULT_CONCURRENCY: Final = 8
"""PATCHes under way at once, at most: beyond it a server is loaded more than it is sped up."""

Record: TypeAlias = Callable[[TaskOutcome], None]
"""Gets each outcome as it happens."""


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    """How to carry a plan out. ``stop`` set means: start nothing new.

    Up to ``concurrency`` PATCHes are under way at once, and ``rps`` are begun a second; None: any
    number. The first ``canary`` tasks must hold when they are read again, before others are begun.
    ``careful`` reads each task just before its update, and not several of them at once; otherwise
    ``batches`` says how many are read together.
    """

    allow: frozenset[Kind] = frozenset()
    concurrency: int = DEFAULT_CONCURRENCY
    rps: float | None = None
    canary: int = 0
    careful: bool = False
    batches: BatchLimits = DEFAULT_LIMITS
    stop: threading.Event = field(default_factory=threading.Event)
    progress: ProgressListener = NULL_PROGRESS
