"""Where settings come from, which goes over which, and what is wrong with them."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.limit import Limit
from reconciler.engine.apply import ApplyResult, apply_plan
from reconciler.engine.settings.run_settings import CliOverrides, Settings, read_settings
from reconciler.errors import SettingsError
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.manifest.files import find_place
from reconciler.sandbox.access import SANDBOX_TOKEN
from tests.unit.cli.conftest import Command, Manifest, Wire
from tests.unit.labelstudio.wired import Hooked


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
    places = {find_place("tasks.yaml"): "tasks.yaml"}
    return read_settings(places, CliOverrides(**{"url": "https://x.test", **given}), os.environ)


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
    wire: Wire,
    options: tuple[str, ...],
    used: float | None,
):
    asked: list[float | None] = []

    def noted(*plan: Any, options: ExecutionOptions, **given: Any) -> ApplyResult:  # noqa: ANN401 - passed on
        asked.append(options.rps)
        return apply_plan(*plan, options=options, **given)

    wire.apply_plan = noted
    assert command("apply", manifest(), "--yes", *options).code == 0
    assert (asked, server.count("PATCH")) == ([used], 3)


@pytest.mark.parametrize("rps", ["1e-9", "inf", "nan"])
def test_a_number_of_updates_that_cannot_be_kept_to_is_refused(
    command: Command, server: Hooked, manifest: Manifest, rps: str
):
    ran = command("apply", manifest(), "--yes", "--rps", rps)
    assert ran.code == 1
    assert ran.errors == (
        f"reconciler: cannot send {float(rps):g} updates per second "
        "(set rps to 0.001 or more, or leave it out)\n"
    )
    assert server.requests == []


def test_the_nearest_file_above_a_manifest_holds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    deep = tmp_path / "repository" / "manifests" / "deep"
    deep.mkdir(parents=True)
    write("reconciler.toml", "timeout = 1\n")
    write("repository/reconciler.toml", "timeout = 2\n")
    for path in (deep / "tasks.yaml", "repository/tasks.yaml"):
        places = {find_place(str(path)): "tasks.yaml"}
        assert read_settings(places, CliOverrides(url="https://x.test"), os.environ).timeout == 2
    monkeypatch.chdir(deep)
    # The folders that a path goes through to leave them again are not above what it leads to.
    write("reconciler.toml", "timeout = 3\n")
    places = {find_place("../../../tasks.yaml"): "tasks.yaml"}
    assert read_settings(places, CliOverrides(url="https://x.test"), os.environ).timeout == 1


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def write_manifest(name: str, task: int) -> None:
    write(name, f"version: 1\ntasks: [{{id: {task}, overlap: 2}}]\n")


@pytest.fixture
def two_folders(server: Hooked, monkeypatch: pytest.MonkeyPatch) -> Hooked:
    """Two folders with manifests; no server is set but by settings files."""
    monkeypatch.delenv("LABEL_STUDIO_URL")
    write_manifest("staging/a.yaml", 1)
    write_manifest("production/b.yaml", 2)
    return server


STAGING = 'url = "https://staging.test"\n'
PRODUCTION = 'url = "https://production.test"\n'
SAME = "reconciler: all manifests of one run need the same settings\n"


@pytest.mark.parametrize(
    "paths",
    [
        ("staging", "production"),
        ("staging/", "production/b.yaml"),
        (".",),
        ("*",),
        ("**/*.yaml",),
        ("production", "staging/a.yaml"),
    ],
)
@pytest.mark.parametrize("name", ["plan", "apply"])
def test_two_files_that_name_two_servers_are_refused_before_any_request(
    two_folders: Hooked, command: Command, name: str, paths: tuple[str, ...]
):
    write("staging/reconciler.toml", STAGING)
    write("production/reconciler.toml", f"timeout = 120\n{PRODUCTION}")
    ran = command(name, *paths)
    here = Path.cwd()
    lines = [
        f'{here}/{name}/reconciler.toml:{line}: url is "https://{name}.test", for {manifest}'
        for name, line, manifest in (
            ("production", 2, "production/b.yaml"),
            ("staging", 1, "staging/a.yaml"),
        )
    ]
    if paths[0].startswith("staging"):
        lines.reverse()
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors == (
        SAME
        + "\n".join(lines)
        + " (run them separately, or set LABEL_STUDIO_URL or --url for all of them)\n"
    )
    assert two_folders.requests == []


def test_no_settings_file_counts_as_one(two_folders: Hooked, command: Command):
    write("staging/reconciler.toml", STAGING)
    ran = command("plan", "staging", "production")
    assert (ran.code, two_folders.requests) == (1, [])
    assert "no reconciler.toml above production/b.yaml: url is not set (" in ran.errors


def test_what_goes_over_the_files_may_differ_in_them(
    two_folders: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    write("staging/reconciler.toml", STAGING + "allow_plain_http = true\n")
    write("production/reconciler.toml", PRODUCTION)
    assert command("plan", ".", "--url", "https://option.test").code == 0
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://variable.test")
    assert command("plan", ".").code == 0
    assert asked(two_folders) == {"option.test", "variable.test"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", "timeout = 120\n"),
        ("", "allow_plain_http = false\n"),
        ("max_changes = 5\n", 'max_changes = "5"\n'),
        ("timeout = 7\n", "timeout = 7.0\n"),
    ],
)
def test_files_that_say_the_same_agree(two_folders: Hooked, command: Command, one: str, other: str):
    write("staging/reconciler.toml", STAGING + one)
    write("production/reconciler.toml", 'url = "https://STAGING.test:443/api/"\n' + other)
    assert command("apply", ".", "--yes").code == 0
    assert asked(two_folders) == {"staging.test"}


@pytest.mark.parametrize(
    ("written", "said", "option"),
    [
        ("timeout = 7", "timeout is 7", "RECONCILER_TIMEOUT or --timeout"),
        ('max_changes = "5%"', 'max_changes is "5%"', "RECONCILER_MAX_CHANGES or --max-changes"),
        ("concurrency = 1", "concurrency is 1", "RECONCILER_CONCURRENCY or --concurrency"),
        ("rps = 0.5", "rps is 0.5", "RECONCILER_RPS or --rps"),
    ],
)
def test_each_setting_that_a_command_depends_on_must_be_the_same(
    two_folders: Hooked, command: Command, written: str, said: str, option: str
):
    write("staging/reconciler.toml", f"{STAGING}{written}\n")
    write("production/reconciler.toml", STAGING)
    ran = command("apply", ".", "--yes")
    key, here = written.partition(" ")[0], Path.cwd()
    assert (ran.code, two_folders.requests) == (1, [])
    assert ran.errors == (
        f"{SAME}{here}/production/reconciler.toml: {key} is not set, for production/b.yaml\n"
        f"{here}/staging/reconciler.toml:2: {said}, for staging/a.yaml "
        f"(run them separately, or set {option} for all of them)\n"
    )
    # A plan does not depend on how updates are sent.
    assert command("plan", ".").code == (0 if key in {"concurrency", "rps"} else 1)
    assert command("validate", ".").code == 0


def test_files_must_agree_on_plain_http_where_it_is_used(
    two_folders: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("RECONCILER_ALLOW_PLAIN_HTTP")
    write("staging/reconciler.toml", 'url = "http://x.test"\nallow_plain_http = true\n')
    write("production/reconciler.toml", 'url = "http://x.test"\n')
    ran = command("plan", ".")
    assert (ran.code, two_folders.requests) == (1, [])
    assert "production/reconciler.toml: allow_plain_http is not set, for" in ran.errors
    assert "staging/reconciler.toml:2: allow_plain_http is true, for" in ran.errors
    assert command("plan", ".", "--url", "https://x.test").code == 0


def test_all_that_differs_is_told_at_once_and_no_password(two_folders: Hooked, command: Command):
    write("staging/reconciler.toml", 'url = "https://anna:s3cret@x.test"\ntimeout = 1\n')
    write("production/reconciler.toml", PRODUCTION)
    ran = command("plan", ".")
    assert (ran.code, two_folders.requests) == (1, [])
    assert "staging/reconciler.toml:1: url is not a valid address, for staging/a.yaml" in ran.errors
    assert "staging/reconciler.toml:2: timeout is 1, for staging/a.yaml" in ran.errors
    assert "s3cret" not in ran.errors


def test_what_is_wrong_in_several_files_is_told_at_once(two_folders: Hooked, command: Command):
    write("staging/reconciler.toml", "uri = 1\n")
    write("production/reconciler.toml", "timeout = 0\n")
    ran = command("plan", ".", "--url", "https://x.test")
    assert (ran.code, two_folders.requests) == (1, [])
    assert "staging/reconciler.toml:1: uri: unknown setting" in ran.errors
    assert "production/reconciler.toml:1: timeout: expected seconds, above 0" in ran.errors


def test_many_files_that_differ_are_counted(two_folders: Hooked, command: Command):
    for number in range(9):
        write(f"many/{number}/reconciler.toml", f'url = "https://x{number}.test"\n')
        write_manifest(f"many/{number}/a.yaml", number + 1)
    ran = command("plan", "many")
    assert (ran.code, two_folders.requests) == (1, [])
    assert ran.errors.count("url is") == 5
    assert "\nurl has 4 more values for other manifests (" in ran.errors


def test_a_link_does_not_bring_manifests_to_another_server(two_folders: Hooked, command: Command):
    """Both the settings above the link and those where it leads say what the manifests are for."""
    Path(".git").mkdir()
    write("staging/reconciler.toml", STAGING)
    write("production/reconciler.toml", PRODUCTION)
    write_manifest("production/deep/c.yaml", 3)
    Path("staging/live").symlink_to("../production/deep")
    Path("staging/live.yaml").symlink_to("../production/b.yaml")
    for path in ("staging", "staging/live", "staging/live.yaml", "staging/l*.yaml"):
        ran = command("plan", path)
        assert (ran.code, two_folders.requests) == (1, [])
        assert "production/reconciler.toml:1: url is" in ran.errors
        assert ", reached through a link (" in ran.errors


def test_a_shared_folder_takes_the_settings_of_whoever_links_to_it(
    two_folders: Hooked, command: Command
):
    Path(".git").mkdir()
    write("reconciler.toml", PRODUCTION)
    write("staging/reconciler.toml", STAGING)
    write_manifest("shared/c.yaml", 3)
    Path("staging/shared").symlink_to("../shared")
    assert command("plan", "staging").code == 0
    assert asked(two_folders) == {"staging.test"}
    # Read once, but reached in two ways.
    ran = command("plan", "staging/shared", "shared")
    assert ran.code == 1
    assert 'production.test", for shared/c.yaml' in ran.errors
    assert asked(two_folders) == {"staging.test"}


def test_a_settings_file_that_a_link_leads_to_nothing_for_is_not_passed_over(
    two_folders: Hooked, command: Command
):
    write("reconciler.toml", PRODUCTION)
    Path("staging/reconciler.toml").symlink_to("nowhere.toml")
    ran = command("plan", "staging")
    assert (ran.code, two_folders.requests) == (1, [])
    assert "staging/reconciler.toml: cannot be read: " in ran.errors


@pytest.mark.usefixtures("two_folders")
def test_standard_input_has_the_settings_of_the_folder_that_we_are_in(
    command: Command, monkeypatch: pytest.MonkeyPatch
):
    write("reconciler.toml", PRODUCTION)
    write("staging/reconciler.toml", STAGING)
    manifest = b"version: 1\ntasks: [{id: 3}]\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(manifest), encoding="utf-8"))
    ran = command("plan", "-", "staging")
    assert ran.code == 1
    assert 'reconciler.toml:1: url is "https://production.test", for standard input' in ran.errors


def test_what_is_not_read_is_named_beside_the_results(server: Hooked, command: Command):
    write_manifest("m/a.yaml", 1)
    for number in range(25):
        write(f"m/{number:02}.yaml.bak", "")
    said = command("plan", "m").errors
    assert said.startswith("m/00.yaml.bak: not read (the name of a manifest ends in .yaml, .yml, ")
    assert said.endswith("5 more files are not read; pass --verbose to list them\n")
    assert command("validate", "m", "m/*", "--verbose").errors.count(": not read (") == 25
    assert command("plan", "m", "--quiet").errors == ""
    assert server.count("PATCH") == 0


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
        "reconciler: no server is set (set LABEL_STUDIO_URL, pass --url, or "
        "set url in reconciler.toml)\n"
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
        "reconciler: no token is set (set LABEL_STUDIO_API_KEY to a token from Account & "
        "Settings in Label Studio, or LABEL_STUDIO_API_KEY_FILE to a file with one)\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("uri = 'http://x.test'\n", "1: uri: "),
        ("# a comment\n\ntimeout = 0\n", "3: timeout: expected seconds, above 0 and at most"),
        ("timeout = '30s'\n", 'such as 30, found the string "30s"\n'),
        ("concurrency = 100\n", "1: concurrency: expected a whole number from 1 to 64, such as"),
        ("rps = 0\n", "1: rps: expected a number of updates per second of 0.001 or more, such as"),
        ("url = 7\n", '1: url: expected an address, such as "https://label-studio.example.org", f'),
        ("max_changes = '5 %'\n", 'such as 100 or "5%", found the string "5 %"\n'),
        ("max_changes = 0.5\n", 'such as 100 or "5%", found 0.5\n'),
        ("token = 'abc'\n", "1: token: unknown setting: secrets do not belong in this file, which"),
        ("api_key = 'abc'\n", "(remove it, and set LABEL_STUDIO_API_KEY in the environment)\n"),
        ("url = \n", "1:7: not TOML: Invalid value (put text in quotes, such as url ="),
        ("url = http://x.test\n", "1:7: not TOML: Invalid value (put text in quotes"),
        ("url = 'a'\nurl = 'b'\n", ": Cannot overwrite a value (this key is set above: keep one"),
        ("url = 'a", ": not TOML at its end: "),
        ("allow_plain_http = True\n", "1:20: not TOML: Invalid value (put text in quotes, such as"),
        ("allow_plain_http = True\n", 'example.org", and write true and false in lower case)'),
        (
            "[environments.a]\nurl = 'https://a.test'\n[environments.a]\n",
            ": this table is in the file already (join the two tables into one)",
        ),
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
        "(the settings are url, concurrency, rps, max_changes, allow_plain_http, timeout, redact, "
        "environments)\n"
    )


def test_a_file_with_a_byte_order_mark_is_read_as_without(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    Path("reconciler.toml").write_bytes(b"\xef\xbb\xbftimeout = 7\r\n")
    assert settings().timeout == 7
    Path("reconciler.toml").write_bytes(b"\xef\xbb\xbftimeout = 0\r\n")
    with pytest.raises(SettingsError, match=r"toml:1: timeout: expected seconds, .*, found 0"):
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
    with pytest.raises(SettingsError, match=r'found the string "x"'):
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
    with pytest.raises(SettingsError, match="the token would be sent without encryption: "):
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
