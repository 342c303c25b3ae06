"""What to send again after a fault: one table for single reads, lists and updates.

A row says how often a request of each kind is sent, whether the server may have stored an update
that failed in this way, and what follows for the rest of the run. `Backoff` waits between attempts,
`Attempts` counts them.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from reconciler.errors import NotLabelStudio, NotSent, ServerError, TimedOut, Unreachable
from reconciler.progress import NULL_PROGRESS, ProgressListener

ATTEMPTS_MAX: Final = 5
"""Most attempts at one request, whatever happens; their pauses take about 20 seconds."""

RETRY_AFTER_MAX: Final = 60.0
"""The longest wait, in seconds, that a server may ask for; asking for more is an error."""

PAUSES_MAX: Final = 180.0
"""Seconds of pauses, in total, after which one request is given up."""


class RequestKind(StrEnum):
    """The kinds of request that differ in how often they are sent."""

    READ = "read"
    """A read of one resource, or the exchange of a token."""
    DIVISIBLE_LIST = "divisible list"
    """Requests for parts of it may succeed even if repeating it would not."""
    SMALL_LIST = "small list"
    """Too small to cause a fault, unless a task in it does."""
    LARGER_PAGE = "larger page"
    """After a fault, it is replaced by pages like the first, without another attempt. It is
    repeated only if the server asks to wait: then its size is not the cause."""
    UPDATE = "update"
    PROBE = "probe"
    """A question that the run can do without: sent once, whatever happens."""


class Fault(StrEnum):
    """What happened to a request, in the words of `docs/semantics.md`."""

    GIVEN_UP = "it cannot be sent: see below"
    ASKS_TOO_LONG = "a response with a Retry-After of more than 60 seconds"
    NOT_SENT = "connection refused, also by a proxy"
    LOST = "connection dropped"
    TIMED_OUT = "no complete response within --timeout"
    REQUEST_TIMEOUT = "408"
    TOO_MANY_REQUESTS = "429"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    ODD = "200 with a page, with JSON that is cut off, or about another task"
    UNAUTHORISED = "401"
    REFUSED = "400, 403, 404, redirects and all others below 500"
    OTHER = "all others, such as a response that is too large"


class Stored(StrEnum):
    """Whether an update may have been carried out although it failed."""

    NO = "no"
    """It is sent again unchanged."""
    PERHAPS = "perhaps"
    """The task is read before the update is sent again."""
    REFUSED = "refused"
    AS_ANSWERED = "as answered"
    """The row of the fault behind it decides."""


class Consequence(StrEnum):
    """What happens to other tasks after an update has been given up."""

    GO_ON = "go on"
    SUSPECT = "stop, if three in a row"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """What to do after a fault.

    ``attempts`` includes the first one. ``unanswered`` is the most attempts if the server has never
    responded: it may not exist. ``crowded`` tells that the server, or the connection to it, cannot
    take as many requests at once.
    """

    attempts: Mapping[RequestKind, int]
    stored: Stored
    consequence: Consequence
    crowded: bool = False
    unanswered: int = ATTEMPTS_MAX


def _build_row(
    *attempts: int,
    stored: Stored,
    then: Consequence = Consequence.SUSPECT,
    crowded: bool = False,
    unanswered: int = ATTEMPTS_MAX,
) -> RetryPolicy:
    """Build a row from the ``attempts`` for each kind of request, in the order of the kinds."""
    return RetryPolicy(
        attempts=MappingProxyType(dict(zip(RequestKind, (*attempts, 1), strict=True))),
        stored=stored,
        consequence=then,
        crowded=crowded,
        unanswered=unanswered,
    )


_NO, _PERHAPS, _REFUSED = Stored.NO, Stored.PERHAPS, Stored.REFUSED
_STOP, _GO_ON = Consequence.STOP, Consequence.GO_ON

RETRY_POLICIES: Final[Mapping[Fault, RetryPolicy]] = MappingProxyType(
    {
        # Attempts for: a read, a divisible list, a small list, a larger page, an update.
        Fault.GIVEN_UP: _build_row(1, 1, 1, 1, 1, stored=Stored.AS_ANSWERED, then=_STOP),
        Fault.ASKS_TOO_LONG: _build_row(1, 1, 1, 1, 1, stored=Stored.AS_ANSWERED, then=_STOP),
        Fault.NOT_SENT: _build_row(
            5, 5, 5, 1, 5, stored=_NO, then=_STOP, crowded=True, unanswered=3
        ),
        Fault.LOST: _build_row(5, 5, 5, 1, 5, stored=_PERHAPS, crowded=True, unanswered=3),
        # Each attempt may take the whole --timeout.
        Fault.TIMED_OUT: _build_row(2, 1, 2, 1, 2, stored=_PERHAPS, crowded=True),
        Fault.REQUEST_TIMEOUT: _build_row(5, 5, 5, 5, 5, stored=_PERHAPS, crowded=True),
        Fault.TOO_MANY_REQUESTS: _build_row(5, 5, 5, 5, 5, stored=_NO, crowded=True),
        # Most of these are caused by the request, and remain.
        Fault.SERVER_ERROR: _build_row(2, 1, 1, 2, 2, stored=_PERHAPS, then=_GO_ON),
        # The server restarts, or the list is too large for it.
        Fault.BAD_GATEWAY: _build_row(5, 2, 5, 5, 5, stored=_PERHAPS, crowded=True),
        Fault.UNAVAILABLE: _build_row(5, 5, 5, 5, 5, stored=_PERHAPS, crowded=True),
        Fault.GATEWAY_TIMEOUT: _build_row(5, 1, 5, 5, 5, stored=_PERHAPS, crowded=True),
        # Temporary, or the address is wrong.
        Fault.ODD: _build_row(3, 3, 3, 1, 3, stored=_PERHAPS),
        Fault.UNAUTHORISED: _build_row(1, 1, 1, 1, 1, stored=_REFUSED, then=_STOP),
        Fault.REFUSED: _build_row(1, 1, 1, 1, 1, stored=_REFUSED, then=_GO_ON),
        Fault.OTHER: _build_row(1, 1, 1, 1, 1, stored=_PERHAPS, then=_GO_ON),
    }
)

_BY_STATUS: Final[Mapping[int, Fault]] = {
    HTTPStatus.UNAUTHORIZED: Fault.UNAUTHORISED,
    HTTPStatus.REQUEST_TIMEOUT: Fault.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS: Fault.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR: Fault.SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY: Fault.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE: Fault.UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: Fault.GATEWAY_TIMEOUT,
}


def classify_fault(error: ServerError) -> Fault:
    """Return the fault that an error stands for."""
    if error.given_up:
        return Fault.GIVEN_UP
    if asks_too_long(error.retry_after):
        return Fault.ASKS_TOO_LONG
    return _classify_answer(error)


def _classify_answer(error: ServerError) -> Fault:
    if isinstance(error, NotSent):
        return Fault.NOT_SENT
    if isinstance(error, TimedOut):
        return Fault.TIMED_OUT
    if isinstance(error, Unreachable):
        return Fault.LOST
    if error.status in _BY_STATUS:
        return _BY_STATUS[error.status]
    if HTTPStatus.MULTIPLE_CHOICES <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Fault.REFUSED
    good = HTTPStatus.OK <= error.status < HTTPStatus.MULTIPLE_CHOICES
    return Fault.ODD if good and isinstance(error, NotLabelStudio) else Fault.OTHER


def count_attempts(error: ServerError, kind: RequestKind) -> int:
    """Return the most attempts at a request that failed with an error, the first one included."""
    if kind is RequestKind.LARGER_PAGE and error.retry_after is None:
        return 1
    return RETRY_POLICIES[classify_fault(error)].attempts[kind]


def is_transient(error: ServerError) -> bool:
    """Tell whether to send an update again after an error."""
    return count_attempts(error, RequestKind.UPDATE) > 1


def is_never_stored(error: ServerError) -> bool:
    """Tell whether the server certainly did not process an update that failed with this error."""
    return _get_policy_of_answer(error).stored is Stored.NO


def is_perhaps_stored(error: ServerError) -> bool:
    """Tell whether the server may have stored an update that failed with this error."""
    return not error.given_up and _get_policy_of_answer(error).stored is Stored.PERHAPS


def is_crowded(error: ServerError) -> bool:
    """Tell whether an error suggests that there are too many requests at once."""
    return _get_policy_of_answer(error).crowded


def is_about_server(error: ServerError) -> bool:
    """Tell whether an error concerns the server, or the connection to it, and not one task."""
    return RETRY_POLICIES[classify_fault(error)].consequence is not Consequence.GO_ON


def ends_run(error: ServerError) -> bool:
    """Tell whether every other request would fail too, after all attempts at this one."""
    return RETRY_POLICIES[classify_fault(error)].consequence is Consequence.STOP


def _get_policy_of_answer(error: ServerError) -> RetryPolicy:
    return RETRY_POLICIES[_classify_answer(error)]


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait between attempts, in seconds.

    Each pause is ``grows`` times the one before, apart from a random factor from 0.5 to 1.5:
    requests that were refused together must not come back together.
    """

    first: float = 0.5
    grows: float = 3.0

    def choose(self, attempt: int, asked: float | None = None, *, drawn: float) -> float:
        """Choose the pause after an ``attempt``, from 1; ``drawn`` is a random number from 0 to 1.

        The pause is at least as long as the server ``asked`` for.
        """
        own = self.first * self.grows ** (attempt - 1) * (0.5 + drawn)
        return own if asked is None else max(own, asked + self.first * drawn)


