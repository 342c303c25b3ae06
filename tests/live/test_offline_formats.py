"""What is accepted offline the server stores as just that; what it refuses is refused offline."""

from __future__ import annotations

import json

import pytest

from reconciler.contract.body_validator import BodyValidator
from reconciler.contract.date_time import parse_date_time
from reconciler.contract.openapi import load_contract
from reconciler.core.decision import Patch, decide
from reconciler.core.difference import are_equal
from reconciler.core.guards import GuardFacts
from reconciler.core.model import Found
from reconciler.core.problems import Kind
from reconciler.core.values import Json
from tests.live.under_test import ServerUnderTest
from tests.unit.core.building import allowing, change, update

ATTRIBUTES = load_contract()
FACTS = GuardFacts(ATTRIBUTES)
VALIDATOR = BodyValidator(ATTRIBUTES)
DAY = "2026-10-01"
NOON = f"{DAY}T12:00:00"
OTHER_DIGITS = "\u0662\u0660\u0662\u0666-10-01"
SEPARATORS = ["T", "t", " ", "  ", "_", "", "\t", "\u00a0", "-", "/", "+", "\u00e9", "\n"]
ZONES = [
    *("Z", "z", "", "+00:00", "-00:00", "+00", "+0000", "+02:00", "-02:30", "+14:00", "-12:00"),
    *("+14:01", "+23:59", "-23:59", "+24:00", "+25:00", "+2:00", "+02:0", "+02:60", "+02:00:30"),
    *("\u221202:00", " Z", " +02:00", "UTC", "GMT", "CET", "Europe/Amsterdam", "+02:00Z", "ZZ"),
]
CLOCKS = [
    *("24:00:00", "24:00", "24:00:01", "23:59:60", "23:59:61", "00:00:60", "12:60:00", "25:00:00"),
    *("12:00", "12", "1200", "120000", "1:00:00", "12:0:00", "12:00:0", "-1:00:00", " 12:00:00"),
    *("12:00:00.", "12:00:00..5", "12:00:00:5", "12:00:00.5.5", "012:00:00", "12:00:00 PM"),
]
DAYS = [
    *("2026-1-1", "2026-01-1", "26-01-01", "+2026-01-01", "-2026-01-01", "02026-01-01"),
    *("2026-13-01", "2026-00-01", "2026-02-29", "2024-02-29", "1900-02-29", "2000-02-29"),
    *("2026-04-31", "2026-10-00", "2026-10-32", "20261001", "2026-274", "2026274", "2026-W40-4"),
    *("2026W404", "2026-W40", "2026/10/01", "01-10-2026", "2026.10.01", "2026-10", "2026"),
    *("0000-01-01", "0001-01-01", "0999-01-01", "9999-12-31", "10000-01-01", "1969-12-31"),
    *("1970-01-01", "1582-10-10", "2038-01-19", OTHER_DIGITS),
]
FRACTIONS = [f"{mark}{'1234567890123'[:digits]}" for mark in ".," for digits in range(14)]
EDGES = [
    *("0001-01-01T00:00:00+00:01", "0001-01-01T00:00:00-00:01", "0001-01-01T05:00:00+05:00"),
    *("0001-01-01T04:59:59+05:00", "0001-01-01T00:00:00.000001+14:00", "9999-12-31T23:59:59Z"),
    *("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.9999999Z", "9999-12-31T19:00:00-05:00"),
    *("9999-12-31T18:59:59-05:00", "9999-12-31T23:59:59+00:01", "2016-12-31T23:59:60Z"),
    *("2016-12-31T18:59:60-05:00", "20261001T120000Z", "20261001T12:00:00Z", f"{DAY}T120000Z"),
    *(f"{NOON}.9999999Z", f"{NOON}.{'0' * 30}Z", "2026-12-31T23:59:59.9999999Z"),
]
STRANGE = [
    *("", " ", "now", "today", "null", "0", "1759320000", "1.5", "P1D", f"{NOON}Z/P1D"),
    *("Thu, 01 Oct 2026 12:00:00 GMT", "October 1, 2026", f"{NOON}Z\0", f"\ufeff{NOON}Z"),
    *(f"'{NOON}Z'", f"{NOON}Z\n", f" {NOON}Z", f"{NOON}Z ", f"{DAY}T\uff11\uff12:00:00Z"),
    *(f"{NOON}.\u0661Z", "2026\u201010\u201001T12:00:00Z", f"{DAY}t12:00:00z", f"{DAY} 12:00:00z"),
]
SPELLINGS = list(
    dict.fromkeys(
        [
            *(f"{DAY}{separator}12:00:00Z" for separator in SEPARATORS),
            *(f"{NOON}{zone}" for zone in ZONES),
            *(f"{DAY}T{clock}Z" for clock in CLOCKS),
            *(f"{day}T12:00:00Z" for day in DAYS),
            *DAYS,
            *(f"{NOON}{fraction}{zone}" for fraction in FRACTIONS for zone in ("Z", "+02:00")),
            *EDGES,
            *STRANGE,
        ]
    )
)
NUMBERS = [
    *("null", "true", "false", "0", "-0", "-0.0", "0.0", "1", "-1", "-5", "1.0", "2.0", "2.5"),
    *("1e0", "1E2", "1e3", "1.5e1", "1e15", "1e16", "1e17", "1e18", "4.6e18", "9.2e18"),
    *("9007199254740992.0", "9007199254740993", "4611686018427387903", "4611686018427387904"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808"),
    *("-9223372036854775809", "2147483647", "2147483648", "-2147483648", "-2147483649"),
    *("2147483647.0", "1e30", "1e-400", "5e-324", "0.1", '""', '"3"', '"x"', '"true"', "[]"),
    *("{}", "[1]", '{"text":"x"}', '{"text":"x","a":{"b":[1,null,true]}}'),
]
STORED = [
    *("cancelled_annotations", "comment_count", "data", "inner_id", "is_labeled", "meta"),
    *("overlap", "total_annotations", "total_predictions", "unresolved_comment_count"),
]


def test_a_date_time_accepted_offline_is_stored_as_the_same_instant(server: ServerUnderTest):
    task = server.make_task()
    accepted, stricter, wrong = 0, 0, []
    for text in SPELLINGS:
        answer = server.patch(task, {"last_comment_updated_at": text})
        stored = answer.json().get("last_comment_updated_at") if answer.is_success else None
        try:
            instant = parse_date_time(text)
        except ValueError:
            stricter += stored is not None
            continue
        accepted += 1
        if stored is None or parse_date_time(stored) != instant:
            wrong.append((text, answer.text[:100]))

    assert wrong == []
    assert len(SPELLINGS) > 200
    assert accepted > 50
    assert stricter > 50


@pytest.mark.parametrize("name", STORED)
def test_a_value_accepted_offline_is_stored_as_it_is(server: ServerUnderTest, name: str):
    task = server.make_task()
    wrong, sent = [], 0
    for text in NUMBERS:
        value = json.loads(text)
        body = body_of(name, value)
        if body is not None:
            sent += 1
            answer = server.patch(task, body)
            told = answer.json().get(name) if answer.is_success else answer.text[:100]
            if not are_equal((name,), told, value, ATTRIBUTES):
                wrong.append((text, told))

    assert wrong == []
    assert sent > 1


def body_of(name: str, value: Json) -> dict[str, Json] | None:
    """Make the body of the update that declares a value, None where it is refused offline."""
    task = update(1, change(name, "live", value))
    patch = decide(
        task,
        Found({"project": task.project, name: "live"}),
        facts=FACTS,
        allow=allowing(*Kind),
        validator=VALIDATOR,
    )
    return patch.body if isinstance(patch, Patch) else None
