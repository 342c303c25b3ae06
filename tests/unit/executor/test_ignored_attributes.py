"""Finding out what a server stores that does not say it: from the first update of each kind."""

from __future__ import annotations

from collections.abc import Callable, Collection

import httpx
import pytest

from reconciler.core.model import DesiredTask, Found, Observed
from reconciler.core.plan_model import TaskPlan
from reconciler.errors import Unreachable
from reconciler.executor.ignored_attributes import IgnoredAttributes
from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.sandboxed import CONTRACT, apply_with, plan_with
from tests.unit.core.building import change, desired, update
from tests.unit.labelstudio.wired import Hook, Hooked, api_of, query_of, sandbox_with, selected


class Silent(Hooked):
    """The sandbox behind something that lets no OPTIONS through."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "OPTIONS":
            self.requests.append(request)
            return httpx.Response(405, html="<title>405</title>", request=request)
        return super().handle_request(request)

    def patched(self) -> list[str]:
        return [sent.url.path for sent in self.requests if sent.method == "PATCH"]

    def read_alone(self) -> list[int]:
        """Give the tasks that were selected alone."""
        return [ids[0] for ids in map(selected, self.requests) if len(ids) == 1]


def plan_and_apply(transport: Silent, *tasks: DesiredTask) -> dict[int, tuple[str, str]]:
    """Plan and apply in one run; give what became of each task, and why."""
    with api_of(transport) as api:
        plan = plan_with(api, tasks)
        assert not any(task.problems[1:] for task in plan.tasks)
        outcomes = apply_with(api, plan)
    return {outcome.task: (outcome.outcome.value, outcome.error) for outcome in outcomes}


FUTILE = (
    "not_honoured",
    "not sent: the server does not store avg_lead_time (seen on task 1)",
)


def test_what_one_task_showed_to_be_ignored_is_not_sent_for_the_next():
    transport = Silent(sandbox_with(3))
    outcomes = plan_and_apply(transport, *(desired(n, {"avg_lead_time": 2.5}) for n in (1, 2, 3)))
    assert outcomes[1][0] == "not_honoured"
    assert (outcomes[2], outcomes[3]) == (FUTILE, FUTILE)
    assert transport.patched() == ["/api/tasks/1/"]
    # Right after its update, and once more at the end, as it alone was sent.
    assert transport.read_alone() == [1, 1]
    assert transport.count("OPTIONS") == 1


def test_tasks_of_which_something_else_changes_are_sent_as_they_are():
    transport = Silent(sandbox_with(3))
    both = {"avg_lead_time": 2.5, "overlap": 2}
    outcomes = plan_and_apply(
        transport, *(desired(n, both) for n in (1, 2)), desired(3, {"avg_lead_time": 2.5})
    )
    assert [outcome for outcome, _ in outcomes.values()] == ["not_honoured"] * 3
    assert outcomes[3] == FUTILE
    assert transport.patched() == ["/api/tasks/1/", "/api/tasks/2/"]
    assert [task.values["overlap"] for task in transport.state.tasks.values()] == [2, 2, 1]


def without(name: str) -> Callable[[Silent], Hook]:
    """Keep an attribute out of what PATCH answers, as it is for some roles."""

    def of(transport: Silent) -> Hook:
        def hook(request: httpx.Request) -> httpx.Response | None:
            if request.method != "PATCH":
                return None
            answer = SandboxTransport(transport.state).handle_request(request)
            answer.read()
            shown = {key: value for key, value in answer.json().items() if key != name}
            return httpx.Response(200, json=shown, request=request)

        return hook

    return of


def test_an_answer_that_does_not_show_an_attribute_proves_nothing():
    transport = Silent(sandbox_with(3))
    transport.hook = without("overlap")(transport)
    outcomes = plan_and_apply(transport, *(desired(n, {"overlap": 2}) for n in (1, 2, 3)))
    assert {said for said, _ in outcomes.values()} == {"applied"}
    assert transport.read_alone() == [1]
    [look] = [request for request in transport.requests if selected(request) == [1]]
    assert query_of(look)["project"] == "7"


def test_a_look_that_fails_takes_nothing_from_the_update():
    transport = Silent(sandbox_with(2))
    hide = without("overlap")(transport)

    def hook(request: httpx.Request) -> httpx.Response | None:
        if selected(request) == [1]:
            return httpx.Response(500, json={"detail": "No."}, request=request)
        return hide(request)

    transport.hook = hook
    outcomes = plan_and_apply(transport, *(desired(n, {"overlap": 2}) for n in (1, 2)))
    assert outcomes == {1: ("applied", ""), 2: ("applied", "")}


@pytest.mark.parametrize(("stored", "last_look"), [(2, []), (1, [1])])
def test_an_answer_that_shows_the_attribute_is_enough(stored: int, last_look: list[int]):
    """Of one that is as before it is learnt, of one that is as declared there is nothing to."""
    transport = Silent(sandbox_with(2))

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH" or stored == 2:
            return None
        return httpx.Response(200, json={"id": 1, "overlap": stored}, request=request)

    transport.hook = hook
    plan_and_apply(transport, *(desired(n, {"overlap": 2}) for n in (1, 2)))
    assert len(transport.patched()) == stored
    assert transport.read_alone() == last_look


def test_what_one_answer_and_one_look_showed_is_told_of_each_attribute():
    asked: list[set[str]] = []

    def look(_: TaskPlan, names: Collection[str]) -> Observed:
        asked.append(set(names))
        return Found({"completed_at": None})

    changes = (change("avg_lead_time", None, 2.5), change("completed_at", None, "2026-01-02"))
    ignored = IgnoredAttributes(look, CONTRACT)
    ignored.learn(update(1, *changes), {"id": 1, "avg_lead_time": None})
    assert asked == [{"completed_at"}]
    futile = ignored.judge(update(2, *changes))
    assert futile is not None
    assert futile.error == (
        "not sent: the server does not store avg_lead_time (seen on task 1), completed_at "
        "(seen on task 1)"
    )


def test_a_server_that_is_gone_at_the_look_proves_nothing():
    def look(_task: TaskPlan, _names: Collection[str]) -> Observed:
        raise Unreachable("no answer")

    ignored = IgnoredAttributes(look, CONTRACT)
    ignored.learn(update(1, change("completed_at", None, "2026-01-02")), {"id": 1})
    # As if it were null: it is not known to be anything else.
    assert ignored.judge(update(2, change("overlap", 1, 2))) is None
