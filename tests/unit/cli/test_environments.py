"""Environments: one folder of manifests, several servers, and no way to take one for another."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler import ManifestError, Manifests, Settings, load
from reconciler.core.server_address import ChosenServer
from reconciler.engine.connection import connect
from reconciler.engine.plan import build_plan
from reconciler.engine.project_lookup import choose_lookup
from reconciler.engine.settings.project_numbers import ProjectNumbers
from reconciler.engine.settings.settings_file import SettingsFile
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.tasks_file import new_state
from tests.unit.cli.conftest import Command, Wire, process
from tests.unit.docs.pages import Block, blocks
from tests.unit.labelstudio.wired import TEXT, Hooked, add_tasks, sandbox_with

SETTINGS = """\
timeout = 60

[environments.staging]
url = "https://staging.test"
projects = {reviews = 7}
timeout = 5

[environments.production]
url = "https://production.test"
projects = {reviews = 12}
max_changes = 2
"""


STAGING = ChosenServer("https://staging.test", "--url")


class Routed(httpx.BaseTransport):
    """Two servers, each with its own name."""

    def __init__(self, **servers: Hooked) -> None:
        self.servers = servers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.servers[request.url.host.removesuffix(".test")].handle_request(request)

    def asked(self) -> set[str]:
        return {name for name, server in self.servers.items() if server.requests}


@pytest.fixture
def servers(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Routed:
    """Staging with tasks 1 to 3 in project 7, production with tasks 1 to 3 in project 12."""
    production = new_state("community")
    add_tasks(production, range(1, 4), project=12)
    transport = wire.transport = Routed(
        staging=Hooked(sandbox_with(3)), production=Hooked(production)
    )
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    write("reconciler.toml", SETTINGS)
    write("m/a.yaml", "version: 1\ntasks: [{id: 1, overlap: 2}, {id: 2, overlap: 2}]\n")
    return transport


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def here(line: int, name: str = "reconciler.toml") -> str:
    return f"{Path.cwd()}/{name}:{line}"


@pytest.mark.parametrize("name", ["staging", "production"])
@pytest.mark.parametrize("by", ["option", "variable"])
def test_an_environment_chooses_the_server(
    servers: Routed, command: Command, monkeypatch: pytest.MonkeyPatch, name: str, by: str
):
    options = ("--env", name) if by == "option" else ()
    if by == "variable":
        monkeypatch.setenv("RECONCILER_ENV", name)
    assert command("plan", "m", "--detailed-exitcode", *options).code == 2
    assert servers.asked() == {name}


def test_the_option_goes_over_the_variable(
    servers: Routed, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RECONCILER_ENV", "production")
    assert command("plan", "m", "--env", "staging").code == 0
    assert servers.asked() == {"staging"}


def test_the_settings_of_an_environment_override_those_at_the_top(
    servers: Routed, command: Command
):
    write("m/a.yaml", "version: 1\ndefaults: {overlap: 2}\ntasks: [{id: 1}, {id: 2}, {id: 3}]\n")
    assert command("plan", "m", "--env", "staging").code == 0
    refused = command("plan", "m", "--env", "production")
    assert refused.code == 1
    assert "the plan would change 3 of 3 tasks; the limit is 2" in refused.errors
    assert command("plan", "m", "--env", "production", "--max-changes", "3").code == 0
    assert servers.asked() == {"staging", "production"}


# What names the environment.


def test_plans_questions_and_reports_name_the_environment(
    servers: Routed, command: Command, terminal: list[str]
):
    del servers
    where = "environment staging: https://staging.test (Label Studio Community 1.23.2)"
    assert command("plan", "m", "--env", "staging").output.startswith(f"{where}\n")
    printed = command("plan", "m", "--env", "staging", "--format", "json").output
    assert json.loads(printed)["environment"] == "staging"
    ran = command("apply", "m", "--env", "staging", "--report", "r.jsonl")
    assert (ran.code, terminal) == (
        0,
        ["Change 2 tasks in environment staging, on https://staging.test?"],
    )
    first = json.loads(Path("r.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["environment"] == "staging"
    assert command("show", "r.jsonl").output.startswith(f"{where}\n")
    assert json.loads(command("show", "--format", "json", "r.jsonl").output)["environment"] == (
        "staging"
    )


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answer every question with yes, and keep the questions."""
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("termios.tcflush", lambda *_: None)
    monkeypatch.setattr("click.confirm", confirm)
    return asked


