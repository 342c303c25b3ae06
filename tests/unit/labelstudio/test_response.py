"""Every kind of answer, and the error that it becomes: what happened, and what to do."""

from __future__ import annotations

import gzip
from collections.abc import Mapping

import httpx
import pytest

from reconciler.errors import (
    Broken,
    NotFound,
    NotLabelStudio,
    Rejected,
    ServerError,
    Unauthorised,
    Unreachable,
)
from reconciler.sandbox.access import SANDBOX_REFRESH_TOKEN, SANDBOX_TOKEN
from tests.unit.labelstudio.wired import Scripted, client_of

HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json"}
ASKED = "GET http://label-studio.test/api/tasks/1/"
ADDRESS = "the server address in LABEL_STUDIO_URL or url"
CHECK_ADDRESS = f"check {ADDRESS}: is it Label Studio, and is a proxy in front of it?"

STRANGER = (
    "Label Studio does not respond like this: does a proxy or gateway in front of it refuse the "
    "request?"
)
NOT_FOLLOWED = "redirects are not followed, to protect the token"
LOGIN = (
    f"an API token does not get past it: check that {ADDRESS} is not the address of a web page, "
    "and ask the administrator of the login how programs get past it; if they need a header, set "
    "RECONCILER_HEADER_<NAME>"
)


def page(status: int, body: str | bytes, headers: Mapping[str, str] = HTML) -> httpx.Response:
    content = body.encode() if isinstance(body, str) else body
    return httpx.Response(status, headers=dict(headers), content=content)


def said(status: int, detail: str, **more: object) -> httpx.Response:
    return httpx.Response(status, json={"status_code": status, "detail": detail, **more})


