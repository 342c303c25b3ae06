"""Asking a server what it stores: once, and never in the way."""

from __future__ import annotations

import httpx
import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.guards import GuardFacts
from reconciler.labelstudio.guard_facts import fetch_ignored_attributes
from reconciler.labelstudio.task_api import TaskApi
from reconciler.progress import NULL_PROGRESS
from tests.unit.core.building import change, update
from tests.unit.labelstudio.wired import Hooked, Noted, Scripted, api_of, sandbox_with


def fetch(api: TaskApi) -> GuardFacts:
    """Find out what the server ignores, as for a task of which the overlap changes."""
    task = update(1, change("overlap", 1, 2))
    facts = GuardFacts(load_contract())
    return fetch_ignored_attributes(facts, [task], api=api, progress=NULL_PROGRESS)


@pytest.mark.parametrize(
    ("edition", "ignored"),
    [
        ("enterprise", set()),
        (
            "community",
            {
                *("allow_skip", "avg_lead_time", "completed_at", "draft_exists", "ground_truth"),
                *("precomputed_agreement", "predictions_score", "reviewed", "reviewed_at"),
                *("reviews_accepted", "reviews_rejected"),
            },
        ),
    ],
)
def test_an_edition_tells_which_attributes_it_ignores(edition: str, ignored: set[str]):
    with api_of(Hooked(sandbox_with(1, edition=edition))) as api:
        facts = fetch(api)
    assert facts.tells_ignored
    table = facts.attributes
    writable = {name for name, row in table.items() if row.writable}
    assert {name for name in writable if table[name].ignored} == ignored


def test_it_is_asked_once_of_the_first_task():
    transport = Hooked(sandbox_with(2))
    with api_of(transport) as api:
        assert api.capabilities.ask(1) is api.capabilities.ask(2)
    assert [(sent.method, sent.url.path) for sent in transport.requests] == [
        ("OPTIONS", "/api/tasks/1/")
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(403, json={"detail": "No."}), "returned 403: No."),
        (httpx.Response(404, json={"detail": "Not found."}), "returned 404: Not found."),
        (httpx.Response(405, json={"detail": "Not allowed."}), "returned 405"),
        (httpx.Response(200, html="<title>Proxy</title>"), "a page of type text/html (Proxy)"),
        (httpx.Response(204), "returned 204 with an empty body"),
        (httpx.Response(502, html="<title>Bad</title>"), "returned 502 with a page"),
        (httpx.Response(200, json={"name": "Task Api"}), "does not describe an update"),
    ],
)
def test_a_server_that_does_not_say_is_asked_once_and_nothing_is_marked(
    answer: httpx.Response, said: str
):
    transport, progress = Scripted(lambda _: answer), Noted()
    with api_of(transport) as api:
        assert api.capabilities.ask(1, progress) is api.capabilities.ask(1, progress) is None
        assert fetch(api) == GuardFacts(load_contract(), tells_ignored=False)
    assert len(transport.requests) == 1
    [detail] = progress.details
    assert said in detail
    assert detail.startswith("the server does not say which attributes it stores (")


def test_a_broken_connection_is_not_an_error_either():
    def breaks(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("connection reset")

    with api_of(Scripted(breaks)) as api:
        assert api.capabilities.ask(1) is None
        assert fetch(api) == GuardFacts(load_contract(), tells_ignored=False)
