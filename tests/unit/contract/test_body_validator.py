"""The last look at an update: what the contract forbids stays here."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.contract.body_validator import BodyValidator
from reconciler.contract.openapi import load_contract
from reconciler.errors import Refused


@pytest.mark.parametrize(
    "body",
    [
        {"overlap": 2},
        {"data": {"text": "A.", "deep": [{"x": [None, 10**40, 1e30]}]}},
        {"meta": None},
        {"meta": {"any": "thing"}},
        {"inner_id": 2**62 - 1},
        {"allow_skip": None},
        {"completed_at": "2026-01-02T03:04:05+02:00"},
        {"predictions_score": 0.5},
        {"project": 7},
    ],
)
def test_what_the_contract_allows_passes(body: dict[str, Any]):
    BodyValidator(load_contract()).check(1, body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": [1, 2]},
        {"data": "text"},
        {"data": 1},
        {"data": None},
        {"project": None},
        {"project": "7"},
        {"project": True},
        {"overlap": True},
        {"overlap": 2.5},
        {"overlap": 2**31},
        {"overlap": 0},
        {"overlap": -5},
        {"inner_id": 0},
        {"inner_id": 2**63 - 1},
        {"inner_id": 2**63},
        {"inner_id": 10**40},
        {"is_labeled": "yes"},
        {"completed_at": "2026-01-02"},
        {"completed_at": None},
        {"id": 2},
        {"created_at": "2026-01-02T03:04:05Z"},
        {"annotations": []},
        {"comment_authors": [1]},
        {"nobody": "knows"},
        {"overlap": 2, "nobody": "knows"},
    ],
)
def test_everything_else_is_refused_by_name(body: dict[str, Any]):
    named = f"these values of {', '.join(body)}" if body else "an empty update"
    with pytest.raises(Refused) as refused:
        BodyValidator(load_contract()).check(101, body)
    assert str(refused.value) == (
        f"the update of task 101 is invalid: the API does not allow {named}"
    )


@pytest.mark.parametrize("data", [{"text": "\ud800"}, {"a": [{"\ud800": 1}]}])
def test_half_of_a_surrogate_pair_is_refused_anywhere(data: dict[str, Any]):
    with pytest.raises(Refused, match="half of a surrogate pair"):
        BodyValidator(load_contract()).check(101, {"data": data})