def test_nothing_names_an_environment_that_was_not_chosen(servers: Routed, command: Command):
    ran = command("plan", "m", "--url", "https://staging.test", "--format", "json")
    assert ran.code == 0
    assert "environment" not in json.loads(ran.output)
    assert servers.asked() == {"staging"}


# Saved plans and reports.


def test_a_saved_plan_is_for_its_environment_alone(servers: Routed, command: Command):
    assert command("plan", "m", "--env", "staging", "--out", "plan.json").code == 0
    other = command("apply", "plan.json", "--yes", "--env", "production")
    assert other.code == 1
    assert "plan.json was made for environment staging: https://staging.test (" in other.errors
    assert "but this run uses environment production: https://production.test (" in other.errors
    nameless = command("apply", "plan.json", "--yes", "--url", "https://staging.test")
    assert nameless.code == 1
    assert nameless.errors == (
        "reconciler: nothing was changed: plan.json was made for environment staging, but this "
        "run uses none (pass --env staging, or make a new plan)\n"
    )
    assert servers.servers["staging"].count("PATCH") == 0
    assert command("apply", "plan.json", "--yes", "--env", "staging").code == 0
    assert servers.servers["staging"].count("PATCH") == 2
    assert servers.servers["production"].count("PATCH") == 0


def test_two_environments_on_one_server_are_two(servers: Routed, command: Command):
    write("reconciler.toml", SETTINGS.replace("production.test", "staging.test"))
    assert command("plan", "m", "--env", "staging", "--out", "plan.json").code == 0
    other = command("apply", "plan.json", "--yes", "--env", "production")
    assert (other.code, servers.servers["staging"].count("PATCH")) == (1, 0)
    assert "made for environment staging, but this run uses environment production" in other.errors


def test_a_plan_without_an_environment_is_for_any_on_its_server(servers: Routed, command: Command):
    """As plans of earlier releases are."""
    assert command("plan", "m", "--url", "https://staging.test", "--out", "plan.json").code == 0
    assert command("apply", "plan.json", "--yes", "--env", "production").code == 1
    assert command("apply", "plan.json", "--yes", "--env", "staging").code == 0
    assert servers.servers["production"].count("PATCH") == 0


def test_a_report_is_reverted_in_its_environment_alone(servers: Routed, command: Command):
    assert command("apply", "m", "--yes", "--env", "staging", "--report", "r.jsonl").code == 0
    other = command("revert", "r.jsonl", "--yes", "--env", "production")
    assert other.code == 1
    assert "r.jsonl was made for environment staging: https://staging.test (" in other.errors
    assert command("revert", "r.jsonl", "--yes", "--env", "staging").code == 0
    assert servers.servers["production"].count("PATCH") == 0


def test_plans_of_two_environments_are_not_shown_as_one(servers: Routed, command: Command):
    for name in servers.servers:
        assert command("plan", "m", "--env", name, "--out", f"{name}.json").code == 0
    shown = command("show", "staging.json", "production.json")
    assert shown.code == 1
    assert "staging.json is for environment staging: https://staging.test (" in shown.errors


def test_reports_of_two_environments_are_not_shown_as_one(servers: Routed, command: Command):
    write("reconciler.toml", SETTINGS.replace("production.test", "staging.test"))
    for number, options in enumerate(
        (("--env", "staging"), ("--env", "production"), ("--url", "https://staging.test"))
    ):
        ran = command("apply", "m", "--yes", *options, "--report", f"{number}.jsonl")
        assert ran.code == 0
    shown = command("show", "0.jsonl", "1.jsonl")
    assert shown.code == 1
    assert "but 1.jsonl is for environment production: https://staging.test (" in shown.errors
    assert command("show", "0.jsonl", "2.jsonl").code == 0
    assert servers.asked() == {"staging"}


