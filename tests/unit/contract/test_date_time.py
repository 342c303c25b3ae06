from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.contract.date_time import is_date_time, parse_date_time


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05.123456789012Z", "2026-01-02T03:04:05.123456+00:00"),
        ("2026-01-02 03:04:05-00:00", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05.123456+02:00", "2026-01-02T01:04:05.123456+00:00"),
        ("2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100000+00:00"),
        ("2026-01-02T03:04:05.12345678Z", "2026-01-02T03:04:05.123456+00:00"),
        ("2026-01-02T03:04:05.9999999999Z", "2026-01-02T03:04:05.999999+00:00"),
        ("2024-02-29T23:59:59-23:59", "2024-03-01T23:58:59+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_read_as_utc_to_the_microsecond(text: str, utc: str):
    assert parse_date_time(text).isoformat() == utc
    assert parse_date_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04Z",
        "2026-01-02T03:04:05z",
        "2026-01-02t03:04:05Z",
        "2026-01-02T03:04:05.1234567890123Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05,5Z",
        "2026-01-02T03:04:05+0200",
        "2026-01-02T03:04:05+02",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+01:60",
        "2026-01-02_03:04:05Z",
        "20260102T030405Z",
        "2026-W01-1T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "2026-13-01T03:04:05Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-01-02T03:04:05Z\n",
        " 2026-01-02T03:04:05Z",
        "\u0662026-01-02T03:04:05Z",
    ],
)
def test_refused(text: str):
    with pytest.raises(ValueError, match=r"date-time|outside|range|day|month"):
        parse_date_time(text)
    assert not is_date_time(text)


@pytest.mark.parametrize("value", [None, 5, True, [], {}])
def test_a_format_says_nothing_about_what_is_no_string(value: object):
    assert is_date_time(value)


@given(
    st.datetimes(
        min_value=datetime(1, 1, 3),  # noqa: DTZ001 - hypothesis wants naive limits
        max_value=datetime(9999, 12, 29),  # noqa: DTZ001 - hypothesis wants naive limits
        timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))),
    )
)
def test_what_python_writes_is_read_back(moment: datetime):
    assert parse_date_time(moment.isoformat()) == moment
