"""Storage addresses that a server begins to resolve between two reads: what is stored survives."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.sandboxed import apply_plan, plan_tasks
from tests.unit.core.building import desired
from tests.unit.labelstudio.wired import Hooked, sandbox_with


def resolving(transport: Hooked, *, after: int) -> None:
    """Answer lists with the picture itself in place of its address, once so many were asked."""
    lists_left = [after]

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET" or request.url.path != "/api/tasks/":
            return None
        lists_left[0] -= 1
        if lists_left[0] >= 0:
            return None
        answer = SandboxTransport(transport.state).handle_request(request)
        answer.read()
        picture = answer.text.replace("s3://bucket/x.jpg", "data:image/jpeg;base64,AAAA")
        return httpx.Response(200, text=picture, request=request)

    transport.hook = hook


@pytest.mark.parametrize(("honest_lists", "saved"), [(1, False), (2, False), (2, True)])
def test_an_undeclared_address_that_reads_otherwise_than_before_is_not_overwritten(
    honest_lists: int, *, saved: bool
):
    """The fresh read shows it, or the one after an answer that was lost.

    A saved plan knows no addresses: the fresh read is then the first of the run.
    """
    transport = Hooked(sandbox_with(1))
    stored = {"text": "A sentence.", "image": "s3://bucket/x.jpg"}
    transport.state.tasks[1].values["data"] = stored
    plan = plan_tasks(transport, desired(1, {"data": {"text": "Another."}}))
    if saved:
        plan = replace(plan, tasks=tuple(replace(task, addresses=()) for task in plan.tasks))
    resolving(transport, after=honest_lists - 1)
    lists = transport.hook
    losing = [honest_lists == 2]

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and losing and losing.pop():
            raise httpx.ReadError("connection reset")
        return lists(request)

    transport.hook = hook
    outcome = apply_plan(transport, plan)[0]
    assert outcome.outcome.value == "blocked"
    assert "in data.image, which is not declared and held a storage address" in outcome.error
    assert transport.state.tasks[1].values["data"] == stored
