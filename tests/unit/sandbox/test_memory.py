"""What the sandbox offers to tests, beyond behaving like a server."""

from __future__ import annotations

import threading
from datetime import timedelta

import httpx
import pytest

from reconciler.sandbox.access import ACCESS_SECONDS, SANDBOX_REFRESH_TOKEN, SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve, serve_forever
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.unit.sandbox.conftest import Clock


class Stop(Exception):
    """Ends a server that would go on for ever."""


def test_it_logs_what_was_asked(community: State, http: httpx.Client):
    http.get("/api/tasks/1/", params={"include": "id"})
    http.patch("/api/tasks/1/", json={})

    assert community.log == [("GET", "/api/tasks/1/?include=id"), ("PATCH", "/api/tasks/1/")]
    assert community.requests("PATCH") == 1


def test_it_takes_its_time_from_the_clock_it_is_given(http: httpx.Client):
    assert http.get("/api/tasks/1/").json()["created_at"].startswith("2026-01-01T00:00:00.00")


def test_an_access_token_runs_out(community: State, clock: Clock):
    with serve(community) as url, httpx.Client(base_url=url) as http:
        answer = http.post("/api/token/refresh", json={"refresh": SANDBOX_REFRESH_TOKEN})
        header = {"Authorization": f"Bearer {answer.json()['access']}"}
        before = http.get("/api/tasks/1/", headers=header)
        clock.moment += timedelta(seconds=ACCESS_SECONDS)
        after = http.get("/api/tasks/1/", headers=header)

    assert (before.status_code, after.status_code) == (200, 401)


def test_personal_tokens_can_be_switched_off(community: State):
    with serve(community) as url, httpx.Client(base_url=url) as http:
        answer = http.post("/api/token/refresh", json={"refresh": SANDBOX_REFRESH_TOKEN})
        http.post("/api/jwt/settings", json={"api_tokens_enabled": False}, headers=token())
        header = {"Authorization": f"Bearer {answer.json()['access']}"}

        assert http.get("/api/tasks/1/", headers=header).status_code == 401


def test_tasks_can_be_added_in_any_order():
    state = new_state()
    project = state.add_project("unit")
    for number in (5, 3, 9):
        state.add_task(project, {"data": {}}, number=number)

    assert project.task_ids == [3, 5, 9]
    assert state.add_task(project, {"data": {}}).id == 10


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
def test_what_the_tool_never_sends_is_not_there(http: httpx.Client, method: str):
    assert http.request(method, "/api/tasks/1/").status_code == 405


def test_filters_are_refused_rather_than_ignored(http: httpx.Client):
    answer = http.get("/api/tasks/", params={"project": 1, "query": '{"filters": {}}'})

    assert answer.status_code == 500


def test_a_body_nested_too_deeply_is_a_failure_as_any_other(http: httpx.Client):
    body = b'{"data":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_001

    answer = http.patch("/api/tasks/1/", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 500


def test_many_threads_may_write_at_once(community: State):
    def write(url: str) -> None:
        with httpx.Client(base_url=url, headers=token()) as http:
            for _ in range(10):
                http.patch("/api/tasks/1/", json={"overlap": 2})

    with serve(community) as url:
        threads = [threading.Thread(target=write, args=(url,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert community.requests("PATCH") == 80


def test_it_announces_its_address_once_it_listens(community: State):
    def announce(url: str) -> None:
        assert url.startswith("http://127.0.0.1:")
        raise Stop

    with pytest.raises(Stop):
        serve_forever(community, 0, announce=announce)


def token() -> dict[str, str]:
    return {"Authorization": f"Token {SANDBOX_TOKEN}"}
