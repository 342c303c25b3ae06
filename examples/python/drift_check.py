"""Check for drift, as data for a dashboard: which tasks differ from their manifests.

Name the server and the token in the environment, and pass a path for each row of the dashboard::

    export LABEL_STUDIO_URL=https://label-studio.example.org LABEL_STUDIO_API_KEY=...
    python examples/python/drift_check.py manifests/news manifests/reviews > drift.json

The server is only read. The exit code is 0 if nothing drifted, 2 if something did, and 1 if a row
is incomplete: its ``error`` says why, or its ``counts`` have ``unreadable`` tasks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NoReturn, TypedDict

from reconciler import Plan, ReconcilerError, Settings, Status, load, plan

IN_SYNC, INCOMPLETE, DRIFTED = 0, 1, 2


class PathDrift(TypedDict):
    """How many tasks differ at a path, such as ``["data", "split"]``."""

    path: list[str]
    tasks: int


class Row(TypedDict):
    """The manifests of one path, compared with the server.

    ``counts`` are tasks: ``declared`` is the sum of ``unchanged``, ``drifted`` (apply would change
    them back), ``blocked`` (a guard prevents that), ``missing`` and ``unreadable``. ``digest``
    names the plan: two checks with the same digest found the same drift. After an ``error``, both
    are empty.
    """

    manifests: str
    error: str
    counts: dict[str, int]
    paths: list[PathDrift]
    digest: str


class Drift(TypedDict):
    """The whole check; ``checked_at`` is in UTC, as ISO 8601 writes it."""

    server: str
    checked_at: str
    rows: list[Row]


def check_drift(paths: Iterable[str], settings: Settings) -> Drift:
    """Compare the manifests of each path with the server; an error affects only its own row."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    rows = [check_path(path, settings) for path in paths]
    return Drift(server=settings.url, checked_at=now, rows=rows)


def check_path(path: str, settings: Settings) -> Row:
    """Compare the manifests of one path with the server."""
    try:
        found = plan(load(path), settings)
    except ReconcilerError as error:
        return Row(manifests=path, error=str(error), counts={}, paths=[], digest="")
    return Row(
        manifests=path,
        error="",
        counts=count_tasks(found),
        paths=count_paths(found),
        digest=found.digest,
    )


def count_tasks(found: Plan) -> dict[str, int]:
    """Count the tasks by status, in the words of a dashboard."""
    counts = found.summary()
    return {"declared": counts.pop("tasks"), "drifted": counts.pop(Status.UPDATE), **counts}


def count_paths(found: Plan) -> list[PathDrift]:
    """Count the tasks that differ at each path, the most frequent path first."""
    counted = Counter(change.path for task in found.tasks for change in task.changes)
    return [PathDrift(path=list(path), tasks=tasks) for path, tasks in counted.most_common()]


def choose_exit_code(drift: Drift) -> int:
    """Choose one exit code for all rows; an incomplete row counts more than drift."""
    if any(row["error"] or row["counts"]["unreadable"] for row in drift["rows"]):
        return INCOMPLETE
    in_sync = all(row["counts"]["unchanged"] == row["counts"]["declared"] for row in drift["rows"])
    return IN_SYNC if in_sync else DRIFTED


class Parser(argparse.ArgumentParser):
    """Exits with 1 on bad usage: argparse's own 2 would mean drift."""

    def error(self, message: str) -> NoReturn:
        """Print the message, and exit."""
        self.exit(INCOMPLETE, f"drift_check: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, print the result as JSON, and return the exit code."""
    parser = Parser(description="Check which tasks differ from their manifests.")
    parser.add_argument("paths", nargs="+", help="a file, a folder or a glob for each row")
    options = parser.parse_args(arguments)
    try:
        drift = check_drift(options.paths, Settings.from_environment())
    except ReconcilerError as error:
        print(f"drift_check: {error}", file=sys.stderr)
        return INCOMPLETE
    print(json.dumps(drift, indent=2))
    return choose_exit_code(drift)


if __name__ == "__main__":
    sys.exit(main())
