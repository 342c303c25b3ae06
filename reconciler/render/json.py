"""A plan as JSON, for machines; its schema is schemas/plan.schema.json."""

from __future__ import annotations

import json

from reconciler.plan.document import plan_document
from reconciler.plan.model import Plan


def render_plan(plan: Plan) -> str:
    """Write a plan as JSON, in ASCII: whatever a value holds, it can be printed."""
    return json.dumps(plan_document(plan), indent=2) + "\n"
