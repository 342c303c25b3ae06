"""How many updates to keep in flight; without a clock, so that tests need none.

More updates at once help only while the server gets more done. Some servers complete the same
number per second however many are in flight: then updates wait for one another, and people who
label wait for them. So each step is an experiment, kept if it is worth it and otherwise undone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

FIRST: Final = 4
"""Where a run begins: no measured server got more done with fewer."""

FEWEST: Final = 2
"""Experiments go no lower: with one at a time, the server idles while its response travels."""

WINDOW: Final = 24
"""Fewest responses to measure a rate over: single ones vary far more than a step changes it."""

WORTH: Final = 0.3
"""The share of its best possible gain that a step must reach: 1.3 times the rate for twice the
limit."""

CHANGED: Final = 0.6
"""If the rate falls to this share of the former one, or rises as much, conditions have changed."""

AT_AN_END: Final = 4
"""Windows to stay at the highest or lowest limit before an experiment in the other direction."""

PATIENCE_MAX: Final = 8
"""Windows before the next experiment, at most, after many have failed."""


@dataclass(frozen=True, slots=True)
class UpdateConcurrency:
    """What is known about a server; ``limit`` is how many updates may be in flight now.

    It is immutable: each response makes a new one. A rate is in responses per second with every
    place in use: the limit times the responses, divided by the sum of the seconds for which each
    place was in use. So neither unused places nor updates that never end distort it.
    """

    limit: int
    cap: int
    settling: int
    """Responses to come that say nothing about ``limit``: they began under another limit."""
    pardoned: int = 0
    """Responses to come from updates that were in flight when ``limit`` was halved."""
    counted: int = 0
    seconds: float = 0.0
    """How long all places together were in use in this window, with ``counted`` responses."""
    home: int | None = None
    """The limit to return to if the experiment fails; None if there is no experiment."""
    rate: float = 0.0
    """The rate in the last windows at ``home``, or else at ``limit``; 0 if not known."""
    upward: bool = True
    """Whether the next experiment raises the limit."""
    doubling: bool = True
    """Whether no experiment has failed yet: big steps reach a high limit soon."""
    waited: int = 1
    """Windows since the last experiment."""
    patience: int = 1
    """Windows that must have passed before the next one."""

    @classmethod
    def start(cls, cap: int) -> UpdateConcurrency:
        """Begin low, with at most ``cap``; the first responses include the time to connect."""
        limit = min(FIRST, cap)
        return cls(limit, cap, settling=limit)

    def note_answer(self, seconds: float) -> UpdateConcurrency:
        """Count a response; since the last one, all places together were in use for ``seconds``."""
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
        """Halve the limit, because the server had no room for an update or did not respond.

        Other updates that were in flight will probably fail too: together they count once.
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
    """Begin an experiment if one is due, or if the conditions seem to have changed."""
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
    """Keep the new limit or return home: the higher of the two limits must be worth it."""
    low, high = sorted([(home, known.rate), (known.limit, rate)])
    gain, best_gain = high[1] / low[1] - 1, high[0] / low[0] - 1
    if (gain >= WORTH * best_gain) == (known.limit > home):
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
