"""From the names of projects to their numbers: by the settings, or by titles on the server."""

from __future__ import annotations

import httpx
import pytest

from reconciler import Settings
from reconciler.engine.connection import Connection
from reconciler.engine.project_lookup import ProjectTitles, choose_lookup
from reconciler.engine.settings.project_numbers import ProjectNumbers
from reconciler.errors import NotLabelStudio, ReconcilerError, UnknownProjectName
from tests.sandboxed import CONTRACT
from tests.unit.labelstudio.wired import TEXT, Hooked, Scripted, api_of, query_of, sandbox_with

NUMBERS = ProjectNumbers({"reviews": 12, "photos": 3}, "staging", "reconciler.toml:5")


def titled(*titles: str) -> Hooked:
    """A server with projects of these titles, numbered from 8."""
    state = sandbox_with(1)
    for number, title in enumerate(titles, 8):
        state.add_project(title, TEXT, number=number)
    return Hooked(state)


# In the settings.


def test_settings_give_names_numbers():
    assert (NUMBERS("reviews"), NUMBERS("photos")) == (12, 3)


@pytest.mark.parametrize(
    ("numbers", "name", "told"),
    [
        (
            NUMBERS,
            "review",
            (
                'project "review" is not in projects of environment staging, reconciler.toml:5 '
                "(did you mean reviews?)"
            ),
        ),
        (
            NUMBERS,
            "x",
            (
                'project "x" is not in projects of environment staging, reconciler.toml:5 '
                "(the projects are reviews, photos)"
            ),
        ),
        (
            ProjectNumbers({}, "staging", "reconciler.toml:4"),
            "reviews",
            (
                "environment staging has no projects, reconciler.toml:4 "
                '(add projects = {"reviews" = NUMBER} to it)'
            ),
        ),
        (
            ProjectNumbers({}, "", "reconciler.toml:4"),
            "reviews",
            (
                'project "reviews" has a number only in an environment, and none is chosen '
                "(pass --env to choose an environment of reconciler.toml:4)"
            ),
        ),
    ],
)
def test_a_name_without_a_number_is_refused(numbers: ProjectNumbers, name: str, told: str):
    with pytest.raises(LookupError) as refused:
        numbers(name)
    assert str(refused.value) == told
    assert isinstance(refused.value, ReconcilerError)


def test_a_huge_name_ends_in_a_short_message():
    with pytest.raises(UnknownProjectName) as refused:
        NUMBERS("reviews" * 200_000)
    assert len(str(refused.value)) < 500


def test_the_server_is_asked_only_where_the_settings_have_no_projects():
    server = titled("reviews")
    settings = Settings("https://x.test", "s3cret", environment="staging", projects=NUMBERS)
    with api_of(server) as api:
        assert choose_lookup(settings, Connection(api, CONTRACT))("reviews") == 12
        assert server.requests == []
        without = Settings("https://x.test", "s3cret")
        assert choose_lookup(without, Connection(api, CONTRACT))("reviews") == 8


# On the server.


def test_a_title_must_be_exactly_the_name():
    with api_of(titled("Reviews", "reviews", "my reviews", "reviews 2")) as api:
        lookup = ProjectTitles(api)
        assert (lookup("reviews"), lookup("Reviews"), lookup("reviews 2")) == (9, 8, 11)


def test_a_title_that_no_project_has_is_refused():
    with api_of(titled("my reviews")) as api, pytest.raises(UnknownProjectName) as refused:
        ProjectTitles(api)("reviews")
    assert str(refused.value) == (
        'no project on http://label-studio.test has the title "reviews" (correct it, use the '
        "number of the project, or give the name a number in the settings)"
    )


def test_a_title_of_several_projects_is_refused_with_their_numbers():
    with api_of(titled("reviews", "x", "reviews")) as api, pytest.raises(LookupError) as refused:
        ProjectTitles(api)("reviews")
    assert str(refused.value) == (
        '2 projects on http://label-studio.test have the title "reviews": 8, 10 (use the number '
        "of the project, or give the name a number in the settings)"
    )


def test_each_name_is_looked_up_once():
    server = titled("reviews")
    with api_of(server) as api:
        lookup = ProjectTitles(api)
        assert [lookup("reviews") for _ in range(5)] == [8] * 5
        for _ in range(2):
            with pytest.raises(UnknownProjectName, match="has the title"):
                lookup("nothing")
    assert len(server.requests) == 2


def test_many_names_are_not_many_requests():
    server = titled("reviews")
    with api_of(server) as api:
        lookup = ProjectTitles(api)
        for number in range(200):
            with pytest.raises(UnknownProjectName):
                lookup(f"name {number}")
    assert len(server.requests) == 50


@pytest.mark.parametrize("name", ["", " ", "a\0b", "a\nb", "\ud800"])
def test_a_name_that_no_title_can_be_is_not_sent(name: str):
    server = titled("reviews")
    with api_of(server) as api, pytest.raises(UnknownProjectName):
        ProjectTitles(api)(name)
    assert server.requests == []


def test_all_pages_are_read():
    server = titled(*["more reviews"] * 250, "reviews")
    server.state.projects = dict(sorted(server.state.projects.items(), reverse=True))
    with api_of(server) as api:
        assert ProjectTitles(api)("reviews") == 258
    assert [query_of(request)["page"] for request in server.requests] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "{}",
        '{"count": 1}',
        '{"count": "1", "results": []}',
        '{"count": 1, "results": [7]}',
        '{"count": 1, "results": [{"id": "7", "title": "reviews"}]}',
        '{"count": 1, "results": [{"id": true, "title": "reviews"}]}',
        '{"count": 2, "results": []}',
    ],
)
def test_an_answer_that_is_no_list_of_projects_is_refused(body: str):
    server = Scripted(lambda _: httpx.Response(200, text=body))
    with api_of(server) as api, pytest.raises(NotLabelStudio, match="/api/projects/ did not"):
        ProjectTitles(api)("reviews")
    assert len(server.requests) == 1


def test_a_server_that_lists_projects_without_end_is_left():
    def answer(request: httpx.Request) -> httpx.Response:
        rows = [{"id": int(query_of(request)["page"]), "title": "reviews"}]
        return httpx.Response(200, json={"count": 10**9, "results": rows})

    server = Scripted(answer)
    with api_of(server) as api, pytest.raises(NotLabelStudio, match="did not list all projects"):
        ProjectTitles(api)("reviews")
    assert len(server.requests) == 100
