"""What is worth asking again, how often, and after how long: pure, so that it needs no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Protocol

from reconciler.errors import NotLabelStudio, NotSent, ServerError, TimedOut, Unreachable

TRIES: Final = 5
"""Attempts at one request, the first included: with their pauses they take about 20 seconds."""

TRIES_SLOW: Final = 2
"""Attempts where each may take as long as somebody is ready to wait."""

TRIES_ODD: Final = 3
"""Attempts where the answer is none of Label Studio's: the address may as well be wrong."""

TRIES_BROKEN: Final = 2
"""Attempts where the server failed: most failures are about the request, and stay."""

ASKED_MAX: Final = 60.0
"""Seconds that a server may ask to wait for; who asks for more is not waited for at all."""

OVERLOADED: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""What servers, and proxies before them, answer while they cannot do what they are asked."""


_DIVIDED: Final = frozenset({HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.GATEWAY_TIMEOUT})


class Tries(Protocol):
    """Tells how often a request is sent at most, the first time included, after an error."""

    def __call__(self, error: ServerError) -> int:
        """Return 1 for an error that is final."""
        ...


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait between attempts, in seconds.

    Each pause is ``grows`` times the one before. Those that were refused together must not come
    back together: each pause is anything from a half to one and a half of what it would be.
    """

    first: float = 0.5
    grows: float = 3.0

    def after(self, attempt: int, asked: float | None = None, *, drawn: float) -> float:
        """Tell how long to wait after the ``attempt``-th, from 1; ``drawn`` is from 0 to 1.

        What a server ``asked`` for is the least that it gets.
        """
        own = self.first * self.grows ** (attempt - 1) * (0.5 + drawn)
        return own if asked is None else max(own, asked + self.first * drawn)


def tries(error: ServerError) -> int:
    """Judge an error of a request that changes nothing, or not twice."""
    if asks_too_much(error) or error.given_up:
        return 1
    if isinstance(error, TimedOut):
        return TRIES_SLOW
    if isinstance(error, Unreachable) or error.status in OVERLOADED:
        return TRIES
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return TRIES_BROKEN
    return TRIES_ODD if is_odd(error) else 1


def tries_of_list(error: ServerError) -> int:
    """Judge an error of a list that can be asked for in parts: what these may help is final."""
    if error.status in _DIVIDED or isinstance(error, TimedOut):
        return 1
    if error.status == HTTPStatus.BAD_GATEWAY:
        # It restarts, or it died of the list.
        return min(tries(error), 2)
    return tries(error)


def tries_of_small_list(error: ServerError) -> int:
    """Judge an error of a list that is too small to be the reason, unless a task in it is."""
    return 1 if error.status == HTTPStatus.INTERNAL_SERVER_ERROR else tries(error)


def tries_of_larger_list(error: ServerError) -> int:
    """Judge an error of a list that can be asked for in parts as large as others that came.

    Who asks to wait speaks of the time, and not of the list.
    """
    return 1 if error.retry_after is None else tries(error)


def is_odd(error: ServerError) -> bool:
    """Tell whether something else stood in the place of a good answer."""
    good = HTTPStatus.OK <= error.status < HTTPStatus.MULTIPLE_CHOICES
    return isinstance(error, NotLabelStudio) and good


def is_never_stored(error: ServerError) -> bool:
    """Tell whether an update that failed so has certainly not been looked at."""
    return isinstance(error, NotSent) or error.status == HTTPStatus.TOO_MANY_REQUESTS


def is_perhaps_stored(error: ServerError) -> bool:
    """Tell whether an update that failed so may have been carried out all the same."""
    if is_never_stored(error) or error.given_up:
        return False
    refused = HTTPStatus.MULTIPLE_CHOICES <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return not refused or error.status == HTTPStatus.REQUEST_TIMEOUT


def is_about_server(error: ServerError) -> bool:
    """Tell whether an error tells of the server, or of the way to it, and not of one task."""
    return isinstance(error, Unreachable) or error.status in OVERLOADED or is_odd(error)


def ends_run(error: ServerError) -> bool:
    """Tell whether any other request would fare no better, after all attempts at this one."""
    refused = error.status == HTTPStatus.UNAUTHORIZED
    return refused or error.given_up or isinstance(error, NotSent) or asks_too_much(error)


def asks_too_much(error: ServerError) -> bool:
    """Tell whether the server asks to be left alone for longer than a run should last."""
    return error.retry_after is not None and error.retry_after > ASKED_MAX


def parse_retry_after(header: str, *, now: float) -> float | None:
    """Read a Retry-After header: seconds, or a date; None where it is neither.

    ``now`` is the time of the answer, in seconds since 1970.
    """
    header = header.strip()
    if header.isascii() and header.isdigit():
        return float(header[:9])
    moment = parse_http_date(header)
    return None if moment is None else max(0.0, moment - now)


def parse_http_date(header: str) -> float | None:
    """Read the date of a header, in seconds since 1970; None where it is none."""
    try:
        moment = parsedate_to_datetime(header)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
