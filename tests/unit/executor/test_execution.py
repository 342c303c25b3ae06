"""Carrying a plan out while the server moves, ignores, fails, or loses what it was told."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.model import DesiredTask, Kind, Plan, Status, TaskPlan
from reconciler.core.report import STOPPED, Outcome, TaskOutcome
from reconciler.core.values import ABSENT, Json
from reconciler.engine.plan import build_plan
from reconciler.errors import Refused
from reconciler.executor.apply_options import ApplyOptions
from reconciler.executor.execution import execute
from reconciler.executor.rate_limiter import RateLimiter
from reconciler.executor.update_concurrency import UpdateConcurrency
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from tests.unit.core.building import Listed, change, desired, plan_of, update
from tests.unit.labelstudio.wired import Hooked, Noted, api_of, query_of, sandbox_with


@pytest.fixture
def large_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches as large as they get, however slow this machine is."""
    monkeypatch.setattr("reconciler.executor.batches.FIRST", 500)
    monkeypatch.setattr("reconciler.executor.batches.FRESH_SECONDS", 1e9)


def one_by_one() -> ApplyOptions:
    return ApplyOptions(concurrency=1)


def planned(transport: Hooked, *tasks: DesiredTask, allow: frozenset[Kind] = frozenset()) -> Plan:
    with api_of(transport) as api:
        plan = build_plan(Listed(tasks), api, load_contract(), allow=allow)
    transport.requests.clear()
    return plan


def applied(
    transport: Hooked, plan: Plan, *, options: ApplyOptions | None = None
) -> dict[int, tuple[str, str]]:
    """What became of each task, and why."""
    with api_of(transport) as api:
        outcomes = execute(
            plan, api, load_contract(), options=options or one_by_one(), record=lambda _: None
        )
    return {outcome.task: (outcome.outcome.value, outcome.error) for outcome in outcomes}


class Counted(Noted):
    """A watch that counts the tasks of each work."""

    def __init__(self) -> None:
        super().__init__()
        self.done: dict[str, int] = {}
        self._work = ""

    def begin(self, work: str, total: int | None = None) -> None:  # noqa: ARG002 - as a watch
        self._work = work
        self.done[work] = 0

    def advance(self, tasks: int = 1) -> None:
        self.done[self._work] += tasks


def before_first(method: str, act: Callable[[], object]) -> Callable[[httpx.Request], None]:
    """Do something just before the server gets the first request with a method."""
    waiting = [act]

    def hook(request: httpx.Request) -> None:
        if request.method == method and waiting:
            waiting.pop()()

    return hook


def instead(task: int, answer: httpx.Response) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answer the PATCH of a task in the server's place."""
    return lambda request: answer if request.url.path == f"/api/tasks/{task}/" else None


def sent_bodies(transport: Hooked) -> dict[str, Any]:
    patches = (request for request in transport.requests if request.method == "PATCH")
    return {request.url.path: json.loads(request.content) for request in patches}


def values(state: State, task: int) -> dict[str, Any]:
    return state.tasks[task].values


def test_a_change_is_made_seen_and_seen_again():
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, desired(1, {"overlap": 3}), desired(2, {"overlap": 1}))
    assert applied(transport, plan) == {1: ("applied", "")}
    assert [request.method for request in transport.requests] == ["GET", "OPTIONS", "PATCH", "GET"]
    assert values(transport.state, 1)["overlap"] == 3


def test_a_declared_path_that_somebody_changed_since_the_plan_is_left_alone():
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, desired(1, {"overlap": 3}), desired(2, {"overlap": 3}))
    values(transport.state, 1)["overlap"] = 2
    assert applied(transport, plan) == {
        1: ("stale", "changed since it was planned: overlap"),
        2: ("applied", ""),
    }
    assert values(transport.state, 1)["overlap"] == 2
    assert sent_bodies(transport) == {"/api/tasks/2/": {"overlap": 3}}


def test_a_task_of_which_one_path_is_stale_is_left_alone_as_a_whole():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 3, "data": {"lang": "en", "text": "B."}}))
    values(transport.state, 1)["data"] = {"text": "Somebody's."}
    assert applied(transport, plan) == {
        1: ("stale", "changed since it was planned: data.text"),
    }
    assert sent_bodies(transport) == {}


