"""Date-times as the API writes them: RFC 3339, kept by the server as UTC to the microsecond."""

from __future__ import annotations

import re
from datetime import UTC, datetime

# datetime.fromisoformat alone takes much more (week dates, no offset, any separator) and, from
# Python 3.13 on, 24:00; what this lets through, it reads in every version alike.
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)


def parse_date_time(text: str) -> datetime:
    """Read an RFC 3339 date-time as an aware one in UTC.

    The offset is required: without one the server takes UTC, and few who leave it out mean that.
    Fractions are cut after the microsecond, not rounded, as the server does when it stores them.

    Raises:
        ValueError: not such a date-time, a leap second (no server stores one), or an instant
            outside the years 1 to 9999 in UTC.

    """
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f"{text!r} is not a date-time with an offset, like 2026-01-02T03:04:05Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC") from error


def is_date_time(value: object) -> bool:
    """Tell whether ``value`` passes the format ``date-time``, for use in both validators.

    What is not a string passes: in JSON Schema a format says nothing about other types.
    """
    if not isinstance(value, str):
        return True
    try:
        parse_date_time(value)
    except ValueError:
        return False
    return True
