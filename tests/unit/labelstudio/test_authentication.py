"""Tokens: their kind by their looks, and the access token that all workers share."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import httpx
import pytest

from reconciler.errors import SettingsError, Unauthorised
from reconciler.labelstudio.authentication import FixedToken, RefreshToken, parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.origins import Origins
from reconciler.sandbox.access import SANDBOX_REFRESH_TOKEN, SANDBOX_TOKEN, make_jwt
from tests.unit.labelstudio.wired import Hooked, Scripted, client_of, sandbox_with

HEX = "0123456789abcdef0123456789abcdef01234567"
REFRESH = make_jwt({"token_type": "refresh", "exp": 8_102_444_400})


def access_token(issued: int, seconds: int = 300) -> str:
    return make_jwt({"token_type": "access", "iat": issued, "exp": issued + seconds})


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Exchanges:
    """Gives out access tokens, and remembers what for."""

    def __init__(self, clock: Clock, *, ahead: int = 0) -> None:
        self.clock = clock
        self.ahead = ahead
        self.asked: list[str] = []

    def __call__(self, refresh: str) -> str:
        self.asked.append(refresh)
        return access_token(int(self.clock.now) + self.ahead)


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (HEX, FixedToken),
        (f"  {HEX}\n", FixedToken),
        (REFRESH, RefreshToken),
        (access_token(1000), FixedToken),
        (make_jwt({"token_type": "sliding"}), FixedToken),
        (make_jwt({"no": "type"}), FixedToken),
        ("a.b.c", FixedToken),
        ("a.bm8.c", FixedToken),
    ],
)
def test_the_kind_of_a_token_is_found_from_its_form(token: str, kind: type):
    assert type(parse_token(token)) is kind


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\nbreak", "ümlaut", "bell\x07"])
def test_what_no_token_looks_like_is_refused_without_being_shown(token: str):
    with pytest.raises(SettingsError) as refused:
        parse_token(token)
    assert "characters that a token cannot have" in str(refused.value)
    assert not token.strip() or token not in str(refused.value)


@pytest.mark.parametrize("token", [HEX, REFRESH, access_token(1000)])
def test_no_token_shows_in_the_repr_of_its_credentials(token: str):
    credentials = parse_token(token)
    assert token not in repr(credentials)
    assert token not in str(credentials)


def test_a_legacy_token_is_sent_as_token_and_an_access_token_as_bearer():
    exchanges = Exchanges(Clock())
    assert parse_token(HEX).get_header(exchanges) == f"Token {HEX}"
    access = access_token(1000)
    assert parse_token(access).get_header(exchanges) == f"Bearer {access}"
    assert exchanges.asked == []


def test_a_refresh_token_is_exchanged_once_for_sixteen_threads():
    clock = Clock()
    exchanges = Exchanges(clock)
    together = Barrier(16)

    def slowly(refresh: str) -> str:
        time.sleep(0.01)
        return exchanges(refresh)

    credentials = RefreshToken(REFRESH, now=clock)

    def header(_: int) -> str:
        together.wait(5)
        return credentials.get_header(slowly)

    with ThreadPoolExecutor(16) as pool:
        headers = set(pool.map(header, range(16)))
    assert headers == {f"Bearer {access_token(1000)}"}
    assert exchanges.asked == [REFRESH]


def test_an_access_token_is_renewed_thirty_seconds_before_its_end():
    clock = Clock()
    exchanges = Exchanges(clock)
    credentials = RefreshToken(REFRESH, now=clock)
    credentials.get_header(exchanges)
    clock.now = 1000 + 270
    credentials.get_header(exchanges)
    assert len(exchanges.asked) == 1
    clock.now += 1
    assert credentials.get_header(exchanges) == f"Bearer {access_token(1271)}"
    assert len(exchanges.asked) == 2


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_a_server_whose_clock_is_an_hour_off_is_not_asked_for_a_token_each_time(ahead: int):
    clock = Clock()
    exchanges = Exchanges(clock, ahead=ahead)
    credentials = RefreshToken(REFRESH, now=clock)
    for _ in range(3):
        credentials.get_header(exchanges)
    assert len(exchanges.asked) == 1
    clock.now += 271
    credentials.get_header(exchanges)
    assert len(exchanges.asked) == 2


@pytest.mark.parametrize(
    "access", ["opaque", make_jwt({"exp": "soon", "iat": "now"}), make_jwt({})]
)
def test_an_access_token_that_does_not_tell_its_time_counts_as_good_for_300_seconds(access: str):
    clock = Clock()
    asked: list[str] = []
    credentials = RefreshToken(REFRESH, now=clock)

    def exchange(refresh: str) -> str:
        asked.append(refresh)
        return access

    assert credentials.get_header(exchange) == f"Bearer {access}"
    clock.now += 270
    credentials.get_header(exchange)
    assert len(asked) == 1
    clock.now += 1
    credentials.get_header(exchange)
    assert len(asked) == 2


def test_of_many_workers_answered_401_only_the_first_has_the_token_renewed():
    clock = Clock()
    exchanges = Exchanges(clock)
    credentials = RefreshToken(REFRESH, now=clock)
    old = credentials.get_header(exchanges)
    assert credentials.forget(old)
    clock.now += 1
    new = credentials.get_header(exchanges)
    assert credentials.forget(old)
    assert credentials.get_header(exchanges) == new
    assert len(exchanges.asked) == 2


def test_an_access_token_that_the_server_forgot_is_renewed_and_the_request_sent_again():
    transport = Hooked(sandbox_with(1))
    with client_of(transport, SANDBOX_REFRESH_TOKEN) as client:
        client.get("/api/tasks/1/")
        transport.state.access_tokens.clear()
        client.patch("/api/tasks/1/", {"overlap": 2})
    sent = [(request.method, request.url.path) for request in transport.requests]
    assert sent == [
        ("POST", "/api/token/refresh"),
        ("GET", "/api/tasks/1/"),
        ("PATCH", "/api/tasks/1/"),
        ("POST", "/api/token/refresh"),
        ("PATCH", "/api/tasks/1/"),
    ]
    assert transport.state.tasks[1].values["overlap"] == 2


def test_a_refresh_token_goes_only_into_the_body_of_the_exchange():
    transport = Hooked(sandbox_with(1))
    with client_of(transport, SANDBOX_REFRESH_TOKEN) as client:
        client.get("/api/tasks/1/")
        client.get("/api/tasks/1/")
    exchange, *others = transport.requests
    assert exchange.read().decode() == f'{{"refresh": "{SANDBOX_REFRESH_TOKEN}"}}'
    assert "authorization" not in exchange.headers
    assert len(others) == 2
    for request in others:
        assert request.headers["authorization"].startswith("Bearer ")
        assert SANDBOX_REFRESH_TOKEN not in str(request.headers.raw)


def test_a_401_that_stays_is_asked_twice_and_no_more():
    transport = Hooked(sandbox_with(1))
    transport.hook = lambda request: (
        httpx.Response(401, json={"detail": "No."}) if request.method == "GET" else None
    )
    with client_of(transport, SANDBOX_REFRESH_TOKEN) as client, pytest.raises(Unauthorised):
        client.get("/api/tasks/1/")
    assert [request.method for request in transport.requests] == ["POST", "GET", "POST", "GET"]


def test_a_legacy_token_answered_401_is_not_tried_again():
    transport = Hooked(sandbox_with(1))
    with client_of(transport, HEX) as client, pytest.raises(Unauthorised, match=r"Invalid token\."):
        client.get("/api/tasks/1/")
    assert len(transport.requests) == 1


def test_a_bad_personal_access_token_is_told_by_the_exchange():
    with (
        client_of(Hooked(sandbox_with(1)), REFRESH) as client,
        pytest.raises(Unauthorised, match="Token is invalid") as refused,
    ):
        client.get("/api/tasks/1/")
    assert "LABEL_STUDIO_API_KEY" in refused.value.hint
    assert REFRESH not in str(refused.value)


def test_an_access_token_that_ran_out_on_the_server_alone_is_renewed_after_its_401():
    transport = Hooked(sandbox_with(1))
    moment = transport.state.clock()
    transport.state.clock = lambda: moment
    with client_of(transport, SANDBOX_REFRESH_TOKEN) as client:
        client.get("/api/tasks/1/")
        moment += timedelta(seconds=301)
        client.get("/api/tasks/1/")
    assert transport.count("POST") == 2


def test_both_kinds_of_the_sandbox_work():
    for token in (SANDBOX_TOKEN, SANDBOX_REFRESH_TOKEN):
        with client_of(Hooked(sandbox_with(1)), token) as client:
            answer = client.get("/api/tasks/1/")
        assert isinstance(answer, dict)
        assert answer["id"] == 1


@pytest.mark.parametrize(
    "variable",
    [
        "LABEL_STUDIO_API_KEY_STAGING",
        "the content of the file in LABEL_STUDIO_API_KEY_FILE",
    ],
)
def test_a_refused_token_is_named_by_where_it_came_from(variable: str) -> None:
    refuse = Scripted(lambda _: httpx.Response(401, json={"detail": "Invalid token."}))
    origins = Origins(token=variable)
    client = Client("http://x.test", parse_token("abc"), origins=origins, transport=refuse)
    with client, pytest.raises(Unauthorised) as refused:
        client.get("/api/tasks/")
    assert refused.value.hint == (
        f"set {variable} to a valid token from Account & Settings in Label Studio"
    )
