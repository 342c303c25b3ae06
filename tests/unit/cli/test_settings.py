"""Where settings come from, which goes over which, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.rate_limiter import RateLimiter
from reconciler.cli.settings import Given, Settings, read_settings
from reconciler.errors import SettingsError
from reconciler.plan.limit import Limit
from reconciler.sandbox.tokens import SANDBOX_TOKEN
from tests.unit.cli.conftest import Command, Manifest
from tests.unit.server.wired import Hooked


def asked(server: Hooked) -> set[str]:
    """The hosts that were asked."""
    return {request.url.host for request in server.requests}


@pytest.mark.parametrize(
    ("file", "variable", "option", "used"),
    [
        ("file.test", None, None, "file.test"),
        ("file.test", "variable.test", None, "variable.test"),
        ("file.test", "variable.test", "option.test", "option.test"),
        ("file.test", None, "option.test", "option.test"),
        (None, "variable.test", "option.test", "option.test"),
        ("file.test", "", None, "file.test"),
    ],
)
def test_an_option_goes_over_the_environment_and_that_over_the_file(  # noqa: PLR0913, PLR0917 - sources and fixtures
    server: Hooked,
    command: Command,
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    file: str | None,
    variable: str | None,
    option: str | None,
    used: str,
):
    monkeypatch.delenv("LABEL_STUDIO_URL")
    if file:
        Path("reconciler.toml").write_text(f'url = "http://{file}"\n', encoding="utf-8")
    if variable is not None:
        monkeypatch.setenv("LABEL_STUDIO_URL", variable and f"http://{variable}")
    options = ("--url", f"http://{option}") if option else ()
    assert command("plan", manifest(), *options).code == 0
    assert asked(server) == {used}


def settings(**given: Any) -> Settings:  # noqa: ANN401 - as Given
    return read_settings(["tasks.yaml"], Given(**{"url": "https://x.test", **given}))


def test_defaults_hold_where_nothing_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    assert (settings().concurrency, settings().timeout) == (8, 120)
    Path("reconciler.toml").write_text("concurrency = 9\ntimeout = 1.5\n", encoding="utf-8")
    assert (settings().concurrency, settings().timeout) == (9, 1.5)
    given = settings(concurrency=2, timeout=7)
    assert (given.concurrency, given.timeout) == (2, 7)


def test_updates_are_not_held_back_unless_somebody_says_how_many(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    assert settings().rps is None
    Path("reconciler.toml").write_text("rps = 2.5\n", encoding="utf-8")
    assert settings().rps == 2.5
    assert settings(rps=10).rps == 10


@pytest.mark.parametrize(("options", "used"), [((), None), (("--rps", "250"), 250)])
def test_updates_are_spaced_as_the_option_says(
    command: Command,
    server: Hooked,
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    used: float | None,
):
    asked: list[float | None] = []

    def spacing(rps: float | None, wait: Callable[[float], bool]) -> RateLimiter:
        asked.append(rps)
        return RateLimiter(rps, wait)

    monkeypatch.setattr("reconciler.apply.carrying.RateLimiter", spacing)
    assert command("apply", manifest(), "--yes", *options).code == 0
    assert (asked, server.count("PATCH")) == ([used], 3)


@pytest.mark.parametrize("rps", ["1e-9", "inf", "nan"])
def test_a_number_of_updates_that_cannot_be_kept_to_is_refused(
    command: Command, server: Hooked, manifest: Manifest, rps: str
):
    ran = command("apply", manifest(), "--yes", "--rps", rps)
    assert ran.code == 1
    assert ran.errors == (
        f"reconciler: {float(rps):g} updates a second cannot be kept to "
        "(give --rps 0.001 or more, or leave it out)\n"
    )
    assert server.requests == []


def test_the_file_is_found_upward_from_the_first_manifest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    deep = tmp_path / "repository" / "manifests" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "reconciler.toml").write_text("timeout = 1\n", encoding="utf-8")
    (tmp_path / "repository" / "reconciler.toml").write_text("timeout = 2\n", encoding="utf-8")
    for first in (deep / "tasks.yaml", deep, deep / "*.yaml"):
        paths = [str(first), str(tmp_path)]
        assert read_settings(paths, Given(url="https://x.test")).timeout == 2


def test_the_token_does_not_show_in_the_repr_of_the_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    assert settings().token == SANDBOX_TOKEN
    assert SANDBOX_TOKEN not in repr(settings())


@pytest.mark.usefixtures("server")
def test_without_an_address_it_says_where_to_put_one(
    command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LABEL_STUDIO_URL")
    ran = command("plan", manifest())
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors == (
        "reconciler: no server is named (set LABEL_STUDIO_URL, or url in reconciler.toml, or "
        "--url)\n"
    )


@pytest.mark.parametrize("token", [None, "", "  "])
@pytest.mark.usefixtures("server")
def test_without_a_token_it_says_where_to_get_one(
    command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch, token: str | None
):
    if token is None:
        monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    else:
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", token)
    ran = command("plan", manifest())
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors == (
        "reconciler: no token is given (set LABEL_STUDIO_API_KEY to a token from Account & "
        "Settings in Label Studio, or LABEL_STUDIO_API_KEY_FILE to a file with one)\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("uri = 'http://x.test'\n", "reconciler.toml:1: uri: "),
        ("# a comment\n\ntimeout = 0\n", "reconciler.toml:3: timeout: 0 is less than or equal to"),
        ("concurrency = 100\n", "reconciler.toml:1: concurrency: 100 is greater than the maximum"),
        ("rps = 0\n", "reconciler.toml:1: rps: 0 is less than the minimum of 0.001"),
        ("url = 7\n", "reconciler.toml:1: url: 7 is not of type 'string'"),
        ("token = 'abc'\n", "toml:1: token: there is no such setting"),
        ("url = \n", "reconciler.toml: cannot be read: Invalid value (at line 1, column 7)"),
        ("url = 'a'\nurl = 'b'\n", "Cannot overwrite a value (at line 2"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_its_line(
    command: Command, server: Hooked, manifest: Manifest, text: str, said: str
):
    Path("reconciler.toml").write_text(text, encoding="utf-8")
    ran = command("plan", manifest())
    assert (ran.code, ran.output) == (1, "")
    assert said in ran.errors
    assert server.requests == []


@pytest.mark.usefixtures("server")
def test_known_settings_are_named_where_one_is_unknown(command: Command, manifest: Manifest):
    Path("reconciler.toml").write_text("uri = 'http://x.test'\n", encoding="utf-8")
    assert command("plan", manifest()).errors.endswith(
        "(known settings are url, concurrency, rps, max_changes, allow_plain_http, timeout)\n"
    )


def test_a_file_with_a_byte_order_mark_is_read_as_without(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    Path("reconciler.toml").write_bytes(b"\xef\xbb\xbftimeout = 7\r\n")
    assert settings().timeout == 7
    Path("reconciler.toml").write_bytes(b"\xef\xbb\xbftimeout = 0\r\n")
    with pytest.raises(SettingsError, match=r"toml:1: timeout: 0 is less than or equal to"):
        settings()


@pytest.mark.usefixtures("server")
def test_a_file_that_is_not_utf_8_is_named(command: Command, manifest: Manifest):
    Path("reconciler.toml").write_bytes(b"url = '\xff'\n")
    assert "reconciler.toml: cannot be read: 'utf-8' codec" in command("plan", manifest()).errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECONCILER_TIMEOUT", "soon"),
        ("RECONCILER_TIMEOUT", "-1"),
        ("RECONCILER_CONCURRENCY", "65"),
        ("RECONCILER_RPS", "0"),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_wrong_variable_is_named(
    command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    monkeypatch.setenv(name, value)
    ran = command("apply", manifest(), "--yes")
    assert ran.code == 1
    assert value in ran.errors
    assert "Error: Invalid value for" in ran.errors


@pytest.mark.usefixtures("server")
def test_an_address_with_a_password_is_refused_without_showing_it(
    command: Command, manifest: Manifest
):
    ran = command("plan", manifest(), "--url", "https://anna:s3cret@x.test")
    assert ran.code == 1
    assert "s3cret" not in ran.errors + ran.output


def test_reading_settings_twice_reads_the_file_twice(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    Path("reconciler.toml").write_text("timeout = 1\n", encoding="utf-8")
    assert settings().timeout == 1
    Path("reconciler.toml").write_text("timeout = 'x'\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="'x' is not of type 'number'"):
        settings()


@pytest.mark.parametrize(
    "url",
    [
        "https://x.test",
        "http://localhost:80",
        "http://127.1.2.3",
        "http://[::1]:8080/ls",
        "http://LOCALHOST.",
        "http://a.localhost",
    ],
)
def test_a_token_goes_over_https_or_stays_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, url: str
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    assert settings(url=url).url == url


@pytest.mark.parametrize(
    "url", ["http://x.test", "http://10.0.0.1", "http://[2001:db8::1]", "HTTP://localhost.x.test"]
)
def test_a_token_goes_to_another_host_without_encryption_only_if_told_so(
    monkeypatch: pytest.MonkeyPatch, url: str
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    with pytest.raises(SettingsError, match="unencrypted"):
        settings(url=url)
    taken = url.replace("HTTP:", "http:")
    assert settings(url=url, allow_plain_http=True).url == taken
    Path("reconciler.toml").write_text("allow_plain_http = true\n", encoding="utf-8")
    assert settings(url=url).url == taken


def test_nothing_is_asked_of_a_host_that_the_token_may_not_go_to(
    server: Hooked, command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("RECONCILER_ALLOW_PLAIN_HTTP")
    refused = command("apply", manifest(), "--yes")
    assert (refused.code, server.requests) == (1, [])
    assert "--allow-plain-http" in refused.errors
    assert command("plan", manifest(), "--allow-plain-http").code == 0


@pytest.mark.parametrize(
    ("written", "changes", "of"),
    [("5", 5, 100), ('"5"', 5, 10), ('"5%"', 1, 39), ('"0.5%"', 0, 100)],
)
def test_a_limit_may_stand_in_the_settings_file(
    monkeypatch: pytest.MonkeyPatch, written: str, changes: int, of: int
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    Path("reconciler.toml").write_text(f"max_changes = {written}\n", encoding="utf-8")
    limit = settings().max_changes
    assert limit is not None
    assert limit.of(of) == changes
    assert settings(max_changes=Limit.parse("7")).max_changes == Limit.parse("7")


@pytest.mark.parametrize("written", ["-1", '"x"', '"101%"', "1.5", '"5 %"', "true"])
def test_a_limit_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, written: str):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    Path("reconciler.toml").write_text(f"max_changes = {written}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="max_changes"):
        settings()
