"""A plan or a report as JSON, for machines; schemas/ says what is in it."""

from __future__ import annotations

from reconciler.core.encoding import indented_ascii
from reconciler.core.model import Plan
from reconciler.core.plan_document import plan_document
from reconciler.core.report import Report, report_document
from reconciler.progress import NOBODY, Watch


def render_plan(plan: Plan, *, watch: Watch = NOBODY) -> str:
    """Write a plan as JSON, in ASCII: whatever a value holds, it can be printed."""
    watch.begin("writing the plan", len(plan.tasks))
    return indented_ascii(plan_document(plan)) + "\n"


def render_report(report: Report) -> str:
    """Write a report as one JSON document, in ASCII as well."""
    return indented_ascii(report_document(report)) + "\n"
