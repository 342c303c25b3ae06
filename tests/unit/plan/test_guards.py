"""What is not written although it is declared, and why."""

from __future__ import annotations

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.plan.guards import guard, may_remove_keys, resolved_address
from reconciler.plan.model import Change, Kind, TaskProblem
from reconciler.plan.values import ABSENT, Json
from tests.unit.plan.building import change

RESOLVED = "/tasks/10/resolve/?fileuri=czM6Ly9idWNrZXQveC5qcGc="
LIVE: dict[str, Json] = {"data": {"text": "A.", "image": {"url": "s3://b/1.jpg"}}, "project": 7}


def judge(*changes: Change, labelled: tuple[tuple[str, ...], ...] = ()) -> list[TaskProblem]:
    return list(guard(changes, LIVE, attributes=load_contract(), labelled=labelled))


@pytest.mark.parametrize(
    "value",
    [
        RESOLVED,
        f"https://label-studio.example.org{RESOLVED}",
        f'<img src="{RESOLVED}">',
        "/projects/3/resolve/?fileuri=czM6Ly8=",
        "/tasks/10/presign/?fileuri=czM6Ly8=",
        "/tasks/10/resolve?fileuri=czM6Ly8=",
        ["x", {"deep": [None, RESOLVED]}],
    ],
)
def test_an_address_that_the_server_made_up_is_found_wherever_it_is(value: Json):
    assert resolved_address(value) is not None


@pytest.mark.parametrize(
    "value",
    [
        "s3://bucket/tasks/10/resolve",
        "/tasks/10/annotations/?fileuri=x",
        "/tasks/x/resolve/?fileuri=y",
        "fileuri",
        {RESOLVED: "a key is no value"},
        10,
        None,
        ABSENT,
    ],
)
def test_other_values_are_not_taken_for_one(value: Json):
    assert resolved_address(value) is None


def test_writing_a_resolved_address_is_stopped_by_its_path():
    [problem] = judge(change("data.image.url", "s3://b/1.jpg", RESOLVED))
    assert problem.kind is Kind.RESOLVED_ADDRESS
    assert problem.message == (
        f'data.image.url would store "{RESOLVED}", an address that the server made up on reading'
    )
    assert problem.hint == "declare the stored address, such as s3://bucket/key"


def test_taking_a_resolved_address_away_is_not_stopped():
    assert judge(change("data.image.url", RESOLVED, "s3://b/1.jpg")) == []


def test_moving_a_task_is_stopped():
    [problem] = judge(change("project", 7, 8))
    assert problem.kind is Kind.PROJECT_MOVE
    assert problem.message == "would move the task from project 7 to project 8"


@pytest.mark.parametrize(
    "changes",
    [
        (change("data.text", "A.", ABSENT), change("data.image", {"url": "s"}, ABSENT)),
        (change("data", LIVE["data"], {}),),
    ],
)
def test_removing_every_key_of_data_is_stopped(changes: tuple[Change, ...]):
    assert [problem.kind for problem in judge(*changes)] == [Kind.EMPTY_DATA]


def test_data_that_gets_a_key_for_each_that_goes_is_not_emptied():
    goes = (change("data.text", "A.", ABSENT), change("data.image", {"url": "s"}, ABSENT))
    assert judge(*goes, change("data.new", ABSENT, None)) == []


@pytest.mark.parametrize(
    ("labelled", "gone"),
    [
        (("text",), change("data.text", "A.", ABSENT)),
        (("image",), change("data.image", {"url": "s"}, ABSENT)),
        (("image", "url"), change("data.image.url", "s", ABSENT)),
        (("image", "url"), change("data.image", {"url": "s"}, ABSENT)),
        (("image", "url"), change("data.image", {"url": "s"}, "now a string")),
        (("text",), change("data", LIVE["data"], {"other": 1})),
    ],
)
def test_removing_what_labels_show_is_stopped(labelled: tuple[str, ...], gone: Change):
    [problem] = judge(gone, labelled=(labelled,))
    assert problem.kind is Kind.LABEL_CONFIG
    assert problem.message == (
        f"would remove data.{'.'.join(labelled)}, which the label config of the project uses"
    )


def test_what_labels_show_may_change_and_the_rest_may_go():
    labelled = (("text",), ("never.there",), ("image",))
    assert judge(change("data.text", "A.", None), labelled=labelled) == []
    assert judge(change("data.image.url", "s", ABSENT), labelled=labelled) == []


def test_computed_attributes_are_a_warning_in_one_line():
    [problem] = judge(
        change("is_labeled", False, True),  # noqa: FBT003 - a value
        change("overlap", 1, 2),
        change("total_annotations", 0, 3),
    )
    assert problem.kind is Kind.COMPUTED
    assert problem.message == (
        "the server computes is_labeled, total_annotations and will overwrite what is written"
    )


@pytest.mark.parametrize(
    ("changed", "needed"),
    [
        (change("data.a", ABSENT, 1), False),
        (change("data.a", 1, 2), False),
        (change("data.a", 1, ABSENT), True),
        (change("data.a", {"b": 1}, 2), True),
        (change("meta.a", 1, ABSENT), False),
        (change("overlap", 1, 2), False),
    ],
)
def test_the_label_config_is_asked_for_only_where_a_key_of_data_may_go(
    changed: Change, *, needed: bool
):
    assert may_remove_keys([changed]) is needed