ANSWERS = {
    "wrong token": (
        said(401, "Invalid token."),
        Unauthorised,
        (
            f"{ASKED} returned 401: Invalid token. (set LABEL_STUDIO_API_KEY, or token in Python, "
            "to a valid token from Account & Settings in Label Studio)"
        ),
    ),
    "401 of something else": (
        page(401, "<h1>Login</h1>"),
        Unauthorised,
        (f"{ASKED} returned 401: a page of type text/html (Login) instead of JSON ({STRANGER})"),
    ),
    "401 of something else in JSON": (
        httpx.Response(401, json={"message": "Unauthorized"}),
        Unauthorised,
        (f"{ASKED} returned 401: no reason given ({STRANGER})"),
    ),
    "password of a proxy": (
        page(401, "<title>401</title>", {**HTML, "www-authenticate": 'Basic realm="closed"'}),
        Unauthorised,
        (
            f"{ASKED} returned 401: a page of type text/html (401) instead of JSON (a proxy in "
            "front of Label Studio asks for its own login (WWW-Authenticate: Basic) in the "
            "header that carries the token: configure it to let requests to /api/ pass, or to "
            "accept another header, which you set with RECONCILER_HEADER_<NAME>)"
        ),
    ),
    "wrong token, as Label Studio says it": (
        httpx.Response(401, json={"detail": "No."}, headers={"www-authenticate": "Token"}),
        Unauthorised,
        (
            f"{ASKED} returned 401: No. (set LABEL_STUDIO_API_KEY, or token in Python, to a valid "
            "token from Account & Settings in Label Studio)"
        ),
    ),
    "403 of something else": (
        page(403, "<title>403 Forbidden</title>"),
        Unauthorised,
        (
            f"{ASKED} returned 403: a page of type text/html (403 Forbidden) instead of JSON "
            f"({STRANGER})"
        ),
    ),
    "no right": (
        said(403, "You do not have permission to perform this action."),
        Unauthorised,
        (
            f"{ASKED} returned 403: You do not have permission to perform this action. (set "
            "LABEL_STUDIO_API_KEY, or token in Python, to a token whose user may do this)"
        ),
    ),
    "no such task": (
        said(404, "No Task matches the given query."),
        NotFound,
        (f"{ASKED} returned 404: No Task matches the given query."),
    ),
    "no such page": (
        page(404, "<html><title>Not\n Found</title></html>"),
        NotLabelStudio,
        (
            f"{ASKED} returned 404 with a page of type text/html (Not Found) "
            f"instead of JSON ({CHECK_ADDRESS})"
        ),
    ),
    "failure told": (
        said(500, "'list' object has no attribute 'keys'"),
        Broken,
        f"{ASKED} returned 500: 'list' object has no attribute 'keys'",
    ),
    "failure page": (
        page(500, "<title>Server Error (500)</title>"),
        Broken,
        (
            f"{ASKED} returned 500 with a page of type text/html (Server Error "
            "(500)) instead of JSON "
            f"({CHECK_ADDRESS})"
        ),
    ),
    "proxy without a server": (
        page(502, "<center><h1>502 Bad Gateway</h1></center>"),
        Broken,
        (
            f"{ASKED} returned 502 with a page of type text/html (502 Bad Gateway) instead of JSON "
            f"({CHECK_ADDRESS})"
        ),
    ),
    "page without a title": (
        page(503, "busy", {"content-type": "text/plain"}),
        Broken,
        f"{ASKED} returned 503 with a page of type text/plain instead of JSON ({CHECK_ADDRESS})",
    ),
    "login of another host": (
        page(302, "", {"location": "https://sso.example/start?state=s3cret#x"}),
        NotLabelStudio,
        (
            f"{ASKED} was redirected to https://sso.example/start; {NOT_FOLLOWED} (that is "
            f"another host: probably a login page is in front of the server; {LOGIN})"
        ),
    ),
    "login of its own": (
        page(302, "", {"location": "/user/login/?next=/api/tasks/1/"}),
        NotLabelStudio,
        (
            f"{ASKED} was redirected to http://label-studio.test/user/login/; {NOT_FOLLOWED} "
            f"(a login page is in front of the server; {LOGIN})"
        ),
    ),
    "redirect to https": (
        page(301, "", {"location": "https://label-studio.test/api/tasks/1/"}),
        NotLabelStudio,
        (
            f"{ASKED} was redirected to https://label-studio.test/api/tasks/1/; {NOT_FOLLOWED} "
            f"(the server requires https: use https:// in {ADDRESS})"
        ),
    ),
    "redirect to another path": (
        page(301, "", {"location": "/studio/api/tasks/1/"}),
        NotLabelStudio,
        (
            f"{ASKED} was redirected to http://label-studio.test/studio/api/tasks/1/; "
            f"{NOT_FOLLOWED} (is the path of {ADDRESS} right?)"
        ),
    ),
    "wrong value": (
        said(
            400,
            "Validation error",
            validation_errors={"overlap": ["A valid integer is required."], "meta": ["No."]},
        ),
        Rejected,
        f"{ASKED} returned 400: overlap: A valid integer is required.; meta: No.",
    ),
    "too many requests": (
        said(429, "Request was throttled."),
        Rejected,
        f"{ASKED} returned 429: Request was throttled.",
    ),
    "no reason": (
        httpx.Response(400, json={}),
        Rejected,
        f"{ASKED} returned 400: no reason given",
    ),
    "a list for a reason": (
        httpx.Response(400, json=["no"]),
        Rejected,
        f"{ASKED} returned 400: JSON that Label Studio does not send",
    ),
    "cut off": (
        page(200, b'{"id": 1, "da', JSON),
        NotLabelStudio,
        f"{ASKED} returned 200 with JSON that cannot be parsed ({CHECK_ADDRESS})",
    ),
    "cut off failure": (
        page(500, b'{"detail": ', JSON),
        Broken,
        f"{ASKED} returned 500: JSON that cannot be parsed",
    ),
    "empty": (
        page(200, b"", JSON),
        NotLabelStudio,
        f"{ASKED} returned 200 with JSON that cannot be parsed ({CHECK_ADDRESS})",
    ),
    "nothing at all": (
        httpx.Response(200),
        NotLabelStudio,
        f"{ASKED} returned 200 with an empty body instead of JSON ({CHECK_ADDRESS})",
    ),
    "no content type": (
        httpx.Response(200, content=b"busy"),
        NotLabelStudio,
        (
            f"{ASKED} returned 200 with a page without a content type instead of JSON "
            f"({CHECK_ADDRESS})"
        ),
    ),
    "another site": (
        page(200, "<title>Welcome to nginx!</title>"),
        NotLabelStudio,
        (
            f"{ASKED} returned 200 with a page of type text/html (Welcome to "
            "nginx!) instead of JSON "
            f"({CHECK_ADDRESS})"
        ),
    ),
    "not a number": (
        page(200, b'{"id": NaN}', JSON),
        NotLabelStudio,
        f"{ASKED} returned 200 with JSON that cannot be parsed ({CHECK_ADDRESS})",
    ),
    "too deep": (
        page(200, b"[" * 100_000, JSON),
        NotLabelStudio,
        f"{ASKED} returned 200 with JSON that cannot be parsed ({CHECK_ADDRESS})",
    ),
    "not encoded in UTF-8": (
        page(200, b'{"id": "\xff"}', JSON),
        NotLabelStudio,
        f"{ASKED} returned 200 with JSON that cannot be parsed ({CHECK_ADDRESS})",
    ),
    "a title that steers the terminal": (
        page(500, "<title>\x1b[2J\x1b[31mgone</title>"),
        Broken,
        (
            f"{ASKED} returned 500 with a page of type text/html "
            "(\\u001b[2J\\u001b[31mgone) instead of JSON "
            f"({CHECK_ADDRESS})"
        ),
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_bad_answer_becomes_an_error_that_says_what_to_do(name: str):
    answer, kind, message = ANSWERS[name]
    with client_of(Scripted(lambda _: answer)) as client, pytest.raises(ServerError) as failed:
        client.get("/api/tasks/1/", {"include": "id"})
    assert type(failed.value) is kind
    assert str(failed.value) == message
    assert failed.value.status == answer.status_code


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            page(413, "<title>413 Request Entity Too Large</title>", {**HTML, "server": "nginx/1"}),
            (
                "a page of type text/html (413 Request Entity Too Large) "
                "instead of JSON (this is a "
                "limit of nginx/1, probably a proxy in front of Label Studio: configure it to "
                "accept larger bodies (client_max_body_size in nginx))"
            ),
        ),
        (
            said(413, "Too much."),
            (
                "Too much. (this is a limit of Label Studio: raise it there, or store less in the "
                "task)"
            ),
        ),
    ],
)
def test_the_error_for_a_body_that_is_too_large_states_its_size_and_whose_limit_it_is(
    answer: httpx.Response, said: str
):
    with client_of(Scripted(lambda _: answer)) as client, pytest.raises(Rejected) as failed:
        client.patch("/api/tasks/1/", {"data": {"text": "x" * 4_980}})
    assert str(failed.value) == (
        f"PATCH {ASKED[4:]} returned 413: 5,000 bytes are too many: {said}"
    )
    assert failed.value.status == 413


