"""Addresses in cloud storage that no manifest declares stay as they are, whatever befalls a run.

Up to release 1.22 the read of one task shows an address of the server, or the object itself, in
the place of a stored address, even where it is asked not to.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.live.command_line import Command, Ran
from tests.live.counting_proxy import Asked, Befall, Through, no_trouble
from tests.live.troubles import answering, dropped, first, held, lost
from tests.live.under_test import ServerUnderTest

BUCKET = "bucket"
SECONDS = 5
"""How long a run waits for an answer: enough for a slow machine."""

pytestmark = pytest.mark.every_release
of_each_storage = pytest.mark.parametrize("presign", [True, False], ids=["presign", "embed"])
with_and_without_project = pytest.mark.parametrize(
    "named", [True, False], ids=["project", "no project"]
)


@dataclass(frozen=True, slots=True)
class Stored:
    """Tasks in a project with a bucket, each with an address in ``data.image``."""

    server: ServerUnderTest
    project: int
    ids: list[int]

    def manifest(self, data: dict[str, Any], *, named: bool) -> str:
        """Write a manifest that declares the data for all of them."""
        header = {"version": 1, **({"project": self.project} if named else {})}
        tasks = [{"id": task, "data": data} for task in self.ids]
        Path("tasks.json").write_text(json.dumps({**header, "tasks": tasks}), encoding="utf-8")
        return "tasks.json"

    def data(self) -> list[dict[str, Any]]:
        """Give what is stored, as the list shows it on every release."""
        return [task["data"] for task in self.server.listed(self.project, include="data")]


def stored(server: ServerUnderTest, count: int = 2, *, presign: bool) -> Stored:
    project = server.make_project()
    server.connect_storage(project, BUCKET, presign=presign)
    items = [{"data": {"text": f"text {n}", "image": address(n)}} for n in range(count)]
    return Stored(server, project, server.import_tasks(project, items))


def address(number: int) -> str:
    return f"s3://{BUCKET}/{number}.jpg"


def attributes_of_single_reads(asked: Collection[Asked]) -> set[str]:
    """Give what was asked of single tasks, "all" where nothing was named."""
    single = [a for a in asked if a.method == "GET" and a.path.strip("/").split("/")[-1].isdigit()]
    named = [parse_qs(a.query).get("include", ["all"])[0] for a in single]
    return {name for names in named for name in names.split(",")}


def apply(command: Command, manifest: str) -> Ran:
    return command("apply", manifest, "--yes", "--timeout", str(SECONDS))


def plan(command: Command, manifest: str) -> Ran:
    return command("plan", manifest, "--detailed-exitcode")


@pytest.mark.until("1.22")
@of_each_storage
def test_a_single_read_ignores_that_it_is_not_to_resolve(server: ServerUnderTest, *, presign: bool):
    [task] = (tasks := stored(server, 1, presign=presign)).ids

    shown = server.read(task, include="data")["data"]["image"]

    encoded = urlsafe_b64encode(address(0).encode()).decode()
    resolved = f"/tasks/{task}/presign/?fileuri={encoded}"
    assert shown == resolved if presign else shown.startswith("data:image/jpeg;base64,")
    assert tasks.data() == [{"text": "text 0", "image": address(0)}]


@of_each_storage
def test_the_list_shows_what_is_stored_where_it_is_told_to(
    server: ServerUnderTest, *, presign: bool
):
    tasks = stored(server, presign=presign)
    query = json.dumps({"selectedItems": {"all": False, "included": tasks.ids}})

    for ways in ({}, {"query": query}, {"query": query, "fields": "all"}):
        shown = server.listed(tasks.project, include="data", **ways)
        assert [task["data"]["image"] for task in shown] == [address(0), address(1)]


@pytest.mark.parametrize(
    ("presign", "named"),
    [(True, True), (False, True), (False, False)],
    ids=["presign", "embed", "embed, no project"],
)
@pytest.mark.parametrize(
    "befall",
    [
        pytest.param(answering(502), id="502"),
        pytest.param(dropped, id="dropped"),
        pytest.param(lost, id="answer lost"),
        pytest.param(held(SECONDS + 1), id="timed out"),
        # While one update waits, what the others are merged into ages.
        pytest.param(answering(429, Retry_After="2"), id="aged"),
    ],
)
def test_an_address_that_is_not_declared_survives_an_update_that_fails_once(
    server: ServerUnderTest,
    command: Command,
    through: Through,
    befall: Befall,
    *,
    presign: bool,
    named: bool,
):
    tasks = stored(server, presign=presign)
    manifest = tasks.manifest({"lang": "en"}, named=named)

    with through(first(1, befall)) as asked:
        ran = apply(command, manifest)

    assert tasks.data() == [
        {"text": f"text {n}", "image": address(n), "lang": "en"} for n in range(2)
    ]
    assert (ran.code, "2 applied" in ran.out) == (0, True), ran.out + ran.err
    assert attributes_of_single_reads(asked) <= {"id", "project"}
    assert plan(command, manifest).code == 0


@of_each_storage
@with_and_without_project
def test_an_address_that_is_declared_as_it_is_stored_is_no_change(
    server: ServerUnderTest, command: Command, through: Through, *, presign: bool, named: bool
):
    tasks = stored(server, 1, presign=presign)
    manifest = tasks.manifest({"image": address(0)}, named=named)

    with through(no_trouble) as asked:
        ran = plan(command, manifest)

    assert ran.code == 0, ran.out + ran.err
    assert attributes_of_single_reads(asked) <= {"id", "project"}


@of_each_storage
@with_and_without_project
def test_an_address_that_is_declared_anew_is_stored_and_then_no_change(
    server: ServerUnderTest, command: Command, through: Through, *, presign: bool, named: bool
):
    tasks = stored(server, presign=presign)
    manifest = tasks.manifest({"image": address(7)}, named=named)

    with through(first(1, answering(502))):
        ran = apply(command, manifest)

    assert ran.code == 0, ran.out + ran.err
    assert tasks.data() == [{"text": f"text {n}", "image": address(7)} for n in range(2)]
    assert plan(command, manifest).code == 0


def test_tasks_of_several_projects_that_are_not_named_keep_their_addresses(
    server: ServerUnderTest, command: Command, through: Through
):
    one, two = (stored(server, presign=presign) for presign in (True, False))
    both = Stored(server, one.project, [one.ids[0], two.ids[0], one.ids[1], two.ids[1]])
    manifest = both.manifest({"lang": "en"}, named=False)

    with through(first(2, answering(502))) as asked:
        ran = apply(command, manifest)

    assert ran.code == 0, ran.out + ran.err
    kept = [{"text": f"text {n}", "image": address(n), "lang": "en"} for n in range(2)]
    assert one.data() == two.data() == kept
    assert attributes_of_single_reads(asked) <= {"id", "project"}
    assert plan(command, manifest).code == 0
