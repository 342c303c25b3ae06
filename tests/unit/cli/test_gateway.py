"""Headers and certificates for what stands before a server: taken, kept secret, refused."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
import trustme

from reconciler.engine.settings.network_settings import FILE_VARIABLE, read_network
from reconciler.errors import SettingsError
from reconciler.sandbox.access import SANDBOX_REFRESH_TOKEN
from reconciler.sandbox.loopback_server import serve
from tests.unit.cli.conftest import Command, Manifest, answering, process
from tests.unit.cli.test_tls import HOST, with_tls
from tests.unit.labelstudio.wired import Hooked, sandbox_with

SERVER = "https://label-studio.test"
SECRET = "s3cret of/the=gateway"


def headers(environment: dict[str, str], warned: list[str] | None = None) -> dict[str, str]:
    told = [] if warned is None else warned
    return dict(read_network(SERVER, environment, warn=told.append).headers)


def test_a_variable_names_a_header_and_gives_its_value():
    given = {
        "RECONCILER_HEADER_CF_ACCESS_CLIENT_ID": "x.access",
        "RECONCILER_HEADER_Proxy_Authorization": "Bearer abc\n",
        "RECONCILER_HEADER_EMPTY": " ",
        "RECONCILER_RPS": "7",
    }
    assert headers(given) == {
        "CF-ACCESS-CLIENT-ID": "x.access",
        "Proxy-Authorization": "Bearer abc",
    }


def test_a_file_holds_lines_of_headers():
    Path("headers").write_text(
        f"\ufeff# for the gateway\n\nCF-Access-Client-Id: x.access\r\nX-B:{SECRET}\n",
        encoding="utf-8",
    )
    warned: list[str] = []
    Path("headers").chmod(0o644)
    assert headers({FILE_VARIABLE: "headers"}, warned) == {
        "CF-Access-Client-Id": "x.access",
        "X-B": SECRET,
    }
    (warning,) = warned
    assert warning.startswith(
        "RECONCILER_HEADERS_FILE: other users of this machine can read or change headers"
    )
    Path("headers").chmod(0o640)
    headers({FILE_VARIABLE: "headers"}, warned)
    assert len(warned) == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AUTHORIZATION", "x", "the header AUTHORIZATION cannot be set"),
        ("Host", "x", "the header Host cannot be set"),
        ("CONTENT_LENGTH", "7", "the header CONTENT-LENGTH cannot be set"),
        ("TRANSFER_ENCODING", "chunked", "cannot be set"),
        ("Connection", "close", "cannot be set"),
        ("ACCEPT_ENCODING", "br", "cannot be set"),
        ("X_HTTP_METHOD_OVERRIDE", "DELETE", "cannot be set"),
        ("X_A", "s3cret\r\nAuthorization: y", "the value of the header X-A is empty or has"),
        ("X_A", "s3cret\u00e9", "the value of the header X-A is empty or has"),
        ("X_A", "s3cret\x00", "the value of the header X-A is empty or has"),
        ("X A", "s3cret", "'X A' is not a valid header name"),
        ("", "s3cret", "'' is not a valid header name"),
    ],
)
def test_what_cannot_or_must_not_be_a_header_is_refused_without_its_value(
    name: str, value: str, said: str
):
    with pytest.raises(SettingsError) as refused:
        headers({f"RECONCILER_HEADER_{name}": value})
    assert str(refused.value).startswith(f"RECONCILER_HEADER_{name}: ")
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("X-A: s3cret\ns3cret\n", "headers:2: not a header (write lines like Name: value, and"),
        ("authorization: s3cret", "headers:1: the header authorization cannot be set"),
        ("X-A:", "headers:1: the value of the header X-A is empty or has"),
        (
            "X-A: s3cret\nx-a: s3cret",
            "headers:2: duplicate header x-a, which headers:1 sets as well",
        ),
        (
            "X-B: s3cret",
            "headers:1: duplicate header X-B, which RECONCILER_HEADER_X_B sets as well",
        ),
    ],
)
def test_a_line_that_is_wrong_is_named_without_what_it_holds(text: str, said: str):
    Path("headers").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        headers({FILE_VARIABLE: "headers", "RECONCILER_HEADER_X_B": "y"})
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(SettingsError) as refused:
        headers({FILE_VARIABLE: "none"})
    assert str(refused.value) == (
        "RECONCILER_HEADERS_FILE: cannot read none: No such file or directory "
        "(set it to a file that holds lines like Name: value)"
    )


def test_headers_go_with_every_request_and_not_over_plain_http(
    server: Hooked, command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RECONCILER_HEADER_X_GATEWAY", SECRET)
    refused = command("apply", "--yes", manifest())
    assert (refused.code, server.requests) == (1, [])
    assert "X-GATEWAY, set by RECONCILER_HEADER_<NAME> or RECONCILER_HEADERS_FILE, would be" in (
        refused.errors
    )
    assert SECRET not in refused.errors
    monkeypatch.setenv("LABEL_STUDIO_URL", SERVER)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_REFRESH_TOKEN)
    assert command("apply", "--yes", manifest()).code == 0
    assert {request.headers["x-gateway"] for request in server.requests} == {SECRET}
    assert {request.method for request in server.requests} == {"GET", "POST", "PATCH", "OPTIONS"}


def test_they_may_go_over_plain_http_on_this_machine():
    found = read_network("http://localhost:80", {"RECONCILER_HEADER_X_A": "b"}, warn=print)
    assert dict(found.headers) == {"X-A": "b"}


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 413, 500])
def test_what_a_server_repeats_of_them_is_not_repeated_again(
    server: Hooked,
    command: Command,
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
):
    def repeat(request: httpx.Request) -> httpx.Response:
        got = f"{request.headers['x-gateway']} {request.headers['x-other']}"
        where = {"location": f"https://x.test/{got}/{httpx.QueryParams(a=got)}", "server": got}
        if status in {400, 500}:
            return httpx.Response(status, json={"detail": got}, headers=where)
        return httpx.Response(status, html=f"<title>{got}</title>", headers=where)

    server.hook = repeat
    monkeypatch.setenv("RECONCILER_HEADER_X_GATEWAY", f"Bearer {SECRET}")
    monkeypatch.setenv("RECONCILER_HEADER_X_OTHER", '<"quoted&secret">')
    monkeypatch.setenv("LABEL_STUDIO_URL", SERVER)
    ran = command("plan", "--verbose", manifest())
    assert ran.code == 1
    said = ran.output + ran.errors
    assert not [part for part in ("s3cret", "of/the", "=gateway", "quoted") if part in said]


def test_after_a_redirect_nothing_is_sent(manifest: Manifest):
    """Neither token nor headers: whoever is pointed to is not who they are for."""
    got: list[str] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        got.append(handler.path)

    with answering(elsewhere) as other:

        def redirect(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", f"{other}/user/login/?next=x")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with answering(redirect) as url:
            ran = process("plan", manifest(), url=url, RECONCILER_HEADER_X_A=SECRET)
    assert (ran.returncode, got) == (1, [])
    assert (
        f"was redirected to {other}/user/login/; redirects are not followed, to protect the token"
        in ran.stderr
    )
    assert "a login page is in front of the server" in ran.stderr


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The files of an authority, of a certificate of it, and of one of another."""
    names = ("authority", "certificate", "key", "both", "other")
    return {name: str(tmp_path / f"{name}.pem") for name in names}


