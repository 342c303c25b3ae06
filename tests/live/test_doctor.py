"""``doctor`` on either server, counted by a proxy, and the facts that it relies on."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.labelstudio.retry import parse_http_date
from tests.live.command_line import Command
from tests.live.counting_proxy import Asked, Through, no_trouble
from tests.live.nginx import nginx
from tests.live.under_test import ServerUnderTest

REQUESTS_MAX = 15


def examine(command: Command, *arguments: str) -> dict[str, Any]:
    ran = command("doctor", "--format", "json", *arguments)
    found = dict(json.loads(ran.out))
    assert (ran.code == 0, ran.err) == (found["ready"], "")
    return found


def findings(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {row["check"]: (row["level"], row["what"]) for row in found["findings"]}


def bad(found: dict[str, Any]) -> dict[str, str]:
    return {row["check"]: row["level"] for row in found["findings"] if row["level"] != "ok"}


def sent(asked: Sequence[Asked]) -> set[str]:
    return {request.method for request in asked}


def write(project: int, tasks: Sequence[int]) -> str:
    lines = ["version: 1", f"project: {project}", "defaults: {overlap: 2, data: {split: a}}"]
    lines += ["tasks:", *(f"  - id: {task}" for task in tasks)]
    Path("tasks.yaml").write_text("\n".join(lines), encoding="utf-8")
    return "tasks.yaml"


def test_a_server_on_which_all_is_well(server: ServerUnderTest, command: Command, through: Through):
    project, tasks = server.make_tasks(3)
    with through(no_trouble) as asked:
        found = examine(command, write(project, tasks))

    assert (found["ready"], bad(found), found["unchecked"]) == (True, {}, [])
    assert found["requests"] == len(asked) <= REQUESTS_MAX
    assert sent(asked) == {"GET", "OPTIONS"}
    told = findings(found)
    assert told["attributes"][1] == "shown and stored by the server: data, overlap"
    assert told["projects"][1] == f'project {project} "contract" with 3 tasks'
    assert command("plan", "tasks.yaml").code == 0


def test_keys_and_a_personal_token_take_no_more_requests(
    server: ServerUnderTest,
    command: Command,
    through: Through,
    refresh_token: str,
    monkeypatch: pytest.MonkeyPatch,
):
    project = server.make_project()
    rows = [{"data": {"text": "x", "a": f"k{n}", "b": f"k{n}"}} for n in (1, 2, 2)]
    server.import_tasks(project, rows)
    documents = [
        f"version: 1\nproject: {project}\nkey: data.{name}\ndefaults: {{overlap: 2}}\n"
        "tasks:\n  - key: k1\n  - key: k2\n  - key: k3\n"
        for name in ("a", "b")
    ]
    Path("keys.yaml").write_text("---\n".join(documents), encoding="utf-8")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", refresh_token)
    with through(no_trouble) as asked:
        found = examine(command, "keys.yaml")

    assert found["requests"] == len(asked) <= REQUESTS_MAX
    assert sent(asked) == {"GET", "OPTIONS", "POST"}
    assert [a.path for a in asked if a.method == "POST"] == ["/api/token/refresh"]
    assert bad(found) == {"keys": "problem"}
    assert findings(found)["token"][1].startswith("personal access token, which the server accepts")


def test_a_wrong_token_is_told_and_all_else_that_needs_none(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "wrong")
    found = examine(command)

    assert bad(found) == {"token": "problem"}
    assert "401: Invalid token." in findings(found)["token"][1]
    assert findings(found)["version"][0] == "ok"
    assert server.release


@pytest.mark.parametrize(
    ("lines", "check", "said"),
    [
        ("return 302 /user/login/?next=$uri;", "version", "a login page is in front"),
        (
            "return 302 https://login.example.org/oauth2/auth;",
            "version",
            "a login page is in front of the server",
        ),
        (
            'auth_basic "staff"; auth_basic_user_file /dev/null;',
            "version",
            "asks for its own login (WWW-Authenticate: Basic)",
        ),
        ("return 503;", "version", "is a proxy in front of it?"),
    ],
    ids=["login", "other-login", "basic", "down"],
)
def test_a_real_nginx_in_front_is_told_from_label_studio(
    server: ServerUnderTest,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    lines: str,
    check: str,
    said: str,
):
    with nginx(server.url, location=lines) as place:
        monkeypatch.setenv("LABEL_STUDIO_URL", f"http://{place}")
        found = examine(command)

    assert bad(found)[check] == "problem"
    (row,) = [row for row in found["findings"] if row["check"] == check]
    assert said in row["what_to_do"]


def test_projects_are_looked_up_by_their_numbers(server: ServerUnderTest):
    one, other = server.make_project(), server.make_project()
    fields = "id,title,task_number,maximum_annotations,overlap_cohort_percentage"
    query = {"ids": f"{one},{other},999999999", "include": fields, "page_size": "100"}
    body = server.http.get("/api/projects/", params=query).json()

    assert body["count"] == 2
    assert {row["id"] for row in body["results"]} == {one, other}
    assert all(set(fields.split(",")) <= row.keys() for row in body["results"])


def test_a_user_is_told_with_the_organisation_and_without_a_role(community: ServerUnderTest):
    told = community.http.get("/api/current-user/whoami").json()

    assert told["active_organization_meta"]["title"]
    assert "tasks.change" in told["permissions"]
    assert not [name for name in told if "role" in name or "membership" in name]


def test_a_wrong_token_is_told_the_version_all_the_same(server: ServerUnderTest):
    with server.anonymous("Token wrong") as http:
        assert http.get("/api/version").status_code == 200


def test_each_response_has_the_time_of_the_server(server: ServerUnderTest):
    for path in ("/api/version", "/api/tasks/999999999/"):
        before = time.time()
        answer: httpx.Response = server.http.get(path)
        date = parse_http_date(answer.headers["date"])
        assert date is not None
        assert before - 1 <= date <= time.time()