def test_the_error_for_a_malformed_response_hides_the_token_that_it_repeats():
    def fail(request: httpx.Request) -> httpx.Response:
        said = f"illegal header line: {request.headers['authorization']}"
        raise httpx.RemoteProtocolError(said)

    with client_of(Scripted(fail)) as client, pytest.raises(Unreachable) as failed:
        client.get("/api/tasks/1/")
    assert "illegal header line: Token (token)" in str(failed.value)


def test_a_long_reason_is_cut_in_its_middle():
    answer = said(400, "why " * 1000)
    with client_of(Scripted(lambda _: answer)) as client, pytest.raises(Rejected) as failed:
        client.get("/api/tasks/1/")
    assert len(failed.value.message) < 400
    assert "…" in failed.value.message


def test_json_is_read_whatever_its_content_type_says():
    answer = page(200, '{"status": "UP"}')
    with client_of(Scripted(lambda _: answer)) as client:
        assert client.get("/health") == {"status": "UP"}


def test_numbers_are_read_as_they_are_written():
    answer = page(200, b'{"big": 123456789012345678901234567890, "real": 1.0}', JSON)
    with client_of(Scripted(lambda _: answer)) as client:
        assert repr(client.get("/")) == "{'big': 123456789012345678901234567890, 'real': 1.0}"


def test_a_number_that_is_too_large_is_not_read_as_infinity():
    answer = page(200, b'{"real": 1e400}', JSON)
    with client_of(Scripted(lambda _: answer)) as client, pytest.raises(NotLabelStudio) as failed:
        client.get("/")
    assert "JSON that cannot be parsed" in failed.value.message


@pytest.mark.parametrize("token", [SANDBOX_TOKEN, SANDBOX_REFRESH_TOKEN])
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 500])
@pytest.mark.parametrize("form", ["json", "html", "long"])
def test_a_token_that_a_server_repeats_is_not_repeated_again(token: str, status: int, form: str):
    def repeat(request: httpx.Request) -> httpx.Response:
        got = request.headers.get("authorization", "") + request.content.decode()
        if form == "html":
            return httpx.Response(status, html=f"<title>{got}</title>")
        padding = "x" * 280 if form == "long" else ""
        headers = {"location": f"https://{got.split()[-1][:60]}.test/{got}?{got}"}
        return httpx.Response(status, json={"detail": padding + got}, headers=headers)

    with client_of(Scripted(repeat), token) as client, pytest.raises(ServerError) as failed:
        client.get("/api/tasks/1/")
    said = f"{failed.value!s} {failed.value!r}"
    assert not any(part in said for part in (token[:20], token[10:30], token[-20:]))


def test_an_answer_packed_in_another_way_than_it_says_cannot_be_read():
    def cut_short(_: httpx.Request) -> httpx.Response:
        headers = {**JSON, "content-encoding": "gzip"}
        return httpx.Response(
            200, headers=headers, stream=httpx.ByteStream(b"x" + gzip.compress(b"{}"))
        )

    with client_of(Scripted(cut_short)) as client, pytest.raises(NotLabelStudio) as failed:
        client.get("/api/tasks/1/")
    assert (
        str(failed.value) == "http://label-studio.test sent a response that cannot be decompressed"
    )


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("token", [SANDBOX_TOKEN, SANDBOX_REFRESH_TOKEN])
def test_no_error_holds_the_token(name: str, token: str):
    answer = ANSWERS[name][0]
    with client_of(Scripted(lambda _: answer), token) as client:
        with pytest.raises(ServerError) as failed:
            client.get("/api/tasks/1/")
        assert token not in f"{failed.value!s} {failed.value!r} {client!r} {vars(client)!r}"
