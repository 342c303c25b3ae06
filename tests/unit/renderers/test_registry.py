"""A format is a module and a line in the registry."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from reconciler.core.finding import Checkup
from reconciler.core.model import Change, TaskKey
from reconciler.core.plan_model import Plan, Status, TaskPlan
from reconciler.core.report import Outcome, Report, TaskOutcome
from reconciler.core.validation_document import Validation
from reconciler.errors import Problem, Source
from reconciler.renderers.registry import FORMATS, Format, Subject, list_formats, render
from reconciler.renderers.render_options import RenderOptions
from tests.unit.core.building import SERVER

FOUND: dict[Subject, Plan | Report | Validation | Checkup] = {
    Subject.PLAN: Plan(SERVER, (), 3),
    Subject.REPORT: Report(SERVER, (), ()),
    Subject.PROBLEMS: Validation(
        (Problem(Source("a.yaml", 1, 2), "tasks", "is missing", "add it"),)
    ),
    Subject.CHECKUP: Checkup("https://x.test", (), 3),
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_renders_what_it_says(name: str):
    assert FORMATS[name].renders
    for subject in FORMATS[name].renders:
        assert render(subject, FOUND[subject], name, RenderOptions()).endswith("\n")


@pytest.mark.parametrize("name", ["text", "json"])
def test_these_formats_render_everything(name: str):
    assert FORMATS[name].renders == set(Subject)


def test_a_format_is_offered_where_it_renders_something(
    monkeypatch: pytest.MonkeyPatch,
):
    plans = replace(FORMATS["text"], renders=frozenset({Subject.PLAN}))
    monkeypatch.setitem(cast("dict[str, Format]", FORMATS), "plans", plans)

    assert "plans" in list_formats(Subject.PLAN, Subject.REPORT)
    assert "plans" not in list_formats(Subject.REPORT)


def test_the_first_format_of_everything_is_text():
    assert {list_formats(subject)[0] for subject in Subject} == {"text"}


def test_problems_as_text_stand_on_a_line_each():
    assert render(Subject.PROBLEMS, FOUND[Subject.PROBLEMS], "text", RenderOptions()) == (
        "a.yaml:1:2: tasks: is missing (add it)\n1 problem in the manifests\n"
    )
    valid = Validation((), 3)
    text = render(Subject.PROBLEMS, valid, "text", RenderOptions())
    assert text == "Valid: 3 tasks declared.\n"


KEY = TaskKey(("data", "external_id"), "x-000102")
CHANGED = (Change(("overlap",), 1, 2, Source("a.yaml", 3, 5)),)
KEYED: dict[Subject, Plan | Report] = {
    Subject.PLAN: Plan(
        SERVER,
        (TaskPlan(101, 7, Status.UPDATE, Source("a.yaml", 2, 5), CHANGED, key=KEY),),
        unchanged=0,
    ),
    Subject.REPORT: Report(
        SERVER, (), (TaskOutcome(101, Outcome.FAILED, CHANGED, "answered 500", key=KEY),)
    ),
}


@pytest.mark.parametrize("subject", KEYED)
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "gitlab-terraform"])
def test_each_format_names_the_key_of_a_task(name: str, subject: Subject):
    # gitlab-terraform has three counts and nothing else
    shown = render(subject, KEYED[subject], name, RenderOptions())

    assert "101" in shown
    assert "x-000102" in shown
