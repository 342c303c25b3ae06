"""Finding out how many reads to run at once.

A server with one process, such as `label-studio start`, lists a project a quarter slower with four
requests at a time than with one. A server with N processes is up to N times as fast. A short trial
with two requests at a time shows which kind it is; it costs a server with one process most of the
time of a page. (Label Studio 1.23.2.)
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import inf
from threading import Lock
from typing import Final

AT_ONCE: Final = 4
"""The most reads at once: outside of trials, there are this many or one."""

_TRIED: Final = 2
"""Reads at once in a trial, which shows whether `AT_ONCE` would be faster."""

WORTH: Final = 1.4
"""How many times faster several reads must be: random variation is less."""

TRIAL_AFTER: Final = 4
"""Windows between trials; only one comes before the first trial. After each trial that finds no
gain, there are four times as many."""

_TRIAL_AFTER_GROWS: Final = 4

ENOUGH: Final = 2 * AT_ONCE
"""Fewest reads to come for a trial: a window for the trial, and one to profit from it."""

RELUCTANCE: Final = 3
"""Windows before a trial if fewer reads are to come, as in small projects. A trial costs a
server with one process most of the time of a page, which must be little compared to all reads."""


@dataclass(frozen=True, slots=True)
class ReadProbe:
    """What is known about a server: ``limit`` is how many reads may run at once now.

    It is pure, so tests need no clock: each response makes a new probe. The time of a response is
    measured over a window of `AT_ONCE` responses, as Label Studio takes twice as long for every
    other page, and averaged with the window before. If a trial measures less, the older value is
    dropped: a single late response may have caused it.
    """

    began: float
    """When this window began, in seconds."""
    limit: int = 1
    alone: float = 0.0
    """Seconds per response with one read at a time; 0 if not known."""
    together: float = 0.0
    """Seconds per response with several reads at a time; 0 if not known."""
    settling: int = 0
    """Responses to ignore: their requests began when more ran at once."""
    counted: int = 0
    """Responses in this window so far."""
    trying: bool = False
    """Whether this window is a trial, whose end decides the limit."""
    waited: int = 0
    """Windows since the last decision."""
    trial_after: int = 1
    """Windows until the next trial."""

    def begin_elsewhere(self, now: float) -> ReadProbe:
        """Begin reads of another project at ``now``, whose pages may take more or less time.

        A trial that has not ended does not count.
        """
        limit = _get_limit_before(self.limit) if self.trying else self.limit
        return ReadProbe(now, limit=limit, waited=self.waited, trial_after=self.trial_after)

    def note_answer(self, now: float, left: float = inf) -> ReadProbe:
        """Note a response at ``now``, with ``left`` more to come."""
        if self.settling:
            return replace(self, settling=self.settling - 1, began=now)
        counted = self.counted + 1
        if counted < AT_ONCE:
            return replace(self, counted=counted)
        seconds = (now - self.began) / counted
        closed = replace(self, counted=0, began=now, waited=self.waited + 1)
        if self.limit == 1:
            return _begin_window(replace(closed, alone=self._average(self.alone, seconds)), left)
        return _begin_window(replace(closed, together=self._average(self.together, seconds)), left)

    def _average(self, before: float, now: float) -> float:
        if not before or (self.trying and now < before):
            return now
        return (before + now) / 2


def _begin_window(probe: ReadProbe, left: float) -> ReadProbe:
    """Decide after a trial, or begin a trial of the other limit if one is due."""
    if probe.trying:
        better = AT_ONCE if WORTH * probe.together <= probe.alone else 1
        was_better = (better == 1) == (probe.limit == 1)
        trial_after = TRIAL_AFTER if was_better else probe.trial_after * _TRIAL_AFTER_GROWS
        return replace(_set_limit(probe, better), trying=False, trial_after=trial_after)
    worth_it = left >= ENOUGH or (left >= AT_ONCE and probe.waited >= RELUCTANCE)
    if probe.waited < probe.trial_after or not worth_it:
        return probe
    return replace(_set_limit(probe, _TRIED if probe.limit == 1 else 1), trying=True)


def _get_limit_before(limit: int) -> int:
    """Return the limit before a trial that runs with ``limit``."""
    return AT_ONCE if limit == 1 else 1


def _set_limit(probe: ReadProbe, limit: int) -> ReadProbe:
    settling = max(0, probe.limit - limit)
    return replace(probe, limit=limit, settling=settling, waited=0)


class ReadConcurrency:
    """How many reads a run has at once; what one list shows about the server serves the next.

    A run begins with one at a time, unless a ``probe`` says otherwise.
    """

    def __init__(self, probe: ReadProbe | None = None) -> None:
        self._probe = probe or ReadProbe(time.monotonic())
        self._lock = Lock()

    @property
    def limit(self) -> int:
        """How many reads may run at once now."""
        return self._probe.limit

    def begin(self) -> None:
        """Begin to read another list."""
        with self._lock:
            self._probe = self._probe.begin_elsewhere(time.monotonic())

    def note_answer(self, *, left: float) -> None:
        """Note a response, with ``left`` more reads to come."""
        with self._lock:
            self._probe = self._probe.note_answer(time.monotonic(), left)
