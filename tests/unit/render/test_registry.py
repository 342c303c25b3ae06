"""A format is a module and a line in the registry."""

from __future__ import annotations

import pytest

from reconciler.core.model import Plan
from reconciler.core.report import Report
from reconciler.core.validation_document import Validation
from reconciler.errors import Problem, Source
from reconciler.render.options import RenderOptions
from reconciler.render.registry import FORMATS, list_formats, render
from tests.unit.core.building import SERVER

SUBJECTS = {
    Plan: Plan(SERVER, (), 3),
    Report: Report(SERVER, (), ()),
    Validation: Validation((Problem(Source("a.yaml", 1, 2), "tasks", "is missing", "add it"),)),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=lambda subject: type(subject).__name__)
def test_each_format_renders_what_it_says(name: str, subject: Plan | Report | Validation):
    assert type(subject) in FORMATS[name].subjects
    assert render(subject, name, RenderOptions()).endswith("\n")


def test_the_first_format_of_everything_is_text():
    assert {list_formats(subject)[0] for subject in SUBJECTS} == {"text"}


def test_problems_as_text_stand_on_a_line_each():
    problems = SUBJECTS[Validation]
    assert render(problems, "text", RenderOptions()) == (
        "a.yaml:1:2: tasks: is missing (add it)\n1 problem in the manifests\n"
    )
    assert render(Validation((), 3), "text", RenderOptions()) == "Valid: 3 tasks declared.\n"
