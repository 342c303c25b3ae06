"""A plan or a report as JSON, for machines; schemas/ says what is in it."""

from __future__ import annotations

from reconciler.core.encoding import encode_indented
from reconciler.core.model import Plan
from reconciler.core.plan_document import build_plan_document
from reconciler.core.report import Report
from reconciler.core.report_document import build_report_document
from reconciler.progress import NULL_PROGRESS, ProgressListener


def render_plan(plan: Plan, *, progress: ProgressListener = NULL_PROGRESS) -> str:
    """Write a plan as JSON, in ASCII: whatever a value holds, it can be printed."""
    progress.begin("writing the plan", len(plan.tasks))
    return encode_indented(build_plan_document(plan)) + "\n"


def render_report(report: Report) -> str:
    """Write a report as one JSON document, in ASCII as well."""
    return encode_indented(build_report_document(report)) + "\n"
