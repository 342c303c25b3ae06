"""What the server says now decides what is sent: stale, done, blocked, or still to do."""

from __future__ import annotations

import httpx
import pytest

from reconciler.core.problems import Kind
from reconciler.core.report import TaskOutcome
from reconciler.core.values import ABSENT, Json
from reconciler.executor.execution_options import ExecutionOptions
from tests.sandboxed import apply_plan, apply_with, outcomes_of, plan_tasks, plan_with
from tests.unit.core.building import allowing, change, desired, plan_of, update
from tests.unit.executor.meanwhile import before_first, sent_bodies, values
from tests.unit.labelstudio.wired import Hooked, api_of, query_of, sandbox_with


def test_a_declared_path_that_somebody_changed_since_the_plan_is_left_alone():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"overlap": 3}), desired(2, {"overlap": 3}))
    values(transport.state, 1)["overlap"] = 2
    assert outcomes_of(transport, plan) == {
        1: ("stale", "changed on the server since the plan: overlap"),
        2: ("applied", ""),
    }
    assert values(transport.state, 1)["overlap"] == 2
    assert sent_bodies(transport) == {"/api/tasks/2/": {"overlap": 3}}


def test_a_task_of_which_one_path_is_stale_is_left_alone_as_a_whole():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 3, "data": {"lang": "en", "text": "B."}}))
    values(transport.state, 1)["data"] = {"text": "Somebody's."}
    assert outcomes_of(transport, plan) == {
        1: ("stale", "changed on the server since the plan: data.text"),
    }
    assert sent_bodies(transport) == {}


def test_a_key_that_somebody_removed_together_with_its_object_is_stale():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["meta"] = {"a": {"b": 1}}
    plan = plan_tasks(transport, desired(1, {"meta": {"a": {"c": 2}}}))
    values(transport.state, 1)["meta"] = {}
    assert outcomes_of(transport, plan) == {
        1: ("stale", "changed on the server since the plan: meta.a.c")
    }


def test_an_undeclared_path_that_somebody_changed_since_the_plan_is_kept():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))
    values(transport.state, 1)["data"] = {"text": "Edited.", "new": [1]}
    values(transport.state, 1)["meta"] = {"also": "new"}
    assert outcomes_of(transport, plan) == {1: ("applied", "")}
    assert values(transport.state, 1)["data"] == {"text": "Edited.", "new": [1], "lang": "en"}
    assert values(transport.state, 1)["meta"] == {"also": "new"}


def test_what_is_as_declared_already_is_not_sent_again():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 3}))
    values(transport.state, 1)["overlap"] = 3
    assert outcomes_of(transport, plan) == {1: ("already", "")}
    assert transport.count("GET") == 1
    assert transport.count("PATCH") == 0


def test_only_what_is_still_to_be_done_is_sent_and_reported():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 3, "meta": {"a": 1}}))
    values(transport.state, 1)["overlap"] = 3
    recorded: list[TaskOutcome] = []
    apply_plan(transport, plan, record=recorded.append)
    assert sent_bodies(transport) == {"/api/tasks/1/": {"meta": {"a": 1}}}
    assert [[c.path for c in outcome.changes] for outcome in recorded] == [[("meta", "a")]]


def test_carrying_the_same_plan_out_again_finds_everything_done():
    transport = Hooked(sandbox_with(3))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in (1, 2, 3)))
    outcomes_of(transport, plan)
    transport.requests.clear()
    assert {said for said, _ in outcomes_of(transport, plan).values()} == {"already"}
    assert transport.count("PATCH") == 0


def test_a_task_that_disappeared_since_the_plan_is_missing():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))
    del transport.state.tasks[1]
    transport.state.projects[7].task_ids.remove(1)
    assert outcomes_of(transport, plan) == {
        1: ("missing", "the server no longer finds the task"),
        2: ("applied", ""),
    }


def test_a_task_that_goes_between_the_fresh_read_and_its_update_has_failed():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))

    def delete() -> None:
        transport.state.tasks.pop(1)
        transport.state.projects[7].task_ids.remove(1)

    transport.hook = before_first("PATCH", delete)
    outcomes = outcomes_of(transport, plan)
    assert outcomes[1][0] == "failed"
    assert "No Task matches the given query." in outcomes[1][1]
    assert outcomes[2] == ("applied", "")


def test_a_task_that_moved_to_another_project_since_the_plan_is_stale():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))
    state = transport.state
    other = state.add_project("Other", number=8)
    state.projects[7].task_ids.remove(1)
    other.task_ids.append(1)
    values(state, 1)["project"] = 8
    assert outcomes_of(transport, plan) == {
        1: ("stale", "the task is in a different project than when it was planned"),
    }
    assert transport.count("PATCH") == 0


def test_a_task_that_broke_since_the_plan_has_failed_and_the_others_go_on():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))
    values(transport.state, 1)["data"] = 1
    outcomes = outcomes_of(transport, plan)
    assert outcomes[1][0] == "failed"
    assert "returned 500" in outcomes[1][1]
    assert outcomes[2] == ("applied", "")


def test_guards_judge_the_fresh_task_and_not_the_planned_one():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["data"] = {"text": "A.", "old": 1, "new": 2}
    transport.state.projects[7].label_config = "<View/>"
    plan = plan_tasks(transport, desired(1, absent=("data.old",)))
    values(transport.state, 1)["data"] = {"old": 1}
    assert outcomes_of(transport, plan) == {1: ("blocked", "would remove every key of data")}
    assert values(transport.state, 1)["data"] == {"old": 1}


