"""``doctor`` before every kind of server: each finding is true, and says what to do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import trustme

from reconciler.contract.location import locate_schema
from reconciler.sandbox.access import SANDBOX_REFRESH_TOKEN, SANDBOX_TOKEN, make_jwt
from reconciler.sandbox.loopback_server import serve
from tests.unit.cli.conftest import Command, Manifest, Ran, answering, process
from tests.unit.cli.test_tls import HOST, with_tls
from tests.unit.labelstudio.wired import Hooked, sandbox_with

SCHEMA = json.loads(locate_schema("checkup.schema.json").read_text(encoding="utf-8"))
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Found:
    """What one run found, by check: level, and everything that is said."""

    code: int
    levels: dict[str, str]
    texts: dict[str, str]
    document: dict[str, Any]

    @property
    def bad(self) -> dict[str, str]:
        """The checks that did not find all well."""
        return {check: level for check, level in self.levels.items() if level != "ok"}


def read(code: int, output: str) -> Found:
    document = json.loads(output)
    jsonschema.validate(document, SCHEMA)
    assert document["requests"] <= 15
    assert (code == 0) == document["ready"]
    order = ["ok", "note", "warning", "problem"]
    levels: dict[str, str] = {}
    texts: dict[str, str] = {}
    for row in document["findings"]:
        check = row["check"]
        levels[check] = max(row["level"], levels.get(check, "ok"), key=order.index)
        if row["level"] != "ok":
            assert row["why"]
            assert row["what_to_do"]
        texts[check] = f"{texts.get(check, '')}{row['what']} ({row['what_to_do']})\n"
    return Found(code, levels, texts, document)


@pytest.fixture
def found(command: Command) -> Callable[..., Found]:
    """Run doctor in this process, and read its document."""

    def found(*arguments: str) -> Found:
        ran = command("doctor", "--format", "json", *arguments)
        assert ran.errors == ""
        return read(ran.code, ran.output)

    return found


def at(url: str, *arguments: str, **environment: str) -> Found:
    """Run doctor in a process of its own, and read its document."""
    started = time.monotonic()
    ran = process("doctor", "--format", "json", *arguments, url=url, **environment)
    assert ran.stderr == ""
    assert SANDBOX_TOKEN not in ran.stdout
    assert time.monotonic() - started < 30
    return read(ran.returncode, ran.stdout)


def test_all_is_well(server: Hooked, found: Callable[..., Found], manifest: Manifest):
    seen = found(manifest())
    assert (seen.code, seen.bad) == (0, {"address": "warning"})
    assert seen.document["unchecked"] == ["clock"]
    assert {request.method for request in server.requests} == {"GET", "OPTIONS"}
    assert len(server.requests) == seen.document["requests"] <= 15
    assert "shown and stored by the server: overlap" in seen.texts["attributes"]
    assert "sandbox@example.com (user 1) of organisation Sandbox" in seen.texts["user"]


def test_without_manifests_only_the_server_and_the_token_are_checked(
    server: Hooked, found: Callable[..., Found]
):
    seen = found()
    assert seen.code == 0
    assert "files" not in seen.levels
    assert seen.texts["projects"] == "the token can see 1 project ()\n"
    assert len(server.requests) <= 15


@pytest.mark.usefixtures("server")
def test_what_is_fine_takes_a_line_and_what_is_not_three(
    command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "wrong")
    ran = command("doctor", manifest())
    assert ran.code == 1
    assert ran.output.count("\n  ok") == len(
        [line for line in ran.output.splitlines() if line.startswith("  ok")]
    )
    lines = ran.output.splitlines()
    (place,) = [n for n, line in enumerate(lines) if line.startswith("  problem  token")]
    assert "returned 401: Invalid token." in lines[place]
    assert lines[place + 1].strip().startswith("why:   the server shows and changes tasks only")
    assert lines[place + 2].strip().startswith("to do: set LABEL_STUDIO_API_KEY")
    assert lines[place + 3] == ""
    assert lines[-1] == ("Not ready: 1 problem, 1 warning; an apply would not work (4 requests).")
    assert "Not checked: clock, user, updates, pages" in ran.output


@pytest.mark.usefixtures("server")
def test_colour_is_only_for_terminals(command: Command, monkeypatch: pytest.MonkeyPatch):
    assert "\x1b" not in command("doctor").output
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = command("doctor").output
    assert "\x1b[32mok     \x1b[0m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in command("doctor").output


def test_no_token_and_no_server_are_told_at_once(found: Callable[..., Found]):
    seen = found()
    assert seen.bad == {"settings": "problem", "token": "problem"}
    assert "no server is set (set LABEL_STUDIO_URL" in seen.texts["settings"]
    assert "no token is set" in seen.texts["token"]
    assert (seen.document["server"], seen.document["requests"]) == (None, 0)


def test_without_a_token_the_server_is_looked_at_all_the_same(
    server: Hooked, found: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    seen = found()
    assert seen.bad["token"] == "problem"
    assert seen.levels["version"] == "ok"
    assert not [r for r in server.requests if "authorization" in r.headers]


def test_a_token_in_place_of_the_address_is_not_shown(
    command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_URL", SANDBOX_TOKEN)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", f" {SANDBOX_TOKEN} ")
    ran = command("doctor")
    assert ran.code == 1
    assert "is not a server address" in ran.output
    assert SANDBOX_TOKEN not in ran.output + ran.errors


def test_without_encryption_no_token_is_sent(
    server: Hooked, found: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("RECONCILER_ALLOW_PLAIN_HTTP")
    seen = found()
    assert seen.bad["settings"] == "problem"
    assert "the token would be sent without encryption" in seen.texts["settings"]
    assert seen.levels["version"] == "ok"
    assert not [r for r in server.requests if "authorization" in r.headers]


def test_a_personal_token_is_named_with_its_expiry(
    server: Hooked,
    found: Callable[..., Found],
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_REFRESH_TOKEN)
    seen = found(manifest())
    assert seen.texts["token"] == (
        "personal access token, which the server accepts; it is valid until 2226-10-04 ()\n"
    )
    assert seen.document["requests"] == len(server.requests) <= 15


def personal(expires: float) -> str:
    return make_jwt({"token_type": "refresh", "exp": int(expires), "iat": 1, "user_id": "1"})


def test_a_personal_token_that_expires_soon_is_a_warning(
    server: Hooked, found: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
):
    token = personal(time.time() + 3 * DAY + 60)
    server.state.refresh_tokens.add(token)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", token)
    seen = found()
    assert (seen.code, seen.levels["token"]) == (0, "warning")
    assert "3 days from now (make a personal access token" in seen.texts["token"]


@pytest.mark.usefixtures("server")
def test_an_expired_token_says_when_it_expired(
    found: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", personal(1_700_000_000))
    seen = found()
    assert seen.bad["token"] == "problem"
    assert (
        "personal access token: POST http://label-studio.test/api/token/refresh returned 401"
        in seen.texts["token"]
    )
    assert (
        "by this machine's clock, it expired on 2023-11-14 (make a personal"
        in (seen.texts["token"])
    )


def test_an_access_token_ends_within_minutes(
    server: Hooked, found: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
):
    access = make_jwt({"token_type": "access", "exp": int(time.time() + 299), "iat": 1})
    server.state.access_tokens[access] = datetime.now(UTC) + timedelta(seconds=299)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", access)
    seen = found()
    assert seen.levels["token"] == "warning"
    assert "access token, which the server accepts; it expires in 4 minutes" in seen.texts["token"]


def test_legacy_tokens_that_are_disabled_need_a_personal_one(
    server: Hooked, found: Callable[..., Found]
):
    server.state.legacy_tokens = False
    seen = found()
    assert "legacy token authentication has been disabled" in seen.texts["token"]
    assert "(make a personal access token in Account & Settings" in seen.texts["token"]


def answer_with(
    status: int, body: bytes = b"", kind: str = "text/html", **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            answer_with(200, b"<title>Welcome to nginx!</title>"),
            (
                "returned 200 with a page of type text/html (Welcome to nginx!)",
                "is it Label Studio",
            ),
        ),
        (
            answer_with(404, b"<h1>Not Found</h1>"),
            ("returned 404 with a page of type text/html (Not Found)", "is it Label Studio"),
        ),
        (
            answer_with(404, b'{"error": "no"}', "application/json"),
            ("returned 404", "is this the address of a Label Studio server?"),
        ),
        (
            answer_with(200, b'{"version": "1"}', "application/json"),
            ("did not return what Label Studio returns", "is this the address"),
        ),
        (
            answer_with(302, Location="https://other.test/api/version"),
            ("was redirected to https://other.test/api/version", "that is another host"),
        ),
        (
            answer_with(302, Location="/user/login/?next=/api/version"),
            ("/user/login/; redirects are not followed", "a login page is in front of the server"),
        ),
        (
            answer_with(401, b"<h1>401</h1>", WWW_Authenticate='Basic realm="x"'),
            ("returned 401", "asks for its own login (WWW-Authenticate: Basic)"),
        ),
        (
            answer_with(502, b"<h1>502 Bad Gateway</h1>"),
            ("returned 502 with a page of type text/html (502 Bad Gateway)", "is a proxy in front"),
        ),
    ],
    ids=["web", "web-404", "api-404", "api", "redirect", "login", "basic", "502"],
)
def test_what_is_not_label_studio_is_told_from_it(
    answer: Callable[[BaseHTTPRequestHandler], None], said: tuple[str, str], manifest: Manifest
):
    with answering(answer) as url:
        seen = at(url, manifest())
    assert {check: level for check, level in seen.bad.items() if check != "token"} == {
        "version": "problem"
    }
    assert seen.levels["token"] == "note"
    for part in said:
        assert part in seen.texts["version"]
    assert seen.levels["connection"] == "ok"
    assert seen.levels["files"] == "ok"
    assert seen.document["requests"] == 2


def test_a_gateway_that_lets_only_tokens_pass_is_no_trouble(
    server: Hooked, found: Callable[..., Found]
):
    def gate(request: httpx.Request) -> httpx.Response | None:
        with_token = "authorization" in request.headers
        return None if with_token else httpx.Response(403, html="<h1>Forbidden</h1>")

    server.hook = gate
    seen = found()
    assert (seen.code, seen.levels["version"]) == (0, "ok")


def test_a_login_that_guards_only_the_api_is_a_problem_of_the_token(
    server: Hooked, found: Callable[..., Found]
):
    def login(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/api/version":
            return None
        return httpx.Response(302, headers={"location": "https://login.test/oauth2/start"})

    server.hook = login
    seen = found()
    assert seen.levels["version"] == "ok"
    assert seen.bad["token"] == "problem"
    assert "was redirected to https://login.test/oauth2/start" in seen.texts["token"]
    assert "a login page is in front of the server" in seen.texts["token"]


def test_a_server_that_is_not_running_is_told_with_one_request(manifest: Manifest):
    seen = at("http://127.0.0.1:1", manifest())
    assert seen.bad == {"connection": "problem", "token": "note"}
    assert "Connection refused" in seen.texts["connection"]
    assert "is the server running" in seen.texts["connection"]
    assert seen.document["requests"] == 1


def test_a_server_that_never_answers_is_not_waited_for_long():
    def hang(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(3)
        handler.close_connection = True

    with answering(hang) as url:
        started = time.monotonic()
        seen = at(url, RECONCILER_TIMEOUT="1")
        assert time.monotonic() - started < 8
    assert "no complete response" in seen.texts["connection"]
    assert seen.document["requests"] == 1


def test_nothing_is_repeated_where_a_plan_would(server: Hooked, found: Callable[..., Found]):
    server.hook = lambda _request: httpx.Response(503, json={"detail": "busy"})
    seen = found()
    assert "returned 503: busy" in seen.texts["version"]
    assert len(server.requests) == 2


def test_an_untrusted_certificate_is_a_problem_of_the_connection():
    with with_tls(sandbox_with(1), trustme.CA().issue_cert(HOST)) as url:
        seen = at(url)
    assert seen.bad == {"connection": "problem", "token": "note"}
    assert "unable to get local issuer certificate" in seen.texts["connection"]
    assert "(set SSL_CERT_FILE to a file with the authority" in seen.texts["connection"]


@pytest.mark.parametrize(
    ("days", "level", "said"),
    [
        (90, "ok", "with a trusted certificate that is valid until "),
        (3, "warning", "from now (renew the certificate of the server"),
        (-1, "problem", "(renew the server's certificate, or correct the clock of this machine)"),
    ],
)
def test_the_days_of_a_certificate_are_counted(tmp_path: Path, days: int, level: str, said: str):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    end = datetime.now(UTC) + timedelta(days=days)
    with with_tls(sandbox_with(1), authority.issue_cert(HOST, not_after=end)) as url:
        seen = at(url, SSL_CERT_FILE=str(tmp_path / "authority.pem"))
    assert seen.levels["connection"] == level
    assert said in seen.texts["connection"]


@pytest.mark.parametrize(
    ("seconds", "level", "said"),
    [
        (0, "ok", "the clock of this machine agrees with that of the server within"),
        (-20, "ok", "the clock of this machine is"),
        (-7200, "warning", "hour ahead of the date that the server, or a proxy in front of it"),
        (90000, "warning", "1 day behind the date"),
    ],
)
def test_clocks_are_compared(
    server: Hooked, found: Callable[..., Found], seconds: int, level: str, said: str
):
    def dated(request: httpx.Request) -> httpx.Response:
        server.hook = lambda _request: None
        answer = server.handle_request(request)
        server.hook = dated
        answer.headers["date"] = formatdate(time.time() + seconds, usegmt=True)
        return answer

    server.hook = dated
    seen = found()
    assert (seen.code, seen.levels["clock"]) == (0, level)
    assert said in seen.texts["clock"]


@pytest.mark.usefixtures("server")
def test_problems_of_manifests_do_not_keep_the_server_from_being_checked(
    found: Callable[..., Found],
):
    Path("a.yaml").write_text("version: 1\nproject: 7\ntasks:\n  - {id: 1, overlap: x}\n")
    seen = found("a.yaml")
    assert (
        'a.yaml:4:22: tasks[0].overlap: expected an integer, found the string "x"'
        in (seen.texts["files"])
    )
    assert (seen.bad["files"], seen.levels["token"]) == ("problem", "ok")


@pytest.mark.usefixtures("server")
def test_a_path_without_manifests_is_a_problem(found: Callable[..., Found]):
    assert "no-such-folder" in found("no-such-folder").texts["files"]


@pytest.mark.usefixtures("server")
def test_a_project_that_does_not_exist_is_named(found: Callable[..., Found]):
    Path("a.yaml").write_text("version: 1\nproject: 99\ntasks:\n  - {id: 1, overlap: 2}\n")
    seen = found("a.yaml")
    assert "project 99 does not exist, or this token may not see it" in seen.texts["projects"]
    assert seen.code == 1


def write_titled(title: str) -> None:
    Path("a.yaml").write_text(f"version: 1\nproject: {title}\ntasks:\n  - {{id: 1, overlap: 2}}\n")


@pytest.mark.usefixtures("server")
def test_a_title_is_looked_up(found: Callable[..., Found]):
    write_titled("Project 7")
    assert found("a.yaml").texts["projects"] == 'project 7 "Project 7" with 3 tasks ()\n'
    write_titled("Another")
    seen = found("a.yaml")
    assert seen.levels["files"] == "problem"
    assert "0 projects on http://label-studio.test have this title" in seen.texts["files"]


def test_attributes_that_the_server_does_not_show_or_store_are_named(
    server: Hooked, found: Callable[..., Found]
):
    Path("a.yaml").write_text(
        "version: 1\nproject: 7\ntasks:\n  - {id: 1, allow_skip: true, comment_count: 1}\n"
    )
    seen = found("a.yaml")
    assert seen.bad["attributes"] == "problem"
    assert "the server does not show allow_skip in task 1" in seen.texts["attributes"]
    server.hook = lambda request: (
        httpx.Response(200, json={"actions": {"PUT": {"data": {"read_only": False}}}})
        if request.method == "OPTIONS"
        else None
    )
    assert "updates on this server ignore comment_count" in found("a.yaml").texts["attributes"]


KEYED = "version: 1\nproject: 7\nkey: data.external_id\ndefaults: {overlap: 2}\ntasks:\n"


def test_keys_without_a_task_and_with_several_are_named(
    server: Hooked, found: Callable[..., Found]
):
    for task, key in ((1, "a"), (2, "b"), (3, "b")):
        server.state.tasks[task].values["data"] = {"text": "x", "external_id": key}
    Path("a.yaml").write_text(f"{KEYED}  - key: a\n  - key: b\n  - key: c\n")
    seen = found("a.yaml")
    assert '"b" at data.external_id in project 7 names 2 tasks: 2, 3' in seen.texts["keys"]
    assert (
        '1 key of the 3 looked up at data.external_id in project 7 without a task: "c"'
        in (seen.texts["keys"])
    )
    Path("a.yaml").write_text(f"{KEYED}  - key: a\n")
    assert (
        "1 at data.external_id in project 7 looked up: each names one"
        in (found("a.yaml").texts["keys"])
    )


def test_a_setting_that_resets_overlaps_is_a_warning(
    server: Hooked, found: Callable[..., Found], manifest: Manifest
):
    project = server.state.projects[7]
    project.maximum_annotations, project.overlap_cohort_percentage = 3, 40
    seen = found(manifest())
    assert (seen.code, seen.levels["overlap"]) == (0, "warning")
    assert (
        "resets overlap to 3 for 40% of the tasks, and to 1 for the others"
        in (seen.texts["overlap"])
    )
    Path("b.yaml").write_text("version: 1\nproject: 7\ntasks:\n  - {id: 1, data: {text: x}}\n")
    assert "overlap" not in found("b.yaml").levels


def test_a_limit_on_pages_is_told(server: Hooked, found: Callable[..., Found]):
    server.state.page_size_max = 2
    assert "the server cuts pages to 2 tasks; reconciler requests 1,000" in (found().texts["pages"])


def test_addresses_that_the_server_resolves_anyway_are_told(
    server: Hooked, found: Callable[..., Found]
):
    stored = {"image": "s3://photos/1.jpg"}
    server.state.tasks[1].values["data"] = stored
    assert "shown as stored, in 1 task that holds one" in found().texts["addresses"]
    resolved = {"image": "/tasks/1/resolve/?fileuri=czM6Ly9waG90b3MvMS5qcGc="}
    server.state.tasks[1].values["data"] = resolved
    seen = found()
    assert (seen.code, seen.levels["addresses"]) == (0, "warning")
    assert "which the server generated" in seen.texts["addresses"]


@pytest.mark.parametrize(("role", "level"), [("OW", "ok"), ("AN", "warning"), ("XX", "ok")])
def test_a_role_is_told_where_the_server_shows_it(
    server: Hooked, found: Callable[..., Found], role: str, level: str
):
    user = {
        "id": 5,
        "email": "a@example.org",
        "active_organization": 1,
        "organization_membership": {"organization_id": 1, "role": role},
    }
    server.hook = lambda request: (
        httpx.Response(200, json=user) if request.url.path.endswith("/whoami") else None
    )
    assert found().levels["user"] == level


@pytest.mark.usefixtures("server")
def test_wrong_variables_are_findings(found: Callable[..., Found], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECONCILER_RPS", "many")
    monkeypatch.setenv("RECONCILER_CONCURENCY", "3")
    seen = found()
    assert seen.bad["settings"] == "problem"
    assert "RECONCILER_RPS: expected a number, found 'many'" in seen.texts["settings"]
    assert "RECONCILER_CONCURENCY" in seen.texts["settings"]
    assert seen.levels["token"] == "ok"


def test_whatever_a_server_answers_there_is_no_traceback_and_no_storm(
    server: Hooked, command: Command, manifest: Manifest
):
    """Each request in turn gets each odd response: all runs end, within the limit of requests."""
    odd = [
        lambda: httpx.Response(500, html="<h1>x</h1>"),
        lambda: httpx.Response(200, json=[]),
        lambda: httpx.Response(200, json={"results": [7, {}], "count": 1, "tasks": 3, "id": "x"}),
        lambda: httpx.Response(401, json={"detail": "no"}),
        lambda: httpx.Response(404, json={"detail": "no"}),
        lambda: httpx.Response(200, content=b"\xff{"),
    ]
    for place in range(14):
        for make in odd:
            server.requests.clear()
            server.hook = lambda _request, place=place, make=make: (  # type: ignore[misc]
                make() if len(server.requests) == place + 1 else None
            )
            ran: Ran = command("doctor", manifest())
            assert ran.code in {0, 1}
            assert ran.output.splitlines()[-1].startswith(("Ready: ", "Not ready: "))
            assert len(server.requests) <= 15


def test_tasks_that_cannot_be_read_are_told(
    server: Hooked, found: Callable[..., Found], manifest: Manifest
):
    server.state.tasks[2].values["data"] = 7
    seen = found(manifest())
    assert seen.bad == dict.fromkeys(("address", "pages", "addresses"), "warning")
    assert "returned 500" in seen.texts["pages"]
    assert "which finds out which tasks are damaged" in seen.texts["addresses"]


def test_a_secret_that_a_server_repeats_is_not_shown(
    server: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "s3cret-of-this-user")

    def repeat(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"detail": request.headers.get("authorization", "")})

    server.hook = repeat
    ran = command("doctor", "--verbose")
    assert "s3cret" not in ran.output + ran.errors


def test_help_shows_an_example(command: Command):
    assert "reconciler doctor manifests/ --env staging" in command("doctor", "--help").output


def test_it_runs_in_a_process_of_its_own_over_a_network(manifest: Manifest):
    with serve(sandbox_with(3)) as url:
        seen = at(url, manifest())
    assert (seen.code, seen.bad) == (0, {})
    assert seen.document["requests"] <= 15
    assert "lists at once took" in seen.texts["at once"]


SECRETS = """
version: 1
project: 7
key: data.text
tasks:
  - {key: s3cret-1, overlap: 2}
  - {key: s3cret-2, overlap: 2}
