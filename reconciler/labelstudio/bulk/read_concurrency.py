"""How many reads are worth having under way at once.

A server that answers from one process, as `label-studio start` does, lists a project a quarter
slower with four requests at a time than with one; one that answers from several processes is up
to as many times faster. A few answers tell which of the two it is: of two at a time, which cost the
former most of a page more. (Label Studio 1.23.2.)
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import inf
from threading import Lock
from typing import Final

AT_ONCE: Final = 4
"""Reads under way at once, at most: there are as many, or there is one."""

_TRIED: Final = 2
"""How many are tried, to find out whether all would be faster."""

WORTH: Final = 1.4
"""How many times faster more must be: what varies by itself is less."""

TRIAL_AFTER: Final = 4
"""Windows before the other way is tried, after one for the first trial; each time that it was no
better, four times as many."""

_TRIAL_AFTER_GROWS: Final = 4

ENOUGH: Final = 2 * AT_ONCE
"""Reads to come from which on a trial is begun: a window for it, and one for what it finds."""

RELUCTANCE: Final = 3
"""Windows before a trial with fewer to come, as in each of many small projects: it costs a server
of one process what most of a page takes, which is to be little beside all that was read."""


@dataclass(frozen=True, slots=True)
class ReadProbe:
    """What is known of a server: ``limit`` is how many reads may be under way now.

    It is pure, so that it is tried without a clock: each answer makes a new one of it. What an
    answer takes is measured over a window of `AT_ONCE` of them, as Label Studio takes twice as long
    for every other page, and halfway between that and the window before. Where a trial finds less,
    what was known is forgotten: it may have been one answer that was late.
    """

    began: float
    """When this window did, in seconds."""
    limit: int = 1
    alone: float = 0.0
    """Seconds an answer takes with one at a time; 0 where that is not known."""
    together: float = 0.0
    """Seconds from one answer to the next with more at a time."""
    settling: int = 0
    """Answers still to come that say nothing: they began when there were more."""
    counted: int = 0
    """Answers in this window so far."""
    trying: bool = False
    """Whether the end of this window decides where to stay."""
    waited: int = 0
    """Windows since that was decided."""
    trial_after: int = 1
    """Windows until it is put to the test."""

    def begin_elsewhere(self, now: float) -> ReadProbe:
        """Begin other reads at ``now``, as of another project: they take another time each.

        A trial that has not come to its end was none.
        """
        limit = _get_other_limit(self.limit) if self.trying else self.limit
        return ReadProbe(now, limit=limit, waited=self.waited, trial_after=self.trial_after)

    def note_answer(self, now: float, left: float = inf) -> ReadProbe:
        """Take in that an answer came at ``now``, and that so many more are ``left`` to come."""
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
    """Decide what has been tried, or try the other way when it is time to."""
    if probe.trying:
        better = AT_ONCE if WORTH * probe.together <= probe.alone else 1
        was_better = (better == 1) == (probe.limit == 1)
        trial_after = TRIAL_AFTER if was_better else probe.trial_after * _TRIAL_AFTER_GROWS
        return replace(_set_limit(probe, better), trying=False, trial_after=trial_after)
    worth_it = left >= ENOUGH or (left >= AT_ONCE and probe.waited >= RELUCTANCE)
    if probe.waited < probe.trial_after or not worth_it:
        return probe
    return replace(_set_limit(probe, _TRIED if probe.limit == 1 else 1), trying=True)


def _get_other_limit(limit: int) -> int:
    """Tell where a trial was begun that is at ``limit``."""
    return AT_ONCE if limit == 1 else 1


def _set_limit(probe: ReadProbe, limit: int) -> ReadProbe:
    settling = max(0, probe.limit - limit)
    return replace(probe, limit=limit, settling=settling, waited=0)


class ReadConcurrency:
    """How many reads all lists of a run have: what was learned from one of them serves the next.

    A run begins with one at a time, unless a ``probe`` says otherwise.
    """

    def __init__(self, probe: ReadProbe | None = None) -> None:
        self._probe = probe or ReadProbe(time.monotonic())
        self._lock = Lock()

    @property
    def limit(self) -> int:
        """How many reads may be under way now."""
        return self._probe.limit

    def begin(self) -> None:
        """Begin to read another list."""
        with self._lock:
            self._probe = self._probe.begin_elsewhere(time.monotonic())

    def note_answer(self, *, left: float) -> None:
        """Take in that an answer came, with so many reads ``left``."""
        with self._lock:
            self._probe = self._probe.note_answer(time.monotonic(), left)
