"""A manifest that says which server its tasks are on is for no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command
from tests.unit.labelstudio.wired import Hooked

HINT = "(run against the declared server, or correct the manifest)"


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


@pytest.fixture
def manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to write a header, for three servers."""
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://here.test/")
    write("m/a.yaml", "version: 1\nserver: https://here.test\ntasks: [{id: 1}]\n")
    write(
        "m/b.yaml",
        "version: 1\nserver: https://HERE.test:443/api/\ntasks: [{id: 2}]\n"
        "---\nversion: 1\nserver:  https://there.test\ntasks: [{id: 2}]\n"
        '---\nversion: 1\nproject: 7\nserver: "https://elsewhere.test/ls"\ntasks: []\n',
    )
    write("m/c.json", '{"version": 1, "server": "http://here.test", "tasks": [{"id": 3}]}\n')
    write("m/d.jsonl", '{"version": 1, "server": "https://there.test"}\n{"id": 3}\n')
    write("m/e.yaml", "version: 1\ntasks: [{id: 3}]\n")


def told(place: str, declared: str, named_by: str = "LABEL_STUDIO_URL") -> str:
    said = f"the manifest declares {declared}, but this run uses https://here.test"
    return f"{place}: server: {said}, from {named_by} {HINT}"


WRONG = [
    ("m/b.yaml:6:10", "https://there.test"),
    ("m/b.yaml:11:9", "https://elsewhere.test/ls"),
    ("m/c.json:1:26", "http://here.test"),
    ("m/d.jsonl:1:26", "https://there.test"),
]


@pytest.mark.usefixtures("manifests")
@pytest.mark.parametrize("name", ["plan", "apply"])
def test_all_that_are_for_another_server_are_told_before_any_request(
    server: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://here.test/")
    ran = command(name, "m")
    assert (ran.code, ran.output, server.requests) == (1, "", [])
    lines = [told(*wrong) for wrong in WRONG]
    assert ran.errors == "\n".join([*lines, "4 problems in the manifests"]) + "\n"


@pytest.mark.usefixtures("manifests")
def test_it_says_what_named_the_server(
    server: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    ran = command("plan", "m/c.json", "--url", "https://here.test/")
    assert told(*WRONG[2], "--url") in ran.errors
    monkeypatch.delenv("LABEL_STUDIO_URL")
    write("m/reconciler.toml", '# of the team\nurl = "https://here.test/"\n')
    ran = command("plan", "m/c.json", "--shard", "2/2")
    assert told(*WRONG[2], f"{Path.cwd()}/m/reconciler.toml:2") in ran.errors
    assert server.requests == []


@pytest.mark.usefixtures("manifests")
def test_what_fits_is_planned_and_applied(
    server: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://here.test")
    assert command("plan", "m/a.yaml", "m/e.yaml").code == 0
    assert command("apply", "m/a.yaml", "--yes").code == 0
    assert {request.url.host for request in server.requests} == {"here.test"}


@pytest.mark.usefixtures("manifests")
def test_validate_asks_no_server_and_minds_none(command: Command):
    assert command("validate", "m").code == 0


def test_a_header_never_chooses_the_server(
    server: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    """Whoever writes manifests would choose where the token goes."""
    monkeypatch.delenv("LABEL_STUDIO_URL")
    write("a.yaml", "version: 1\nserver: https://here.test\ntasks: [{id: 1}]\n")
    ran = command("plan", "a.yaml")
    assert (ran.code, server.requests) == (1, [])
    assert "no server is set" in ran.errors
