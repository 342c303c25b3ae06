"""A plan, a report or problems as one HTML page, which loads nothing and sends nothing."""

from __future__ import annotations

from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.core.validation_document import Validation
from reconciler.renderers import text
from reconciler.renderers.html.page import assemble_page
from reconciler.renderers.html.plan_view import build_plan_view
from reconciler.renderers.html.report_view import build_report_view
from reconciler.renderers.html.validation_view import build_validation_view
from reconciler.renderers.html.view import View
from reconciler.renderers.render_options import RenderOptions


def render_plan(plan: Plan, options: RenderOptions) -> str:
    """Write a plan as a page."""
    options.progress.begin("writing the page", len(plan.tasks))
    return _assemble(build_plan_view(plan), text.render_plan(plan, RenderOptions()))


def render_report(report: Report, options: RenderOptions) -> str:
    """Write a report as a page."""
    options.progress.begin("writing the page", len(report.outcomes))
    return _assemble(build_report_view(report), text.render_report(report, RenderOptions()))


def render_problems(validation: Validation, _options: RenderOptions) -> str:
    """Write what `validate` found as a page."""
    written = text.render_problems(validation, RenderOptions())
    return _assemble(build_validation_view(validation), written)


def _assemble(view: View, written: str) -> str:
    return assemble_page(
        view.data, subject=view.subject, headline=view.headline, lead=view.lead, text=written
    )