def test_a_client_certificate_is_shown_to_a_server_that_asks_for_one(
    files: dict[str, str], manifest: Manifest
):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(files["authority"])
    own = authority.issue_cert("anna@example.org")
    own.cert_chain_pems[0].write_to_path(files["certificate"])
    own.private_key_pem.write_to_path(files["key"])
    own.private_key_and_cert_chain_pem.write_to_path(files["both"])
    trustme.CA().issue_cert("x.test").private_key_and_cert_chain_pem.write_to_path(files["other"])
    for name in ("key", "both", "other"):
        Path(files[name]).chmod(0o600)
    with with_tls(sandbox_with(3), authority.issue_cert(HOST), clients=authority) as url:

        def planned(**given: str) -> tuple[int, str]:
            ran = process("plan", manifest(), url=url, SSL_CERT_FILE=files["authority"], **given)
            return ran.returncode, ran.stderr

        separate = {
            "RECONCILER_CLIENT_CERT": files["certificate"],
            "RECONCILER_CLIENT_KEY": files["key"],
        }
        assert planned(**separate) == (0, "")
        assert planned(RECONCILER_CLIENT_CERT=files["both"]) == (0, "")
        for given in ({}, {"RECONCILER_CLIENT_CERT": files["other"]}):
            code, said = planned(**given)
            assert code == 1
            assert said.endswith(
                "(set RECONCILER_CLIENT_CERT to the file of a client certificate that the server "
                "trusts)\n"
            )
        Path(files["key"]).chmod(0o644)
        assert "other users of this machine can read or change" in planned(**separate)[1]


def test_where_a_sandbox_is_asked_without_tls_no_certificate_is_read(manifest: Manifest):
    with serve(sandbox_with(3)) as url:
        assert process("plan", manifest(), url=url, RECONCILER_CLIENT_CERT="none").returncode == 0


def test_a_key_without_a_certificate_is_refused():
    with pytest.raises(SettingsError) as refused:
        headers({"RECONCILER_CLIENT_KEY": "key.pem"})
    assert str(refused.value) == (
        "RECONCILER_CLIENT_KEY is set, but RECONCILER_CLIENT_CERT is not "
        "(set RECONCILER_CLIENT_CERT to the certificate of the key)"
    )