"""


@pytest.mark.usefixtures("server")
def test_redacted_keys_are_not_looked_up(found: Callable[..., Found]):
    Path("tasks.yaml").write_text(SECRETS, encoding="utf-8")
    shown = found("tasks.yaml")
    hidden = found("tasks.yaml", "--redact", "data.text")
    assert "s3cret-1" in shown.texts["keys"]
    assert (
        "2 keys at data.text in project 7 not looked up: they are redacted" in hidden.texts["keys"]
    )
    assert hidden.document["requests"] < shown.document["requests"]


@pytest.mark.usefixtures("server")
def test_settings_that_cannot_say_what_is_redacted_hide_everything(command: Command):
    wrong = SECRETS.replace("key: s3cret-1", "id: 1, allow_skip: s3cret")
    Path("tasks.yaml").write_text(wrong, encoding="utf-8")
    assert "s3cret" in command("doctor", "tasks.yaml").output
    Path("reconciler.toml").write_text('redact = ["data.boxes[0]"]\n', encoding="utf-8")
    for form in ("text", "json", "markdown", "github", "junit"):
        ran = command("doctor", "tasks.yaml", "--format", form)
        assert ran.code == 1
        assert "elements of lists have no path" in ran.output
        assert "not shown, as it may quote redacted values" in ran.output
        assert "s3cret" not in ran.output + ran.errors
