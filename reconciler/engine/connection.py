"""What plan and apply have in common: manifests and a server in, a plan out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import click

from reconciler.cli.console import Console
from reconciler.cli.limiting import limit_option
from reconciler.cli.progress_bar import ProgressBar
from reconciler.contract.attributes import Attributes
from reconciler.core.model import NEVER, WARNINGS, Kind, Plan
from reconciler.core.notation import count_noun
from reconciler.core.shard import Shard
from reconciler.engine.plan import build_plan
from reconciler.engine.settings.run_settings import Settings
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.index import DesiredIndex
from reconciler.progress import ProgressListener

F = TypeVar("F", bound=Callable[..., Any])

_KINDS = [kind.value for kind in Kind if kind not in WARNINGS | NEVER]


def plan_options(command: F) -> F:
    """Add the options of everything that makes and shows a plan."""
    allow = click.option(
        "--allow",
        "allowed",
        multiple=True,
        type=click.Choice(_KINDS),
        help="Accept tasks with this problem. May be given more than once.",
    )
    full = click.option("--full", is_flag=True, help="List every task, and values in full.")
    return allow(limit_option(full(command)))


@contextmanager
def connect(settings: Settings, attributes: Attributes, console: Console) -> Iterator[TaskApi]:
    """Connect to the server that the settings name; says what is to be known of them."""
    credentials = parse_token(settings.token)
    for warning in settings.warnings:
        console.note(f"reconciler: warning: {warning}")
    if settings.network.proxy:
        proxy = settings.network.proxy
        console.detail(f"the server is asked through {proxy.shown}, which {proxy.variable} names")
    with Client(
        settings.url, credentials, network=settings.network, timeout=settings.timeout
    ) as client:
        yield TaskApi(client, attributes)


def plan_desired(
    desired: DesiredIndex,
    api: TaskApi,
    attributes: Attributes,
    *,
    allow: frozenset[Kind],
    shard: Shard | None,
    console: Console,
) -> Plan:
    """Plan ``desired``, the tasks of ``shard``, and say what it took."""
    plan = measure(
        lambda progress: build_plan(desired, api, attributes, allow=allow, progress=progress),
        console,
    )
    return plan if shard is None else replace(plan, shards=(shard,))


def measure(make: Callable[[ProgressListener], Plan], console: Console) -> Plan:
    """Make a plan, and say what it took."""
    started = time.monotonic()
    with ProgressBar(console) as progress:
        plan = make(progress)
    spent = time.monotonic() - started
    tasks = plan.summary()["tasks"]
    console.detail(f"read {tasks:,} tasks in {plan.requests} requests, {spent:.1f} s")
    return plan


def describe_blockers(plan: Plan, allow: frozenset[Kind]) -> tuple[str, str] | None:
    """Say how many tasks stand in the way of an apply, and what to do about it."""
    tasks = plan.unaccepted(allow)
    if not tasks:
        return None
    kinds = {p.kind for task in tasks for p in task.problems} - allow - WARNINGS - NEVER
    options = " ".join(f"--allow {kind.value}" for kind in sorted(kinds))
    hint = f"mend the manifests{options and f', or accept it with {options}'}"
    return f"{count_noun(len(tasks), 'task')} cannot be brought to what is declared", hint
