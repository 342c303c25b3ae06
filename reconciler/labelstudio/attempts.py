"""Waiting between attempts: until told to stop, and for all threads where that is asked for."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Final

from reconciler.errors import ServerError, Unreachable
from reconciler.labelstudio.retry import TRIES, TRIES_ODD, Pauses, Tries
from reconciler.progress import NULL_PROGRESS, ProgressListener

PATIENCE: Final = 180.0
"""Seconds of pauses, together, after which one request is given up."""


class Backoff:
    """What all requests to one server share: how pauses are waited for, and who is told of them.

    ``progress`` is told why something is sent again; ``answered`` tells whether the server ever did
    answer. ``now`` is a clock in seconds, ``draw`` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
        pauses: Pauses | None = None,
    ) -> None:
        self.progress: ProgressListener = NULL_PROGRESS
        self.now = now
        self.answered = False
        self._draw = draw
        self._pauses = pauses or Pauses()
        self._stop = threading.Event()
        self._welcome_from = 0.0
        self._paused_until = 0.0

    def until(self, stop: threading.Event) -> None:
        """End all pauses once ``stop`` is set."""
        self._stop = stop

    def wait(self, seconds: float) -> bool:
        """Wait for so many seconds; True where told to stop before that."""
        return self._stop.wait(seconds)

    def wait_between(self, least: float, most: float) -> bool:
        """Wait for a time drawn from a range, in seconds; True where told to stop before that."""
        return self.wait(least + (most - least) * self._draw())

    @property
    def paused_until(self) -> float:
        """When, by ``now``, the last pause of any thread ends or has ended; 0 before the first."""
        return self._paused_until

    def until_welcome(self) -> bool:
        """Wait for as long as the server asked for, by which it means all threads.

        False where told to stop before.
        """
        if not self._welcome_from:
            return True
        while (left := self._welcome_from - self.now()) > 0:
            # Not all at the same moment.
            if self.wait(left + self._pauses.first * self._draw()):
                return False
        return True

    def pause(self, attempt: int, error: ServerError) -> float:
        """Tell how long to wait after an attempt; a pause that was asked for begins for all."""
        asked = error.retry_after
        if asked:
            self._welcome_from = max(self._welcome_from, self.now() + asked)
        seconds = self._pauses.after(attempt, asked, drawn=self._draw())
        self._paused_until = max(self._paused_until, self.now() + seconds)
        return seconds


class Attempts:
    """The attempts at one request, in one thread."""

    def __init__(self, backoff: Backoff, tries: Tries) -> None:
        self._backoff = backoff
        self._tries = tries
        self._made: list[int] = []
        self._waited = 0.0

    def another_after(self, error: ServerError) -> bool:
        """Wait for the next attempt; False where none is worth it, or where told to stop."""
        self._made.append(error.status)
        # Each kind of failure has its attempts: a 500 after a 502 may as well pass.
        if self._made.count(error.status) >= self._most(error) or len(self._made) >= TRIES:
            return False
        seconds = self._backoff.pause(len(self._made), error)
        self._waited += seconds
        if self._waited > PATIENCE:
            return False
        self._backoff.progress.detail(f"{error.message}; asking again in {seconds:.1f} s")
        return not self._backoff.wait(seconds)

    def _most(self, error: ServerError) -> int:
        most = self._tries(error)
        # What has never answered is more likely not there than on its way back.
        first_contact = isinstance(error, Unreachable) and not self._backoff.answered
        return min(most, TRIES_ODD) if first_contact else most
