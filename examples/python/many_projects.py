"""Hold several servers to their manifests with many machines, over Dask.

::

    python many_projects.py plan servers.toml --out runs/monday --scheduler tcp://scheduler:8786
    python many_projects.py apply servers.toml --out runs/monday --scheduler tcp://scheduler:8786

``plan`` shows what differs on each server, as a nightly check does, and changes nothing. ``apply``
carries out the plans that ``plan`` left in the folder, and nothing else. Run it again to go on
where it stopped. Without ``--scheduler``, two processes of this machine do the work.

``servers.toml`` names the servers, and no secrets::

    [[servers]]
    name = "staging"          # the variables of its workers begin with STAGING_
    manifests = ["staging/"]  # files, folders or globs, from the folder of this file
    shards = 8                # parts that its tasks are divided into
    at_once = 4               # parts under way at once, over all workers
    rps = 20                  # updates begun per second, over all workers

The workers need reconciler, the manifests, the folder of the run under the same path, and variables
such as ``STAGING_LABEL_STUDIO_URL`` and ``STAGING_LABEL_STUDIO_API_KEY``. Others are optional, such
as ``STAGING_RECONCILER_MAX_CHANGES``, which counts for each part. Whoever reaches the scheduler can
run code where the tokens are: protect it as you protect them.

**Another engine.** The units of work are `plan_unit` and `apply_unit`, and only `run_units` knows
Dask. With Ray, make them remote functions with ``max_retries``, and ``at_once`` a custom resource
for each server. With Airflow, map a task over `list_units`, with ``retries`` and a pool of
``at_once`` slots for each server, and let `show_plans` or `show_reports` follow with the trigger
rule ``all_done``. Whichever it is, keep four things: tokens are read where the work is done; all
units of a server share one pace; plans and reports go to storage that outlives the workers; and
these files, merged at the end, tell what was done.

Exit codes: 0 when all is as declared, 3 when ``plan`` found differences, 1 when anything failed or
is missing.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from distributed import Client, Semaphore, as_completed

import reconciler
from reconciler import Outcome, Plan, Report, SavedFileError, Settings, Shard

GOOD, BAD, DIFFERENT = 0, 1, 3
"""Exit codes; argparse exits with 2."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server and how much it may be asked; its address and token are known to workers alone."""

    name: str
    manifests: tuple[str, ...]
    shards: int = 1
    at_once: int = 1
    rps: float | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """What a worker does in one go: a part of the tasks of one server.

    This is all that is sent to a worker: what it finds and does, it writes to the files.
    """

    server: Server
    shard: Shard
    plan_file: Path
    report_file: Path

    def __str__(self) -> str:
        return f"{self.server.name} {self.shard}"


Errors = Mapping[Unit, BaseException]
"""What the units that failed raised."""


# What the workers do.


def plan_unit(unit: Unit, turn: Semaphore) -> None:
    """Plan a part of the tasks; the server is only read."""
    manifests = reconciler.load(unit.server.manifests)
    shard = unit.shard if unit.shard.count > 1 else None
    with turn:
        made = reconciler.plan(manifests, read_settings(unit.server), shard=shard)
    reconciler.write_plan(made, unit.plan_file)


def apply_unit(unit: Unit, turn: Semaphore) -> None:
    """Carry out the saved plan of a part.

    When a worker dies, Dask gives its unit to another one, which carries out the same plan again.
    That is safe: each task is read before it is changed, and left alone if it is as planned. The
    report of the dead worker stays: `apply` keeps it under another name.
    """
    saved = reconciler.read_plan(unit.plan_file)
    with turn:
        reconciler.apply(saved, read_settings(unit.server), report=unit.report_file)


