"""What guards must know is fetched once, when it matters, and never changes under its holder."""

from __future__ import annotations

import httpx
import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.guards import GuardFacts
from reconciler.core.model import Found, ProjectSettings
from reconciler.core.values import ABSENT
from reconciler.errors import NotFound
from reconciler.labelstudio.guard_facts import fetch_guard_facts, fetch_project_settings
from reconciler.progress import NULL_PROGRESS
from tests.unit.core.building import change, update
from tests.unit.labelstudio.wired import Hooked, Noted, api_of, sandbox_with

NOTHING = GuardFacts(load_contract())
HARMLESS = update(1, change("data.new", ABSENT, 1), change("meta.n", 1, 2))
REMOVING = update(1, change("data.old", 1, ABSENT))
UNANNOTATED = Found({"total_annotations": 0, "cancelled_annotations": 0})
OVERLAP = update(1, change("overlap", 1, 2))


def asked(transport: Hooked) -> list[tuple[str, str]]:
    return [(request.method, request.url.path) for request in transport.requests]


def test_nothing_is_asked_for_changes_that_no_guard_needs_facts_for():
    transport = Hooked(sandbox_with(1))
    with api_of(transport) as api:
        assert (
            fetch_guard_facts(NOTHING, HARMLESS, UNANNOTATED, api=api, progress=NULL_PROGRESS)
            is NOTHING
        )
    assert asked(transport) == []


def test_each_fact_is_asked_for_once():
    transport = Hooked(sandbox_with(1))
    facts = NOTHING
    with api_of(transport) as api:
        for task in (REMOVING, OVERLAP, REMOVING, OVERLAP):
            facts = fetch_guard_facts(facts, task, UNANNOTATED, api=api, progress=NULL_PROGRESS)
    assert asked(transport) == [("GET", "/api/projects/7/"), ("OPTIONS", "/api/tasks/1/")]
    assert facts.get_settings(7).labelled == {("text",)}
    assert facts.attributes["avg_lead_time"].ignored


def test_earlier_facts_do_not_change():
    with api_of(Hooked(sandbox_with(1))) as api:
        facts = fetch_guard_facts(NOTHING, OVERLAP, UNANNOTATED, api=api, progress=NULL_PROGRESS)
    assert facts != NOTHING
    assert GuardFacts(load_contract()) == NOTHING
    assert facts.get_settings(8) == facts.get_settings(None) == ProjectSettings()


def test_a_plan_does_without_settings_that_only_warn_if_they_cannot_be_read():
    transport, progress = Hooked(sandbox_with(1)), Noted()
    transport.hook = lambda request: (
        httpx.Response(403, json={"detail": "No."}) if "projects" in request.url.path else None
    )
    facts = NOTHING
    with api_of(transport) as api:
        for _ in range(2):
            facts = fetch_guard_facts(facts, OVERLAP, UNANNOTATED, api=api, progress=progress)
    assert asked(transport) == [("GET", "/api/projects/7/"), ("OPTIONS", "/api/tasks/1/")]
    assert facts.unshown == {7}
    [detail] = progress.details
    assert detail.startswith("cannot read the settings of project 7 (")


def test_settings_that_a_guard_needs_are_not_done_without():
    transport = Hooked(sandbox_with(1, project=8))
    with api_of(transport) as api, pytest.raises(NotFound):
        fetch_project_settings(NOTHING, [REMOVING], api=api)
