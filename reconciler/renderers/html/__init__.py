"""A plan, a report or problems as one HTML page, which loads nothing and sends nothing."""

from __future__ import annotations

from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.core.validation_document import Validation
from reconciler.renderers.html.page import assemble_page
from reconciler.renderers.html.plan_view import build_plan_view
from reconciler.renderers.html.report_view import build_report_view
from reconciler.renderers.html.validation_view import build_validation_view
from reconciler.renderers.render_options import RenderOptions


def render_plan(plan: Plan, options: RenderOptions) -> str:
    """Write a plan as a page."""
    options.progress.begin("writing the page", len(plan.tasks))
    return assemble_page(build_plan_view(plan))


def render_report(report: Report, options: RenderOptions) -> str:
    """Write a report as a page."""
    options.progress.begin("writing the page", len(report.outcomes))
    return assemble_page(build_report_view(report))


def render_problems(validation: Validation, _options: RenderOptions) -> str:
    """Write what `validate` found as a page."""
    return assemble_page(build_validation_view(validation))
