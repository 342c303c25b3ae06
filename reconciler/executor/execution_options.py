"""How to carry out a plan: the options that the caller chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from reconciler.core.allowances import NOTHING_ALLOWED, Allowances
from reconciler.core.report import TaskOutcome
from reconciler.executor.batches import DEFAULT_LIMITS, BatchLimits
from reconciler.progress import NULL_PROGRESS, ProgressListener

DEFAULT_CONCURRENCY: Final = 8
"""PATCH requests in flight, at most: more of them load a server without making it faster."""

Record: TypeAlias = Callable[[TaskOutcome], None]
"""Receives each outcome as it happens."""


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    """How to carry out a plan. Once ``stop`` is set, nothing new begins.

    At most ``concurrency`` PATCH requests are in flight, and ``rps`` begin per second; None for
    any number. The first ``canary`` tasks must be as declared when they are read again; only then
    do others begin. ``careful`` reads each task just before its update; otherwise several are read
    together, as ``batches`` says.
    """

    allow: Allowances = NOTHING_ALLOWED
    concurrency: int = DEFAULT_CONCURRENCY
    rps: float | None = None
    canary: int = 0
    careful: bool = False
    batches: BatchLimits = DEFAULT_LIMITS
    stop: threading.Event = field(default_factory=threading.Event)
    progress: ProgressListener = NULL_PROGRESS
