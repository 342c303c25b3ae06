"""Every format says what a plan does to annotations, added up for tasks that it shows together."""

from __future__ import annotations

import html
import json
from dataclasses import replace

import pytest

from reconciler.core.annotation_impact import UNREAD, AnnotationImpact
from reconciler.core.plan_model import Plan, Status, TaskPlan
from reconciler.core.problems import Allowance, Kind, TaskProblem
from reconciler.core.redacted_model import redact_plan
from reconciler.core.redaction import Redaction
from reconciler.renderers.registry import Subject, list_formats, render
from reconciler.renderers.render_options import RenderOptions
from tests.unit.core.building import change, plan_of, update

ONLY_NUMBERS = {"gitlab-terraform"}
FORMATS = [name for name in list_formats(Subject.PLAN) if name not in ONLY_NUMBERS]
TOGETHER = (
    "7 annotations by 3 people; 12 of 40 regions would be at other words, 3 beyond the end, 5 "
    "cannot be told"
)
FIRST = AnnotationImpact(4, (1, 2), 30, moved=12, unknown=5)
SECOND = AnnotationImpact(3, (2, 3), 10, beyond=3)
PROBLEM = TaskProblem(
    Kind.ANNOTATED_DATA,
    "would change data.text of a task that has 4 annotations",
    "keep it",
    paths=(("data", "text"),),
)


def task(number: int, impact: AnnotationImpact | None, after: str = "new") -> TaskPlan:
    return update(
        number,
        change("data.text", "old", after),
        problems=(PROBLEM,),
        impact=impact,
    )


def blocked(*tasks: TaskPlan) -> Plan:
    return plan_of(*(replace(one, status=Status.BLOCKED) for one in tasks))


def written(plan: Plan, name: str) -> str:
    """Render a plan, and undo what the format escapes."""
    text = render(Subject.PLAN, plan, name, RenderOptions())
    return html.unescape(text)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])
def test_a_format_adds_up_the_impact_on_tasks_that_it_shows_together(name: str):
    assert TOGETHER in written(blocked(task(1, FIRST), task(2, SECOND)), name)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])
def test_a_format_says_it_where_it_groups_changes_by_meaning(name: str):
    tasks = [task(1, FIRST, "1"), task(2, SECOND, "2")]
    tasks += [task(number, None, str(number)) for number in range(3, 60)]
    assert TOGETHER in written(blocked(*tasks), name)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])
def test_a_format_says_it_of_what_was_allowed(name: str):
    accepted = replace(PROBLEM, allowed=(Allowance(Kind.ANNOTATED_DATA, by="--allow"),))
    tasks = [replace(one, problems=(accepted,)) for one in (task(1, FIRST), task(2, SECOND))]
    assert TOGETHER in written(plan_of(*tasks), name)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])
def test_a_format_does_not_guess_what_it_does_not_know(name: str):
    assert "could not be read" in written(blocked(task(1, UNREAD)), name)
    assert "annotations by" not in written(blocked(task(1, None)), name)


def test_json_has_the_numbers_of_each_task():
    plan = blocked(task(1, FIRST), task(2, UNREAD), task(3, None))
    counts = [one.get("impact") for one in json.loads(written(plan, "json"))["tasks"]]
    nothing = {"people": [], "regions": 0, "moved": 0, "beyond": 0, "unknown": 0}
    assert counts == [
        {
            "annotations": 4,
            "people": [1, 2],
            "regions": 30,
            "moved": 12,
            "beyond": 0,
            "unknown": 5,
        },
        {"annotations": None, **nothing},
        None,
    ]


def test_a_notebook_shows_it():
    assert TOGETHER in blocked(task(1, FIRST), task(2, SECOND))._repr_html_()


def test_a_problem_of_another_kind_says_nothing_of_annotations():
    other = replace(PROBLEM, kind=Kind.ANNOTATED_EXTRA)
    plan = blocked(replace(task(1, FIRST), problems=(other,)))
    assert "annotations by" not in written(plan, "text")


def test_the_numbers_are_shown_when_the_values_are_redacted():
    redacted = redact_plan(blocked(task(1, FIRST), task(2, SECOND)), Redaction((("data",),)))
    assert TOGETHER in written(redacted, "text")


def test_the_digest_does_not_depend_on_it():
    assert plan_of(task(1, FIRST)).digest == plan_of(task(1, None)).digest
