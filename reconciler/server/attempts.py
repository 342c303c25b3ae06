"""Waiting between attempts: until told to stop, and for all threads where that is asked for."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Final, TypeAlias

from reconciler.errors import NotSent, ServerError
from reconciler.server.retrying import TRIES_ODD, Pauses, Tries, asks_too_much
from reconciler.watch import NOBODY, Watch

PATIENCE: Final = 180.0
"""Seconds of pauses, together, after which one request is given up."""

Wait: TypeAlias = Callable[[float], bool]
"""Waits for so many seconds; True where told to stop before that."""


class Patience:
    """What all requests to one server share: how pauses are waited for, and who is told of them.

    ``wait`` and ``watch`` may be replaced while nothing is under way. ``now`` is a clock in
    seconds, ``draw`` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
        pauses: Pauses | None = None,
    ) -> None:
        # Not time.sleep: one kind of wait, that an interrupt ends at once.
        self.wait: Wait = threading.Event().wait
        self.watch: Watch = NOBODY
        self.now = now
        self.answered = False
        self._draw = draw
        self._pauses = pauses or Pauses()
        self._welcome_from = 0.0

    @property
    def welcome_from(self) -> float:
        """Since when, by ``now``, or from when on requests are welcome; 0 where they always were.

        A server that asks for a pause means all threads.
        """
        return self._welcome_from

    def until_welcome(self) -> bool:
        """Wait for as long as the server asked for; False where told to stop before."""
        if not self._welcome_from:
            return True
        while (left := self._welcome_from - self.now()) > 0:
            if self.wait(left):
                return False
        return True

    def pause(self, attempt: int, error: ServerError) -> float:
        """Tell how long to wait after an attempt; a pause that was asked for begins for all."""
        asked = error.retry_after
        if asked:
            self._welcome_from = max(self._welcome_from, self.now() + asked)
        return self._pauses.after(attempt, asked, drawn=self._draw())


class Attempts:
    """The attempts at one request, in one thread."""

    def __init__(self, patience: Patience, tries: Tries) -> None:
        self._patience = patience
        self._tries = tries
        self._made = 0
        self._waited = 0.0

    def another_after(self, error: ServerError) -> bool:
        """Wait for the next attempt; False where none is worth it, or where told to stop."""
        self._made += 1
        if self._made >= self._most(error):
            return False
        seconds = self._patience.pause(self._made, error)
        self._waited += seconds
        if self._waited > PATIENCE:
            return False
        self._patience.watch.detail(f"{error.message}; asking again in {seconds:.1f} s")
        return not self._patience.wait(seconds)

    def _most(self, error: ServerError) -> int:
        if asks_too_much(error):
            return 1
        most = self._tries(error)
        # What has never answered is more likely not there than on its way back.
        first_contact = isinstance(error, NotSent) and not self._patience.answered
        return min(most, TRIES_ODD) if first_contact else most
