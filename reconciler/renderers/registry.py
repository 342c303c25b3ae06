"""The output formats: each is a module, and a line in this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.core.finding import Checkup
    from reconciler.core.plan_model import Plan
    from reconciler.core.report import Report
    from reconciler.core.validation_document import Validation
    from reconciler.renderers.render_options import RenderOptions


class Subject(StrEnum):
    """What can be rendered; a format's module has a function ``render_...`` for each."""

    PLAN = "plan"
    REPORT = "report"
    PROBLEMS = "problems"
    CHECKUP = "checkup"


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its module, and what it renders."""

    module: str
    renders: frozenset[Subject]


_OF_FILES: Final = frozenset({Subject.PLAN, Subject.REPORT, Subject.PROBLEMS})
"""What belongs to lines of files."""

FORMATS: Final[Mapping[str, Format]] = {
    "text": Format("reconciler.renderers.text", frozenset(Subject)),
    "json": Format("reconciler.renderers.json", frozenset(Subject)),
    "markdown": Format("reconciler.renderers.markdown", frozenset(Subject)),
    "github": Format("reconciler.renderers.github", frozenset(Subject)),
    "gitlab": Format("reconciler.renderers.gitlab", _OF_FILES),
    "gitlab-terraform": Format("reconciler.renderers.gitlab_terraform", frozenset({Subject.PLAN})),
    "junit": Format("reconciler.renderers.junit", frozenset(Subject)),
    "sarif": Format("reconciler.renderers.sarif", _OF_FILES),
    "html": Format("reconciler.renderers.html", frozenset(Subject) - {Subject.CHECKUP}),
}
"""The formats by the names that --format takes."""


def can_render(subject: Subject, name: str) -> bool:
    """Tell whether the format called ``name`` can render a subject."""
    return subject in FORMATS[name].renders


def list_formats(*subjects: Subject) -> list[str]:
    """List the formats that can render at least one of the subjects, the default first."""
    return [name for name, known in FORMATS.items() if not known.renders.isdisjoint(subjects)]


def render(
    subject: Subject, found: Plan | Report | Validation | Checkup, name: str, options: RenderOptions
) -> str:
    """Render ``found``, which is a ``subject``, in the format called ``name``.

    The module of the format is imported here: only the one that is used.
    """
    module = import_module(FORMATS[name].module)
    written: str = getattr(module, f"render_{subject}")(found, options)
    return written
