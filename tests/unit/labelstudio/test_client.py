"""One request: what is sent, byte for byte, and how many are counted."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from reconciler.errors import SettingsError, Unreachable
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.network import Authorities, Network
from reconciler.sandbox.access import SANDBOX_REFRESH_TOKEN, SANDBOX_TOKEN
from tests.unit.labelstudio.patient import Patient
from tests.unit.labelstudio.wired import Hooked, Scripted, client_of, sandbox_with


def ok(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={})


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"overlap": 2}, b'{"overlap":2}'),
        ({"inner_id": 2**63 - 1}, b'{"inner_id":9223372036854775807}'),
        ({"data": {"big": 10**40}}, b'{"data":{"big":1' + b"0" * 40 + b"}}"),
        ({"data": {"r": [1.0, 1e30, -0.0, 0.1]}}, b'{"data":{"r":[1.0,1e+30,-0.0,0.1]}}'),
        ({"data": {"t": "\u00fc\U0001f600"}}, b'{"data":{"t":"\\u00fc\\ud83d\\ude00"}}'),
        ({"data": {"t": "half \ud83d"}}, b'{"data":{"t":"half \\ud83d"}}'),
        ({"data": {"t": 'a"b\\c\n\x00'}}, b'{"data":{"t":"a\\"b\\\\c\\n\\u0000"}}'),
        ({"data": {"b": 1, "a": {"": None}}}, b'{"data":{"b":1,"a":{"":null}}}'),
        ({"meta": None, "is_labeled": True}, b'{"meta":null,"is_labeled":true}'),
    ],
)
def test_a_patch_is_sent_exactly_as_it_is_meant(body: dict[str, Any], sent: bytes):
    transport = Scripted(ok)
    with client_of(transport) as client:
        client.patch("/api/tasks/1/", body)
    assert transport.requests[0].content == sent


def test_a_request_says_who_asks_and_what_it_can_read():
    transport = Scripted(ok)
    with client_of(transport) as client:
        client.get("/api/tasks/", {"include": "id,data", "query": '{"a": 1}'})
        client.patch("/api/tasks/1/", {"overlap": 1})
    get, patch = transport.requests
    asked, _, fresh = str(get.url).partition("&_=")
    assert asked == (
        "http://label-studio.test/api/tasks/?include=id%2Cdata&query=%7B%22a%22%3A+1%7D"
    )
    assert int(fresh, 16)
    assert get.headers["authorization"] == f"Token {SANDBOX_TOKEN}"
    assert get.headers["accept"] == patch.headers["accept"] == "application/json"
    assert get.headers["cache-control"] == "no-cache"
    assert get.headers["user-agent"] == patch.headers["user-agent"] == "reconciler"
    assert "content-type" not in get.headers
    assert patch.headers["content-type"] == "application/json"


def test_a_server_below_a_path_is_asked_below_it():
    transport = Scripted(ok)
    credentials = parse_token(SANDBOX_TOKEN)
    with Client("https://example.org/studio/", credentials, transport=transport) as client:
        client.get("/api/version")
    assert transport.requests[0].url.copy_with(query=None) == (
        "https://example.org/studio/api/version"
    )


def test_every_request_is_counted_those_for_tokens_and_second_tries_too():
    transport = Hooked(sandbox_with(1))
    with client_of(transport, SANDBOX_REFRESH_TOKEN) as client:
        assert client.requests == 0
        client.get("/api/tasks/1/")
        assert client.requests == 2
        transport.state.access_tokens.clear()
        client.get("/api/tasks/1/")
        assert client.requests == len(transport.requests) == 5


def test_sixteen_threads_lose_no_count():
    with client_of(Scripted(ok)) as client, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: client.get("/"), range(400)))
        assert client.requests == 400


def trusting(file: Path) -> Network:
    return Network(authorities=Authorities(str(file)))


def test_the_certificates_are_read_once_for_all_threads(tmp_path: Path):
    authorities = tmp_path / "authorities.pem"
    authorities.write_text(trustme.CA().cert_pem.bytes().decode())
    token, network = parse_token(SANDBOX_TOKEN), trusting(authorities)
    with (
        Client(
            "https://127.0.0.1:9", token, network=network, timeout=5, backoff=Patient()
        ) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        with pytest.raises(Unreachable):
            client.get("/api/version")
        authorities.unlink()
        asked = [pool.submit(client.get, "/api/version") for _ in range(8)]
        assert all(isinstance(future.exception(), Unreachable) for future in asked)


def test_certificates_that_cannot_be_read_are_said_as_soon_as_they_are_needed(tmp_path: Path):
    token, network = parse_token(SANDBOX_TOKEN), trusting(tmp_path / "none.pem")
    with Client("https://127.0.0.1:9", token, network=network, backoff=Patient()) as client:
        for _ in range(2):
            with pytest.raises(
                SettingsError, match=r"SSL_CERT_FILE: cannot read .*/none\.pem: No such"
            ):
                client.get("/api/version")


def test_no_certificates_are_read_for_an_address_without_tls(tmp_path: Path):
    token, network = parse_token(SANDBOX_TOKEN), trusting(tmp_path / "none.pem")
    with (
        Client("http://127.0.0.1:9", token, network=network, backoff=Patient()) as client,
        pytest.raises(Unreachable, match="Connection refused"),
    ):
        client.get("/api/version")


def test_a_connection_whose_request_failed_is_taken_over_as_well():
    def failing(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("cut off", request=request)

    transport = Scripted(failing)
    with client_of(transport) as client:
        for _ in range(3):
            with pytest.raises(Unreachable, match="cut off"):
                client.get("/")
    assert len(transport.requests) == 3 * 3


def test_a_redirect_is_not_followed():
    transport = Scripted(lambda _: httpx.Response(307, headers={"location": "https://evil.test/"}))
    with client_of(transport) as client, pytest.raises(Exception, match="was redirected to"):
        client.get("/api/tasks/1/")
    assert [request.url.host for request in transport.requests] == ["label-studio.test"]


def test_a_cookie_is_not_sent_back():
    """That of a load balancer would lead every worker to one backend."""
    transport = Scripted(lambda _: httpx.Response(200, json={}, headers={"set-cookie": "lb=1"}))
    with client_of(transport) as client:
        client.get("/api/version")
        client.get("/api/version")
    assert [request.headers.get("cookie") for request in transport.requests] == [None, None]


@pytest.mark.parametrize("address", ["http://a..b", "http://" + "x" * 64])
def test_a_host_that_cannot_be_one_is_told_as_a_wrong_setting(address: str):
    with (
        Client(address, parse_token(SANDBOX_TOKEN)) as client,
        pytest.raises(SettingsError, match="cannot send a request"),
    ):
        client.get("/api/version")


def test_an_answer_is_let_go_as_soon_as_nobody_has_it_any_more():
    """Pages are large and come by the hundred: none may wait for the garbage collector."""
    answers: list[weakref.ref[httpx.Response]] = []

    def answer(_: httpx.Request) -> httpx.Response:
        response = httpx.Response(200, stream=httpx.ByteStream(b"{}"))
        answers.append(weakref.ref(response))
        return response

    with client_of(Scripted(answer)) as client:
        gc.disable()
        try:
            client.get("/api/tasks/")
            assert answers[0]() is None
        finally:
            gc.enable()
