"""A format is a module and a line in the registry."""

from __future__ import annotations

import pytest

from reconciler.core.model import Plan
from reconciler.core.report import Report
from reconciler.core.validation_document import Validation
from reconciler.errors import Problem, Source
from reconciler.render.options import RenderOptions
from reconciler.render.registry import FORMATS, Subject, list_formats, render
from tests.unit.core.building import SERVER

FOUND = {
    Subject.PLAN: Plan(SERVER, (), 3),
    Subject.REPORT: Report(SERVER, (), ()),
    Subject.PROBLEMS: Validation(
        (Problem(Source("a.yaml", 1, 2), "tasks", "is missing", "add it"),)
    ),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("subject", Subject)
def test_each_format_renders_what_it_says(name: str, subject: Subject):
    assert subject in FORMATS[name].renders
    assert render(subject, FOUND[subject], name, RenderOptions()).endswith("\n")


def test_the_first_format_of_everything_is_text():
    assert {list_formats(subject)[0] for subject in Subject} == {"text"}


def test_problems_as_text_stand_on_a_line_each():
    assert render(Subject.PROBLEMS, FOUND[Subject.PROBLEMS], "text", RenderOptions()) == (
        "a.yaml:1:2: tasks: is missing (add it)\n1 problem in the manifests\n"
    )
    valid = Validation((), 3)
    text = render(Subject.PROBLEMS, valid, "text", RenderOptions())
    assert text == "Valid: 3 tasks declared.\n"
