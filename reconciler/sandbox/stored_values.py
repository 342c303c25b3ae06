"""From sent values to stored values: the server's conversions and error messages."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from reconciler.sandbox.fields import Edition, Field, Kind

NULL = "This field may not be null."
_LONGEST_NUMBER = 1000
_ZERO_FRACTION = re.compile(r"\.0*\s*$")
_TRUE = frozenset({"t", "y", "yes", "true", "on", "1"})
_FALSE = frozenset({"f", "n", "no", "false", "off", "0"})
_DATE_TIME_FORMAT = (
    "Datetime has wrong format. Use one of these formats instead: "
    "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
)


class InvalidValue(ValueError):
    """The value is refused; its text is the server's message."""


def coerce(field: Field, value: object, *, edition: Edition) -> object:
    """Return what the server stores when ``value`` is sent for ``field``; raises InvalidValue."""
    if value is None or (value in ("", "null") and field.kind is Kind.BOOLEAN and field.nullable):
        if field.nullable:
            return None
        raise InvalidValue(NULL)
    result = _CONVERSIONS[field.kind](value)
    limit = field.limit(edition)
    if limit is not None and isinstance(result, int):
        _check_bounds(result, limit)
    return result


def format_date_time(moment: datetime) -> str:
    """Format a date-time like the server: UTC, ``Z``, microseconds unless they are 0."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_integer(value: object, word: str = "integer") -> int:
    """Parse an integer, also from ``"3"``, ``"3.00"`` and ``2.0``, but not from a boolean."""
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        raise InvalidValue("String value too large.")
    try:
        return int(_ZERO_FRACTION.sub("", str(value)))
    except ValueError:
        raise InvalidValue(f"A valid {word} is required.") from None


def _check_bounds(value: int, limit: int) -> None:
    if value > limit - 1:
        raise InvalidValue(f"Ensure this value is less than or equal to {limit - 1}.")
    if value < -limit:
        raise InvalidValue(f"Ensure this value is greater than or equal to {-limit}.")


def _parse_big_integer(value: object) -> int:
    return parse_integer(value, Kind.BIG_INTEGER)


def _parse_number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise InvalidValue("A valid number is required.") from None


def _parse_boolean(value: object) -> bool:
    text = value.lower() if isinstance(value, str) else _get_digit(value)
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise InvalidValue("Must be a valid boolean.")


def _get_digit(value: object) -> str:
    """Return ``"1"`` for 1, 1.0 and true, ``"0"`` for 0, 0.0 and false, and else ``""``."""
    return str(int(value)) if isinstance(value, (int, float)) and value in (0, 1) else ""


def _parse_date_time(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue(_DATE_TIME_FORMAT)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise InvalidValue(_DATE_TIME_FORMAT) from None
    if value.endswith("z"):
        raise InvalidValue(_DATE_TIME_FORMAT)
    try:
        return format_date_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except OverflowError:
        raise InvalidValue("Datetime value out of range.") from None


def _parse_json(value: object) -> object:
    if not _is_finite(value):
        raise InvalidValue("Value must be valid JSON.")
    return value


def _is_finite(value: object) -> bool:
    """Tell whether all numbers in a value are finite; ``1e400`` is parsed as infinite."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _parse_key(value: object) -> object:
    if isinstance(value, (bool, dict, list)):
        raise InvalidValue(f"Incorrect type. Expected pk value, received {type(value).__name__}.")
    try:
        return int(str(value).removesuffix(".0"))
    except ValueError:
        name = type(value).__name__
        raise InvalidValue(f"Incorrect type. Expected pk value, received {name}.") from None


def _parse_keys(value: object) -> object:
    if not isinstance(value, list):
        raise InvalidValue(f'Expected a list of items but got type "{type(value).__name__}".')
    return [_parse_key(item) for item in value]


_CONVERSIONS: Mapping[Kind, Callable[[object], object]] = {
    Kind.INTEGER: parse_integer,
    Kind.BIG_INTEGER: _parse_big_integer,
    Kind.NUMBER: _parse_number,
    Kind.BOOLEAN: _parse_boolean,
    Kind.DATE_TIME: _parse_date_time,
    Kind.JSON: _parse_json,
    Kind.KEY: _parse_key,
    Kind.KEYS: _parse_keys,
}
