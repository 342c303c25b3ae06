"""Plan and apply the manifests of several servers on many machines, with Dask.

Needs ``pip install distributed``. Without ``--scheduler``, two processes of this machine do the
work::

    export STAGING_LABEL_STUDIO_URL=https://staging.example.org STAGING_LABEL_STUDIO_API_KEY=...
    python examples/python/many_projects.py plan servers.toml --out runs/monday
    python examples/python/many_projects.py apply servers.toml --out runs/monday

``plan`` shows what differs on each server, as a nightly check does, and changes nothing. ``apply``
applies only the plans that ``plan`` saved in the folder. Run either again to continue after a stop:
``plan`` keeps the plans that exist. Use a separate folder for each run.

``servers.toml`` names the servers, and no secrets::

    [[servers]]
    name = "staging"          # the variables of its workers begin with STAGING_
    manifests = ["staging/"]  # files, folders or globs, from the folder of this file
    shards = 8                # parts that its tasks are divided into
    at_once = 4               # parts at the same time, over all workers
    rps = 20                  # updates per second, over all workers

To use many machines, start a scheduler on one and workers on the others, and add
``--scheduler tcp://scheduler:8786`` to both commands::

    dask scheduler                                      # on the machine "scheduler"
    dask worker tcp://scheduler:8786 --nthreads 1       # on each of the others

The workers need reconciler, the manifests and the folder of the run under the same paths as here,
and variables such as those above. Others are optional, such as ``STAGING_RECONCILER_MAX_CHANGES``,
which limits each part separately.

**Anyone who reaches the port of the scheduler can run code on the workers, which hold all tokens.**
Keep it in a private network, and use TLS (``distributed.comm.tls`` in the configuration of Dask).

**Another engine.** The units of work are `plan_unit` and `apply_unit`, and only `run_units` knows
Dask. With Ray, make them remote functions with ``max_retries``, and ``at_once`` a custom resource
for each server. With Airflow, map a task over `list_units`, with ``retries`` and a pool of
``at_once`` slots for each server, and let `show_plans` or `show_reports` follow with the trigger
rule ``all_done``. With any engine, keep four things: workers read the tokens themselves; all units
of a server share its limits; plans and reports go to storage that outlives the workers; and these
files, merged at the end, say what was done.

Exit codes: 0 when all is as declared, 2 when ``plan`` found differences, 1 when anything failed or
is missing, and for bad usage.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NoReturn

from distributed import Client, Semaphore, as_completed

import reconciler
from reconciler import (
    Outcome,
    Plan,
    ReconcilerError,
    Report,
    SavedFileError,
    Settings,
    SettingsError,
    Shard,
)

GOOD, BAD, DIFFERENT = 0, 1, 2
"""Exit codes."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server and its limits; only the workers know its address and token."""

    name: str
    manifests: tuple[str, ...]
    shards: int = 1
    at_once: int = 1
    rps: float | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """One job of a worker: a part of the tasks of one server.

    The worker receives only this, and writes its results to the files.
    """

    server: Server
    shard: Shard
    plan_file: Path
    report_file: Path

    def __str__(self) -> str:
        return f"{self.server.name} {self.shard}"


Errors = Mapping[Unit, BaseException]
"""The errors of the units that failed."""


# What the workers do.


def plan_unit(unit: Unit, turn: Semaphore) -> None:
    """Plan a part of the tasks; the server is only read."""
    manifests = reconciler.load(unit.server.manifests)
    shard = unit.shard if unit.shard.count > 1 else None
    with turn:
        made = reconciler.plan(manifests, read_settings(unit.server), shard=shard)
    reconciler.write_plan(made, unit.plan_file)


def apply_unit(unit: Unit, turn: Semaphore) -> None:
    """Apply the saved plan of a part.

    If a worker dies, Dask gives its unit to another one, which applies the same plan again. That is
    safe: each task is read before its update, and skipped if it is already as planned. `apply`
    keeps the report of the dead worker under another name.
    """
    saved = reconciler.read_plan(unit.plan_file)
    with turn:
        reconciler.apply(saved, read_settings(unit.server), report=unit.report_file)


