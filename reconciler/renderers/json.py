"""A plan, a report, problems or a checkup as JSON; the folder schemas/ describes the documents."""

from __future__ import annotations

from reconciler.core.checkup_document import build_checkup_document
from reconciler.core.encoding import encode_indented
from reconciler.core.finding import Checkup
from reconciler.core.notation import escape_commands
from reconciler.core.plan_document import format_plan
from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.core.report_document import build_report_document
from reconciler.core.validation_document import Validation, build_validation_document
from reconciler.renderers.render_options import RenderOptions


def render_plan(plan: Plan, options: RenderOptions) -> str:
    """Write a plan as JSON, in ASCII, so that any terminal can print any value."""
    return escape_commands(format_plan(plan, progress=options.progress))


def render_report(report: Report, _options: RenderOptions) -> str:
    """Write a report as one JSON document, in ASCII."""
    return escape_commands(encode_indented(build_report_document(report))) + "\n"


def render_problems(validation: Validation, _options: RenderOptions) -> str:
    """Write what `validate` found as one JSON document, in ASCII."""
    return escape_commands(encode_indented(build_validation_document(validation))) + "\n"


def render_checkup(checkup: Checkup, _options: RenderOptions) -> str:
    """Write what `doctor` found as one JSON document, in ASCII."""
    return escape_commands(encode_indented(build_checkup_document(checkup))) + "\n"
