"""GitHub's workflow commands: printed in a workflow, they become annotations of the commit.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from reconciler.core.finding import Checkup
from reconciler.core.notation import escape_invisible
from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.core.results import (
    Picked,
    Result,
    Severity,
    describe_severities,
    list_checkup_results,
    list_plan_results,
    list_problem_results,
    list_report_results,
    pick_results,
)
from reconciler.core.validation_document import Validation
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.summaries import (
    summarize_checkup,
    summarize_plan,
    summarize_report,
    summarize_validation,
)

_MOST: Final = {Severity.ERROR: 10, Severity.WARNING: 10, Severity.NOTE: 8}
"""GitHub shows 10 annotations of each level for a step; two notices are the summary, and what was
left out."""

_COMMANDS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
}
_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render_plan(plan: Plan, _options: RenderOptions) -> str:
    """Write an annotation for each problem, and for what changes most."""
    return _write(list_plan_results(plan), summarize_plan(plan))


def render_report(report: Report, _options: RenderOptions) -> str:
    """Write an annotation for each task that is not as declared, and for what changed most."""
    return _write(list_report_results(report), summarize_report(report))


def render_problems(validation: Validation, _options: RenderOptions) -> str:
    """Write an annotation for each problem of the manifests."""
    return _write(list_problem_results(validation), summarize_validation(validation))


def render_checkup(checkup: Checkup, _options: RenderOptions) -> str:
    """Write an annotation for each finding that matters."""
    return _write(list_checkup_results(checkup), summarize_checkup(checkup))


def format_error(message: str) -> str:
    """Write the annotation of an error that has no place in a file."""
    return _format_command("error", {"title": "reconciler"}, escape_invisible(message))


def _write(results: list[Result], summary: str) -> str:
    picked = pick_results(results, len(results))
    lines = [_format_command("notice", {"title": "reconciler"}, summary)]
    written: Counter[Severity] = Counter()
    for result in picked.shown:
        if written[result.severity] < _MOST[result.severity]:
            written[result.severity] += 1
            lines.append(_format_result(result))
    lines += _describe_rest(picked, written)
    return "".join(f"{line}\n" for line in lines)


def _describe_rest(picked: Picked, written: Counter[Severity]) -> Iterator[str]:
    if rest := describe_severities(picked.total - written):
        message = f"… and {rest} more, which GitHub would not show: the text format has them"
        yield _format_command("notice", {"title": "reconciler: left out"}, message)


def _format_result(result: Result) -> str:
    source = result.source
    place: dict[str, str] = {}
    if source:
        place["file"] = source.file
        if source.line:
            place |= {"line": str(source.line), "col": str(source.column)}
    place["title"] = result.topic
    message = escape_invisible(str(result))
    if result.hint:
        message += f"\n{escape_invisible(result.hint)}"
    return _format_command(_COMMANDS[result.severity], place, message)


def _format_command(command: str, properties: dict[str, str], message: str) -> str:
    written = ",".join(
        f"{name}={escape_invisible(value).translate(_PROPERTY)}"
        for name, value in properties.items()
    )
    return f"::{command} {written}::{message.translate(_DATA)}"
