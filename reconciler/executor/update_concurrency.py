"""How many updates are worth having under way at once: pure, so that it is tried without a clock.

More at a time is worth it only while the server gets more done by it. Some servers answer the
same number a second however many they are asked, and then more of them only wait for one another,
and the people who label meanwhile wait for them. So each step is an experiment: it is kept where
what it brings is worth it, and taken back where not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

FIRST: Final = 4
"""Where a run begins: no server that was measured got more done with fewer."""

FEWEST: Final = 2
"""Experiments go no lower: with one at a time a server idles while its answer travels."""

WINDOW: Final = 24
"""Answers over which a rate is taken, at least: single ones vary by far more than a step brings."""

WORTH: Final = 0.3
"""The part of what a step would bring at best that it must bring: twice as many, 1.3 the rate."""

CHANGED: Final = 0.6
"""A rate that falls to this part of what it was, or rises likewise, tells of another server."""

AT_AN_END: Final = 4
"""Windows to stay at the cap, or at the fewest, before trying whether the other way is better."""

PATIENCE_MAX: Final = 8
"""Windows to the next experiment, at most, when many have failed."""


@dataclass(frozen=True, slots=True)
class UpdateConcurrency:
    """What is known of a server: ``limit`` is how many updates may be under way now.

    Each answer makes a new one of it. A rate is in answers a second, if every place is held: the
    limit times the answers, over the sum of the seconds for which each place was held meanwhile.
    So neither places that nobody needed nor updates that never come to an end distort it.
    """

    limit: int
    cap: int
    settling: int
    """Answers still to come that say nothing about ``limit``: they began under another one."""
    pardoned: int = 0
    """Answers still to come of those that were under way when ``limit`` was halved."""
    counted: int = 0
    seconds: float = 0.0
    """For which places were held in this window, in which ``counted`` answers came."""
    home: int | None = None
    """The limit to go back to should the experiment fail; None where none is under way."""
    rate: float = 0.0
    """Of the last windows at ``home``, or else at ``limit``; 0 where it is not known."""
    upward: bool = True
    """Which way the next experiment goes."""
    doubling: bool = True
    """Whether no experiment has failed yet: big steps reach a high cap soon."""
    waited: int = 1
    """Windows since the last experiment."""
    patience: int = 1
    """Windows that must have passed before the next one."""

    @classmethod
    def start(cls, cap: int) -> UpdateConcurrency:
        """Begin low, to have at most ``cap`` at a time; the first to come also have to connect."""
        limit = min(FIRST, cap)
        return cls(limit, cap, settling=limit)

    def note_answer(self, seconds: float) -> UpdateConcurrency:
        """Take in an answer; places were held for ``seconds``, together, since the one before."""
        if self.settling:
            left = max(0, self.pardoned - 1)
            return replace(self, settling=self.settling - 1, pardoned=left)
        taken = replace(self, counted=self.counted + 1, seconds=self.seconds + seconds)
        if taken.counted < max(WINDOW, 2 * self.limit) or not taken.seconds:
            return taken
        rate = self.limit * taken.counted / taken.seconds
        closed = replace(taken, counted=0, seconds=0.0, waited=self.waited + 1)
        return (
            _experiment(closed, rate)
            if self.home is None
            else _end_experiment(closed, self.home, rate)
        )

    def note_overload(self) -> UpdateConcurrency:
        """Take in that the server had no room for an update, or no answer: halve the limit.

        Others that were under way with it are likely to fare alike: they count as one.
        """
        if self.pardoned:
            left = max(0, self.settling - 1)
            return replace(self, pardoned=self.pardoned - 1, settling=left)
        halved = _set_limit(self, max(1, self.limit // 2), home=None, rate=0.0)
        again = self.home is None and not self.waited
        patience = self.patience if again else min(2 * self.patience, PATIENCE_MAX)
        others = self.limit - 1
        return replace(halved, pardoned=others, upward=True, doubling=False, patience=patience)


def _experiment(known: UpdateConcurrency, rate: float) -> UpdateConcurrency:
    """Experiment when it is time to, or when the server seems to have become another one."""
    if known.rate and not CHANGED < rate / known.rate < 1 / CHANGED:
        known = replace(known, upward=rate > known.rate, patience=1)
    elif known.rate:
        rate = (rate + known.rate) / 2
    if known.waited <= known.patience:
        return replace(known, rate=rate)
    limit = _raise_limit(known) if known.upward else _lower_limit(known.limit)
    if limit == known.limit:
        patience = max(known.patience, AT_AN_END)
        return replace(known, rate=rate, upward=not known.upward, waited=0, patience=patience)
    return _set_limit(known, limit, home=known.limit, rate=rate)


def _end_experiment(known: UpdateConcurrency, home: int, rate: float) -> UpdateConcurrency:
    """Stay and take another step, or go home: of two limits the higher one must be worth it."""
    low, high = sorted([(home, known.rate), (known.limit, rate)])
    brought, at_best = high[1] / low[1] - 1, high[0] / low[0] - 1
    if (brought >= WORTH * at_best) == (known.limit > home):
        return _experiment(replace(known, home=None, rate=rate, waited=2, patience=1), rate)
    back = _set_limit(known, home, home=None, rate=known.rate)
    patience = min(2 * known.patience, PATIENCE_MAX)
    return replace(back, upward=not known.upward, doubling=False, patience=patience)


def _set_limit(
    known: UpdateConcurrency, limit: int, *, home: int | None, rate: float
) -> UpdateConcurrency:
    settling = max(limit, known.limit)
    moved = replace(known, limit=limit, settling=settling, home=home, rate=rate)
    return replace(moved, counted=0, seconds=0.0, waited=0)


def _raise_limit(known: UpdateConcurrency) -> int:
    step = known.limit if known.doubling else max(1, known.limit // 2)
    return min(known.limit + step, known.cap)


def _lower_limit(limit: int) -> int:
    return max(limit - max(1, limit // 3), min(FEWEST, limit))
