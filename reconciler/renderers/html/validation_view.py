"""The problems of manifests as the data of the page."""

from __future__ import annotations

from reconciler.core.notation import count_noun, shorten
from reconciler.core.validation_document import Validation
from reconciler.errors import Problem
from reconciler.renderers.html.group_views import build_groups
from reconciler.renderers.html.page_rows import Entry, build_rows
from reconciler.renderers.html.problem_views import BAD, ProblemList
from reconciler.renderers.html.view import StatusList, View
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.text import render_problems
from reconciler.renderers.wording import describe_declared


def build_validation_view(validation: Validation) -> View:
    """Build what the page shows of a validation."""
    problems, statuses = ProblemList(), StatusList()
    entries = [_make_entry(problem, problems, statuses) for problem in validation.problems]
    data = {
        **statuses.build(entry.status for entry in entries),
        **problems.build(),
        **build_groups((), (), ()),
        **build_rows(entries, ()),
        "tiles": [],
        "concerns": [],
        "noun": "problem",
        "title": "Every problem",
        "pictureTitle": "",
        "facts": [],
    }
    headline, lead = _write_words(validation)
    written = render_problems(validation, RenderOptions())
    return View("Validation of manifests", headline, lead, data, written)


def _make_entry(problem: Problem, problems: ProblemList, statuses: StatusList) -> Entry:
    number = problems.add_text("", problem.message, problem.hint, label="", tone=BAD)
    status = statuses.find_number("problem", BAD)
    name = shorten(problem.path, 200) or "(the whole file)"
    return Entry(None, name, status, problem.source, (), (number,))


def _write_words(validation: Validation) -> tuple[str, str]:
    """Write the headline, and what follows it."""
    if found := validation.problems:
        where = count_noun(len({problem.source.file for problem in found}), "file")
        headline = f"{count_noun(len(found), 'problem')} in {where}"
        return headline, "Until they are corrected, nothing can be planned or applied."
    if validation.tasks is None:
        return "The manifests are valid", ""
    declared = describe_declared(validation.tasks, validation.rules)
    return "The manifests are valid", f"{declared} declared."
