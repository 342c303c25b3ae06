"""What is not written although it is declared, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from reconciler.contract.attributes import Attributes
from reconciler.contract.honoured_attributes import mark_ignored
from reconciler.contract.openapi import load_contract
from reconciler.core.addresses import find_resolved_address
from reconciler.core.guards import (
    ProposedUpdate,
    find_problems,
    list_names_to_read,
    may_be_ignored,
    may_remove_keys,
)
from reconciler.core.model import Change, ProjectSettings
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.values import ABSENT, UNREADABLE, Json, Side
from tests.unit.core.building import SOURCE, change

RESOLVED = "/tasks/10/resolve/?fileuri=czM6Ly9idWNrZXQveC5qcGc="
CONTRACT = load_contract()
NOT_ASKED = ProjectSettings()
LIVE: dict[str, Json] = {
    "data": {"text": "A.", "image": {"url": "s3://b/1.jpg"}},
    "project": 7,
    "total_annotations": 0,
    "cancelled_annotations": 0,
}


def problems_of(
    changes: Collection[Change],
    live: Mapping[str, Side],
    *,
    attributes: Attributes = CONTRACT,
    project: ProjectSettings = NOT_ASKED,
) -> tuple[TaskProblem, ...]:
    return find_problems(ProposedUpdate(changes, live, attributes, project))


def judge(
    *changes: Change, labelled: tuple[tuple[str, ...], ...] = (), **live: Json
) -> list[TaskProblem]:
    """Judge changes; ``live`` is what is otherwise than in `LIVE`."""
    project = ProjectSettings(frozenset(labelled))
    return list(problems_of(changes, {**LIVE, **live}, project=project))


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
    assert find_resolved_address(value) is not None


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
    assert find_resolved_address(value) is None


def test_writing_a_resolved_address_is_blocked():
    [problem] = judge(change("data.image.url", "s3://b/1.jpg", RESOLVED))
    assert problem.kind is Kind.RESOLVED_ADDRESS
    assert problem.message == (
        f'would store "{RESOLVED}" in data.image.url: the server generates this address when a '
        "task is read; it is not the stored address"
    )
    assert problem.hint == "declare the stored address, such as s3://bucket/key"


def test_every_attribute_is_looked_through_for_resolved_addresses():
    live: dict[str, Json] = {**LIVE, "meta": {"a": 1, "image": RESOLVED}}
    changes = [change("data.text", "A.", "B."), change("meta.a", 1, 2)]
    assert [problem.kind for problem in problems_of(changes, live)].count(
        Kind.RESOLVED_ADDRESS
    ) == 1


def test_an_undeclared_address_that_changed_since_the_first_read_is_not_sent_along():
    live: dict[str, Json] = {**LIVE, "data": {"text": "A.", "image": "data:image/png;base64,AA"}}
    changes, known = [change("data.text", "A.", "B.")], [("data", "image")]
    [problem] = find_problems(ProposedUpdate(changes, live, CONTRACT, NOT_ASKED, known))
    assert problem.kind is Kind.RESOLVED_ADDRESS
    assert "held a storage address when this run first read it" in problem.message


def test_replacing_what_cannot_be_read_is_stopped():
    rewriting = Change(("data",), UNREADABLE, {"text": "B."}, SOURCE)
    problems = problems_of([rewriting], {**LIVE, "data": UNREADABLE})
    assert (
        Kind.REWRITE_UNREADABLE,
        "would replace the whole of data, which the server cannot read",
    ) in [(problem.kind, problem.message) for problem in problems]


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
        f"would remove data.{'.'.join(labelled)}, which the project's label config uses"
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
        "the server computes is_labeled, total_annotations and will overwrite what you write"
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


@pytest.mark.parametrize(
    ("total", "skipped", "said"),
    [
        (1, 0, "1 annotation"),
        (2, 0, "2 annotations"),
        (0, 1, "1 skipped annotation"),
        (2, 3, "2 annotations and 3 skipped annotations"),
        (2, None, "2 annotations"),
    ],
)
def test_what_people_annotated_is_not_changed_under_them(total: int, skipped: Json, said: str):
    [problem] = judge(
        change("data.text", "A.", "B."), total_annotations=total, cancelled_annotations=skipped
    )
    assert problem.kind is Kind.ANNOTATED_DATA
    assert problem.message == f"would change data.text of a task that has {said}"
    assert problem.hint == (
        "keep the data for which the annotations were made; or if intended, pass --allow "
        "annotated-data"
    )


@pytest.mark.parametrize(
    "changed",
    [
        change("data.text", "A.", None),
        change("data.image", {"url": "s"}, ABSENT),
        change("data.image.url", "s", "t"),
        change("data.image.url", "s", ABSENT),
        change("data.image", {"url": "s"}, "now a string"),
        change("data.null", None, 1),
    ],
)
def test_changing_or_removing_anything_that_is_in_data_counts(changed: Change):
    assert [problem.kind for problem in judge(changed, total_annotations=1)] == [
        Kind.ANNOTATED_DATA
    ]


@pytest.mark.parametrize(
    "changed",
    [
        change("data.new", ABSENT, 1),
        change("data.image.alt", ABSENT, "text"),
        change("meta.text", "A.", "B."),
        change("overlap", 1, 2),
    ],
)
def test_adding_a_key_and_changing_other_attributes_does_not(changed: Change):
    assert judge(changed, total_annotations=1) == []


def test_every_path_is_named_up_to_a_few_and_those_that_are_added_are_not():
    changes = [change(f"data.k{n}", n, -n) for n in range(1, 7)]
    [problem] = judge(*changes, change("data.new", ABSENT, 1), total_annotations=1)
    assert problem.message == (
        "would change data.k1, data.k2, data.k3, data.k4 and 2 more of a task that has 1 annotation"
    )


def test_removals_are_named_as_such():
    changes = [change("data.old", 1, ABSENT), change("data.text", "a", "b")]
    [problem] = judge(*changes, total_annotations=1)
    assert problem.message == (
        "would change data.text and remove data.old of a task that has 1 annotation"
    )
    [problem] = judge(changes[0], total_annotations=1)
    assert problem.message == "would remove data.old of a task that has 1 annotation"


def test_as_many_paths_as_are_named_leave_nothing_to_count():
    changes = [change(f"data.k{n}", n, -n) for n in range(1, 5)]
    [problem] = judge(*changes, total_annotations=1)
    assert problem.message == (
        "would change data.k1, data.k2, data.k3, data.k4 of a task that has 1 annotation"
    )


def test_a_counter_that_is_declared_proves_nothing_about_the_task():
    changes = (change("total_annotations", 3, 0), change("data.text", "A.", "B."))
    first, _ = judge(*changes, total_annotations=3)
    assert first.message == "would change data.text of a task that has 3 annotations"


@pytest.mark.parametrize("count", [None, "2", 1.5, True, -1])
def test_where_annotations_are_not_counted_nobody_guesses(count: Json):
    [problem] = judge(change("data.text", "A.", "B."), cancelled_annotations=count)
    assert problem.kind is Kind.ANNOTATED_DATA
    assert problem.message == (
        "would change data.text of a task that may have annotations: the "
        "server's response has no usable cancelled_annotations"
    )


def test_where_the_answer_lacks_both_counters_both_are_named():
    changed = change("data.text", "A.", "B.")
    live: dict[str, Json] = {"data": {"text": "A."}}
    [problem] = problems_of([changed], live)
    assert problem.message.endswith("has no usable total_annotations and no cancelled_annotations")


def test_counters_are_read_only_where_data_may_change():
    assert list_names_to_read({"data", "overlap"}) == {
        *("data", "overlap", "total_annotations", "cancelled_annotations")
    }
    assert list_names_to_read({"meta", "overlap"}) == {"meta", "overlap"}


@pytest.mark.parametrize(
    ("path", "needed"),
    [("data.text", False), ("meta", False), ("overlap", True), ("avg_lead_time", True)],
)
def test_what_is_honoured_must_be_known_of_all_but_data_and_meta(path: str, *, needed: bool):
    assert may_be_ignored([change("data.a", 1, 2), change(path, 1, 2)]) is needed


def test_each_attribute_that_the_server_ignores_is_told_and_not_called_computed():
    changes = (
        change("avg_lead_time", None, 2.5),
        change("completed_at", None, "2026-01-02"),
        change("total_annotations", 0, 1),
    )
    table = mark_ignored(CONTRACT, frozenset({"data", "total_annotations"}))
    problems = problems_of(changes, LIVE, attributes=table)
    assert [(problem.kind, problem.message) for problem in problems] == [
        (
            Kind.IGNORED_ATTRIBUTE,
            "this server returns 200 for an update of avg_lead_time but does not store it",
        ),
        (
            Kind.IGNORED_ATTRIBUTE,
            "this server returns 200 for an update of completed_at but does not store it",
        ),
        (
            Kind.COMPUTED,
            "the server computes total_annotations and will overwrite what you write",
        ),
    ]


def test_an_object_with_an_undeclared_resolved_address_is_not_sent():
    """A server, or a proxy, that resolves addresses although it is asked not to."""
    live: dict[str, Json] = {"data": {"text": "a", "image": "/tasks/1/resolve/?fileuri=czM6"}}
    changes = [change("data.text", "a", "b")]
    problems = problems_of(changes, live)
    [problem] = [problem for problem in problems if problem.kind is Kind.RESOLVED_ADDRESS]
    assert problem.message == (
        'would store "/tasks/1/resolve/?fileuri=czM6" in an undeclared key of data: the server '
        "generates this address when a task is read; it is not the stored address"
    )
    assert problem.hint.startswith("declare the stored address of that key too, such as s3://")
    declared = change("data.image", "/tasks/1/resolve/?fileuri=czM6", "s3://bucket/a.jpg")
    changes = [change("data.text", "a", "b"), declared]
    problems = problems_of(changes, live)
    assert Kind.RESOLVED_ADDRESS not in {problem.kind for problem in problems}
    problems = problems_of([change("overlap", 1, 2)], live)
    assert Kind.RESOLVED_ADDRESS not in {problem.kind for problem in problems}


@pytest.mark.parametrize(
    "gone", [change("data.text", "A.", ABSENT), change("data.image", {"url": "s3://b/1.jpg"}, None)]
)
def test_removing_keys_is_stopped_where_the_label_config_cannot_be_read(gone: Change):
    project = ProjectSettings(unreadable="undefined entity: line 1, column 6")
    [problem] = [
        problem
        for problem in problems_of([gone], LIVE, project=project)
        if problem.kind is Kind.LABEL_CONFIG
    ]
    assert "cannot be read: undefined entity: line 1, column 6" in problem.message
    added = [change("data.new", ABSENT, 1)]
    assert problems_of(added, LIVE, project=project) == ()


@pytest.mark.parametrize(
    ("percentage", "most", "said"),
    [
        (
            50,
            3,
            "resets overlap to 3 for 50% of the project's tasks, and to 1 for the others",
        ),
        (0, 2, "resets overlap to 2 for 0% of the project's tasks"),
        (99, 1, "when maximum_annotations of the project is raised"),
        (50, None, "resets overlap to maximum_annotations for 50% of"),
    ],
)
def test_a_project_that_sets_overlaps_too_is_told_with_its_percentage(
    percentage: int, most: int | None, said: str
):
    project = ProjectSettings(overlap_cohort_percentage=percentage, maximum_annotations=most)
    overlap = change("overlap", 1, 5)
    [problem] = problems_of([overlap], LIVE, project=project)
    assert problem.kind is Kind.OVERLAP_COHORT
    assert said in problem.message
    assert f"overlap_cohort_percentage of the project is {percentage}" in problem.message
    other = change("meta.overlap", 1, 5)
    assert problems_of([other], LIVE, project=project) == ()


@pytest.mark.parametrize("percentage", [100, 150, None])
def test_a_project_that_leaves_overlaps_alone_is_not_worth_a_word(percentage: int | None):
    project = ProjectSettings(overlap_cohort_percentage=percentage, maximum_annotations=3)
    changes = [change("overlap", 1, 5)]
    assert problems_of(changes, LIVE, project=project) == ()
