"""The output formats: a module and a line here for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final, TypeAlias

from reconciler.core.model import Plan
from reconciler.core.report import Report
from reconciler.core.validation_document import Validation
from reconciler.render.options import RenderOptions

Subject: TypeAlias = Plan | Report | Validation
"""What can be rendered."""

_FUNCTIONS: Final[Mapping[type, str]] = {
    Plan: "render_plan",
    Report: "render_report",
    Validation: "render_problems",
}
"""The function of a format's module that renders a subject."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its module, the ending of its files, and the subjects that it renders."""

    module: str
    ending: str
    subjects: frozenset[type]


_ALL: Final = frozenset(_FUNCTIONS)

FORMATS: Final[Mapping[str, Format]] = {
    "text": Format("reconciler.render.text", ".txt", _ALL),
    "json": Format("reconciler.render.json", ".json", _ALL),
}
"""The formats by the names that --format takes."""


def list_formats(*subjects: type) -> list[str]:
    """Name the formats that render all of the subjects, the default first."""
    return [name for name, known in FORMATS.items() if known.subjects.issuperset(subjects)]


def render(subject: Subject, name: str, options: RenderOptions) -> str:
    """Render a plan, a report or problems in the format of that name.

    A format's module is imported when it is used.
    """
    module = import_module(FORMATS[name].module)
    written: str = getattr(module, _FUNCTIONS[type(subject)])(subject, options)
    return written
