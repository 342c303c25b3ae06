"""Variables of the environment: wrong values are blamed on them, and misspelt ones are named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler import Settings, SettingsError
from reconciler.cli.main import program
from reconciler.engine.settings.redaction_settings import REDACT_VARIABLE
from reconciler.engine.settings.settings_file import name_variable
from reconciler.engine.settings.variables import find_misspelt
from tests.unit.cli.conftest import Command, Manifest
from tests.unit.labelstudio.wired import Hooked

WRONG = [
    ("RECONCILER_SHARD", "--shard", "5/4", "expected a shard from 1/4 to 4/4, found '5/4'."),
    ("RECONCILER_MAX_CHANGES", "--max-changes", "many", "expected a number of tasks or a percent"),
    (
        "RECONCILER_TIMEOUT",
        "--timeout",
        "soon",
        "expected seconds, above 0, such as 30, found 'soon'.",
    ),
    (
        "RECONCILER_CONCURRENCY",
        "--concurrency",
        "65",
        "expected a whole number from 1 to 64, found '65'.",
    ),
    (
        "RECONCILER_RPS",
        "--rps",
        "0",
        "expected updates per second, above 0, such as 10, found '0'.",
    ),
]
"""Variable, option, value, and what is wrong with the value."""

FLAG = "RECONCILER_ALLOW_PLAIN_HTTP"
ADDRESS = "LABEL_STUDIO_URL"
ENVIRONMENT = "RECONCILER_ENV"
"""The environments themselves have tests of their own."""


def list_variables() -> Iterator[str]:
    """The variables of all options."""
    context = click.Context(program)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        for option in command.params if command else ():
            if isinstance(option.envvar, str):
                yield option.envvar


def test_every_option_with_a_variable_is_tested_here():
    tested = {FLAG, ADDRESS, ENVIRONMENT, *(variable for variable, *_ in WRONG)}
    assert {*list_variables()} == tested


@pytest.mark.parametrize(("variable", "option", "value", "message"), WRONG)
def test_a_wrong_value_is_blamed_on_the_variable_that_has_it(  # noqa: PLR0913, PLR0917 - cases and fixtures
    command: Command,
    server: Hooked,
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    option: str,
    value: str,
    message: str,
):
    monkeypatch.setenv(variable, value)
    ran = command("apply", manifest(), "--yes")
    assert ran.code == 1
    assert f"Error: Invalid value for {variable}: {message}" in ran.errors
    assert option not in ran.errors
    assert server.requests == []


@pytest.mark.parametrize(("variable", "option", "value", "message"), WRONG)
def test_a_wrong_value_is_blamed_on_the_option_that_has_it(  # noqa: PLR0913, PLR0917 - as above
    command: Command,
    server: Hooked,
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    option: str,
    value: str,
    message: str,
):
    monkeypatch.setenv(variable, value)
    ran = command("apply", manifest(), "--yes", option, value)
    assert ran.code == 1
    assert f"Error: Invalid value for '{option}': {message}" in ran.errors
    assert variable not in ran.errors
    assert server.requests == []


def test_a_wrong_flag_is_blamed_on_its_variable(
    command: Command, server: Hooked, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(FLAG, "perhaps")
    ran = command("apply", manifest(), "--yes")
    assert ran.code == 1
    assert f"Error: Invalid value for {FLAG}: 'perhaps' is not a valid boolean." in ran.errors
    assert server.requests == []


def test_a_wrong_address_is_blamed_on_the_place_that_has_it(
    command: Command, server: Hooked, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(ADDRESS, "label-studio.test")
    by_variable = command("plan", manifest())
    by_option = command("plan", manifest(), "--url", "other.test")
    monkeypatch.delenv(ADDRESS)
    Path("reconciler.toml").write_text('url = "third.test"\n', encoding="utf-8")
    by_file = command("plan", manifest())
    assert (by_variable.code, by_option.code, by_file.code) == (1, 1, 1)
    problem = (
        "is not a server address (write https:// before it, or http:// if the server has no TLS)"
    )
    assert by_variable.errors == f"reconciler: {ADDRESS}: 'label-studio.test' {problem}\n"
    assert by_option.errors == f"reconciler: --url: 'other.test' {problem}\n"
    assert by_file.errors == (
        f"reconciler: {Path.cwd()}/reconciler.toml:1: 'third.test' {problem}\n"
    )
    assert server.requests == []


# Misspelt variables.


@pytest.mark.parametrize(
    ("misspelt", "known"),
    [
        ("RECONCILER_RPSS", "RECONCILER_RPS"),
        ("RECONCILER_CONCURENCY", "RECONCILER_CONCURRENCY"),
        ("RECONCILER_TIME_OUT", "RECONCILER_TIMEOUT"),
        ("RECONCILER_MAXCHANGES", "RECONCILER_MAX_CHANGES"),
        ("RECONCILER_MAX_CHANGE", "RECONCILER_MAX_CHANGES"),
        ("RECONCILER_SHARDS", "RECONCILER_SHARD"),
        ("RECONCILER_ALLOW_HTTP", "RECONCILER_ALLOW_PLAIN_HTTP"),
        ("RECONCILER_COMIT", "RECONCILER_COMMIT"),
        ("RECONCILER_HEADERS_FILES", "RECONCILER_HEADERS_FILE"),
        ("RECONCILER_HEADERS_X_GATEWAY", "RECONCILER_HEADER_X_GATEWAY"),
        ("RECONCILER_CLIENT_KEY_PASSWRD", "RECONCILER_CLIENT_KEY_PASSWORD"),
        ("RECONCILER_CLIENTCERT", "RECONCILER_CLIENT_CERT"),
        ("RECONCILER_URL", "LABEL_STUDIO_URL"),
        ("RECONCILER_TOKEN", "LABEL_STUDIO_API_KEY"),
        ("RECONCILER_ENVIRONMENT", "RECONCILER_ENV"),
        ("RECONCILER_API_KEY_FILE", "LABEL_STUDIO_API_KEY_FILE"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest_known_one(
    command: Command,
    server: Hooked,
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    misspelt: str,
    known: str,
):
    monkeypatch.setenv(misspelt, "s3cret")
    ran = command("apply", manifest(), "--yes")
    assert (ran.code, server.count("PATCH")) == (0, 3)
    warning = f"reconciler: warning: {misspelt} has no effect: did you mean {known}?\n"
    assert ran.errors.count(warning) == 1
    assert ran.errors.count("has no effect") == 1
    assert "has no effect" not in ran.output
    assert "s3cret" not in ran.errors + ran.output


@pytest.mark.parametrize(
    "variable",
    [
        *sorted({*list_variables()}),
        *("RECONCILER_COMMIT", "RECONCILER_HEADERS_FILE", "RECONCILER_HEADER_X_GATEWAY"),
        *("RECONCILER_CLIENT_CERT", "RECONCILER_CLIENT_KEY", "RECONCILER_CLIENT_KEY_PASSWORD"),
        *("RECONCILER_LIVE_BIN", "RECONCILER_LIVE_URL", "RECONCILER_LIVE_TOKEN"),
        *("RECONCILER_SERVICE_HOST", "RECONCILER_SERVICE_PORT", "RECONCILER_PORT"),
        *("RECONCILER_PORT_8080_TCP", "RECONCILER_PORT_8080_TCP_ADDR", "RECONCILER_IMAGE"),
        *("STAGING_RECONCILER_RPSS", "LABEL_STUDIO_RPS", "RECONCILER", "RECONCILER_"),
    ],
)
def test_variables_that_are_known_or_for_other_programs_are_not_named(variable: str):
    """Some are of our tests, and some are set by Kubernetes for a service of our name."""
    assert [*find_misspelt({variable: "1"})] == []


def test_a_variable_without_a_value_counts_as_not_set():
    assert [*find_misspelt({"RECONCILER_RPSS": "", "RECONCILER_SHARDS": " "})] == []


@pytest.mark.usefixtures("server")
def test_each_misspelt_variable_is_named_once(
    command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    for name in ("RECONCILER_SHARDS", "RECONCILER_RPSS"):
        monkeypatch.setenv(name, "1")
    ran = command("plan", manifest(), "--detailed-exitcode")
    assert ran.code == 2
    assert ran.errors == (
        "reconciler: warning: RECONCILER_RPSS has no effect: did you mean RECONCILER_RPS?\n"
        "reconciler: warning: RECONCILER_SHARDS has no effect: did you mean RECONCILER_SHARD?\n"
    )


def test_an_error_that_a_misspelt_variable_may_have_caused_comes_after_its_name(
    command: Command, server: Hooked, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(FLAG)
    monkeypatch.setenv("RECONCILER_ALLOW_PLAIN_HTP", "1")
    ran = command("apply", manifest(), "--yes")
    assert (ran.code, ran.output, server.requests) == (1, "", [])
    warning, error = ran.errors.splitlines()
    assert warning == (
        "reconciler: warning: RECONCILER_ALLOW_PLAIN_HTP has no effect: "
        "did you mean RECONCILER_ALLOW_PLAIN_HTTP?"
    )
    assert error.startswith("reconciler: the token would be sent without encryption: ")


def test_programs_find_misspelt_variables_in_the_warnings_and_in_the_notes_of_errors():
    environment = {ADDRESS: "https://x.test", "RECONCILER_RPSS": "1"}
    warning = "RECONCILER_RPSS has no effect: did you mean RECONCILER_RPS?"
    settings = Settings.from_environment({**environment, "LABEL_STUDIO_API_KEY": "s3cret"})
    assert settings.warnings == (warning,)
    with pytest.raises(SettingsError, match="no token is set") as refused:
        Settings.from_environment(environment)
    assert refused.value.__notes__ == [f"warning: {warning}"]


def test_settings_have_known_variables():
    """The names of settings are those of the settings file."""
    Path("reconciler.toml").write_text("typo = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        Settings.from_file("reconciler.toml", token="s3cret")
    *names, environments = refused.value.hint.removeprefix("the settings are ").split(", ")
    assert environments == "environments"
    assert {name_variable(name) for name in names} <= {*list_variables(), REDACT_VARIABLE}
