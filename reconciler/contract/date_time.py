"""Date-times of the API: RFC 3339, stored by the server in UTC to the microsecond."""

from __future__ import annotations

import re
from datetime import UTC, datetime

# Every measured release of the server stores what this accepts as the same instant.
# RFC 3339 also allows t and z, which the server refuses: z always, t and fractions of more than
# 12 digits up to 1.13.1. datetime.fromisoformat accepts much more (week dates, no offset, any
# separator) and, from Python 3.13 on, 24:00.
_ACCEPTED = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,12})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)


def parse_date_time(text: str) -> datetime:
    """Parse an RFC 3339 date-time, with a capital T (or a blank) and Z, into an aware one in UTC.

    The offset is required: without one the server assumes UTC, which few authors mean. Fractions
    are cut after the microsecond, not rounded, as the server does.

    Raises:
        ValueError: not such a date-time, a leap second (no server stores one), or an instant
            outside the years 1 to 9999 in UTC.

    """
    if not _ACCEPTED.fullmatch(text):
        raise ValueError(f"{text!r} is not a date-time with an offset, like 2026-01-02T03:04:05Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC") from error


def is_date_time(value: object) -> bool:
    """Tell whether ``value`` passes the format ``date-time``, for both validators.

    A value that is not a string passes: in JSON Schema a format applies to strings only.
    """
    if not isinstance(value, str):
        return True
    try:
        parse_date_time(value)
    except ValueError:
        return False
    return True