# Refused before any request.


def test_an_unknown_environment_is_refused_with_the_nearest(servers: Routed, command: Command):
    ran = command("plan", "m", "--env", "stagign")
    assert (ran.code, ran.output, servers.asked()) == (1, "", set())
    assert ran.errors == (
        f'reconciler: {here(3)}: environment "stagign" does not exist, for m/a.yaml '
        "(did you mean staging? the environments are staging, production)\n"
    )
    assert "(the environments are staging, production)" in command("plan", "m", "--env", "x").errors


def test_an_environment_needs_a_file_that_defines_it(servers: Routed, command: Command):
    write("reconciler.toml", "timeout = 1\n")
    ran = command("plan", "m", "--env", "staging")
    assert (ran.code, servers.asked()) == (1, set())
    assert ran.errors == (
        f'reconciler: {Path.cwd()}/reconciler.toml:1: environment "staging" does not exist, for '
        "m/a.yaml (define it in reconciler.toml as [environments.staging])\n"
    )
    Path("reconciler.toml").unlink()
    ran = command("plan", "m", "--env", "staging", "--url", "https://staging.test")
    assert (ran.code, servers.asked()) == (1, set())
    assert 'no reconciler.toml above m/a.yaml, so it has no environment "staging"' in ran.errors


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_does_not_choose_the_top_of_the_file(
    servers: Routed, command: Command, name: str
):
    """As ``--env "$NAME"`` has it in a script that forgot to set the variable."""
    write("reconciler.toml", 'url = "https://production.test"\n' + SETTINGS)
    ran = command("apply", "m", "--yes", "--env", name)
    assert (ran.code, servers.asked()) == (1, set())
    assert "expected the name of an environment, found an empty one" in ran.errors


def test_without_an_environment_it_says_which_there_are(servers: Routed, command: Command):
    ran = command("plan", "m")
    assert (ran.code, ran.output, servers.asked()) == (1, "", set())
    assert ran.errors == (
        "reconciler: no server is set (choose an environment with --env or RECONCILER_ENV: "
        f"staging, production, in {here(3)})\n"
    )


def test_the_top_of_the_file_counts_where_no_environment_is_chosen(
    servers: Routed, command: Command
):
    write("reconciler.toml", 'url = "https://production.test"\n' + SETTINGS)
    assert command("plan", "m").code == 0
    assert servers.asked() == {"production"}


@pytest.mark.parametrize("source", ["LABEL_STUDIO_URL", "--url"])
def test_an_address_that_is_given_too_must_be_that_of_the_environment(
    servers: Routed, command: Command, monkeypatch: pytest.MonkeyPatch, source: str
):
    def plan(address: str) -> tuple[int, str]:
        options = ("--url", address) if source == "--url" else ()
        if not options:
            monkeypatch.setenv("LABEL_STUDIO_URL", address)
        ran = command("plan", "m", "--env", "staging", *options)
        return ran.code, ran.errors

    code, errors = plan("https://production.test")
    assert code == 1
    assert errors == (
        f"reconciler: {source} is https://production.test, but environment staging is "
        f"https://staging.test, {here(4)} (choose the environment of that server, or correct or "
        f"unset {source})\n"
    )
    for near in ("http://staging.test", "https://staging.test:8080", "https://staging.test/ls"):
        assert plan(near)[0] == 1
    assert servers.asked() == set()
    assert plan("https://STAGING.test:443/")[0] == 0
    assert servers.asked() == {"staging"}


