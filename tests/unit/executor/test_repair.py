"""Other clients that write objects whole while an apply is under way, and what is done about it."""

from __future__ import annotations

import threading
from datetime import timedelta

import httpx

from reconciler.core.plan_model import Plan
from reconciler.core.report import TaskOutcome
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.sandboxed import apply_plan, methods, plan_tasks
from tests.unit.core.building import desired
from tests.unit.executor.meanwhile import Client, after_update, overwriting
from tests.unit.labelstudio.patient import Patient
from tests.unit.labelstudio.wired import Hooked, Noted, sandbox_with

UNDONE = "stored, but different when read again: "


def carried_out(
    transport: Hooked,
    plan: Plan,
    *,
    options: ExecutionOptions | None = None,
    backoff: Patient | None = None,
) -> dict[int, TaskOutcome]:
    outcomes = apply_plan(transport, plan, options=options, backoff=backoff)
    return {outcome.task: outcome for outcome in outcomes}


def test_a_key_that_another_client_wrote_over_is_there_at_the_end_and_so_is_theirs():
    transport, progress = Hooked(sandbox_with(3)), Noted()
    plan = plan_tasks(transport, *(desired(n, {"data": {"lang": "en"}}) for n in (1, 2, 3)))
    after_update(transport, overwriting(transport), of=[2])
    backoff = Patient()
    options = ExecutionOptions(concurrency=1, progress=progress)
    outcomes = carried_out(transport, plan, options=options, backoff=backoff)
    assert {n: (o.outcome.value, o.repairs) for n, o in outcomes.items()} == {
        1: ("applied", 0),
        2: ("applied", 1),
        3: ("applied", 0),
    }
    data = transport.state.tasks[2].values["data"]
    assert data == {"text": "Sentence 2.", "lang": "en", "theirs": 2}
    # Beside the first look: a read just before, the update, and another look.
    assert methods(transport) == "GET PATCH PATCH PATCH GET GET PATCH GET"
    assert backoff.waited == [2.0, 3.0]
    assert progress.notes == [
        "1 task: another client undid stored changes; applying them again (round 1 of 2)"
    ]


def test_updates_and_repairs_are_sent_as_many_at_once_as_a_run_begins_with():
    transport, watch = Hooked(sandbox_with(12)), Noted()
    plan = plan_tasks(transport, *(desired(n, {"data": {"a": n}}) for n in range(1, 13)))
    after_update(transport, overwriting(transport))
    undo, together = transport.hook, threading.Barrier(4)

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH":
            together.wait(10)
        return undo(request)

    transport.hook = hook
    options = ExecutionOptions(concurrency=8, progress=watch)
    outcomes = carried_out(transport, plan, options=options)
    assert {(o.outcome.value, o.repairs) for o in outcomes.values()} == {("applied", 1)}
    looking, repairing = "verifying the changes", "applying undone changes again"
    assert watch.begun == ["applying", looking, repairing, looking]


def test_a_client_that_keeps_undoing_changes_wins_after_two_rounds():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))
    after_update(transport, overwriting(transport), times=9)
    backoff = Patient()
    outcome = carried_out(transport, plan, backoff=backoff)[1]
    assert (outcome.outcome.value, outcome.error) == ("not_honoured", UNDONE + "data.lang")
    assert outcome.repairs == 2
    assert transport.count("PATCH") == 3
    assert backoff.waited == [2.0, 3.0, 2.0, 3.0]
    assert "lang" not in Client(transport).read(1)


def test_another_value_at_the_same_path_is_never_fought_over():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, *(desired(n, {"data": {"lang": "en", "n": n}}) for n in (1, 2)))
    client = Client(transport)
    after_update(
        transport, lambda task: client.write(task, data={"text": "t", "lang": "nl"}), of=[1]
    )
    outcomes = carried_out(transport, plan)
    assert outcomes[1].error == UNDONE + "data.lang, data.n"
    assert outcomes[1].outcome.value == "not_honoured"
    assert transport.count("PATCH") == 2
    assert client.read(1) == {"text": "t", "lang": "nl"}


def test_an_attribute_that_is_set_back_is_left_as_it_is():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2, "meta": {"m": 1}}))
    client = Client(transport)
    after_update(transport, lambda task: client.write(task, overlap=1))
    outcome = carried_out(transport, plan)[1]
    assert (outcome.outcome.value, outcome.error) == ("not_honoured", UNDONE + "overlap")
    assert transport.count("PATCH") == 1
    assert transport.state.tasks[1].values["overlap"] == 1


