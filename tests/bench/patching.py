"""CPU of the client per PATCH, at several numbers under way at once, on the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from reconciler.sandbox.access import SANDBOX_TOKEN
from tests.bench.data import Project, write_tasks
from tests.bench.measure import Usage, averaged, child, in_turn, reconciler
from tests.bench.options import Options, tell
from tests.bench.raw import Sent, write_orders
from tests.bench.server import sandbox
from tests.bench.table import Budget, Row, Section

EACH: Final = Budget(ratio=5 / 3, aim=1.0)
"""1.0 ms where httpx alone takes 0.6 ms: machines differ, and so do their hours."""

FLAT: Final = Budget(ratio=1.25)
"""From the lowest to the highest concurrency, how much more may be added than httpx adds."""


class Turns:
    """Manifests and requests that change every task, to another value each time."""

    def __init__(self, project: Project, folder: Path) -> None:
        self._project = project
        self._folder = folder
        self._turn = 0

    def manifest(self) -> Path:
        """Write a manifest in which every task has a new value."""
        self._turn += 1
        tasks = ({"id": task, "data": {"turn": self._turn}} for task in self._project.ids)
        return write_tasks(self._project, tasks, self._folder / "turn.jsonl")

    def requests(self) -> list[Sent]:
        """List the PATCHes that a manifest like `manifest` makes, as apply sends them."""
        self._turn += 1
        return [
            (
                "PATCH",
                f"/api/tasks/{task}/",
                {"data": {**self._project.live_data(task), "turn": self._turn}},
            )
            for task in self._project.ids
        ]


class Sending:
    """Applies and raw PATCHes of the same tasks on the same server."""

    def __init__(self, turns: Turns, *, url: str, token: str, folder: Path) -> None:
        self._turns = turns
        self._url = url
        self._token = token
        self._folder = folder

    def ours(self, concurrency: int) -> tuple[Usage, Usage]:
        """Plan and apply the same manifest; gives what each took."""
        manifest = self._turns.manifest()
        changing: list[str | Path] = ["plan", "--detailed-exitcode", manifest]
        planned = reconciler(*changing, url=self._url, token=self._token, good=2)
        return planned, self._apply(manifest, concurrency)

    def applied(self, concurrency: int) -> Usage:
        """Apply a manifest; gives what it took."""
        return self._apply(self._turns.manifest(), concurrency)

    def _apply(self, manifest: Path, concurrency: int) -> Usage:
        options = ["--yes", "--concurrency", str(concurrency)]
        return reconciler("apply", *options, manifest, url=self._url, token=self._token)

    def raw(self, concurrency: int, *, at_once: bool = False) -> dict[str, Any]:
        """Send the same PATCHes with httpx and nothing else; see `raw` for ``at_once``."""
        options = write_orders(
            self._folder / "orders.json",
            url=self._url,
            token=self._token,
            in_flight=concurrency,
            requests=self._turns.requests(),
            at_once=at_once,
        )
        return child("raw", options)


def patching(options: Options) -> Section:
    """Measure what a PATCH costs the client at each concurrency."""
    project = Project(options.patches)
    with sandbox(project, options.folder) as url:
        turns = Turns(project, options.folder)
        sending = Sending(turns, url=url, token=SANDBOX_TOKEN, folder=options.folder)
        rows = [_row(options, sending, concurrency) for concurrency in options.concurrencies]
    return Section(
        "Client CPU per PATCH",
        f"What `apply` of {project.count:,} changes takes beyond `plan` of the same manifest, "
        "for each change: reading again, deciding, sending, recording, verifying. Beside it, "
        "the same PATCHes to the same server process with httpx and nothing else, one client a "
        "thread. The last row tells how much more the highest concurrency takes than the lowest, "
        f"with us and with httpx alone. Each run is the mean of {options.times}.",
        [*rows, *_flat(rows, options)],
    )


def _row(options: Options, sending: Sending, concurrency: int) -> Row:
    tell(f"PATCHes, {concurrency} at a time")
    ours, raw = in_turn(
        options.runs * options.times,
        partial(sending.ours, concurrency),
        partial(sending.raw, concurrency),
    )
    each = 1000 / options.patches
    return Row(
        figure=f"CPU per PATCH, {concurrency} at a time",
        unit="ms",
        ours=averaged(
            [(applied.cpu - planned.cpu) * each for planned, applied in ours], options.times
        ),
        beside=averaged([took["cpu"] * each for took in raw], options.times),
        of="raw httpx",
        budget=EACH,
    )


def _flat(rows: list[Row], options: Options) -> Iterator[Row]:
    if len(rows) > 1:
        low, high = options.concurrencies[0], options.concurrencies[-1]
        yield Row(
            figure=f"CPU per PATCH, {high} against {low} at a time",
            unit="x",
            ours=_rise(rows[0].ours, rows[-1].ours),
            beside=_rise(rows[0].beside, rows[-1].beside),
            of="raw httpx",
            budget=FLAT,
        )


def _rise(low: Sequence[float], high: Sequence[float]) -> list[float]:
    return [median(high) / median(low)]
