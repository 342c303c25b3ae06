"""The API takes paths of what is allowed, denials and targets, as the command line does."""

from __future__ import annotations

from typing import Any

import pytest

import reconciler
from reconciler import Allowance, ApplyOptions, Kind, Refused, Targets
from tests.unit.api.conftest import Server, declare


@pytest.fixture
def annotated(server: Server) -> Server:
    server.state.tasks[1].values["total_annotations"] = 1
    return server


def changing() -> reconciler.Manifests:
    tasks: list[dict[str, Any]] = [{"id": 1, "data": {"text": "B."}}, {"id": 2, "overlap": 2}]
    return reconciler.Manifests.from_tasks(tasks, project=7)


def test_a_path_is_allowed_and_a_denial_beats_it(annotated: Server):
    allow = ["annotated-data:data.text"]
    made = reconciler.plan(changing(), annotated.settings, allow=allow)
    assert made.list_unaccepted() == ()
    [problem] = made.tasks[0].problems
    assert problem.allowed == (Allowance(Kind.ANNOTATED_DATA, (("data", "text"),), "the caller"),)
    denied = reconciler.plan(
        changing(), annotated.settings, allow=allow, deny=[Kind.ANNOTATED_DATA]
    )
    assert [task.task for task in denied.list_unaccepted()] == [1]
    with pytest.raises(Refused, match="1 task is blocked"):
        reconciler.apply(
            made, annotated.settings, options=ApplyOptions(deny=["annotated-data:data"])
        )
    assert reconciler.apply(made, annotated.settings).is_good


def test_targets_are_looked_at_alone(server: Server):
    made = reconciler.plan(changing(), server.settings, targets=["2", "path:overlap"])
    assert ([task.task for task in made.updates], made.tasks_left_out) == ([2], 1)
    assert str(made.targets) == "--target 2, --target path:overlap"
    rest = reconciler.plan(
        changing(), server.settings, targets=Targets.parse(exclude=["path:overlap"])
    )
    assert [task.task for task in rest.updates] == [1]
    report = reconciler.apply(made, server.settings)
    assert report.runs[0].targets == made.targets


def test_targets_that_match_nothing_are_refused(server: Server):
    with pytest.raises(Refused, match="--target 9: no declared task or rule fits"):
        reconciler.plan(changing(), server.settings, targets="9")
    with pytest.raises(ValueError, match="expected an id"):
        reconciler.plan(declare(1, 2), server.settings, targets=["nothing"])


def test_the_impact_on_annotations_is_counted_if_wanted(annotated: Server):
    task = annotated.state.tasks[1]
    annotated.state.add_annotation(task, {"result": [{"to_name": "text", "value": {}}]})
    made = reconciler.plan(changing(), annotated.settings, impact=True)
    impacts = {task.task: task.impact for task in made.tasks}
    assert impacts == {1: reconciler.AnnotationImpact(1, (1,), 1, unknown=1), 2: None}
    assert str(impacts[1]) == "1 annotation by 1 person; 1 of 1 region cannot be told"
