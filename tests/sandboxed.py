"""Planning and applying over the sandbox, and where the command line finds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import httpx
import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.allowances import NOTHING_ALLOWED, Allowances
from reconciler.core.model import DesiredTask
from reconciler.core.plan_model import Plan
from reconciler.core.report import TaskOutcome
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.executor.batches import BatchLimits
from reconciler.executor.execution import execute
from reconciler.executor.execution_options import ExecutionOptions, Record
from reconciler.executor.rate_limiter import RateLimiter
from reconciler.labelstudio.retry import Backoff
from reconciler.labelstudio.task_api import TaskApi
from reconciler.sandbox.access import SANDBOX_TOKEN
from tests.unit.core.building import Listed
from tests.unit.labelstudio.wired import ADDRESS, Hooked, api_of

CONTRACT: Final = load_contract()
LARGE_BATCHES: Final = BatchLimits(first=500, seconds=1e9)
"""Batches as large as they get, however slow this machine is."""


def plan_with(
    api: TaskApi, tasks: Iterable[DesiredTask], *, allow: Allowances = NOTHING_ALLOWED
) -> Plan:
    """Plan tasks in a run that may go on with `apply_with`."""
    return build_plan(Listed(tasks), Connection(api, CONTRACT), allow=allow)


def apply_with(
    api: TaskApi,
    plan: Plan,
    *,
    options: ExecutionOptions | None = None,
    record: Record = lambda _: None,
    rate: RateLimiter | None = None,
) -> list[TaskOutcome]:
    """Carry a plan out, one update at a time unless ``options`` say otherwise."""
    options = options or ExecutionOptions(concurrency=1)
    return execute(plan, api, CONTRACT, options=options, record=record, rate=rate)


def plan_tasks(
    transport: httpx.BaseTransport, *tasks: DesiredTask, allow: Allowances = NOTHING_ALLOWED
) -> Plan:
    """Plan tasks in a run of its own, and forget the requests that it took."""
    with api_of(transport) as api:
        plan = plan_with(api, tasks, allow=allow)
    if isinstance(transport, Hooked):
        transport.requests.clear()
    return plan


def apply_plan(
    transport: httpx.BaseTransport,
    plan: Plan,
    *,
    options: ExecutionOptions | None = None,
    record: Record = lambda _: None,
    backoff: Backoff | None = None,
    rate: RateLimiter | None = None,
) -> list[TaskOutcome]:
    """Carry a plan out in a run of its own; its pauses take no time, unless a ``backoff`` does."""
    with api_of(transport, backoff=backoff) as api:
        return apply_with(api, plan, options=options, record=record, rate=rate)


def outcomes_of(
    transport: httpx.BaseTransport, plan: Plan, *, options: ExecutionOptions | None = None
) -> dict[int, tuple[str, str]]:
    """Carry a plan out, and tell what became of each task, and why."""
    outcomes = apply_plan(transport, plan, options=options)
    return {outcome.task: (outcome.outcome.value, outcome.error) for outcome in outcomes}


def methods(transport: Hooked) -> str:
    """Name the methods of all requests, in order."""
    return " ".join(request.method for request in transport.requests)


def set_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give command lines the settings that a transport of tests takes."""
    monkeypatch.setenv("LABEL_STUDIO_URL", ADDRESS)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    monkeypatch.setenv("RECONCILER_ALLOW_PLAIN_HTTP", "1")
