"""Requests to a forge: what is sent where, and what errors say."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from reconciler.errors import ForgeError, SettingsError
from reconciler.forges import github
from reconciler.forges.forge_client import PAGE_SIZE, ForgeClient
from reconciler.labelstudio.network import DIRECT
from reconciler.renderers.wording import escape_invisible
from tests.unit.labelstudio.wired import Scripted

TOKEN = "ghs_0123456789abcdefghijklmnop"
ADDRESS = "https://api.github.test/v3/"


def connect(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[ForgeClient, Scripted]:
    transport = Scripted(answer)
    headers = github.build_headers(TOKEN)
    client = ForgeClient(ADDRESS, headers, DIRECT, transport=transport, sleep=lambda _: None)
    return client, transport


def fail(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[str, int]:
    """Return the error of a read, and how many requests it took."""
    client, transport = connect(answer)
    with pytest.raises(ForgeError) as error:
        client.get("/repos")
    return str(error.value), len(transport.requests)


def test_the_token_goes_below_the_address():
    client, transport = connect(lambda _: httpx.Response(200, json={"a": 1}))

    assert client.get("/repos/a", state="open") == {"a": 1}

    (request,) = transport.requests
    assert str(request.url) == "https://api.github.test/v3/repos/a?state=open"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["X-GitHub-Api-Version"] == github.API_VERSION


@pytest.mark.parametrize("address", ["http://github.test", "http://10.0.0.1:8080/api/v4"])
def test_no_token_is_sent_unencrypted(address: str):
    with pytest.raises(SettingsError, match="would be sent without encryption"):
        ForgeClient(address, {}, DIRECT)


def test_redirects_are_not_followed():
    location = {"Location": "https://elsewhere.test/"}
    message, requests = fail(lambda _: httpx.Response(302, headers=location))
    assert "redirects are not followed" in message
    assert requests == 1


def test_reads_are_tried_three_times_if_the_forge_fails():
    assert fail(lambda _: httpx.Response(503, text="<html>"))[1] == 3
    assert fail(lambda _: httpx.Response(404, json={"message": "Not Found"}))[1] == 1

    def break_connection(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("", request=request)

    message, requests = fail(break_connection)
    assert (message, requests) == (
        "GET https://api.github.test/v3/repos: no response: ReadError",
        3,
    )


def test_writes_are_sent_once():
    client, transport = connect(lambda _: httpx.Response(502))
    with pytest.raises(ForgeError):
        client.send("POST", "/issues", {"title": "x"})
    assert len(transport.requests) == 1


def test_what_only_asks_is_tried_again():
    answers = iter([httpx.Response(502), httpx.Response(200, json={"data": {}})])
    client, transport = connect(lambda _: next(answers))
    assert client.query({"query": "query { viewer { login } }"}) == {"data": {}}
    assert len(transport.requests) == 2


def serve_pages(sizes: list[int], *, link: bool) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        rows = [{"id": page * 1000 + number} for number in range(sizes[page - 1])]
        following = f'<https://elsewhere.test/?page={page + 1}>; rel="next"'
        headers = {"Link": following} if link and page < len(sizes) else {}
        return httpx.Response(200, json=rows, headers=headers)

    return answer


@pytest.mark.parametrize(
    ("sizes", "link"),
    [([3], True), ([PAGE_SIZE, 3], False), ([PAGE_SIZE, 0], False), ([97, 0, 5], True)],
)
def test_all_pages_are_read_where_the_client_knows_them(sizes: list[int], link: bool):  # noqa: FBT001 - a case
    client, transport = connect(serve_pages(sizes, link=link))

    assert len(list(client.get_rows("/comments"))) == sum(sizes)

    assert len(transport.requests) == len(sizes)
    assert {request.url.host for request in transport.requests} == {"api.github.test"}


def test_pages_without_end_are_refused():
    rows = [{"id": 1}] * PAGE_SIZE
    client, transport = connect(lambda _: httpx.Response(200, json=rows))
    with pytest.raises(ForgeError, match="more than 10,000 rows"):
        list(client.get_rows("/comments"))
    assert len(transport.requests) == 100


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[" * 100_000, b"\xff\xfe", b'{"a": ' + b"9" * 10_000 + b"}"]
)
def test_what_is_not_json_is_refused(content: bytes):
    assert fail(lambda _: httpx.Response(200, content=content))[0].endswith("is not JSON")


def test_a_response_without_end_is_cut(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("reconciler.forges.forge_client._SIZE_MAX", 1 << 20)
    assert "more than 1 MB" in fail(lambda _: httpx.Response(200, content=b" " * (2 << 20)))[0]


@pytest.mark.parametrize(
    "message",
    [
        "No.\n::add-mask::x\n##[error]y",
        "\x1b[2J\x1b]0;title\x07\r\n::error::z",
        "a" * 100_000,
        {"note": ["is too long"]},
        ["x", None],
        None,
        f"Bearer {TOKEN} is not valid; {TOKEN}",
    ],
)
def test_the_text_of_an_error_is_inert(message: object):
    for content in (json.dumps({"message": message}), str(message)):
        text = fail(partial(refuse, content.encode()))[0]
        shown = escape_invisible(f"reconciler: {text}")

        assert "\n" not in text
        assert shown.isprintable()
        assert "##[" not in shown
        assert TOKEN not in text
        assert len(text) < 450


def refuse(content: bytes, _request: httpx.Request) -> httpx.Response:
    return httpx.Response(422, content=content)


def test_a_token_in_the_error_of_a_connection_is_hidden():
    def fail_with_token(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"bad header {TOKEN}", request=request)

    assert TOKEN not in fail(fail_with_token)[0]


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": {"viewer": {"login": None}}}, []])
def test_an_account_without_a_name_is_an_error(answer: object):
    client, _ = connect(lambda _: httpx.Response(200, json=answer))
    with pytest.raises(ForgeError):
        github.GitHub(client, client, "acme/labels").find_account()