def test_a_write_of_more_than_a_minute_later_is_meant():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}), desired(2, {"overlap": 2}))
    overwrite, state = overwriting(transport), transport.state
    clock = state.clock

    def later(_: int) -> None:
        state.clock = lambda: clock() + timedelta(seconds=61)
        overwrite(1)

    after_update(transport, later, of=[2])
    assert carried_out(transport, plan)[1].error == UNDONE + "data.lang"
    assert transport.count("PATCH") == 2


def test_what_somebody_set_during_the_pause_is_left_alone():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))
    after_update(transport, overwriting(transport))
    client = Client(transport)

    class Busy(Patient):
        def wait(self, seconds: float) -> bool:
            client.write(1, data={**client.read(1), "lang": "nl"})
            return super().wait(seconds)

    outcome = carried_out(transport, plan, backoff=Busy())[1]
    assert (outcome.outcome.value, outcome.repairs) == ("not_honoured", 0)
    assert transport.count("PATCH") == 1
    assert client.read(1)["lang"] == "nl"


def test_guards_judge_a_repair_as_any_update():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"text": "B."}}))
    client = Client(transport)

    def annotate_and_undo(task: int) -> None:
        client.write(task, data={"text": "Sentence 1."}, total_annotations=1)

    after_update(transport, annotate_and_undo)
    assert carried_out(transport, plan)[1].outcome.value == "not_honoured"
    assert transport.count("PATCH") == 1


def test_an_update_whose_answer_was_lost_proves_nothing_and_is_not_repaired():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}), desired(2, {"overlap": 2}))
    server, overwrite = SandboxTransport(transport.state), overwriting(transport)

    def hook(request: httpx.Request) -> None:
        if request.method == "PATCH" and request.url.path == "/api/tasks/1/":
            server.handle_request(request)
            raise httpx.ReadError("lost")
        if request.method == "PATCH":
            overwrite(1)

    transport.hook = hook
    outcome = carried_out(transport, plan)[1]
    assert (outcome.outcome.value, outcome.repairs) == ("not_honoured", 0)
    assert transport.count("PATCH") == 2


def test_a_stop_during_the_pause_leaves_it_as_it_is():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))
    after_update(transport, overwriting(transport))
    options = ExecutionOptions(concurrency=1)

    class Interrupted(Patient):
        def wait(self, seconds: float) -> bool:
            options.stop.set()
            return super().wait(seconds)

    outcome = carried_out(transport, plan, options=options, backoff=Interrupted())[1]
    assert outcome.outcome.value == "not_honoured"
    assert methods(transport) == "GET PATCH GET"


def test_a_run_that_was_stopped_repairs_nothing():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, *(desired(n, {"data": {"lang": "en"}}) for n in (1, 2)))
    overwrite, options = overwriting(transport), ExecutionOptions(concurrency=1)

    def overwrite_and_stop(task: int) -> None:
        overwrite(task)
        options.stop.set()

    after_update(transport, overwrite_and_stop, of=[1])
    outcomes = carried_out(transport, plan, options=options)
    assert [o.outcome.value for o in outcomes.values()] == ["not_honoured", "interrupted"]
    assert transport.count("PATCH") == 1


def test_a_server_that_fails_during_a_repair_leaves_what_was_seen_before():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))
    overwrite, server = overwriting(transport), SandboxTransport(transport.state)

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH":
            answer = server.handle_request(request)
            overwrite(1)
            return answer
        looks = transport.count("PATCH") and transport.count("GET") > 2
        return httpx.Response(403, json={"detail": "No."}) if looks else None

    transport.hook = hook
    outcome = carried_out(transport, plan)[1]
    assert (outcome.outcome.value, outcome.error) == ("not_honoured", UNDONE + "data.lang")


def test_a_repair_whose_answer_lost_what_nobody_declared_is_never_called_applied():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))
    overwrite, server = overwriting(transport), SandboxTransport(transport.state)

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH":
            return None
        answer = server.handle_request(request)
        if transport.count("PATCH") == 1:
            overwrite(1)
            return answer
        row = {"id": 1, "project": 7, "data": {"lang": "en"}}
        return httpx.Response(200, json=row, request=request)

    transport.hook = hook
    outcome = carried_out(transport, plan)[1]
    said = "the server returned 200 but stored data differently than sent"
    assert (outcome.outcome.value, outcome.error) == ("failed", said)
    assert transport.count("PATCH") == 2


def test_where_others_write_to_the_same_tasks_the_last_updates_are_looked_at_once_more():
    """Whoever lags behind us by a moment undoes our last update after the first look at it."""
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, *(desired(n, {"data": {"lang": "en"}}) for n in (1, 2)))
    client, overwrite = Client(transport), overwriting(transport)
    after_update(transport, lambda task: client.write(task, data=client.read(task)), of=[1])

    class Late(Patient):
        def wait(self, seconds: float) -> bool:
            if not self.waited:
                overwrite(2)
            return super().wait(seconds)

    backoff = Late()
    outcomes = carried_out(transport, plan, backoff=backoff)
    assert [(o.outcome.value, o.repairs) for o in outcomes.values()] == [
        ("applied", 0),
        ("applied", 1),
    ]
    assert backoff.waited == [3.0, 2.0, 3.0]
    assert Client(transport).read(2) == {"text": "Sentence 2.", "lang": "en", "theirs": 2}


