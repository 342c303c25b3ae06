"""Who may: the two kinds of token, and what a wrong one is told."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from tests.live.under_test import ServerUnderTest

NOT_PROVIDED = "Authentication credentials were not provided."
INVALID = "Invalid token."
SWITCHED_OFF = (
    "Authentication token no longer valid: legacy token authentication has been disabled "
    "for this organization"
)


def payload(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def exchange(server: ServerUnderTest, body: object, end: str = "") -> httpx.Response:
    with server.anonymous() as http:
        return http.post(f"/api/token/refresh{end}", json=body)


def knock(server: ServerUnderTest, authorization: str | None) -> httpx.Response:
    task = server.make_task()
    with server.anonymous(authorization) as http:
        return http.get(f"/api/tasks/{task}/")


def refused(answer: httpx.Response, detail: str) -> bool:
    said = (answer.status_code, answer.json()["detail"], answer.headers["WWW-Authenticate"])
    return said == (401, detail, "Token")


def test_a_legacy_token_is_sent_as_token(server: ServerUnderTest):
    assert knock(server, f"Token {server.token}").status_code == 200
    assert knock(server, f"token {server.token}").status_code == 200


def test_a_token_tells_whose_it_is(server: ServerUnderTest):
    told = server.http.get("/api/current-user/whoami")
    assert (told.status_code, type(told.json()["id"]), "@" in told.json()["email"]) == (
        200,
        int,
        True,
    )
    assert server.http.get("/api/current-user/whoami/").status_code == 404
    with server.anonymous() as http:
        assert http.get("/api/current-user/whoami").status_code == 401


def test_a_legacy_token_sent_as_bearer_counts_for_nothing(server: ServerUnderTest):
    assert refused(knock(server, f"Bearer {server.token}"), NOT_PROVIDED)


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, NOT_PROVIDED),
        ("Basic dXNlcjpwYXNz", NOT_PROVIDED),
        ("Bearer wrong", NOT_PROVIDED),
        ("Token wrong", INVALID),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
    ],
)
def test_without_a_good_token_nothing_is_told(
    server: ServerUnderTest, header: str | None, detail: str
):
    assert refused(knock(server, header), detail)


def test_who_may_is_asked_before_what_exists(server: ServerUnderTest):
    with server.anonymous() as http:
        answers = [http.get("/api/tasks/999999999/"), http.patch("/api/tasks/1/", content=b"{bad")]

    assert [answer.status_code for answer in answers] == [401, 401]


def test_a_personal_token_says_that_it_is_for_refreshing(refresh_token: str):
    assert payload(refresh_token)["token_type"] == "refresh"


@pytest.mark.parametrize("end", ["", "/"])
def test_a_personal_token_is_exchanged_for_an_access_token(
    server: ServerUnderTest, refresh_token: str, end: str
):
    answer = exchange(server, {"refresh": refresh_token}, end)

    assert answer.status_code == 200
    assert answer.json().keys() == {"access"}


def test_an_access_token_lasts_300_seconds(server: ServerUnderTest, refresh_token: str):
    told = payload(exchange(server, {"refresh": refresh_token}).json()["access"])

    assert told["token_type"] == "access"
    assert int(str(told["exp"])) - int(str(told["iat"])) == 300


def test_an_access_token_is_sent_as_bearer(server: ServerUnderTest, refresh_token: str):
    access = exchange(server, {"refresh": refresh_token}).json()["access"]

    assert knock(server, f"Bearer {access}").status_code == 200
    assert refused(knock(server, f"Token {access}"), INVALID)


def test_a_personal_token_may_be_exchanged_again_and_both_access_tokens_are_good(
    server: ServerUnderTest, refresh_token: str
):
    first, second = (exchange(server, {"refresh": refresh_token}).json()["access"] for _ in "12")

    assert first != second
    assert knock(server, f"Bearer {first}").status_code == 200
    assert knock(server, f"Bearer {second}").status_code == 200


def test_a_personal_token_sent_itself_is_refused(server: ServerUnderTest, refresh_token: str):
    assert refused(knock(server, f"Bearer {refresh_token}"), NOT_PROVIDED)
    assert refused(knock(server, f"Token {refresh_token}"), INVALID)


def test_a_wrong_personal_token_is_not_exchanged(server: ServerUnderTest, refresh_token: str):
    access = exchange(server, {"refresh": refresh_token}).json()["access"]
    wrong = {
        "x": "Token is invalid",
        server.token: "Token is invalid",
        access: "Token has wrong type",
    }

    for token, detail in wrong.items():
        answer = exchange(server, {"refresh": token})
        assert (answer.status_code, answer.json()["detail"]) == (401, detail)
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    ("body", "message"),
    [({}, "This field is required."), ({"refresh": None}, "This field may not be null.")],
)
def test_an_exchange_needs_a_token(server: ServerUnderTest, body: object, message: str):
    answer = exchange(server, body)

    assert answer.status_code == 400
    assert answer.json()["validation_errors"] == {"refresh": [message]}


def test_an_organisation_may_switch_legacy_tokens_off(server: ServerUnderTest, refresh_token: str):
    access = exchange(server, {"refresh": refresh_token}).json()["access"]

    with server.anonymous(f"Bearer {access}") as http:
        http.post("/api/jwt/settings", json={"legacy_api_tokens_enabled": False})
        try:
            answer = http.get("/api/tasks/", headers={"Authorization": f"Token {server.token}"})
        finally:
            http.post("/api/jwt/settings", json={"legacy_api_tokens_enabled": True})

    assert refused(answer, SWITCHED_OFF)
    assert knock(server, f"Token {server.token}").status_code == 200