def read_settings(server: Server) -> Settings:
    """Make the settings of a server from the environment of this worker.

    Variables without the prefix count only if they are for no particular server, as HTTPS_PROXY:
    the token of one server must never reach another. The limits of the server are divided by the
    number of units that may run at once.
    """
    prefix = server.name.upper().replace("-", "_") + "_"
    own = {n.removeprefix(prefix): v for n, v in os.environ.items() if n.startswith(prefix)}
    common = {n: v for n, v in os.environ.items() if not re.match("LABEL_STUDIO_|RECONCILER_", n)}
    for names in (["LABEL_STUDIO_URL"], ["LABEL_STUDIO_API_KEY", "LABEL_STUDIO_API_KEY_FILE"]):
        if own.keys().isdisjoint(names):
            hint = f"set {prefix}{names[0]} where the workers run"
            raise SettingsError(f"{server.name} has no {names[0]}", hint=hint)
    settings = Settings.from_environment({**common, **own})
    return replace(
        settings,
        rps=None if server.rps is None else server.rps / server.at_once,
        concurrency=max(1, settings.concurrency // server.at_once),
    )


# What the engine does.


def check_manifests(units: Sequence[Unit]) -> Errors:
    """Load the manifests of each server once, to report their problems before any work."""
    errors: dict[Unit, BaseException] = {}
    for server in {unit.server for unit in units}:
        try:
            reconciler.load(server.manifests)
        except (ReconcilerError, OSError) as error:
            errors |= {unit: error for unit in units if unit.server == server}
    return errors


def connect(scheduler: str | None) -> Client:
    """Connect to a scheduler, or start one with two workers here; raises OSError."""
    if scheduler:
        return Client(scheduler)
    return Client(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0")


def run_units(
    client: Client, work: Callable[[Unit, Semaphore], None], units: Sequence[Unit]
) -> Errors:
    """Run all units on the workers, and collect the errors; a failed unit does not stop others.

    The scheduler keeps a semaphore for each server, which limits all workers together, even if this
    script runs twice at once. The place of a dead worker is free again after 30 to 40 s
    (``distributed.scheduler.locks`` in the configuration of Dask). If you interrupt this script,
    the workers of a cluster finish the units that they have begun, and write their reports.
    """
    turns = {
        server: Semaphore(server.at_once, name=f"{server.name}, {server.at_once} at once")
        for server in {unit.server for unit in units}
    }
    # Not pure: otherwise Dask could return the result of an earlier run that it remembers.
    doing = {client.submit(work, unit, turns[unit.server], pure=False): unit for unit in units}
    errors: dict[Unit, BaseException] = {}
    for done, future in enumerate(as_completed(doing), 1):
        unit = doing[future]
        if future.status != "finished":
            errors[unit] = future.exception() or RuntimeError(f"it was {future.status}")
        state = "failed" if unit in errors else "done"
        print(f"{done} of {len(units)}: {unit} {state}", file=sys.stderr)
    return errors


# The result at the end, from the files of the run.


def show_plans(units: Sequence[Unit], errors: Errors) -> int:
    """Show what differs on one server, and which parts have no plan."""
    found: list[Plan] = []
    lacking: dict[str, list[str]] = {}
    for unit in units:
        if unit.plan_file.exists():
            found.append(reconciler.read_plan(unit.plan_file))
        else:
            problem = str(errors.get(unit, "run plan again"))
            lacking.setdefault(problem, []).append(str(unit.shard))
    for problem, shards in lacking.items():
        print(f"! no plan for shard {', '.join(shards)}: {problem}")
    if not found:
        return BAD
    merged = reconciler.merge(found)
    print(reconciler.render(merged))
    if merged.missing_shards:
        return BAD
    return DIFFERENT if merged.tasks else GOOD


def show_reports(units: Sequence[Unit], errors: Errors) -> int:
    """Show what was done on one server, and which parts are not done."""
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
            print(f"shard {unit.shard} was cut off, and applied again")
    if not found:
        return BAD
    merged = reconciler.merge(found)
    print(reconciler.render(merged))
    already = [one.task for one in merged.outcomes if one.outcome is Outcome.ALREADY]
    if already and not merged.complete:
        # A worker may die between an update and the line of its report.
        print(f"These tasks may have updates that no report has and no revert undoes: {already}")
    return BAD if problems else GOOD


def find_problem(unit: Unit, latest: Report | None, errors: Errors) -> str:
    """Say why a unit is not done, according to its latest report; empty if it is done."""
    if not unit.plan_file.exists():
        return "has no plan: run plan again"
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
    """Read the TOML file; raises OSError or ValueError if it cannot be used."""
    tables = tomllib.loads(file.read_text(encoding="utf-8")).get("servers")
    if not isinstance(tables, list) or not tables:
        raise ValueError(f"{file} has no [[servers]]")
    servers = [read_server(table, file.absolute().parent) for table in tables]
    names = [server.name for server in servers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{file}: duplicate server name {name}")
    return servers


def read_server(table: dict[str, Any], folder: Path) -> Server:
    """Read the table of one server; raises ValueError if it cannot be used."""
    name, paths = table.get("name"), table.get("manifests")
    if not isinstance(name, str) or not re.fullmatch("[a-z][a-z0-9-]*", name):
        raise ValueError(f"name: expected lowercase letters, digits and -, found {name!r}")
    known = [field.name for field in fields(Server)]
    for key in table:
        if key not in known:
            raise ValueError(f"{name}: unknown key {key!r} (the keys are {', '.join(known)})")
    # A string is also a sequence: each of its letters would count as a path, even "/".
    if not isinstance(paths, list) or not paths or not all(isinstance(p, str) for p in paths):
        raise ValueError(f'{name}: manifests: expected a list of paths, such as ["{name}/"]')
    server = Server(**{**table, "manifests": tuple(str(folder / path) for path in paths)})
    if not all(type(count) is int and count >= 1 for count in (server.shards, server.at_once)):
        raise ValueError(f"{name}: shards, at_once: expected whole numbers, 1 or more")
    if server.rps is not None and (type(server.rps) not in {int, float} or server.rps <= 0):
        raise ValueError(f"{name}: rps: expected a number above 0")
    return server


def list_units(servers: Sequence[Server], out: Path) -> list[Unit]:
    """List the first part of each server, then the second, so that workers wait less."""
    units = []
    for number in range(1, max(server.shards for server in servers) + 1):
        for server in servers:
            if number <= server.shards:
                folder, part = out.absolute() / server.name, f"{number}-of-{server.shards}"
                files = folder / f"plan-{part}.json", folder / f"report-{part}.jsonl"
                units.append(Unit(server, Shard(server.shards, number), *files))
    return units


def choose_units(command: str, units: Sequence[Unit], out: Path) -> list[Unit]:
    """Choose the units: for plan, those without a plan; for apply, those with one."""
    planned = [unit for unit in units if unit.plan_file.exists()]
    if command == "apply":
        if not planned:
            raise ValueError(f"{out} has no plans: run plan first")
        return planned
    if len(planned) == len(units):
        raise ValueError(f"{out} already has all plans: use another folder for a new run")
    return [unit for unit in units if unit not in planned]


def run_command(command: str, client: Client, units: Sequence[Unit]) -> Errors:
    """Plan or apply the units, and collect the errors."""
    if command == "apply":
        return run_units(client, apply_unit, units)
    broken = check_manifests(units)
    sound = [unit for unit in units if unit not in broken]
    for unit in sound:
        unit.plan_file.parent.mkdir(parents=True, exist_ok=True)
    return {**broken, **run_units(client, plan_unit, sound)}


class Parser(argparse.ArgumentParser):
    """Exits with 1 on bad usage: argparse's own 2 would mean differences."""

    def error(self, message: str) -> NoReturn:
        """Print the message, and exit."""
        self.exit(BAD, f"many_projects: {message}\n")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(description="Plan or apply over many machines.")
    parser.add_argument("command", choices=["plan", "apply"])
    parser.add_argument("servers", type=Path, help="a TOML file")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the run; plan creates it"
    )
    parser.add_argument("--scheduler", help="address of a Dask scheduler")
    return parser.parse_args()


def main() -> int:
    """Run the script; returns its exit code."""
    options = parse_arguments()
    try:
        servers = read_servers(options.servers)
        units = list_units(servers, options.out)
        chosen = choose_units(options.command, units, options.out)
        client = connect(options.scheduler)
    except (OSError, ValueError) as error:
        print(f"many_projects: {error}", file=sys.stderr)
        return BAD
    with client:
        errors = run_command(options.command, client, chosen)
    show = show_plans if options.command == "plan" else show_reports
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