def test_without_other_writes_there_is_no_pause():
    transport, backoff = Hooked(sandbox_with(2)), Patient()
    plan = plan_tasks(transport, *(desired(n, {"data": {"lang": "en"}}) for n in (1, 2)))
    carried_out(transport, plan, backoff=backoff)
    assert backoff.waited == []
    assert methods(transport) == "GET PATCH PATCH GET"


def test_with_care_each_task_is_read_in_the_list_just_before_its_update():
    transport = Hooked(sandbox_with(3))
    plan = plan_tasks(transport, *(desired(n, {"data": {"lang": "en"}}) for n in (1, 2, 3)))
    outcomes = carried_out(transport, plan, options=ExecutionOptions(concurrency=1, careful=True))
    assert {o.outcome.value for o in outcomes.values()} == {"applied"}
    assert methods(transport) == "GET PATCH GET PATCH GET PATCH GET"
    assert {r.url.path for r in transport.requests if r.method == "GET"} == {"/api/tasks/"}


def test_with_care_what_others_write_between_two_updates_is_kept():
    transport = Hooked(sandbox_with(20))
    plan = plan_tasks(transport, *(desired(n, {"data": {"lang": "en"}}) for n in range(1, 21)))
    client = Client(transport)

    def edit_the_next(task: int) -> None:
        if task < 20:
            client.write(task + 1, data={**client.read(task + 1), "theirs": 1})

    after_update(transport, edit_the_next)
    carried_out(transport, plan, options=ExecutionOptions(concurrency=1, careful=True))
    for task in range(2, 21):
        assert client.read(task) == {"text": f"Sentence {task}.", "lang": "en", "theirs": 1}


def test_with_care_a_task_is_read_again_before_an_update_that_the_server_had_no_room_for():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))
    client, busy = Client(transport), [httpx.Response(429, json={"detail": "No."})]

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH" or not busy:
            return None
        client.write(1, data={**client.read(1), "theirs": 1})
        return busy.pop()

    transport.hook = hook
    carried_out(transport, plan, options=ExecutionOptions(concurrency=1, careful=True))
    assert client.read(1) == {"text": "Sentence 1.", "lang": "en", "theirs": 1}
    assert methods(transport) == "GET PATCH GET PATCH GET"


def test_with_care_a_server_that_cannot_be_read_stops_the_run():
    transport = Hooked(sandbox_with(3))
    plan = plan_tasks(transport, *(desired(n, {"overlap": 2}) for n in (1, 2, 3)))
    transport.hook = lambda _: httpx.Response(503, html="<title>Busy</title>")
    outcomes = carried_out(transport, plan, options=ExecutionOptions(concurrency=1, careful=True))
    assert [o.outcome.value for o in outcomes.values()] == ["failed", "interrupted", "interrupted"]


def test_with_care_many_workers_ask_once_what_guards_must_know():
    transport = Hooked(sandbox_with(40))
    for task in range(1, 41):
        values = transport.state.tasks[task].values
        values["data"] = {"text": "t", "old": 1}
    plan = plan_tasks(
        transport, *(desired(n, {"overlap": 2}, absent=("data.old",)) for n in range(1, 41))
    )
    outcomes = carried_out(transport, plan, options=ExecutionOptions(concurrency=8, careful=True))
    assert {o.outcome.value for o in outcomes.values()} == {"applied"}
    paths = [request.url.path for request in transport.requests]
    assert (paths.count("/api/projects/7/"), transport.count("OPTIONS")) == (1, 1)
    assert transport.count("PATCH") == 40


def test_a_server_that_is_gone_when_repairs_begin_stops_the_run():
    transport, watch = Hooked(sandbox_with(4)), Noted()
    plan = plan_tasks(transport, *(desired(n, {"data": {"a": n}}) for n in range(1, 5)))
    after_update(transport, overwriting(transport))
    undo = transport.hook

    def hook(request: httpx.Request) -> httpx.Response | None:
        if watch.begun[-1].startswith("applying undone changes again"):
            raise httpx.ConnectError("Connection refused")
        return undo(request)

    transport.hook = hook
    options = ExecutionOptions(concurrency=1, progress=watch)
    outcomes = carried_out(transport, plan, options=options)
    assert options.stop.is_set()
    assert {o.outcome.value for o in outcomes.values()} == {"not_honoured"}
    assert transport.count("PATCH") == 4
