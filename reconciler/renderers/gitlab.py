"""GitLab's code quality report: its merge requests show each problem beside its line.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from typing import Final

from reconciler.core.encoding import encode_indented
from reconciler.core.notation import escape_invisible
from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.core.results import (
    Fingerprinted,
    Result,
    Severity,
    Topic,
    add_fingerprints,
    list_plan_results,
    list_problem_results,
    list_report_results,
    pick_results,
)
from reconciler.core.validation_document import Validation
from reconciler.core.values import Json
from reconciler.errors import Source
from reconciler.renderers.render_options import RenderOptions

_SEVERITIES: Final = {
    Severity.ERROR: "blocker",
    Severity.WARNING: "major",
    Severity.NOTE: "info",
}
_NOWHERE: Final = Source(".", 1, 1)
"""The place of what no file is to blame for: the format asks for one."""


def render_plan(plan: Plan, _options: RenderOptions) -> str:
    """Write an issue for each problem and each change of a plan."""
    return _write(list_plan_results(plan))


def render_report(report: Report, _options: RenderOptions) -> str:
    """Write an issue for each task that is not as declared, and each change."""
    return _write(list_report_results(report))


def render_problems(validation: Validation, _options: RenderOptions) -> str:
    """Write an issue for each problem of the manifests."""
    return _write(list_problem_results(validation))


def _write(results: list[Result]) -> str:
    picked = pick_results(results)
    issues: list[Json] = [_build_issue(one) for one in add_fingerprints(picked.shown)]
    if left_out := picked.describe_left_out():
        message = f"{left_out} left out: the json format has all"
        rest = Result(Severity.WARNING, "left-out", None, "", message, identity=("left-out",))
        issues += [_build_issue(one) for one in add_fingerprints([rest])]
    return encode_indented(issues) + "\n"


def _build_issue(one: Fingerprinted) -> Json:
    result = one.result
    source = result.source or _NOWHERE
    hint = f" ({result.hint})" if result.hint else ""
    return {
        "description": escape_invisible(f"{result}{hint}"),
        "check_name": result.topic,
        "fingerprint": one.fingerprint,
        "severity": _choose_severity(result),
        "location": {
            "path": escape_invisible(source.file) or _NOWHERE.file,
            "lines": {"begin": max(source.line, 1)},
        },
    }


def _choose_severity(result: Result) -> str:
    return "minor" if result.topic == Topic.REMOVE else _SEVERITIES[result.severity]
