"""A plan or a report as JSON, for machines; schemas/ says what is in it."""

from __future__ import annotations

import json

from reconciler.apply.report import Report, report_document
from reconciler.plan.document import plan_document
from reconciler.plan.model import Plan


def render_plan(plan: Plan) -> str:
    """Write a plan as JSON, in ASCII: whatever a value holds, it can be printed."""
    return json.dumps(plan_document(plan), indent=2) + "\n"


def render_report(report: Report) -> str:
    """Write a report as one JSON document, in ASCII as well."""
    return json.dumps(report_document(report), indent=2) + "\n"