def test_a_key_that_somebody_removed_together_with_its_object_is_stale():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["meta"] = {"a": {"b": 1}}
    plan = planned(transport, desired(1, {"meta": {"a": {"c": 2}}}))
    values(transport.state, 1)["meta"] = {}
    assert applied(transport, plan) == {1: ("stale", "changed since it was planned: meta.a.c")}


def test_an_undeclared_path_that_somebody_changed_since_the_plan_is_kept():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"data": {"lang": "en"}}))
    values(transport.state, 1)["data"] = {"text": "Edited.", "new": [1]}
    values(transport.state, 1)["meta"] = {"also": "new"}
    assert applied(transport, plan) == {1: ("applied", "")}
    assert values(transport.state, 1)["data"] == {"text": "Edited.", "new": [1], "lang": "en"}
    assert values(transport.state, 1)["meta"] == {"also": "new"}


def test_what_is_as_declared_already_is_not_sent_again():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 3}))
    values(transport.state, 1)["overlap"] = 3
    assert applied(transport, plan) == {1: ("already", "")}
    assert transport.count("GET") == 1
    assert transport.count("PATCH") == 0


def test_only_what_is_still_to_be_done_is_sent_and_reported():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 3, "meta": {"a": 1}}))
    values(transport.state, 1)["overlap"] = 3
    recorded: list[TaskOutcome] = []
    with api_of(transport) as api:
        execute(plan, api, load_contract(), options=one_by_one(), record=recorded.append)
    assert sent_bodies(transport) == {"/api/tasks/1/": {"meta": {"a": 1}}}
    assert [[c.path for c in outcome.changes] for outcome in recorded] == [[("meta", "a")]]


def test_carrying_the_same_plan_out_again_finds_everything_done():
    transport = Hooked(sandbox_with(3))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in (1, 2, 3)))
    applied(transport, plan)
    transport.requests.clear()
    assert {said for said, _ in applied(transport, plan).values()} == {"already"}
    assert transport.count("PATCH") == 0


def test_an_answer_200_that_ignores_an_attribute_is_not_honoured():
    transport = Hooked(sandbox_with(1))
    allow = frozenset({Kind.IGNORED_ATTRIBUTE})
    plan = planned(transport, desired(1, {"avg_lead_time": 2.5, "overlap": 2}), allow=allow)
    assert applied(transport, plan, options=ApplyOptions(allow=allow, concurrency=1)) == {
        1: (
            "not_honoured",
            "the server answered 200 and did not store avg_lead_time, as far as its answer shows",
        ),
    }
    assert values(transport.state, 1)["overlap"] == 2


def test_an_answer_200_that_stores_another_value_is_not_honoured():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))
    transport.hook = instead(1, httpx.Response(200, json={"id": 1, "overlap": 1}))
    assert applied(transport, plan)[1][0] == "not_honoured"


def test_an_absent_path_is_not_proven_by_an_answer_without_the_attribute():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["meta"] = {"old": 1}
    plan = planned(transport, desired(1, absent=("meta.old",)))
    transport.hook = instead(1, httpx.Response(200, json={"id": 1, "overlap": 1}))
    assert applied(transport, plan) == {
        1: (
            "not_honoured",
            "the server answered 200 and did not store meta.old, as far as its answer shows",
        ),
    }


def test_a_task_that_is_gone_since_the_plan_is_missing():
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))
    del transport.state.tasks[1]
    transport.state.projects[7].task_ids.remove(1)
    assert applied(transport, plan) == {
        1: ("missing", "the task is gone since it was planned"),
        2: ("applied", ""),
    }


def test_a_task_that_goes_between_the_fresh_read_and_its_update_has_failed():
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))

    def delete() -> None:
        transport.state.tasks.pop(1)
        transport.state.projects[7].task_ids.remove(1)

    transport.hook = before_first("PATCH", delete)
    outcomes = applied(transport, plan)
    assert outcomes[1][0] == "failed"
    assert "No Task matches the given query." in outcomes[1][1]
    assert outcomes[2] == ("applied", "")


