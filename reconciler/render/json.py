"""A plan or a report as JSON, for machines; schemas/ says what is in it."""

from __future__ import annotations

from reconciler.apply.report import Report, report_document
from reconciler.plan.document import plan_document
from reconciler.plan.encoding import indented_ascii
from reconciler.plan.model import Plan
from reconciler.watch import NOBODY, Watch


def render_plan(plan: Plan, *, watch: Watch = NOBODY) -> str:
    """Write a plan as JSON, in ASCII: whatever a value holds, it can be printed."""
    watch.begin("writing the plan", len(plan.tasks))
    return indented_ascii(plan_document(plan)) + "\n"


def render_report(report: Report) -> str:
    """Write a report as one JSON document, in ASCII as well."""
    return indented_ascii(report_document(report)) + "\n"
