"""The token in a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.cli.api_key import SIZE_MAX, read_api_key
from reconciler.errors import SettingsError

TOKEN = "0123456789abcdef0123456789abcdef01234567"


def named(monkeypatch: pytest.MonkeyPatch, *, mode: int = 0o600, text: str = TOKEN) -> Path:
    file = Path("token")
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_FILE", str(file))
    return file


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_a_token_is_read_from_a_file_that_its_owner_alone_can_read(
    monkeypatch: pytest.MonkeyPatch, mode: int
):
    named(monkeypatch, mode=mode, text=f"{TOKEN}\n")
    assert read_api_key().strip() == TOKEN


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o606, 0o644, 0o777])
def test_a_file_that_others_can_read_or_write_is_refused(
    monkeypatch: pytest.MonkeyPatch, mode: int
):
    named(monkeypatch, mode=mode)
    with pytest.raises(SettingsError, match="other users") as refused:
        read_api_key()
    assert refused.value.hint == "chmod 600 token"
    assert TOKEN not in str(refused.value)


def test_a_token_in_both_places_is_refused(monkeypatch: pytest.MonkeyPatch):
    named(monkeypatch)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)
    with pytest.raises(SettingsError, match="both"):
        read_api_key()


@pytest.mark.parametrize("name", ["nowhere", ".", "a\0b", "x" * 5_000])
def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr(os, "environ", {"LABEL_STUDIO_API_KEY_FILE": name})
    with pytest.raises(SettingsError, match="cannot be read"):
        read_api_key()


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_file_is_no_token(monkeypatch: pytest.MonkeyPatch, text: str):
    named(monkeypatch, text=text)
    with pytest.raises(SettingsError, match="no token is given"):
        read_api_key()


def test_a_large_file_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch):
    named(monkeypatch, text="x" * (SIZE_MAX + 1))
    with pytest.raises(SettingsError, match="too large"):
        read_api_key()
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_FILE", "/dev/zero")
    with pytest.raises(SettingsError, match="too large"):
        read_api_key()


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    os.mkfifo("pipe", 0o600)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_FILE", "pipe")
    with pytest.raises(SettingsError, match="no token is given"):
        read_api_key()