def test_guards_judge_with_the_label_config_that_the_project_has_now():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["data"] = {"text": "A.", "image": "1.jpg"}
    plan = plan_tasks(transport, desired(1, absent=("data.image",)))
    transport.state.projects[7].label_config = '<View><Image name="i" value="$image"/></View>'
    assert outcomes_of(transport, plan) == {
        1: ("blocked", "would remove data.image, which the project's label config uses"),
    }


def test_a_task_that_is_annotated_since_the_plan_is_left_alone():
    transport = Hooked(sandbox_with(2))
    change_text: list[dict[str, Json]] = [{"data": {"text": "B."}}, {"data": {"lang": "en"}}]
    plan = plan_tasks(transport, *(desired(n, new) for n, new in enumerate(change_text, 1)))
    for task in (1, 2):
        values(transport.state, task)["total_annotations"] = 2
    assert outcomes_of(transport, plan) == {
        1: ("blocked", "would change data.text of a task that has 2 annotations"),
        2: ("applied", ""),
    }
    assert values(transport.state, 1)["data"] == {"text": "Sentence 1."}


def test_a_plan_of_something_that_the_server_ignores_is_stopped_before_it_is_sent():
    transport = Hooked(sandbox_with(2))
    lead_time = update(1, change("avg_lead_time", None, 2.5))
    plan = plan_of(lead_time, update(2, change("overlap", 1, 2)))
    assert outcomes_of(transport, plan) == {
        1: (
            "blocked",
            "this server returns 200 for an update of avg_lead_time but does not store it",
        ),
        2: ("applied", ""),
    }
    assert [request.method for request in transport.requests] == ["GET", "OPTIONS", "PATCH", "GET"]


def test_what_is_stored_is_asked_once_for_a_plan_and_its_apply():
    transport = Hooked(sandbox_with(3))
    with api_of(transport) as api:
        plan = plan_with(api, [desired(task, {"overlap": 2}) for task in (1, 2, 3)])
        apply_with(api, plan)
    assert transport.count("OPTIONS") == 1


def test_what_is_stored_is_not_asked_for_data_and_meta():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"text": "B."}, "meta": {"n": 1}}))
    assert outcomes_of(transport, plan) == {1: ("applied", "")}
    assert transport.count("OPTIONS") == 0


def test_what_was_allowed_for_the_plan_is_allowed_for_its_apply():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["data"] = {"text": "A.", "more": 1}
    allow = allowing(Kind.LABEL_CONFIG)
    plan = plan_tasks(transport, desired(1, absent=("data.text",)), allow=allow)
    options = ExecutionOptions(allow=allow, concurrency=1)
    assert outcomes_of(transport, plan, options=options) == {1: ("applied", "")}


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
    options = ExecutionOptions(allow=allowing(*Kind), concurrency=1)
    outcome, error = outcomes_of(transport, plan, options=options)[1]
    assert outcome == "blocked"
    assert (
        error == f"the update of task 1 is invalid: the API does not allow these values of {path}"
    )
    assert transport.count("PATCH") == 0


def test_a_null_project_never_leaves_even_where_moving_is_allowed():
    transport = Hooked(sandbox_with(1))
    plan = plan_of(update(1, change("project", 7, None)))
    options = ExecutionOptions(allow=allowing(*Kind), concurrency=1)
    assert outcomes_of(transport, plan, options=options)[1][0] == "blocked"
    assert transport.count("PATCH") == 0


def test_a_resolved_address_never_leaves_even_out_of_a_plan():
    transport = Hooked(sandbox_with(1))
    resolved = "/tasks/1/resolve/?fileuri=czM6Ly9iL3guanBn"
    plan = plan_of(update(1, change("data.image", ABSENT, resolved)))
    outcome, error = outcomes_of(transport, plan)[1]
    assert outcome == "blocked"
    assert error.startswith('would store "/tasks/1/resolve/?fileuri=')
    assert transport.count("PATCH") == 0


def test_a_task_with_objects_too_deep_to_write_fails_alone():
    transport = Hooked(sandbox_with(2))
    values(transport.state, 1)["data"] = {"text": "A.", "undeclared": nested(301)}
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}), desired(2, {"overlap": 2}))
    assert outcomes_of(transport, plan) == {
        1: ("failed", "its objects and lists are nested more than 300 deep"),
        2: ("applied", ""),
    }


def test_objects_deep_enough_for_anybody_are_written_back_as_they_were():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["data"] = {"text": "A.", "undeclared": nested(298)}
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))
    assert outcomes_of(transport, plan) == {1: ("applied", "")}
    assert values(transport.state, 1)["data"]["undeclared"] == nested(298)


def nested(levels: int) -> Json:
    value: Json = []
    for level in range(1, levels):
        value = {"a": value} if level % 2 else [value]
    return value


def test_an_answer_without_the_attribute_does_not_make_its_removal_done_already():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["meta"] = {"old": 1}
    plan = plan_tasks(transport, desired(1, {}, absent=("meta.old",)))

    def without_meta(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET":
            return None
        row = {"id": 1, "project": 7, "data": {"text": "A."}}
        return httpx.Response(200, json={"total": 1, "tasks": [row]})

    transport.hook = without_meta
    assert outcomes_of(transport, plan)[1][0] == "stale"


def test_only_what_is_to_be_changed_is_read_afresh():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2, "inner_id": 1, "meta": {}}))
    outcomes_of(transport, plan)
    assert query_of(transport.requests[0])["include"] == "data,id,overlap,project"
