"""GitLab's report of planned changes, made for Terraform: numbers that a merge request shows.

https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsterraform
"""

from __future__ import annotations

import json

from reconciler.core.plan_model import Plan
from reconciler.renderers.render_options import RenderOptions


def render_plan(plan: Plan, _options: RenderOptions) -> str:
    """Count the tasks to update; none is ever created or deleted."""
    return json.dumps({"create": 0, "update": len(plan.updates), "delete": 0}) + "\n"
