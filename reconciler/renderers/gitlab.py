"""GitLab's code quality report: its merge requests show each problem beside its line.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from typing import Final

from reconciler.core.encoding import encode_indented
from reconciler.core.notation import escape_invisible
from reconciler.core.results import (
    Fingerprinted,
    Judged,
    Result,
    Severity,
    Topic,
    add_fingerprints,
    list_results,
    pick_results,
)
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


def _render(found: Judged, _options: RenderOptions) -> str:
    """Write an issue for each problem and each change."""
    picked = pick_results(list_results(found))
    issues: list[Json] = [_build_issue(one) for one in add_fingerprints(picked.shown)]
    if left_out := picked.describe_left_out():
        rest = Result(Severity.WARNING, "left-out", None, "", left_out, identity=("left-out",))
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


render_plan = render_report = render_problems = _render
