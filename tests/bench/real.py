"""Figures on a real Label Studio: wall time beside the same requests sent raw, and beside others.

What a plan asks for is not guessed: it is made once against a page server that looks like the
project, and the pages that it asked for there are what is sent raw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from reconciler.labelstudio.bulk.read_concurrency import AT_ONCE
from tests.bench.data import LABEL_CONFIG, Project, in_chunks
from tests.bench.keys_and_rules import command_rows
from tests.bench.measure import Usage, averaged, child, in_turn, reconciler
from tests.bench.options import Options, tell
from tests.bench.patching import Sending, Turns
from tests.bench.raw import Sent, write_orders
from tests.bench.reviewing import pull_rows
from tests.bench.server import page_server, pages_asked
from tests.bench.table import Budget, Row, Section
from tests.live.real_server import TOKEN, RealServer, running

CHUNK: Final = 5_000
"""Tasks a request while a project is filled."""

SMALL: Final = 10_000
"""Tasks of a project that is planned in so little time that each run can be the mean of many."""

_TRIED: Final = 3
"""Times that each way of fetching pages is tried, to find the faster."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of it: tasks of the projects, changes of an apply, and PATCHes at once."""

    projects: tuple[int, ...] = (SMALL, 100_000)
    changes: int = 400
    concurrency: int = 4


@dataclass(frozen=True, slots=True)
class Site:
    """A running server, with what is known of it."""

    url: str
    version: str
    python: Path
    """The Python of the environment that holds the server, and the SDK."""
    folder: Path
    projects: list[Project] = field(default_factory=list)


@contextmanager
def site(executable: Path, folder: Path) -> Iterator[Site]:
    """Start a Label Studio for the time of the block; raises RuntimeError where it won't."""
    tell("starting Label Studio")
    try:
        with running(executable, page_size_max=0) as server:
            yield _site(server, executable, folder)
    except pytest.fail.Exception as error:
        raise RuntimeError(str(error)) from error


def _site(server: RealServer, executable: Path, folder: Path) -> Site:
    version = httpx.get(f"{server.url}/api/version").json()["release"]
    return Site(server.url, version, executable.parent / "python", folder)


def fill(at: Site, count: int) -> Project:
    """Make a project of ``count`` tasks, and find out which ids they got."""
    tell(f"importing {count:,} tasks")
    headers = {"Authorization": f"Token {TOKEN}"}
    with httpx.Client(base_url=at.url, headers=headers, timeout=600) as http:
        described = {"title": f"Bench {count}", "label_config": LABEL_CONFIG}
        number = http.post("/api/projects/", json=described).raise_for_status().json()["id"]
        wanted = Project(count, number)
        for ids in in_chunks(wanted.ids, CHUNK):
            tasks = [{"data": wanted.live_data(i), "meta": wanted.live_meta(i)} for i in ids]
            http.post(f"/api/projects/{number}/import", json=tasks).raise_for_status()
        asked = {"project": number, "page_size": 1, "include": "id"}
        ends = [
            http.get("/api/tasks/", params={**asked, "page": page}).raise_for_status().json()
            for page in (1, count)
        ]
    first, last = (end["tasks"][0]["id"] for end in ends)
    if last - first + 1 != count or ends[0]["total"] != count:
        raise RuntimeError(f"the {count} tasks imported lie between ids {first} and {last}")
    project = Project(count, number, first)
    at.projects.append(project)
    return project


def measure(at: Site, options: Options, scale: Scale) -> list[Section]:
    """Measure plans and applies, each beside the same requests sent raw."""
    rows: list[Row] = []
    in_flight = 0
    for count in scale.projects:
        project = fill(at, count)
        targets = _targets(project, options.manifest(project, ".jsonl"))
        in_flight = in_flight or _faster(at, targets)
        rows.append(_plan_row(at, options, project, partial(_fetched, at, targets, in_flight)))
        rows += command_rows(
            options, project, url=at.url, token=TOKEN, folder=at.folder, in_flight=in_flight
        )
        rows += pull_rows(
            options, project, url=at.url, token=TOKEN, folder=at.folder, in_flight=in_flight
        )
    return [
        Section(
            f"On Label Studio {at.version}",
            "Wall time of the whole command, start-up included, beside that of a script that "
            "sends the same requests with httpx and nothing else: the pages that the plan asks "
            f"for, {in_flight} at once, which is how this server gives them faster, or the "
            "PATCHes that the apply sends. It acknowledges answers as they come, as plan and apply "
            "do, but for the last row, where it leaves that to the system. A server does not take "
            "the same time twice: each run is the mean of some commands, in turn with as many "
            "scripts.",
            [*rows, *_apply_rows(at, options, scale)],
        )
    ]


