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
    """A format: its module, the ending of its files, and what it renders."""

    module: str
    ending: str
    renders: frozenset[Subject]


FORMATS: Final[Mapping[str, Format]] = {
    "text": Format("reconciler.renderers.text", ".txt", frozenset(Subject)),
    "json": Format("reconciler.renderers.json", ".json", frozenset(Subject)),
    "html": Format("reconciler.renderers.html", ".html", frozenset(Subject) - {Subject.CHECKUP}),
}
"""The formats by the names that --format takes."""


def list_formats(*subjects: Subject) -> list[str]:
    """List the formats that can render all of the subjects, the default first."""
    return [name for name, known in FORMATS.items() if known.renders.issuperset(subjects)]


def render(
    subject: Subject, found: Plan | Report | Validation | Checkup, name: str, options: RenderOptions
) -> str:
    """Render ``found``, which is a ``subject``, in the format called ``name``.

    The module of the format is imported here: only the one that is used.
    """
    module = import_module(FORMATS[name].module)
    written: str = getattr(module, f"render_{subject}")(found, options)
    return written
