"""Who the server is, and what the label config of a project uses."""

from __future__ import annotations

import httpx
import pytest

from reconciler.core.model import ProjectSettings
from reconciler.core.plan_model import ServerIdentity
from reconciler.errors import NotLabelStudio
from tests.unit.labelstudio.wired import ADDRESS, Hooked, Scripted, api_of, sandbox_with


@pytest.mark.parametrize(
    ("edition", "identity"),
    [
        ("community", ServerIdentity(ADDRESS, "Community", "1.23.2")),
        ("enterprise", ServerIdentity(ADDRESS, "Enterprise", "2.37.0")),
    ],
)
def test_a_server_says_its_edition_and_version(edition: str, identity: ServerIdentity):
    with api_of(Hooked(sandbox_with(0, edition=edition))) as api:
        assert api.identity() == identity


def test_a_server_that_does_not_say_its_edition_has_none():
    with api_of(Scripted(lambda _: httpx.Response(200, json={"release": "1.0"}))) as api:
        assert api.identity() == ServerIdentity(ADDRESS, None, "1.0")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"version": "3"}),
        httpx.Response(200, json=["1.23.2"]),
        httpx.Response(200, json={"release": None}),
        httpx.Response(404, json={"detail": "Not found."}),
        httpx.Response(404, html="<title>404</title>"),
        httpx.Response(200, html="<title>Welcome</title>"),
    ],
)
def test_other_responses_are_not_taken_for_label_studio(answer: httpx.Response):
    with api_of(Scripted(lambda _: answer)) as api, pytest.raises(NotLabelStudio) as failed:
        api.identity()
    assert failed.value.hint


def test_a_project_tells_the_paths_that_its_labels_use_and_who_sets_overlaps():
    with api_of(Hooked(sandbox_with(0))) as api:
        assert api.project_settings(7) == ProjectSettings(frozenset({("text",)}), "", 100, 1)


@pytest.mark.parametrize("body", [{}, {"label_config": None}, []])
def test_a_project_without_a_label_config_is_none(body: object):
    answer = httpx.Response(200, json=body)
    with (
        api_of(Scripted(lambda _: answer)) as api,
        pytest.raises(
            NotLabelStudio, match="the server's response for project 7 has no label config"
        ),
    ):
        api.project_settings(7)


@pytest.mark.parametrize("label_config", ["<View>", "<!DOCTYPE View><View/>"])
def test_a_label_config_that_cannot_be_read_is_told_as_that(label_config: str):
    body = {"id": 7, "label_config": label_config, "overlap_cohort_percentage": "50"}
    answer = httpx.Response(200, json=body)
    with api_of(Scripted(lambda _: answer)) as api:
        settings = api.project_settings(7)
    assert settings.unreadable
    assert (settings.labelled, settings.overlap_cohort_percentage) == (frozenset(), None)
