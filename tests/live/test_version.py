"""What the server says of itself, to anybody who asks."""

from __future__ import annotations

import pytest

from tests.live.under_test import ServerUnderTest


@pytest.mark.parametrize("end", ["", "/"])
def test_the_version_is_told_without_a_token(server: ServerUnderTest, end: str):
    with server.anonymous() as http:
        answer = http.get(f"/api/version{end}")

    assert answer.status_code == 200
    assert answer.json().keys() >= {"release", "edition", "label-studio-os-package", "backend"}


def test_the_edition_has_a_capital_letter(server: ServerUnderTest):
    assert server.http.get("/api/version").json()["edition"] in {"Community", "Enterprise"}


def test_errors_carry_the_release(server: ServerUnderTest):
    release = server.http.get("/api/version").json()["release"]

    assert server.get(999_999_999).json()["version"] == release


@pytest.mark.parametrize("end", ["", "/"])
def test_health_is_told_without_a_token(server: ServerUnderTest, end: str):
    with server.anonymous() as http:
        answer = http.get(f"/health{end}")

    assert (answer.status_code, answer.text) == (200, '{"status": "UP"}')