def _fetched(at: Site, targets: Sequence[str], in_flight: int) -> float:
    """Fetch pages with httpx and nothing else; gives the seconds it took, start-up included."""
    options = write_orders(
        at.folder / "pages.json",
        url=at.url,
        token=TOKEN,
        in_flight=in_flight,
        requests=[("GET", target, None) for target in targets],
        at_once=True,
    )
    return float(child("raw", options)["process_wall"])


def _faster(at: Site, targets: Sequence[str]) -> int:
    """Find out whether this server gives pages faster one by one or a few at once."""
    ways = (1, AT_ONCE)
    taken = in_turn(_TRIED, *(partial(_fetched, at, targets, way) for way in ways))
    return min(zip(map(sum, taken), ways, strict=True))[1]


def _plan_row(at: Site, options: Options, project: Project, fetched: Callable[[], float]) -> Row:
    tell(f"plan of {project.count:,} tasks on Label Studio")
    manifest = options.manifest(project, ".jsonl")
    # The server looks for garbage of its own on every other page, for 0.2 s: a project of few
    # pages takes as long as that happens to begin.
    times = options.times * (3 if project.count <= SMALL else 1)
    ours, raw = in_turn(options.runs * times, partial(plan, at, manifest), fetched)
    return Row(
        figure=f"plan, project of {project.count:,} tasks",
        unit="s",
        ours=averaged([usage.wall for usage in ours], times),
        beside=averaged(raw, times),
        of="fetching alone",
        budget=Budget(ratio=1.15),
        note=f"each run is the mean of {times}",
    )


def plan(at: Site, manifest: Path) -> Usage:
    """Plan a project that has changes."""
    return reconciler("plan", "--detailed-exitcode", manifest, url=at.url, token=TOKEN, good=2)


def _targets(project: Project, manifest: Path) -> Sequence[str]:
    """Find out which pages a plan asks for."""
    with page_server(project) as url:
        reconciler("plan", "--detailed-exitcode", manifest, url=url, good=2)
        return pages_asked(url)


def _apply_rows(at: Site, options: Options, scale: Scale) -> Iterator[Row]:
    """Apply as many at once as the scale says, and a quarter of it one after the other."""
    many, few = scale.concurrency, 1
    # An apply takes a tenth more or less than the one before: it takes many to tell a twentieth.
    times = 2 * options.times
    ours, raw = _applied(at, scale.changes, many, runs=options.runs * times, at_once=True)
    yield Row(
        figure=f"apply, {scale.changes:,} changes, {many} at once",
        unit="s",
        ours=averaged(ours, times),
        beside=averaged(raw, times),
        of="PATCHes alone",
        budget=Budget(ratio=1.05),
        note=f"each run is the mean of {times}; ours has the plan and two more reads in it",
    )
    ours, raw = _applied(at, scale.changes // 4, few, runs=options.runs, at_once=False)
    yield Row(
        figure=f"apply, {scale.changes // 4:,} changes, {few} at once",
        unit="s",
        ours=ours,
        beside=raw,
        of="PATCHes alone, acknowledged when the system does",
        peer=True,
    )


def _applied(
    at: Site, changes: int, concurrency: int, *, runs: int, at_once: bool
) -> tuple[list[float], list[float]]:
    """Give the seconds of applies, and of raw PATCHes in turn with them."""
    tell(f"apply of {changes:,} changes on Label Studio, {concurrency} at once")
    whole = at.projects[0]
    some = Project(changes, whole.number, whole.first)
    sending = Sending(Turns(some, at.folder), url=at.url, token=TOKEN, folder=at.folder)
    ours, raw = in_turn(
        runs,
        partial(sending.applied, concurrency),
        partial(sending.raw, concurrency, at_once=at_once),
    )
    return [usage.wall for usage in ours], [took["process_wall"] for took in raw]


def gets(project: Project, count: int) -> list[Sent]:
    """List the requests of a loop that reads tasks by their ids."""
    ids = project.ids[:count]
    return [("GET", f"/api/tasks/{task}/?resolve_uri=false", None) for task in ids]


def raw_gets(at: Site, project: Project, count: int) -> dict[str, Any]:
    """Read tasks one by one with httpx and nothing else."""
    options = write_orders(
        at.folder / "gets.json",
        url=at.url,
        token=TOKEN,
        in_flight=1,
        requests=gets(project, count),
    )
    return child("raw", options)