def test_a_task_that_moved_to_another_project_since_the_plan_is_stale():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))
    state = transport.state
    other = state.add_project("Other", number=8)
    state.projects[7].task_ids.remove(1)
    other.task_ids.append(1)
    values(state, 1)["project"] = 8
    assert applied(transport, plan) == {
        1: ("stale", "the task is in another project than planned"),
    }
    assert transport.count("PATCH") == 0


def test_a_task_that_broke_since_the_plan_has_failed_and_the_others_go_on():
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))
    values(transport.state, 1)["data"] = 1
    outcomes = applied(transport, plan)
    assert outcomes[1][0] == "failed"
    assert "failed on the server with 500" in outcomes[1][1]
    assert outcomes[2] == ("applied", "")


def test_guards_judge_the_fresh_task_and_not_the_planned_one():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["data"] = {"text": "A.", "old": 1, "new": 2}
    transport.state.projects[7].label_config = "<View/>"
    plan = planned(transport, desired(1, absent=("data.old",)))
    values(transport.state, 1)["data"] = {"old": 1}
    assert applied(transport, plan) == {1: ("blocked", "would remove every key of data")}
    assert values(transport.state, 1)["data"] == {"old": 1}


def test_guards_judge_with_the_label_config_that_the_project_has_now():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["data"] = {"text": "A.", "image": "1.jpg"}
    plan = planned(transport, desired(1, absent=("data.image",)))
    transport.state.projects[7].label_config = '<View><Image name="i" value="$image"/></View>'
    assert applied(transport, plan) == {
        1: ("blocked", "would remove data.image, which the label config of the project uses"),
    }


def test_a_task_that_is_annotated_since_the_plan_is_left_alone():
    transport = Hooked(sandbox_with(2))
    change_text = ({"data": {"text": "B."}}, {"data": {"lang": "en"}})
    plan = planned(transport, *(desired(n, new) for n, new in enumerate(change_text, 1)))
    for task in (1, 2):
        values(transport.state, task)["total_annotations"] = 2
    assert applied(transport, plan) == {
        1: ("blocked", "would change data.text under 2 annotations"),
        2: ("applied", ""),
    }
    assert values(transport.state, 1)["data"] == {"text": "Sentence 1."}


def test_a_plan_of_something_that_the_server_ignores_is_stopped_before_it_is_sent():
    transport = Hooked(sandbox_with(2))
    lead_time = update(1, change("avg_lead_time", None, 2.5))
    plan = plan_of(lead_time, update(2, change("overlap", 1, 2)))
    assert applied(transport, plan) == {
        1: (
            "blocked",
            "this server answers 200 to an update of avg_lead_time and does not store it",
        ),
        2: ("applied", ""),
    }
    assert [request.method for request in transport.requests] == ["GET", "OPTIONS", "PATCH", "GET"]


def test_what_is_stored_is_asked_once_for_a_plan_and_its_apply():
    transport = Hooked(sandbox_with(3))
    with api_of(transport) as api:
        tasks = Listed(desired(task, {"overlap": 2}) for task in (1, 2, 3))
        plan = build_plan(tasks, api, load_contract())
        execute(plan, api, load_contract(), options=one_by_one(), record=lambda _: None)
    assert transport.count("OPTIONS") == 1


def test_what_is_stored_is_not_asked_for_data_and_meta():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"data": {"text": "B."}, "meta": {"n": 1}}))
    assert applied(transport, plan) == {1: ("applied", "")}
    assert transport.count("OPTIONS") == 0


def test_what_was_allowed_for_the_plan_is_allowed_for_its_apply():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["data"] = {"text": "A.", "more": 1}
    allow = frozenset({Kind.LABEL_CONFIG})
    plan = planned(transport, desired(1, absent=("data.text",)), allow=allow)
    options = ApplyOptions(allow=allow, concurrency=1)
    assert applied(transport, plan, options=options) == {1: ("applied", "")}


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("data", {"text": "Sentence 1."}, [1, 2]),
        ("data", {"text": "Sentence 1."}, None),
        ("overlap", 1, 2**31),
        ("overlap", 1, None),
        ("total_annotations", 0, "3"),
        ("comment_authors", [], [1]),
        ("updated_by", [], None),
    ],
)
def test_no_update_that_the_contract_forbids_leaves_whoever_planned_it(
    path: str, before: Json, after: Json
):
    transport = Hooked(sandbox_with(1))
    plan = plan_of(update(1, change(path, before, after)))
    options = ApplyOptions(allow=frozenset(Kind), concurrency=1)
    outcome, error = applied(transport, plan, options=options)[1]
    assert outcome == "blocked"
    assert error == f"the update of task 1 would break it: {path} not as the API says"
    assert transport.count("PATCH") == 0


