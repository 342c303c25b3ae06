"""Settings that a program makes: checked, secret, and from the environment only when asked."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest

from reconciler import Limit, Settings, SettingsError

URL = "https://label-studio.test"
GIVEN = {"LABEL_STUDIO_URL": URL, "LABEL_STUDIO_API_KEY": "s3cret"}


def test_only_what_is_passed_counts():
    settings = Settings(f"{URL}/", "s3cret")
    assert settings.url == URL
    assert settings.network == type(settings.network)()
    assert (settings.concurrency, settings.rps, settings.timeout) == (8, None, 120)


def test_they_are_frozen_and_can_be_replaced():
    settings = Settings(URL, "s3cret")
    with pytest.raises(FrozenInstanceError):
        settings.rps = 1  # type: ignore[misc]
    assert replace(settings, rps=2.5).rps == 2.5
    with pytest.raises(SettingsError):
        replace(settings, rps=-1)


def test_the_token_is_hidden_and_stays_in_its_process():
    settings = Settings(URL, "s3cret")
    assert "s3cret" not in repr(settings) + str(settings)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="hold a token and cannot be pickled"):
            pickle.dumps(settings, protocol)
    assert copy.copy(settings) is settings
    assert copy.deepcopy({"settings": settings})["settings"] is settings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"url": "label-studio.test"}, "is not a server address"),
        ({"url": "http://label-studio.test"}, "the token would be sent without encryption"),
        ({"token": ""}, "the token is empty"),
        ({"token": b"s3cret"}, "token: expected text, found a value of type bytes"),
        ({"timeout": "5"}, "timeout: expected a number, found a value of type str"),
        ({"concurrency": True}, "concurrency: expected a whole number, found a value of type bool"),
        (
            {"max_changes": "5%"},
            r"max_changes: expected a limit, such as Limit\.parse\(.*\), found a",
        ),
        ({"allow_plain_http": "false"}, "allow_plain_http: expected True or False, found"),
        ({"timeout": 0}, "cannot wait 0 s for a response"),
        ({"timeout": float("nan")}, "cannot wait nan s for a response"),
        ({"rps": 0}, "cannot send 0 updates per second"),
        ({"concurrency": 0}, "cannot send 0 updates at once"),
        ({"concurrency": 65}, "set concurrency to a number from 1 to 64"),
    ],
)
def test_what_cannot_be_used_is_refused(wrong: dict[str, Any], message: str):
    with pytest.raises(SettingsError, match=message):
        Settings(**{"url": URL, "token": "s3cret", **wrong})


def test_plain_http_has_to_be_allowed():
    assert Settings("http://x.test", "s3cret", allow_plain_http=True).url == "http://x.test"
    assert Settings("http://127.0.0.1:8080", "s3cret").allow_plain_http is False


def test_the_environment_is_read_when_asked(monkeypatch: pytest.MonkeyPatch):
    for name in ("RECONCILER_TIMEOUT", "RECONCILER_RPS", "RECONCILER_HEADER_HOST", "SSL_CERT_FILE"):
        monkeypatch.delenv(name)
    for name, value in {**GIVEN, "RECONCILER_MAX_CHANGES": "5%"}.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    assert (settings.url, settings.token, settings.url_from) == (URL, "s3cret", "LABEL_STUDIO_URL")
    assert settings.max_changes == Limit.parse("5%")
    assert settings.network.proxy is not None
    assert settings.network.proxy.variable == "HTTPS_PROXY"


def test_every_variable_of_the_command_line_counts():
    settings = Settings.from_environment(
        {
            "LABEL_STUDIO_URL": "http://x.test",
            "LABEL_STUDIO_API_KEY": "s3cret",
            "RECONCILER_TIMEOUT": "2.5",
            "RECONCILER_CONCURRENCY": "3",
            "RECONCILER_RPS": "0.5",
            "RECONCILER_MAX_CHANGES": "7",
            "RECONCILER_ALLOW_PLAIN_HTTP": "yes",
            "SSL_CERT_DIR": "/etc/ssl/certs",
        }
    )
    assert (settings.timeout, settings.concurrency, settings.rps) == (2.5, 3, 0.5)
    assert (str(settings.max_changes), settings.allow_plain_http) == ("7", True)
    assert settings.network.authorities.folders == "/etc/ssl/certs"


def test_all_variables_that_cannot_be_read_are_named_at_once():
    wrong = {
        "RECONCILER_TIMEOUT": "soon",
        "RECONCILER_CONCURRENCY": "2.5",
        "RECONCILER_MAX_CHANGES": "many",
        "RECONCILER_ALLOW_PLAIN_HTTP": "perhaps",
    }
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({**GIVEN, **wrong})
    assert str(refused.value).split("\n") == [
        "RECONCILER_TIMEOUT: expected a number, found 'soon'",
        "RECONCILER_CONCURRENCY: expected a whole number, found '2.5'",
        (
            "RECONCILER_MAX_CHANGES: expected a number of tasks or a percentage, such as "
            "100 or 5%, found 'many'"
        ),
        "RECONCILER_ALLOW_PLAIN_HTTP: expected true or false, found 'perhaps'",
    ]


@pytest.mark.parametrize(
    ("environment", "message"),
    [({}, "no server is set"), ({"LABEL_STUDIO_URL": URL}, "no token is set")],
)
def test_what_the_environment_lacks_is_named(environment: Mapping[str, str], message: str):
    with pytest.raises(SettingsError, match=message):
        Settings.from_environment(environment)


def test_a_token_in_the_wrong_variable_is_not_quoted():
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"LABEL_STUDIO_URL": "s3cret", "LABEL_STUDIO_API_KEY": "s3cret"})
    assert "s3cret" not in str(refused.value)


def test_variables_go_over_a_file_and_a_file_alone_reads_no_variable():
    Path("ours.toml").write_text(f'url = "{URL}"\nrps = 3\nmax_changes = "5%"\n', encoding="utf-8")
    over = {"LABEL_STUDIO_API_KEY": "s3cret", "RECONCILER_RPS": "9"}
    mixed = Settings.from_environment(over, file="ours.toml")
    assert (mixed.url, mixed.rps, str(mixed.max_changes)) == (URL, 9, "5%")
    alone = Settings.from_file(Path("ours.toml"), token="s3cret")
    assert (alone.url, alone.rps, alone.token) == (URL, 3, "s3cret")
    assert alone.url_from == "ours.toml:1"
    assert alone.network.proxy is None
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read"):
        Settings.from_file("none.toml", token="s3cret")


ENVIRONMENTS = f"""\
timeout = 60
[environments.staging]
url = "{URL}"
projects = {{reviews = 7}}
[environments.production]
url = "https://production.test"
timeout = 5
"""


def write_environments() -> Path:
    file = Path("environments.toml")
    file.write_text(ENVIRONMENTS, encoding="utf-8")
    return file


def test_an_environment_of_a_file_is_chosen_by_a_program():
    file = write_environments()
    staging = Settings.from_file(file, token="s3cret", env="staging")
    assert (staging.url, staging.timeout, staging.environment) == (URL, 60, "staging")
    assert staging.url_from == "environments.toml:3"
    assert staging.projects is not None
    assert staging.projects("reviews") == 7
    production = Settings.from_environment(
        {"LABEL_STUDIO_API_KEY": "shared", "LABEL_STUDIO_API_KEY_PRODUCTION": "own"},
        file=file,
        env="production",
    )
    assert (production.url, production.timeout) == ("https://production.test", 5)
    assert (production.token, production.environment) == ("own", "production")
    assert production.projects is not None
    with pytest.raises(LookupError, match="environment production has no projects"):
        production.projects("reviews")


def test_an_environment_may_be_chosen_by_its_variable_and_beaten_by_a_program():
    file = write_environments()
    variables = {"LABEL_STUDIO_API_KEY": "s3cret", "RECONCILER_ENV": "staging"}
    assert Settings.from_environment(variables, file=file).url == URL
    other = Settings.from_environment(variables, file=file, env="production")
    assert other.url == "https://production.test"


def test_an_environment_that_a_program_names_wrongly_is_refused():
    file = write_environments()
    with pytest.raises(SettingsError, match=r"\"stage\" does not exist.*did you mean staging\?"):
        Settings.from_file(file, token="s3cret", env="stage")
    with pytest.raises(SettingsError, match=r"no server is set .*: staging, production, in env"):
        Settings.from_file(file, token="s3cret")
    with pytest.raises(SettingsError, match=r"no reconciler\.toml"):
        Settings.from_environment(GIVEN, env="staging")
    for env in ("", " "):
        with pytest.raises(SettingsError, match="env: expected the name of an environment"):
            Settings.from_file(file, token="s3cret", env=env)


def test_in_ci_the_variables_must_name_the_server_of_the_file():
    file = write_environments()
    variables = {"CI": "true", "LABEL_STUDIO_API_KEY": "s3cret"}
    with pytest.raises(SettingsError, match="in CI the address of the server cannot come from"):
        Settings.from_environment(variables, file=file, env="staging")
    agreed = {**variables, "LABEL_STUDIO_URL": URL}
    assert Settings.from_environment(agreed, file=file, env="staging").url == URL
    # This program names the file itself, and passes the token to it.
    assert Settings.from_file(file, token="s3cret", env="staging").url == URL


def test_what_a_program_says_of_an_environment_is_checked():
    assert Settings(URL, "s3cret", environment="staging").environment == "staging"
    with pytest.raises(SettingsError, match="environment: expected text"):
        Settings(URL, "s3cret", environment=None)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="projects: expected "):
        Settings(URL, "s3cret", projects={"reviews": 7})  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="environment: expected the name of an environment"):
        Settings(URL, "s3cret", environment="a\nb")