@pytest.mark.parametrize("ci", ["true", "1", "TRUE", "woodpecker"])
@pytest.mark.parametrize("options", [("--env", "staging"), ()])
def test_in_ci_a_file_alone_does_not_choose_who_gets_the_token(
    servers: Routed,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    ci: str,
    options: tuple[str, ...],
):
    monkeypatch.setenv("CI", ci)
    write("reconciler.toml", 'url = "https://staging.test"\n' + SETTINGS)
    ran = command("plan", "m", *options)
    assert (ran.code, ran.output, servers.asked()) == (1, "", set())
    assert ran.errors == (
        f"reconciler: {here(5 if options else 1)}: in CI the address of the server cannot come "
        "from this file alone: a pull request could change it, and receive the token (set "
        "LABEL_STUDIO_URL to the same server in the settings of CI, outside of the repository)\n"
    )
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://staging.test")
    assert command("plan", "m", *options).code == 0
    assert servers.asked() == {"staging"}


def test_in_ci_a_changed_file_does_not_send_the_token_elsewhere(
    servers: Routed, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://staging.test")
    write("reconciler.toml", SETTINGS.replace("staging.test", "attacker.test"))
    ran = command("plan", "m", "--env", "staging")
    assert (ran.code, servers.asked()) == (1, set())
    assert "LABEL_STUDIO_URL is https://staging.test, but environment staging is" in ran.errors


@pytest.mark.parametrize("ci", ["", "false", "0", "no"])
def test_outside_of_ci_a_file_may_name_the_server(
    servers: Routed, command: Command, monkeypatch: pytest.MonkeyPatch, ci: str
):
    monkeypatch.setenv("CI", ci)
    assert command("plan", "m", "--env", "staging").code == 0
    assert servers.asked() == {"staging"}


def test_a_server_that_the_operator_did_not_name_gets_no_byte():
    """Over real sockets: not even a connection is opened."""
    with listening() as (url, connections), serve(sandbox_with(1)) as good:
        write("m/a.yaml", "version: 1\ntasks: [{id: 1, overlap: 2}]\n")
        write("m/reconciler.toml", f'url = "{url}"\n[environments.staging]\nurl = "{url}"\n')
        for options, variables in (
            (["--env", "staging"], {"CI": "true"}),
            ([], {"CI": "true"}),
            (["--env", "staging"], {"LABEL_STUDIO_URL": good}),
            (["--env", "staging", "--url", good], {}),
        ):
            ran = process("apply", "m", "--yes", *options, url="", **variables)
            assert ran.returncode == 1, ran.stderr
        assert connections() == 0
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))).close()
        assert connections() == 1