def test_a_null_project_never_leaves_even_where_moving_is_allowed():
    transport = Hooked(sandbox_with(1))
    plan = plan_of(update(1, change("project", 7, None)))
    options = ApplyOptions(allow=frozenset(Kind), concurrency=1)
    assert applied(transport, plan, options=options)[1][0] == "blocked"
    assert transport.count("PATCH") == 0


def test_a_resolved_address_never_leaves_even_out_of_a_plan():
    transport = Hooked(sandbox_with(1))
    resolved = "/tasks/1/resolve/?fileuri=czM6Ly9iL3guanBn"
    plan = plan_of(update(1, change("data.image", ABSENT, resolved)))
    outcome, error = applied(transport, plan)[1]
    assert outcome == "blocked"
    assert error.startswith("data.image would store ")
    assert transport.count("PATCH") == 0


def test_once_told_to_stop_nothing_is_read_or_sent():
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))
    options = ApplyOptions(concurrency=1)
    options.stop.set()
    assert applied(transport, plan, options=options) == {
        1: ("interrupted", "the run was stopped before this task"),
        2: ("interrupted", "the run was stopped before this task"),
    }
    assert transport.requests == []


def test_told_to_stop_in_the_middle_it_finishes_what_is_under_way():
    transport = Hooked(sandbox_with(5))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 6)))
    options = ApplyOptions(concurrency=1)
    transport.hook = before_first("PATCH", options.stop.set)
    outcomes = applied(transport, plan, options=options)
    assert [outcome for outcome, _ in outcomes.values()] == ["applied", *["interrupted"] * 4]
    assert transport.count("PATCH") == 1
    assert values(transport.state, 1)["overlap"] == 2


def test_tasks_that_were_not_started_are_no_progress_and_no_record():
    transport = Hooked(sandbox_with(500))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 501)))
    progress, recorded = Counted(), list[TaskOutcome]()
    options = ApplyOptions(concurrency=1, progress=progress)
    transport.hook = before_first("PATCH", options.stop.set)
    with api_of(transport) as api:
        outcomes = execute(plan, api, load_contract(), options=options, record=recorded.append)
    assert [outcome.task for outcome in recorded] == [1]
    assert Counter(outcome.outcome.value for outcome in outcomes) == {
        "applied": 1,
        "interrupted": 499,
    }
    assert progress.done == {"applying": 1, "reading again what was changed": 1}


def test_a_stop_while_the_canary_is_sent_says_nothing_of_the_canary():
    transport = Hooked(sandbox_with(4))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 5)))
    options = ApplyOptions(concurrency=1, canary=2)
    transport.hook = before_first("PATCH", options.stop.set)
    outcomes = applied(transport, plan, options=options)
    assert [outcomes[task] for task in (2, 3, 4)] == [("interrupted", STOPPED)] * 3


@pytest.mark.parametrize(
    "answer", [httpx.Response(401, json={"detail": "Invalid token."}), httpx.ConnectError("down")]
)
def test_a_server_that_is_gone_or_lets_nobody_in_stops_the_run(
    answer: httpx.Response | httpx.ConnectError,
):
    transport = Hooked(sandbox_with(3))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in (1, 2, 3)))

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and isinstance(answer, httpx.ConnectError):
            raise answer
        return answer if request.method == "PATCH" else None

    transport.hook = refuse
    outcomes = [outcome for outcome, _ in applied(transport, plan).values()]
    assert outcomes == ["failed", "interrupted", "interrupted"]
    assert transport.count("PATCH") == (5 if isinstance(answer, httpx.ConnectError) else 1)


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_task_that_the_server_refuses_does_not_keep_the_others_back(status: int):
    transport = Hooked(sandbox_with(3))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in (1, 2, 3)))
    transport.hook = instead(2, httpx.Response(status, json={"detail": "No."}))
    outcomes = applied(transport, plan)
    assert [outcome for outcome, _ in outcomes.values()] == ["applied", "failed", "applied"]
    assert "No." in outcomes[2][1]