class Backoff:
    """The pauses of all requests to one server.

    ``progress`` receives the reason of each repetition; ``answered`` tells whether the server has
    ever responded. ``now`` is a clock in seconds, ``draw`` returns random numbers from 0 to 1.
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

    def stop_on(self, stop: threading.Event) -> None:
        """End all pauses once ``stop`` is set."""
        self._stop = stop

    def wait(self, seconds: float) -> bool:
        """Wait for some seconds; True if stopped before they are over."""
        return self._stop.wait(seconds)

    def wait_between(self, least: float, most: float) -> bool:
        """Wait for a random time in a range, in seconds; True if stopped before it is over."""
        return self.wait(least + (most - least) * self._draw())

    @property
    def paused_until(self) -> float:
        """The end, by ``now``, of the last pause of any thread; 0 before the first pause."""
        return self._paused_until

    def until_welcome(self) -> bool:
        """Wait as long as the server asked for, if it did; such a wait is for all threads.

        Returns False after a stop; `wait` returns True.
        """
        if not self._welcome_from:
            return True
        while (left := self._welcome_from - self.now()) > 0:
            # Threads must not all come back at the same moment.
            if self.wait(left + self._pauses.first * self._draw()):
                return False
        return True

    def pause(self, attempt: int, error: ServerError) -> float:
        """Return the pause after an attempt; if the server asked for a wait, all threads wait."""
        asked = error.retry_after
        if asked:
            self._welcome_from = max(self._welcome_from, self.now() + asked)
        seconds = self._pauses.choose(attempt, asked, drawn=self._draw())
        self._paused_until = max(self._paused_until, self.now() + seconds)
        return seconds


class Attempts:
    """The attempts at one request, in one thread."""

    def __init__(self, backoff: Backoff, kind: RequestKind) -> None:
        self._backoff = backoff
        self._kind = kind
        self._made: list[int] = []
        self._waited = 0.0

    def wait_after(self, error: ServerError) -> bool:
        """Wait for the next attempt; False if there is to be none, or if stopped."""
        self._made.append(error.status)
        # Each kind of failure has its own attempts: a 500 after a 502 may also be temporary.
        same = self._made.count(error.status)
        if same >= self._count(error) or len(self._made) >= ATTEMPTS_MAX:
            return False
        seconds = self._backoff.pause(len(self._made), error)
        self._waited += seconds
        if self._waited > PAUSES_MAX:
            return False
        self._backoff.progress.detail(f"{error.message}; trying again in {seconds:.1f} s")
        return not self._backoff.wait(seconds)

    def _count(self, error: ServerError) -> int:
        most = count_attempts(error, self._kind)
        if self._backoff.answered:
            return most
        return min(most, RETRY_POLICIES[classify_fault(error)].unanswered)


def asks_too_long(retry_after: float | None) -> bool:
    """Tell whether the server asks for a longer wait than a run should take."""
    return retry_after is not None and retry_after > RETRY_AFTER_MAX


def parse_retry_after(header: str, *, now: float) -> float | None:
    """Parse a Retry-After header, which is seconds or a date; None if it is neither.

    ``now`` is the time of the response, in seconds since 1970.
    """
    header = header.strip()
    if header.isascii() and header.isdigit():
        return float(header[:9])
    moment = parse_http_date(header)
    return None if moment is None else max(0.0, moment - now)


def parse_http_date(header: str) -> float | None:
    """Parse the date of a header, in seconds since 1970; None if it is not a date."""
    try:
        moment = parsedate_to_datetime(header)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
