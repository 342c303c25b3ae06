"""Runs through a real nginx: what it refuses is told as its doing, and what it delays is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trustme

from tests.live.command_line import Command
from tests.live.nginx import nginx
from tests.live.twenty import declared, written
from tests.live.under_test import ServerUnderTest


def manifest(server: ServerUnderTest, **declared: object) -> str:
    """Declare one new task so."""
    project, (task,) = server.make_tasks(1)
    document = {"version": 1, "project": project, "tasks": [{"id": task, **declared}]}
    Path("tasks.json").write_text(json.dumps(document), encoding="utf-8")
    return "tasks.json"


def test_a_body_that_it_does_not_take_is_told_with_its_size(
    server: ServerUnderTest, command: Command
):
    path = manifest(server, data={"text": "x" * 5_000})
    with nginx(server.url, location="client_max_body_size 1k;") as at:
        ran = command("apply", "--yes", path, "--url", f"http://{at}")
    assert ran.code == 3
    said = ran.out + ran.err
    assert "returned 413: 5,0" in said
    assert "bytes are too many: a page of type text/html (413 Request Entity Too Large)" in said
    assert "this is a limit of nginx/" in said
    assert "client_max_body_size" in said


def test_its_own_password_is_not_taken_for_the_token(server: ServerUnderTest, command: Command):
    Path("passwords").write_text("anna:{PLAIN}s3cret\n", encoding="utf-8")
    lines = f'auth_basic "closed"; auth_basic_user_file {Path("passwords").absolute()};'
    path = manifest(server, overlap=2)
    with nginx(server.url, location=lines) as at:
        ran = command("plan", path, "--url", f"http://{at}")
    assert ran.code == 1
    assert "returned 401: a page of type " in ran.err
    assert "a proxy in front of Label Studio asks for its own login (WWW-Authenticate: " in (
        ran.err
    )
    assert "valid token" not in ran.err


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("https://sso.test/start?state=abc", "https://sso.test/start; redirects"),
        ("/user/login/?next=$request_uri", "/user/login/; redirects"),
    ],
)
def test_a_login_before_the_server_is_told_as_one(
    server: ServerUnderTest, command: Command, target: str, shown: str
):
    path = manifest(server, overlap=2)
    with nginx(server.url, location=f"return 302 {target};") as at:
        ran = command("plan", path, "--url", f"http://{at}")
    assert ran.code == 1
    assert shown in ran.err
    assert "a login page is in front of the server" in ran.err
    assert "set LABEL_STUDIO_URL" not in ran.err


def test_a_limit_on_requests_holds_an_apply_up_and_not_back(
    server: ServerUnderTest, command: Command
):
    """It answers 503 to what comes too fast, without a word of when to come again."""
    tasks = declared(server)
    before = tasks.stored()
    path = tasks.manifest()
    with nginx(server.url, location="limit_req zone=few burst=4 nodelay;") as at:
        ran = command("apply", "--yes", path, "--url", f"http://{at}")
    assert ran.code == 0, ran.err
    assert tasks.stored() == {task: written(before[task], n) for n, task in enumerate(tasks.ids)}


def test_a_gateway_lets_pass_who_sends_its_header(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
):
    path = manifest(server, overlap=2)
    with nginx(server.url, location='if ($http_x_gateway != "s3cret") { return 403; }') as at:
        refused = command("plan", path, "--url", f"http://{at}")
        monkeypatch.setenv("RECONCILER_HEADER_X_GATEWAY", "s3cret")
        passed = command("plan", path, "--url", f"http://{at}")
    assert (refused.code, passed.code) == (1, 0)
    assert "does a proxy or gateway in front of it refuse the request?" in refused.err


def test_a_client_certificate_that_it_asks_for_is_told_and_taken(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
):
    authority = trustme.CA()
    authority.cert_pem.write_to_path("authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path("server.pem")
    authority.issue_cert("anna@x.test").private_key_and_cert_chain_pem.write_to_path("own.pem")
    Path("own.pem").chmod(0o600)
    here = Path.cwd()
    lines = (
        f"ssl_certificate {here}/server.pem; ssl_certificate_key {here}/server.pem;"
        f"ssl_client_certificate {here}/authority.pem; ssl_verify_client on;"
    )
    path = manifest(server, overlap=2)
    monkeypatch.setenv("SSL_CERT_FILE", "authority.pem")
    with nginx(server.url, server=lines, listen="ssl") as at:
        refused = command("plan", path, "--url", f"https://{at}")
        monkeypatch.setenv("RECONCILER_CLIENT_CERT", "own.pem")
        passed = command("plan", path, "--url", f"https://{at}")
    assert (refused.code, passed.code) == (1, 0), passed.err
    assert (
        "returned 400 with a page of type text/html (400 No required SSL certificate was sent)"
        in (refused.err)
    )
    assert "requires a client certificate: set RECONCILER_CLIENT_CERT to its file" in refused.err
