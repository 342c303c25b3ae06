"""The enterprise edition, as its published description has it; no such server to compare with."""

from __future__ import annotations

import httpx
import pytest

WRITTEN: dict[str, object] = {
    "allow_skip": False,
    "avg_lead_time": 1.5,
    "cancelled_annotations": 7,
    "comment_count": 7,
    "completed_at": "2026-01-02T03:04:05Z",
    "data": {"text": "new"},
    "draft_exists": True,
    "ground_truth": True,
    "inner_id": 7,
    "is_labeled": True,
    "last_comment_updated_at": "2026-01-02T03:04:05Z",
    "meta": {"new": True},
    "overlap": 7,
    "precomputed_agreement": 0.5,
    "predictions_score": 0.25,
    "project": 1,
    "reviewed": True,
    "reviews_accepted": 1,
    "reviews_rejected": 2,
    "total_annotations": 7,
    "total_predictions": 7,
    "unresolved_comment_count": 7,
    "reviewed_at": "2026-01-02T03:04:05Z",
}


def test_all_published_attributes_are_meant():
    assert len(WRITTEN) == 22 + 1


@pytest.mark.parametrize("name", WRITTEN)
def test_every_published_attribute_is_stored_and_read(enterprise_http: httpx.Client, name: str):
    answer = enterprise_http.patch("/api/tasks/1/", json={name: WRITTEN[name]})
    page = enterprise_http.get("/api/tasks/", params={"project": 1, "fields": "all"})

    assert answer.json()[name] == WRITTEN[name]
    assert enterprise_http.get("/api/tasks/1/").json()[name] == WRITTEN[name]
    assert page.json()["tasks"][0][name] == WRITTEN[name]


@pytest.mark.parametrize("name", ["allow_skip", "precomputed_agreement", "reviewed_at"])
def test_null_is_a_value_where_it_is_published_as_one(enterprise_http: httpx.Client, name: str):
    assert enterprise_http.patch("/api/tasks/1/", json={name: None}).json()[name] is None


@pytest.mark.parametrize("name", ["avg_lead_time", "completed_at", "reviewed", "ground_truth"])
def test_null_is_refused_elsewhere(enterprise_http: httpx.Client, name: str):
    answer = enterprise_http.patch("/api/tasks/1/", json={name: None})

    assert answer.json()["validation_errors"] == {name: ["This field may not be null."]}


def test_a_number_must_be_one(enterprise_http: httpx.Client):
    answer = enterprise_http.patch("/api/tasks/1/", json={"predictions_score": "x"})

    assert answer.json()["validation_errors"] == {
        "predictions_score": ["A valid number is required."]
    }


def test_options_names_every_published_attribute(enterprise_http: httpx.Client):
    rows = enterprise_http.options("/api/tasks/1/").json()["actions"]["PUT"]

    assert rows.keys() >= WRITTEN.keys()
    assert not any(rows[name]["read_only"] for name in WRITTEN)
    assert rows["predictions_score"]["type"] == "float"


def test_integers_have_32_bits_but_for_inner_id(enterprise_http: httpx.Client):
    rows = enterprise_http.options("/api/tasks/1/").json()["actions"]["PUT"]
    answer = enterprise_http.patch("/api/tasks/1/", json={"overlap": 2**31, "inner_id": 2**40})

    assert (rows["overlap"]["min_value"], rows["overlap"]["max_value"]) == (-(2**31), 2**31 - 1)
    assert rows["inner_id"]["max_value"] == 2**63 - 1
    assert answer.json()["validation_errors"].keys() == {"overlap"}


def test_it_says_that_it_is_enterprise(enterprise_http: httpx.Client):
    assert enterprise_http.get("/api/version").json()["edition"] == "Enterprise"
