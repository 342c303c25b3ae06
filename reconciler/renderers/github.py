"""GitHub's workflow commands: printed in a workflow, they become annotations of the commit.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from reconciler.core.notation import escape_invisible
from reconciler.core.results import (
    Judged,
    Picked,
    Result,
    Severity,
    describe_severities,
    list_results,
    pick_results,
    show_each_group,
)
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.summaries import summarize

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


def format_error(message: str) -> str:
    """Write the annotation of an error that has no place in a file."""
    return _format_command("error", {"title": "reconciler"}, escape_invisible(message))


def _render(found: Judged, _options: RenderOptions) -> str:
    """Write an annotation for each problem or finding, and for what changes most."""
    picked = pick_results(results := list_results(found), len(results))
    lines = [_format_command("notice", {"title": "reconciler"}, summarize(found))]
    written: Counter[Severity] = Counter()
    for result in show_each_group(picked.shown):
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


render_plan = render_report = render_problems = render_checkup = _render