def read_settings(server: Server) -> Settings:
    """Make the settings of a server from the environment of this worker.

    Variables without the prefix count only where they belong to no server, such as HTTPS_PROXY:
    the token of one server must never reach another. The unit gets its share of what the server
    may be asked, as if all units that may run at once did.
    """
    prefix = server.name.upper().replace("-", "_") + "_"
    own = {n.removeprefix(prefix): v for n, v in os.environ.items() if n.startswith(prefix)}
    common = {n: v for n, v in os.environ.items() if not re.match("LABEL_STUDIO_|RECONCILER_", n)}
    settings = Settings.from_environment({**common, **own})
    return replace(
        settings,
        rps=None if server.rps is None else server.rps / server.at_once,
        concurrency=max(1, settings.concurrency // server.at_once),
    )


# What the engine does.


def run_units(
    client: Client, work: Callable[[Unit, Semaphore], None], units: Sequence[Unit]
) -> Errors:
    """Have workers do all units, and collect the errors: one that fails hides no other.

    The scheduler keeps a semaphore for each server. Its pace holds over all workers, and over two
    runs of this script at once. A worker that dies loses its place after 30 to 40 seconds
    (``distributed.scheduler.locks`` in the configuration of Dask). If you interrupt this script,
    the workers of a cluster finish the units that they have taken, and write their reports.
    """
    turns = {
        server: Semaphore(server.at_once, name=f"{server.name}, {server.at_once} at once")
        for server in {unit.server for unit in units}
    }
    # Not pure: Dask would answer with the result of an earlier run that is still remembered.
    doing = {client.submit(work, unit, turns[unit.server], pure=False): unit for unit in units}
    errors: dict[Unit, BaseException] = {}
    for done, future in enumerate(as_completed(doing), 1):
        unit = doing[future]
        if future.status != "finished":
            errors[unit] = future.exception() or RuntimeError(f"it was {future.status}")
        state = "failed" if unit in errors else "done"
        print(f"{done} of {len(units)}: {unit} {state}", file=sys.stderr)
    return errors


# What is shown at the end: what the files of the run say.


def show_plans(units: Sequence[Unit], errors: Errors) -> int:
    """Show what differs on one server, and which parts of it are not known."""
    found: list[Plan] = []
    for unit in units:
        if unit.plan_file.exists():
            found.append(reconciler.read_plan(unit.plan_file))
        else:
            print(f"! shard {unit.shard} has no plan: {errors.get(unit, 'run plan again')}")
    if not found:
        return BAD
    merged = reconciler.merge(found)
    print(reconciler.render(merged))
    if merged.missing_shards:
        return BAD
    return DIFFERENT if merged.tasks else GOOD


def show_reports(units: Sequence[Unit], errors: Errors) -> int:
    """Show what was done on one server, and which parts of it are not done."""
    found: list[Report] = []
    problems = 0
    for unit in units:
        # Earlier reports of the unit have .1, .2 and so on after the name.
        files = unit.report_file.parent.glob(f"{unit.report_file.name}*")
        reports = {file: reconciler.read_report(file) for file in files if file.stat().st_size}
        found += reports.values()
        problem = find_problem(unit, reports.get(unit.report_file), errors)
        if problem:
            print(f"! shard {unit.shard} {problem}")
            problems += 1
        elif not all(report.complete for report in reports.values()):
            print(f"shard {unit.shard} was cut off, and done again")
    if not found:
        return BAD
    merged = reconciler.merge(found)
    print(reconciler.render(merged))
    already = [one.task for one in merged.outcomes if one.outcome is Outcome.ALREADY]
    if already and not merged.complete:
        # A worker may die between an update and the line of its report.
        print(f"No report has the update of these tasks, and no revert undoes it: {already}")
    return BAD if problems else GOOD


def find_problem(unit: Unit, latest: Report | None, errors: Errors) -> str:
    """Say what keeps a unit from being done, by its latest report; empty where nothing does."""
    if latest is None:
        state = "has no report"
    elif not latest.complete:
        state = "is cut off"
    elif not latest.is_good:
        state = "is not as planned"
    elif unit in errors:
        state = "failed"
    else:
        return ""
    return f"{state}: {errors.get(unit, 'see below')}"


# The script.


def read_servers(file: Path) -> list[Server]:
    """Read the TOML file; raises ValueError, TypeError or KeyError where it cannot be used."""
    servers: list[Server] = []
    for table in tomllib.loads(file.read_text(encoding="utf-8"))["servers"]:
        paths = tuple(str(file.absolute().parent / path) for path in table["manifests"])
        server = Server(**{**table, "manifests": paths})
        if not re.fullmatch("[a-z][a-z0-9-]*", server.name):
            raise ValueError(f"{server.name!r} is no name: use lowercase letters, digits and -")
        if server.name in {other.name for other in servers}:
            raise ValueError(f"{server.name} is there twice")
        if min(server.shards, server.at_once) < 1:
            raise ValueError(f"{server.name}: shards and at_once are 1 or more")
        servers.append(server)
    return servers


def list_units(servers: Sequence[Server], out: Path) -> list[Unit]:
    """List the first part of each server, then the second: workers wait less for their turn."""
    units = []
    for number in range(1, max(server.shards for server in servers) + 1):
        for server in servers:
            if number <= server.shards:
                folder, part = out.absolute() / server.name, f"{number}-of-{server.shards}"
                files = folder / f"plan-{part}.json", folder / f"report-{part}.jsonl"
                units.append(Unit(server, Shard(server.shards, number), *files))
    return units


COMMANDS = {"plan": (plan_unit, show_plans), "apply": (apply_unit, show_reports)}


def main() -> int:
    """Run the script; returns its exit code."""
    parser = argparse.ArgumentParser(description="Plan or apply over many machines.")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("servers", type=Path, help="a TOML file")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; plan makes it")
    parser.add_argument("--scheduler", help="address of a Dask scheduler")
    options = parser.parse_args()
    servers = read_servers(options.servers)
    if options.command == "plan" and options.out.exists():
        sys.exit(f"{options.out} is there already: give each run a folder of its own")
    units = list_units(servers, options.out)
    for unit in units:
        unit.plan_file.parent.mkdir(parents=True, exist_ok=True)
    work, show = COMMANDS[options.command]
    here = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with Client(options.scheduler) if options.scheduler else Client(**here) as client:
        errors = run_units(client, work, units)
    codes = []
    for server in servers:
        print(f"== {server.name}")
        try:
            codes.append(show([unit for unit in units if unit.server == server], errors))
        except SavedFileError as error:
            print(f"! {error}")
            codes.append(BAD)
    return BAD if BAD in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
