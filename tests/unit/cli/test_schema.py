"""``schema build`` and ``schema check``: what they write, print and exit with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.contract.location import locate_schema
from tests.unit.cli.conftest import Command, Ran

SHIPPED = locate_schema("manifest.schema.json")
DESCRIPTION = str(locate_schema("task-api.openapi.yaml"))


@pytest.mark.parametrize("options", [(), ("--from", DESCRIPTION), ("--out", "-")])
def test_the_schema_that_ships_is_built_and_printed(options: tuple[str, ...], command: Command):
    assert command("schema", "build", *options) == Ran(0, SHIPPED.read_text(encoding="utf-8"), "")


def test_a_schema_is_written_and_is_as_its_source_says(command: Command):
    assert command("schema", "build", "--out", "m.json") == Ran(0, "", "Wrote m.json.\n")
    ran = command("schema", "check", "m.json")
    assert ran == Ran(0, "", "m.json matches the API description.\n")


def test_the_schema_that_ships_is_checked_where_none_is_named(command: Command):
    assert command("schema", "check") == Ran(0, "", f"{SHIPPED} matches the API description.\n")


def test_a_schema_that_cannot_be_written(command: Command):
    ran = command("schema", "build", "--out", "none/m.json")
    message = "cannot write none/m.json: No such file or directory"
    assert ran == Ran(1, "", f"reconciler: {message}\n")


def test_differences_are_named_and_how_to_end_them(command: Command):
    schema = json.loads(SHIPPED.read_text(encoding="utf-8"))
    Path("m.json").write_text(json.dumps({**schema, "\x1b[31m": 1}), encoding="utf-8")
    ran = command("schema", "check", "m.json")
    assert ran.code == 1
    assert ran.output == "m.json: /\\u001b[31m: committed, but not in the contract\n"
    assert ran.errors == "Rebuild it with: reconciler schema build --out m.json\n"


def test_the_environment_names_the_proxy_for_an_address(
    command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", "ftp://user:s3cret@proxy:80")
    ran = command("schema", "build", "--from", "http://label-studio.test/schema")
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors.startswith("reconciler: http_proxy is not the address of a proxy (")
    assert "s3cret" not in ran.errors