@contextmanager
def listening() -> Iterator[tuple[str, Callable[[], int]]]:
    """A socket that takes connections, its address, and how many are waiting there."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        opened.setblocking(False)  # noqa: FBT003 - as sockets have it

        def count() -> int:
            connections = 0
            with suppress(BlockingIOError):
                while True:
                    opened.accept()[0].close()
                    connections += 1
            return connections

        yield f"http://127.0.0.1:{opened.getsockname()[1]}", count


# The token.


@pytest.mark.parametrize(
    ("variables", "used"),
    [
        ({"LABEL_STUDIO_API_KEY_STAGING": "own", "LABEL_STUDIO_API_KEY": "shared"}, "own"),
        ({"LABEL_STUDIO_API_KEY_PRODUCTION": "x", "LABEL_STUDIO_API_KEY": "shared"}, "shared"),
        ({"LABEL_STUDIO_API_KEY_STAGING": " ", "LABEL_STUDIO_API_KEY": "shared"}, "shared"),
        ({"LABEL_STUDIO_API_KEY_STAGING_FILE": "own", "LABEL_STUDIO_API_KEY": "shared"}, "file"),
    ],
)
def test_the_token_of_an_environment_beats_that_of_all(
    servers: Routed,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    used: str,
):
    write("own", "file\n")
    Path("own").chmod(0o600)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    command("plan", "m", "--env", "staging")
    sent = {r.headers.get("authorization") for r in servers.servers["staging"].requests}
    assert sent - {None} == {f"Token {used}"}
    assert servers.asked() == {"staging"}


def test_the_token_of_an_environment_is_not_sent_where_none_is_chosen(
    servers: Routed, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_STAGING", SANDBOX_TOKEN)
    ran = command("plan", "m", "--url", "https://staging.test")
    assert (ran.code, servers.asked()) == (1, set())
    assert "no token is set (set LABEL_STUDIO_API_KEY to" in ran.errors
    ran = command("plan", "m", "--env", "production")
    assert (ran.code, servers.asked()) == (1, set())
    assert (
        "no token is set (set LABEL_STUDIO_API_KEY_PRODUCTION or LABEL_STUDIO_API_KEY to"
    ) in ran.errors


def test_a_token_in_both_places_is_refused(
    servers: Routed, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_STAGING", "s3cret")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_STAGING_FILE", "token")
    ran = command("plan", "m", "--env", "staging")
    assert (ran.code, servers.asked()) == (1, set())
    assert ran.errors == (
        "reconciler: both LABEL_STUDIO_API_KEY_STAGING and LABEL_STUDIO_API_KEY_STAGING_FILE are "
        "set (unset one of them)\n"
    )


def test_a_token_in_the_place_of_the_address_is_hidden(
    servers: Routed, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_STAGING", "s3cret-s3cret")
    monkeypatch.setenv("LABEL_STUDIO_URL", "s3cret-s3cret")
    ran = command("plan", "m", "--env", "staging")
    assert (ran.code, servers.asked()) == (1, set())
    assert "s3cret" not in ran.errors


# What is wrong in the file.


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("uri = 1", "4: environments.x.uri: unknown setting: did you mean url? ("),
        ("token = 'abc'", "4: environments.x.token: unknown setting: secrets do not belong in"),
        ("timeout = 0", "4: environments.x.timeout: expected seconds, above 0 and at most"),
        (
            "projects = {a = 0}",
            "4: environments.x.projects.a: expected the number of a project, such as 12, found 0",
        ),
        (
            "projects = {a = '1'}",
            "4: environments.x.projects.a: expected the number of a project, such",
        ),
        (
            "projects = 7",
            "4: environments.x.projects: expected a table of names and numbers, such as",
        ),
        ("[environments.x.projects]\n'' = 1", "5: environments.x.projects.: expected a name of"),
        ("[environments.y]\ntimeout = 1", "4: environments.y: url is missing"),
        ("[environments.file]\nurl = 'a'", "4: environments.file: LABEL_STUDIO_API_KEY_FILE would"),
        ("[environments.x_file]\nurl = 'a'", "4: environments.x_file: LABEL_STUDIO_API_KEY_X_FILE"),
        (
            "[environments.X]\nurl = 'a'",
            "4: environments.X: its token would be in LABEL_STUDIO_API_KEY_X, ",
        ),
        ("[environments.'a b']\nurl = 'a'", "4: environments.a b: expected a name of at most 64"),
        ("[environments.'']\nurl = 'a'", "4: environments.: expected a name of at most 64"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--env", "x")])
def test_what_is_wrong_in_an_environment_is_named_with_its_line(
    servers: Routed, command: Command, text: str, told: str, options: tuple[str, ...]
):
    write("reconciler.toml", f"timeout = 1\n[environments.x]\nurl = 'https://x.test'\n{text}\n")
    ran = command("plan", "m", *options)
    assert (ran.code, ran.output, servers.asked()) == (1, "", set())
    assert f"{Path.cwd()}/reconciler.toml:{told}" in ran.errors


def test_projects_belong_to_an_environment(servers: Routed, command: Command):
    write("reconciler.toml", "projects = {reviews = 7}\n")
    ran = command("plan", "m", "--url", "https://staging.test")
    assert (ran.code, servers.asked()) == (1, set())
    assert (
        f"{here(1)}: projects: only an environment has projects: set them in [environments.NAME]"
    ) in ran.errors


def test_the_settings_of_environments_are_named_where_one_is_unknown(
    servers: Routed, command: Command
):
    write("reconciler.toml", "[environments.x]\nurl = 'https://x.test'\nrpss = 1\n")
    ran = command("plan", "m", "--env", "x")
    assert servers.asked() == set()
    assert ran.errors.endswith(
        "(the settings of an environment are url, projects, concurrency, rps, max_changes, "
        "allow_plain_http, timeout, redact)\n"
    )


# Several files.


@pytest.fixture
def two_folders(servers: Routed) -> Routed:
    Path("reconciler.toml").unlink()
    write("n/b.yaml", "version: 1\ntasks: [{id: 3, overlap: 2}]\n")
    write("m/reconciler.toml", SETTINGS)
    write("n/reconciler.toml", SETTINGS)
    return servers


def test_files_with_the_same_environment_agree(two_folders: Routed, command: Command):
    write("n/reconciler.toml", SETTINGS + "[environments.other]\nurl = 'https://other.test'\n")
    assert command("plan", "m", "n", "--env", "staging").code == 0
    assert two_folders.asked() == {"staging"}


@pytest.mark.parametrize("options", [(), ("--url", "https://staging.test")])
def test_files_must_agree_on_the_server_of_the_environment(
    two_folders: Routed, command: Command, options: tuple[str, ...]
):
    write("n/reconciler.toml", SETTINGS.replace("staging.test", "elsewhere.test"))
    ran = command("plan", "m", "n", "--env", "staging", *options)
    assert (ran.code, two_folders.asked()) == (1, set())
    assert ran.errors == (
        "reconciler: all manifests of one run need the same settings\n"
        f'{here(4, "m/reconciler.toml")}: url is "https://staging.test", for m/a.yaml\n'
        f'{here(4, "n/reconciler.toml")}: url is "https://elsewhere.test", for n/b.yaml '
        "(run them separately, or correct the environment in one of the files)\n"
    )
    assert command("plan", "m", "n", "--env", "production", "--max-changes", "3").code == 0


def test_files_must_agree_on_the_projects_of_the_environment(two_folders: Routed, command: Command):
    write("n/reconciler.toml", SETTINGS.replace("reviews = 7", "reviews = 8"))
    ran = command("plan", "m", "n", "--env", "staging")
    assert (ran.code, two_folders.asked()) == (1, set())
    assert f'{here(5, "n/reconciler.toml")}: projects is {{"reviews": 8}}, for n/b.yaml' in (
        ran.errors
    )


def test_each_file_must_have_the_environment(two_folders: Routed, command: Command):
    write("n/reconciler.toml", "timeout = 1\n")
    ran = command("plan", "m", "n", "--env", "staging", "--url", "https://staging.test")
    assert (ran.code, two_folders.asked()) == (1, set())
    assert 'n/reconciler.toml:1: environment "staging" does not exist, for n/b.yaml' in ran.errors
    Path("n/reconciler.toml").unlink()
    ran = command("plan", "m", "n", "--env", "staging")
    assert (ran.code, two_folders.asked()) == (1, set())
    assert ran.errors == (
        'reconciler: no reconciler.toml above n/b.yaml, so it has no environment "staging" (define '
        "it in each reconciler.toml, put one reconciler.toml above all manifests of the run, or "
        "run them separately)\n"
    )


# The environment (variables) against the file.


@pytest.mark.parametrize(
    ("file", "variable", "option", "allowed"),
    [
        ("true", "", None, True),
        ("true", "false", None, False),
        ("true", "0", None, False),
        ("false", "true", None, True),
        ("false", "", None, False),
        ("true", "false", "--allow-plain-http", True),
    ],
)
def test_a_no_in_a_variable_beats_a_yes_in_the_file(  # noqa: PLR0913, PLR0917 - sources and fixtures
    servers: Routed,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    variable: str,
    option: str | None,
    allowed: bool,  # noqa: FBT001 - a case
):
    plain = SETTINGS.replace("https://staging", "http://staging")
    write("reconciler.toml", f"allow_plain_http = {file}\n{plain}")
    monkeypatch.setenv("RECONCILER_ALLOW_PLAIN_HTTP", variable)
    ran = command("plan", "m", "--env", "staging", *([option] if option else []))
    assert ran.code == (0 if allowed else 1)
    assert servers.asked() == ({"staging"} if allowed else set())


def test_a_no_in_an_environment_beats_a_yes_at_the_top(servers: Routed, command: Command):
    plain = SETTINGS.replace("https://staging", "http://staging")
    plain = plain.replace("timeout = 5", "allow_plain_http = false")
    write("reconciler.toml", f"allow_plain_http = true\n{plain}")
    assert command("plan", "m", "--env", "staging").code == 1
    assert servers.asked() == set()


def test_a_limit_in_a_variable_beats_the_one_in_the_file(
    servers: Routed, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RECONCILER_MAX_CHANGES", "1")
    ran = command("apply", "m", "--yes", "--env", "production")
    assert (ran.code, servers.servers["production"].count("PATCH")) == (1, 0)
    assert "the plan would change 2 of 2 tasks; the limit is 1" in ran.errors


# One folder of manifests, with the names of projects.


@pytest.fixture
def keyed(servers: Routed) -> Routed:
    """Tasks with the same keys on both servers, with other ids and in projects of other numbers."""
    for server, project, first in (("staging", 7, 101), ("production", 12, 501)):
        state = servers.servers[server].state
        for number in range(3):
            body = {"data": {"text": f"Sentence {number}.", "external_id": f"x-{number}"}}
            state.add_task(state.projects[project], body, number=first + number)
    write(
        "m/a.yaml",
        """\
