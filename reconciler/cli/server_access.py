"""Connections and plans, for commands that use a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.cli.collaborators import get_collaborators
from reconciler.cli.console import Console
from reconciler.cli.progress_bar import ProgressBar
from reconciler.engine.changed_since import SinceRequest, load_since
from reconciler.engine.connection import Connection, connect
from reconciler.engine.load import FoundFiles, load_desired
from reconciler.engine.lock import ServerFacts, list_stale_locks
from reconciler.engine.plan import build_plan
from reconciler.engine.project_lookup import choose_lookup
from reconciler.engine.settings.run_settings import Settings
from reconciler.engine.vocabulary import Allowances, Plan, Shard, Targets
from reconciler.progress import ProgressListener


@contextmanager
def connect_to_server(settings: Settings, console: Console) -> Iterator[Connection]:
    """Connect to the server of the settings, and print the notes on these settings."""
    transport = get_collaborators().transport
    with connect(settings, transport=transport) as connection:
        print_settings_notes(settings, console)
        yield connection


def plan_inputs(  # noqa: PLR0913 - what to look at, and what to accept
    files: FoundFiles,
    connection: Connection,
    *,
    settings: Settings,
    allow: Allowances,
    shard: Shard | None,
    targets: Targets,
    since: SinceRequest | None,
    impact: bool,
    console: Console,
) -> Plan:
    """Load manifests, and plan the tasks of a shard; without one, all of them.

    With ``since``, only what is declared differently than at its revision is planned. With
    ``impact``, the plan says what it does to annotations.
    """
    projects = choose_lookup(settings, connection)
    with ProgressBar(console) as progress:
        if since is None:
            server = settings.server
            desired = load_desired(files, server=server, projects=projects, progress=progress)
        else:
            desired, targets, notes = load_since(
                since,
                settings=settings,
                projects=projects,
                targets=targets,
                progress=progress,
            )
            for note in notes:
                console.note(f"reconciler: warning: {note}")
    facts: list[ServerFacts] = []
    plan = make_plan(
        lambda progress: build_plan(
            desired,
            connection,
            shard=shard,
            allow=allow,
            targets=targets,
            impact=impact,
            on_facts=facts.append,
            progress=progress,
        ),
        console,
    )
    for warning in list_stale_locks(files, settings.environment, facts):
        console.note(f"reconciler: warning: {warning}")
    return plan


def make_plan(build: Callable[[ProgressListener], Plan], console: Console) -> Plan:
    """Build a plan with progress, and print what it cost."""
    started = time.monotonic()
    with ProgressBar(console) as progress:
        plan = build(progress)
    seconds = time.monotonic() - started
    tasks = plan.summary()["tasks"]
    console.detail(f"read {tasks:,} tasks in {plan.requests} requests, {seconds:.1f} s")
    return plan


def print_settings_notes(settings: Settings, console: Console) -> None:
    """Print what the user should know about the settings."""
    for warning in settings.warnings:
        console.note(f"reconciler: warning: {warning}")
    if settings.network.proxy:
        proxy = settings.network.proxy
        console.detail(f"requests go through the proxy {proxy.shown}, set by {proxy.variable}")