@pytest.mark.usefixtures("large_batches")
def test_a_server_that_cannot_be_read_before_a_batch_stops_the_run():
    transport = Hooked(sandbox_with(501))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 502)))
    transport.hook = lambda _: httpx.Response(503, html="<title>Busy</title>")
    outcomes = [outcome for outcome, _ in applied(transport, plan).values()]
    assert outcomes == ["failed"] * 500 + ["interrupted"]
    assert len(transport.requests) == 5


def test_the_last_look_finds_an_update_that_was_lost():
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))

    def somebody_undoes(request: httpx.Request) -> None:
        if request.url.path == "/api/tasks/2/":
            values(transport.state, 1)["overlap"] = 1

    transport.hook = somebody_undoes
    assert applied(transport, plan) == {
        1: ("not_honoured", "stored, but it reads otherwise now: overlap"),
        2: ("applied", ""),
    }


def test_the_last_look_finds_a_task_that_was_deleted():
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))

    def somebody_deletes(request: httpx.Request) -> None:
        if request.url.path == "/api/tasks/2/" and request.method == "PATCH":
            transport.state.projects[7].task_ids.remove(1)
            del transport.state.tasks[1]

    transport.hook = somebody_deletes
    assert applied(transport, plan)[1] == (
        "failed",
        "sent, but the task cannot be read any more",
    )


def stored_and(transport: Hooked, what_follows: Callable[[httpx.Response], httpx.Response]) -> None:
    """Let the server store every update, and something else become of its answer."""

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH":
            return None
        return what_follows(SandboxTransport(transport.state).handle_request(request))

    transport.hook = hook


def lost(_: httpx.Response) -> httpx.Response:
    raise httpx.ReadError("connection reset")


def cut(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(200, headers=answer.headers, content=answer.read()[:20])


def of_a_proxy(_: httpx.Response) -> httpx.Response:
    return httpx.Response(502, html="<title>Bad gateway</title>")


def of_a_role_that_sees_less(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(200, json={"id": json.loads(answer.read())["id"]})


@pytest.mark.parametrize("what_follows", [lost, cut, of_a_proxy])
def test_an_update_whose_answer_is_lost_is_settled_by_reading_and_not_sent_again(
    what_follows: Callable[[httpx.Response], httpx.Response],
):
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2, "data": {"lang": "en"}}))
    stored_and(transport, what_follows)
    assert applied(transport, plan) == {1: ("applied", "")}
    methods = [request.method for request in transport.requests]
    assert methods == ["GET", "OPTIONS", "PATCH", "GET", "GET"]
    assert values(transport.state, 1)["overlap"] == 2


def test_an_update_whose_answer_shows_too_little_is_settled_by_the_last_look():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2, "data": {"lang": "en"}}))
    stored_and(transport, of_a_role_that_sees_less)
    recorded: list[TaskOutcome] = []
    with api_of(transport) as api:
        execute(plan, api, load_contract(), options=one_by_one(), record=recorded.append)
    first, last = [outcome.outcome.value for outcome in recorded]
    assert first == "not_honoured"
    assert last == "applied"
    assert values(transport.state, 1)["overlap"] == 2


def test_an_update_that_was_never_stored_stays_failed_when_its_answer_is_lost():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))
    transport.hook = lambda r: lost(httpx.Response(200)) if r.method == "PATCH" else None
    outcome, error = applied(transport, plan)[1]
    assert (outcome, "connection reset" in error) == ("failed", True)


def test_a_task_with_objects_too_deep_to_write_fails_alone():
    transport = Hooked(sandbox_with(2))
    values(transport.state, 1)["data"] = {"text": "A.", "undeclared": nested(301)}
    plan = planned(transport, desired(1, {"data": {"lang": "en"}}), desired(2, {"overlap": 2}))
    assert applied(transport, plan) == {
        1: ("failed", "its objects and lists are nested more than 300 deep"),
        2: ("applied", ""),
    }


def test_objects_deep_enough_for_anybody_are_written_back_as_they_were():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["data"] = {"text": "A.", "undeclared": nested(298)}
    plan = planned(transport, desired(1, {"data": {"lang": "en"}}))
    assert applied(transport, plan) == {1: ("applied", "")}
    assert values(transport.state, 1)["data"]["undeclared"] == nested(298)


