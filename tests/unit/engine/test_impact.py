"""Reading annotations for a plan: how many requests, said beforehand, and what may go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.core.annotation_impact import UNREAD, AnnotationImpact
from reconciler.core.plan_model import Plan
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.errors import ServerError
from tests.sandboxed import CONTRACT
from tests.unit.core.building import Listed, desired
from tests.unit.labelstudio.wired import Hooked, Noted, api_of, query_of, sandbox_with, selected

CONFIG = """<View><Text name="text" value="$text"/>
<Labels name="label" toName="text"><Label value="A"/></Labels></View>"""
REGION = {"to_name": "text", "value": {"start": 0, "end": 8, "text": "Sentence"}}
STAYS = AnnotationImpact(1, (1,), 1)


def annotated(count: int) -> Hooked:
    """A sandbox with so many tasks, each with an annotation of its first word."""
    state = sandbox_with(count)
    state.projects[7].label_config = CONFIG
    for task in state.tasks.values():
        state.add_annotation(task, {"result": [REGION]})
        task.values["total_annotations"] = 1
    return Hooked(state)


def plan_of(transport: Hooked, progress: Noted | None = None, *, impact: bool = True) -> Plan:
    """Plan another text for every task, which begins with the same word."""
    tasks = [desired(task, {"data": {"text": "Sentence."}}) for task in transport.state.tasks]
    with api_of(transport) as api:
        return build_plan(
            Listed(tasks), Connection(api, CONTRACT), impact=impact, progress=progress or Noted()
        )


def list_requests(transport: Hooked) -> list[httpx.Request]:
    """List the requests for annotations."""
    return [one for one in transport.requests if "annotations," in include_of(one)]


def include_of(request: httpx.Request) -> str:
    names = str(query_of(request).get("include", ""))
    return names if "result" in names else ""


def test_annotations_are_read_in_batches_and_the_number_of_requests_is_noted_before():
    transport, progress = annotated(250), Noted()
    noted_at_first: list[list[str]] = []

    def hook(request: httpx.Request) -> None:
        if include_of(request):
            noted_at_first.append([*progress.notes])

    transport.hook = hook
    plan = plan_of(transport, progress)

    note = "reading the annotations of 250 tasks takes at least 3 requests"
    assert noted_at_first == [[note]] * 3
    assert sorted(len(selected(one)) for one in list_requests(transport)) == [50, 100, 100]
    assert [task.impact for task in plan.tasks] == [STAYS] * 250
    assert plan.requests == len(transport.requests)


def test_without_it_no_annotations_are_read():
    transport = annotated(2)
    plan = plan_of(transport, impact=False)
    assert (list_requests(transport), [task.impact for task in plan.tasks]) == ([], [None] * 2)


def test_what_nobody_annotated_is_not_read():
    transport, progress = Hooked(sandbox_with(2)), Noted()
    plan_of(transport, progress)
    assert (list_requests(transport), progress.notes) == ([], [])


def test_a_server_may_return_fewer_tasks_than_requested():
    transport = annotated(25)
    transport.state.page_size_max = 10
    assert [task.impact for task in plan_of(transport).tasks] == [STAYS] * 25
    assert len(list_requests(transport)) == 3


@pytest.mark.parametrize(("may_run", "review"), [(True, "true"), (False, None)])
def test_a_project_that_may_run_a_model_is_read_as_for_reviewers(
    *, may_run: bool, review: str | None
):
    transport = annotated(1)
    transport.state.projects[7].evaluate_predictions_automatically = may_run
    plan_of(transport, impact=False)
    runs = transport.state.projects[7].model_runs
    plan_of(transport)
    [request] = list_requests(transport)
    assert query_of(request).get("review") == review
    assert transport.state.projects[7].model_runs == 2 * runs


def change_tasks(change: Callable[[dict[str, Any]], object]) -> Callable[[Hooked], None]:
    """Change the tasks in the responses with annotations."""

    def arrange(transport: Hooked) -> None:
        def hook(request: httpx.Request) -> httpx.Response | None:
            if not include_of(request):
                return None
            transport.hook = lambda _: None
            answer = json.loads(transport.handle_request(request).content)
            answer["tasks"] = [task for task in answer["tasks"] if change(task) is not False]
            return httpx.Response(200, json=answer)

        transport.hook = hook

    return arrange


@pytest.mark.parametrize(
    "arrange",
    [
        change_tasks(lambda task: task.pop("annotations")),
        change_tasks(lambda task: task.update(annotations="hidden")),
        change_tasks(lambda _: False),
    ],
    ids=["left-out", "no-list", "not-listed"],
)
def test_annotations_that_the_server_does_not_show_could_not_be_read(
    arrange: Callable[[Hooked], None],
):
    transport = annotated(1)
    arrange(transport)
    [task] = plan_of(transport).tasks
    assert task.impact is UNREAD


def test_a_task_that_breaks_the_server_is_left_out_alone():
    transport = annotated(4)

    def hook(request: httpx.Request) -> httpx.Response | None:
        broken = include_of(request) and 3 in selected(request)
        return httpx.Response(500, json={"detail": "broken"}) if broken else None

    transport.hook = hook
    assert [task.impact for task in plan_of(transport).tasks] == [STAYS, STAYS, UNREAD, STAYS]


def test_a_response_that_is_too_large_is_read_in_parts():
    transport = annotated(8)

    def hook(request: httpx.Request) -> httpx.Response | None:
        heavy = include_of(request) and len(selected(request)) > 2
        return httpx.Response(504) if heavy else None

    transport.hook = hook
    assert [task.impact for task in plan_of(transport).tasks] == [STAYS] * 8


def test_a_server_that_fails_ends_the_plan():
    transport = annotated(1)
    transport.hook = lambda one: httpx.Response(403, json={}) if include_of(one) else None
    with pytest.raises(ServerError, match="403"):
        plan_of(transport)


def test_nothing_is_told_if_the_label_config_cannot_be_read():
    transport = annotated(1)
    transport.state.projects[7].label_config = "<View>"
    [task] = plan_of(transport).tasks
    assert task.impact == AnnotationImpact(1, (1,), 1, unknown=1)