version: 1
project: reviews
key: data.external_id
rules:
  - {name: label twice, where: {data.text: Sentence 0.}, set: {overlap: 2}}
tasks:
  - {key: x-2, overlap: 3}
""",
    )
    return servers


@pytest.mark.parametrize(
    ("name", "changed"),
    [("staging", {101: 2, 103: 3}), ("production", {501: 2, 503: 3})],
)
def test_one_folder_is_applied_to_each_environment(
    keyed: Routed, command: Command, name: str, changed: dict[int, int]
):
    assert command("validate", "m", "--env", name).code == 0
    ran = command("apply", "m", "--yes", "--env", name)
    assert (ran.code, keyed.asked()) == (0, {name})
    state = keyed.servers[name].state
    overlaps = {task: found.values["overlap"] for task, found in state.tasks.items()}
    assert {task: overlap for task, overlap in overlaps.items() if overlap != 1} == changed
    assert command("plan", "m", "--env", name, "--detailed-exitcode").code == 0


def test_a_project_that_the_environment_does_not_know_is_refused(keyed: Routed, command: Command):
    write("reconciler.toml", SETTINGS.replace("reviews = 12", "review = 12"))
    told = (
        f'm/a.yaml:2:10: project: project "reviews" is not in projects of environment production, '
        f"{here(10)} (did you mean review?)\n"
    )
    for arguments in (("plan", "m"), ("apply", "m", "--yes"), ("validate", "m")):
        ran = command(*arguments, "--env", "production")
        assert (ran.code, ran.output) == (1, "")
        assert told in ran.errors
    assert command("validate", "m", "--env", "staging").code == 0
    assert command("validate", "m").code == 0
    ran = command("plan", "m", "--url", "https://staging.test")
    assert ran.code == 1
    assert 'project "reviews" has a number only in an environment, and none is chosen' in ran.errors
    assert keyed.asked() == set()


def test_without_numbers_a_name_is_a_title_on_the_server(keyed: Routed, command: Command):
    lines = [line for line in SETTINGS.splitlines() if not line.startswith("projects")]
    write("reconciler.toml", "\n".join(lines))
    state = keyed.servers["staging"].state
    ran = command("plan", "m", "--env", "staging")
    assert 'project: no project on https://staging.test has the title "reviews" (' in ran.errors
    state.projects[7].title = "reviews"
    ran = command("plan", "m", "--env", "staging", "--detailed-exitcode")
    assert (ran.code, keyed.asked()) == (2, {"staging"})
    state.add_project("reviews", TEXT, number=9)
    ran = command("apply", "m", "--yes", "--env", "staging")
    assert ran.code == 1
    assert 'projects on https://staging.test have the title "reviews": 7, 9 (' in ran.errors
    assert keyed.servers["staging"].count("PATCH") == 0


def test_a_title_is_not_looked_up_on_a_server_that_the_manifest_is_not_for(
    keyed: Routed, command: Command
):
    write("reconciler.toml", "")
    write("m/a.yaml", "version: 1\nserver: https://production.test\nproject: reviews\nrules: []\n")
    ran = command("plan", "m", "--url", "https://staging.test")
    assert (ran.code, keyed.asked()) == (1, set())
    assert "the manifest declares https://production.test" in ran.errors


def test_a_program_plans_manifests_in_each_environment(keyed: Routed, command: Command):
    del command
    manifests = load("m")
    for name, number in (("staging", 7), ("production", 12)):
        settings = Settings.from_file("reconciler.toml", token=SANDBOX_TOKEN, env=name)
        with connect(settings, transport=keyed) as connection:
            projects = choose_lookup(settings, connection)
            desired = manifests.get_desired(settings.server, projects)
            plan = build_plan(desired, connection)
        assert {task.project for task in plan.updates} == {number}
        assert plan.server.environment == name
    unknown = ProjectNumbers({"other": 1}, "staging", "reconciler.toml:5")
    with pytest.raises(ManifestError, match='project "reviews" is not in projects of'):
        manifests.get_desired(STAGING, unknown)


def test_a_program_names_projects_of_values():
    tasks: list[dict[str, Any]] = [
        {"id": 3, "overlap": 2},
        {"id": 1, "absent": ["data.old"]},
        {"ids": ["5-6"]},
    ]
    manifests = Manifests.from_tasks(tasks, project="reviews", name="values")
    numbers = ProjectNumbers({"reviews": 7}, "staging")
    for _ in range(2):
        desired = manifests.get_desired(STAGING, numbers)
        assert {number: list(ids) for number, ids in desired.group_by_project().items()} == {
            7: [1, 3, 5, 6]
        }
        assert desired[3].project == 7


# Without a server.


def test_validate_reads_no_settings_but_what_is_redacted_and_those_of_the_environment(
    servers: Routed, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    assert command("validate", "m", "--env", "staging").code == 0
    unknown = command("validate", "m", "--env", "stagign")
    assert unknown.code == 1
    assert "did you mean staging?" in unknown.errors
    assert command("validate", "m", "--env", "stagign", "--format", "json").code == 1
    monkeypatch.setenv("RECONCILER_ENV", "nowhere")
    assert command("validate", "m").code == 1
    write("reconciler.toml", "typo = 1\n")
    monkeypatch.delenv("RECONCILER_ENV")
    typo = command("validate", "m")
    # It may be meant for redact.
    assert (typo.code, "typo: unknown setting" in typo.errors) == (1, True)
    assert servers.asked() == set()


@pytest.mark.parametrize("block", blocks("toml"), ids=lambda block: block.place)
def test_settings_on_pages_are_read(block: Block):
    write("shown.toml", block.text)
    shown = SettingsFile("shown.toml")
    assert shown.environments or shown.get("url")


def test_a_file_with_very_many_wrong_settings_is_refused_soon(servers: Routed, command: Command):
    write("reconciler.toml", "".join(f"key{number} = 1\n" for number in range(5_000)))
    ran = command("plan", "m", "--env", "staging")
    assert (ran.code, servers.asked()) == (1, set())
    assert ran.errors.count(": unknown setting") == 100
    assert "reconciler.toml: more problems are not listed (the settings are url," in ran.errors
    write("reconciler.toml", "a." * 100_000 + "a = 1\n")
    ran = command("plan", "m", "--env", "staging")
    assert (ran.code, servers.asked()) == (1, set())
    assert "reconciler.toml: cannot be read: it is larger than 100,000 bytes" in ran.errors