def nested(levels: int) -> Json:
    value: Json = []
    for level in range(1, levels):
        value = {"a": value} if level % 2 else [value]
    return value


class CountingClosed(Hooked):
    """Each connection to it is closed once, when its client is."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_workers_keep_their_connections_from_batch_to_batch():
    transport = CountingClosed(sandbox_with(1100))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 1101)))
    transport.closed = 0
    outcomes = applied(transport, plan, options=ApplyOptions(concurrency=3))
    assert {outcome for outcome, _ in outcomes.values()} == {"applied"}
    # Who looks again at the end, who reads, and three who send.
    assert 1 <= transport.closed <= 2 + 3


def test_a_server_that_is_gone_at_the_last_look_is_given_up_for_all():
    transport = Hooked(sandbox_with(1100))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 1101)))
    asked: list[str] = []

    def gone_after_the_updates(request: httpx.Request) -> None:
        if transport.count("PATCH") == 1100 and request.method == "GET":
            asked.append(request.method)
            raise httpx.ConnectError("Connection refused")

    transport.hook = gone_after_the_updates
    outcomes = applied(transport, plan)
    assert len(asked) == 5
    assert {outcome for outcome, _ in outcomes.values()} == {"failed"}
    assert all(error.startswith("stored, but not seen again: ") for _, error in outcomes.values())


def test_an_answer_without_the_attribute_does_not_make_its_removal_done_already():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["meta"] = {"old": 1}
    plan = planned(transport, desired(1, {}, absent=("meta.old",)))

    def without_meta(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET":
            return None
        row = {"id": 1, "project": 7, "data": {"text": "A."}}
        return httpx.Response(200, json={"total": 1, "tasks": [row]})

    transport.hook = without_meta
    assert applied(transport, plan)[1][0] == "stale"


def test_an_answer_that_lost_what_nobody_declared_is_never_called_applied():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"data": {"lang": "en"}}))
    row = {"id": 1, "project": 7, "data": {"lang": "en"}}
    transport.hook = instead(1, httpx.Response(200, json=row))
    assert applied(transport, plan) == {
        1: ("failed", "the server answered 200 and stored data otherwise than sent"),
    }


def test_a_last_look_that_fails_is_told_and_claims_nothing():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))

    def fail_after_the_update(_: httpx.Request) -> httpx.Response | None:
        return httpx.Response(502) if transport.count("PATCH") and reads_after() else None

    def reads_after() -> bool:
        return transport.requests[-1].method == "GET"

    transport.hook = fail_after_the_update
    outcome, error = applied(transport, plan)[1]
    assert outcome == "failed"
    assert error.startswith("stored, but not seen again: ")


def test_every_line_is_written_before_the_next_update_is_sent():
    transport = Hooked(sandbox_with(4))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 5)))
    recorded: list[int] = []

    def in_step(request: httpx.Request) -> None:
        if request.method == "PATCH":
            assert len(recorded) == transport.count("PATCH") - 1

    transport.hook = in_step
    with api_of(transport) as api:
        execute(
            plan,
            api,
            load_contract(),
            options=one_by_one(),
            record=lambda outcome: recorded.append(outcome.task),
        )
    assert recorded == [1, 2, 3, 4]


def test_a_line_that_cannot_be_written_stops_before_the_next_update():
    transport = Hooked(sandbox_with(20))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 21)))

    def disk_is_full(outcome: TaskOutcome) -> None:
        if outcome.task >= 2:
            raise Refused("no space left")

    with api_of(transport) as api, pytest.raises(Refused, match="no space left"):
        execute(plan, api, load_contract(), options=one_by_one(), record=disk_is_full)
    assert list(sent_bodies(transport)) == ["/api/tasks/1/", "/api/tasks/2/"]


def test_one_thread_at_a_time_writes():
    transport = Hooked(sandbox_with(40))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 41)))
    writing = threading.Lock()

    def record(_: TaskOutcome) -> None:
        assert writing.acquire(blocking=False)
        writing.release()

    with api_of(transport) as api:
        outcomes = execute(
            plan, api, load_contract(), options=ApplyOptions(concurrency=16), record=record
        )
    assert {outcome.outcome for outcome in outcomes} == {Outcome.APPLIED}


def test_outcomes_come_in_the_order_of_the_plan():
    transport = Hooked(sandbox_with(30))
    values(transport.state, 7)["overlap"] = 5
    plan = planned(
        transport, *(desired(task, {"overlap": 2}) for task in range(30, 0, -1)), desired(99)
    )
    values(transport.state, 7)["overlap"] = 6
    outcomes = applied(transport, plan, options=ApplyOptions(concurrency=8))
    assert list(outcomes) == [*range(1, 31), 99]
    assert outcomes[7][0] == "stale"
    assert outcomes[99][0] == "missing"


def test_tasks_that_the_plan_leaves_alone_are_reported_as_accepted():
    left = [
        replace(update(task), status=status)
        for task, status in enumerate((Status.MISSING, Status.BLOCKED, Status.UNREADABLE), start=1)
    ]
    transport = Hooked(sandbox_with(0))
    with api_of(transport) as api:
        outcomes = execute(
            plan_of(*left), api, load_contract(), options=one_by_one(), record=lambda _: None
        )
    assert [(o.outcome.value, o.accepted) for o in outcomes] == [
        ("missing", True),
        ("blocked", True),
        ("blocked", True),
    ]
    assert transport.requests == []


@pytest.mark.usefixtures("large_batches")
def test_a_thousand_changes_take_a_thousand_updates_and_four_reads():
    transport = Hooked(sandbox_with(1000))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 1001)))
    outcomes = applied(transport, plan, options=ApplyOptions(concurrency=8))
    assert {outcome for outcome, _ in outcomes.values()} == {"applied"}
    assert (transport.count("PATCH"), transport.count("GET")) == (1000, 4)


@pytest.mark.usefixtures("large_batches")
def test_the_next_batch_is_read_while_the_last_updates_of_the_one_before_are_sent():
    transport = Hooked(sandbox_with(1100))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 1101)))
    outcomes = applied(transport, plan, options=ApplyOptions(concurrency=2))
    assert {outcome for outcome, _ in outcomes.values()} == {"applied"}
    methods = [sent.method for sent in transport.requests if sent.method != "OPTIONS"]
    reads = [n for n, method in enumerate(methods) if method == "GET"]
    sent_before = [n - earlier for earlier, n in enumerate(reads)]
    assert sent_before[0] == 0
    # What is sent in a fifth of a second depends on the machine.
    assert 0 < sent_before[1] <= 500 < sent_before[2] <= 1000
    assert sent_before[3:] == [1100] * 3


def test_updates_that_are_kept_apart_begin_as_few_a_second_as_somebody_asked_for(
    monkeypatch: pytest.MonkeyPatch,
):
    transport = Hooked(sandbox_with(6))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 7)))
    options = ApplyOptions(concurrency=1, rps=0.5)
    now = [100.0]

    def wait(seconds: float | None = None) -> bool:
        now[0] += seconds or 0
        return False

    begun: list[float] = []

    class Noting(RateLimiter):
        def wait(self) -> bool:
            took = super().wait()
            begun.append(now[0])
            return took

    monkeypatch.setattr(options.stop, "wait", wait)
    limiter = partial(Noting, now=lambda: now[0])
    monkeypatch.setattr("reconciler.executor.execution.RateLimiter", limiter)
    read: list[float] = []
    transport.hook = lambda r: read.append(now[0]) if r.method == "GET" else None
    assert {outcome for outcome, _ in applied(transport, plan, options=options).values()} == {
        "applied"
    }
    assert begun == [100, 102, 104, 106, 108, 110]
    # Each is read just before its turn, whatever time is left until then.
    assert read == pytest.approx([100, 101.8, 103.8, 105.8, 107.8, 109.8, 110])


def test_updates_that_wait_for_their_turn_are_interrupted_by_a_stop():
    transport = Hooked(sandbox_with(6))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 7)))
    options = ApplyOptions(rps=0.001)
    transport.hook = before_first("PATCH", options.stop.set)
    outcomes = applied(transport, plan, options=options)
    assert [outcome for outcome, _ in outcomes.values()] == ["applied", *["interrupted"] * 5]
    assert transport.count("PATCH") == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_asked_too_much_at_once_is_asked_less(
    status: int, monkeypatch: pytest.MonkeyPatch
):
    transport = Hooked(sandbox_with(60))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 61)))
    halved: list[int] = []
    crowded = UpdateConcurrency.crowded

    def noted(pace: UpdateConcurrency) -> UpdateConcurrency:
        halved.append(crowded(pace).limit)
        return crowded(pace)

    monkeypatch.setattr(UpdateConcurrency, "crowded", noted)
    busy = httpx.Response(status, json={"detail": "Slow down."})
    transport.hook = lambda r: (
        busy if r.method == "PATCH" and transport.count("PATCH") < 5 else None
    )
    outcomes = applied(transport, plan, options=ApplyOptions(concurrency=8))
    assert {outcome for outcome, _ in outcomes.values()} == {"applied"}
    assert transport.count("PATCH") == 60 + 4
    assert 2 in halved


def test_an_error_that_nobody_foresaw_ends_the_run_and_sends_nothing_twice():
    transport = Hooked(sandbox_with(600))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 601)))

    def fail(request: httpx.Request) -> None:
        if request.url.path == "/api/tasks/300/":
            raise ZeroDivisionError

    transport.hook = fail
    with pytest.raises(ZeroDivisionError):
        applied(transport, plan, options=ApplyOptions(concurrency=8))
    sent = [request.url.path for request in transport.requests if request.method == "PATCH"]
    assert len(sent) == len(set(sent))
    assert 300 <= len(sent) <= 308


def test_only_what_is_to_be_changed_is_read_afresh():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2, "inner_id": 1, "meta": {}}))
    applied(transport, plan)
    assert query_of(transport.requests[0])["include"] == "data,id,overlap,project"


def test_no_request_deletes():
    transport = Hooked(sandbox_with(3))
    values(transport.state, 1)["meta"] = {"old": 1}
    tasks: list[TaskPlan | DesiredTask] = [
        desired(1, absent=("meta.old",)),
        desired(2, {"meta": None}),
        desired(3, {"meta": {}}, replaced=("meta",)),
    ]
    applied(transport, planned(transport, *tasks))
    assert {request.method for request in transport.requests} == {"GET", "PATCH"}


def test_a_canary_that_holds_is_followed_by_the_rest():
    transport = Hooked(sandbox_with(5))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 6)))
    became = applied(transport, plan, options=ApplyOptions(concurrency=1, canary=2))
    assert {outcome for outcome, _ in became.values()} == {"applied"}
    methods = [request.method for request in transport.requests]
    first, rest = ["GET", "OPTIONS", "PATCH", "PATCH", "GET"], ["GET", *["PATCH"] * 3, "GET"]
    assert methods == first + rest


def test_a_canary_that_does_not_last_is_the_end_of_it():
    transport = Hooked(sandbox_with(4))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 5)))

    def undone(request: httpx.Request) -> None:
        if request.method == "GET" and transport.count("PATCH") == 2:
            transport.state.tasks[1].values["overlap"] = 1

    transport.hook = undone
    became = applied(transport, plan, options=ApplyOptions(concurrency=1, canary=2))
    assert [outcome for outcome, _ in became.values()] == [
        "not_honoured",
        "applied",
        "interrupted",
        "interrupted",
    ]
    assert became[3][1] == "the canary did not hold"
    assert transport.count("PATCH") == 2


def test_a_canary_that_is_as_declared_already_holds():
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in (1, 2)))
    transport.state.tasks[1].values["overlap"] = 2
    became = applied(transport, plan, options=ApplyOptions(concurrency=1, canary=1))
    assert [outcome for outcome, _ in became.values()] == ["already", "applied"]


def test_what_is_settled_tells_only_of_the_changes_that_were_sent():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2, "inner_id": 5}))
    transport.state.tasks[1].values["overlap"] = 2

    def lost(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH":
            SandboxTransport.handle_request(transport, request)
            raise httpx.ReadError("lost")
        return None

    transport.hook = lost
    with api_of(transport) as api:
        (outcome,) = execute(
            plan, api, load_contract(), options=one_by_one(), record=lambda _: None
        )
    assert outcome.outcome is Outcome.APPLIED
    assert [change.path for change in outcome.changes] == [("inner_id",)]
