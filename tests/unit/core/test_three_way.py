"""What to do about a planned change, by what is live now."""

from __future__ import annotations

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.model import Change
from reconciler.core.three_way import Verdict, is_applied, judge_change
from reconciler.core.values import ABSENT, Json
from tests.unit.core.building import change

EARLIER, LATER = "2026-01-02T03:04:05Z", "2026-01-03T00:00:00Z"


@pytest.mark.parametrize(
    ("planned", "live", "expected"),
    [
        (change("overlap", 1, 2), {"overlap": 1}, Verdict.DO),
        (change("overlap", 1, 2), {"overlap": 1.0}, Verdict.DO),
        (change("overlap", 1, 2), {"overlap": 2}, Verdict.ALREADY),
        (change("overlap", 1, 2), {"overlap": 3}, Verdict.STALE),
        (change("overlap", 1, 2), {"overlap": True}, Verdict.STALE),
        (change("overlap", 1, 2), {}, Verdict.STALE),
        (change("data.a", ABSENT, 1), {"data": {}}, Verdict.DO),
        (change("data.a", ABSENT, 1), {"data": {"a": 1}}, Verdict.ALREADY),
        (change("data.a", ABSENT, 1), {"data": {"a": None}}, Verdict.STALE),
        (change("data.a.b", ABSENT, 1), {"data": {}}, Verdict.STALE),
        (change("data.a.b", ABSENT, 1), {"data": {"a": 5}}, Verdict.STALE),
        (change("meta.a", ABSENT, 1), {"meta": None}, Verdict.STALE),
        (change("data.a", 1, ABSENT), {"data": {"a": 1}}, Verdict.DO),
        (change("data.a", 1, ABSENT), {"data": {}}, Verdict.ALREADY),
        (change("data.a", 1, ABSENT), {"data": {"a": 2}}, Verdict.STALE),
        (change("meta", None, {"a": 1}), {"meta": None}, Verdict.DO),
        (change("meta", None, {"a": 1}), {"meta": {"b": 1}}, Verdict.STALE),
        (change("completed_at", EARLIER, LATER), {"completed_at": EARLIER}, Verdict.DO),
        (
            change("completed_at", EARLIER, LATER),
            {"completed_at": "2026-01-03T02:00:00+02:00"},
            Verdict.ALREADY,
        ),
    ],
)
def test_a_change_is_done_only_where_live_is_still_as_planned(
    planned: Change, live: dict[str, Json], expected: Verdict
):
    assert judge_change(planned, live, load_contract()) is expected


@pytest.mark.parametrize(
    ("planned", "live", "expected"),
    [
        (change("overlap", 1, 2), {"overlap": 2}, True),
        (change("overlap", 1, 2), {"overlap": 1}, False),
        (change("overlap", 1, 2), {}, False),
        (change("data.a", 1, ABSENT), {"data": {}}, True),
        (change("data.a", 1, ABSENT), {"data": {"a": 1}}, False),
        (change("data.a", 1, ABSENT), {}, False),
        (change("meta.a", 1, ABSENT), {"meta": None}, True),
        (change("meta", {}, None), {"meta": None}, True),
    ],
)
def test_a_change_holds_only_where_the_answer_shows_it(
    planned: Change, live: dict[str, Json], *, expected: bool
):
    assert is_applied(planned, live, load_contract()) is expected
