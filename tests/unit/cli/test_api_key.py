"""The token in a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.engine.settings.api_key import read_api_key
from reconciler.engine.settings.secret_file import SIZE_MAX, check_permissions
from reconciler.errors import SettingsError
from reconciler.sandbox.access import SANDBOX_TOKEN
from tests.unit.cli.conftest import Command, Manifest
from tests.unit.labelstudio.wired import Hooked

OPEN = (
    "LABEL_STUDIO_API_KEY_FILE: other users of this machine can read or change "
    "token (chmod 600 token)"
)
TOKEN = "0123456789abcdef0123456789abcdef01234567"


def named(monkeypatch: pytest.MonkeyPatch, *, mode: int = 0o600, text: str = TOKEN) -> Path:
    file = Path("token")
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_FILE", str(file))
    return file


def silent() -> str:
    """Read the token, where nothing is to be warned of."""
    warned: list[str] = []
    token, _ = read_api_key(os.environ, warned.append)
    assert warned == []
    return token


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600, 0o640])
def test_a_token_is_read_from_a_file_that_only_some_can_read(
    monkeypatch: pytest.MonkeyPatch, mode: int
):
    named(monkeypatch, mode=mode, text=f"{TOKEN}\n")
    assert silent().strip() == TOKEN


@pytest.mark.parametrize("mode", [0o444, 0o604, 0o644, 0o660, 0o666, 0o777])
def test_a_file_that_all_can_read_or_others_can_write_is_read_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, mode: int
):
    named(monkeypatch, mode=mode)
    warned: list[str] = []
    found = read_api_key(os.environ, warned.append)
    assert found == (TOKEN, "the content of the file in LABEL_STUDIO_API_KEY_FILE")
    assert warned == [OPEN]


@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_a_secret_that_docker_mounts_may_be_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int
):
    named(monkeypatch, mode=mode)
    file, warned = Path("token"), list[str]()
    check_permissions(file, "X", file.stat(), warned.append, mounts=[tmp_path / "elsewhere"])
    assert len(warned) == 1
    check_permissions(file, "X", file.stat(), warned.append, mounts=[tmp_path])
    assert len(warned) == 1


@pytest.mark.parametrize("mode", [0o444, 0o640, 0o644])
def test_a_secret_that_kubernetes_mounts_anywhere_is_read_as_it_is(
    monkeypatch: pytest.MonkeyPatch, mode: int
):
    """As its volumes are: ``token`` is a link to ``..data/token``, and that one a link, too."""
    named(monkeypatch, mode=mode)
    folder = Path("..2026_11_28_01_02_03.4")
    folder.mkdir()
    Path("token").rename(folder / "token")
    Path("..data").symlink_to(folder)
    Path("token").symlink_to("..data/token")
    assert silent() == TOKEN


def test_the_warning_is_said_once_beside_the_results(
    command: Command, server: Hooked, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    named(monkeypatch, mode=0o644, text=SANDBOX_TOKEN)
    planned = command("plan", manifest())
    assert (planned.code, planned.errors) == (0, f"reconciler: warning: {OPEN}\n")
    assert command("plan", "--quiet", manifest()).errors == ""
    assert server.count("GET") > 0


def test_a_token_in_a_variable_that_is_not_read_is_named(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SettingsError, match="no token is set") as missing:
        silent()
    assert "LABEL_STUDIO_TOKEN" not in str(missing.value)
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", TOKEN)
    with pytest.raises(SettingsError) as caught:
        silent()
    assert str(caught.value) == (
        "no token is set (LABEL_STUDIO_TOKEN is not read: set LABEL_STUDIO_API_KEY instead)"
    )
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)
    assert silent() == TOKEN


def test_a_token_in_both_places_is_refused(monkeypatch: pytest.MonkeyPatch):
    named(monkeypatch)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)
    with pytest.raises(SettingsError, match="both"):
        silent()


@pytest.mark.parametrize("name", ["nowhere", ".", "a\0b", "x" * 5_000])
def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr(os, "environ", {"LABEL_STUDIO_API_KEY_FILE": name})
    with pytest.raises(SettingsError, match="LABEL_STUDIO_API_KEY_FILE: cannot read "):
        silent()


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_file_is_no_token(monkeypatch: pytest.MonkeyPatch, text: str):
    named(monkeypatch, text=text)
    with pytest.raises(SettingsError, match="LABEL_STUDIO_API_KEY_FILE: token is empty"):
        silent()


def test_a_large_file_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch):
    named(monkeypatch, text="x" * (SIZE_MAX + 1))
    with pytest.raises(SettingsError, match="is larger than 65,536 bytes"):
        silent()
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_FILE", "/dev/zero")
    with pytest.raises(SettingsError, match="is larger than 65,536 bytes"):
        silent()


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    os.mkfifo("pipe", 0o600)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_FILE", "pipe")
    with pytest.raises(SettingsError, match="is empty"):
        silent()
