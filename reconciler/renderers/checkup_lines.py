"""What `doctor` found as lines: one for what is fine, three for what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from reconciler.core.finding import Area, Checkup, Finding, Level
from reconciler.core.notation import count_noun, escape_invisible, pad
from reconciler.renderers.style import Style
from reconciler.renderers.summaries import count_findings

_TITLES: Final = {
    Area.SERVER: "Server",
    Area.ACCESS: "Access",
    Area.READING: "Reading",
    Area.MANIFESTS: "Manifests",
}
_LEVEL_WIDTH: Final = max(map(len, Level))
_CHECK_WIDTH: Final = 10
_INDENT: Final = " " * (2 + _LEVEL_WIDTH + 2 + _CHECK_WIDTH + 2)


def format_checkup(checkup: Checkup, style: Style) -> Iterator[str]:
    """Write the findings by area, what could not be checked, and the conclusion."""
    for area, findings in groupby(checkup.findings, key=lambda finding: finding.area):
        yield style.bold(_TITLES[area])
        for finding in findings:
            yield from _format_finding(finding, style)
        yield ""
    if checkup.unchecked:
        names = ", ".join(check.value for check in checkup.unchecked)
        yield f"Not checked: {names}. Correct the problems above, and run it again."
    yield _conclude(checkup, style)


def _format_finding(finding: Finding, style: Style) -> Iterator[str]:
    level = _choose_color(finding.level, style)(pad(finding.level.value, _LEVEL_WIDTH))
    check = pad(finding.check.value, _CHECK_WIDTH)
    yield f"  {level}  {check}  {escape_invisible(finding.what)}"
    if finding.level is not Level.OK:
        yield f"{_INDENT}{style.dim('why:')}   {finding.why}"
        if finding.remedy:
            yield f"{_INDENT}{style.dim('to do:')} {escape_invisible(finding.remedy)}"


def _choose_color(level: Level, style: Style) -> Callable[[str], str]:
    return {
        Level.OK: style.added,
        Level.NOTE: style.dim,
        Level.WARNING: style.changed,
        Level.PROBLEM: style.removed,
    }[level]


def _conclude(checkup: Checkup, style: Style) -> str:
    found = count_findings(checkup)
    took = count_noun(checkup.requests, "request")
    if checkup.is_ready:
        return f"{style.added('Ready')}: {found} ({took})."
    return f"{style.removed('Not ready')}: {found}; an apply would not work ({took})."
