"""A JUnit report, which CI systems show as tests: what blocks is a failed test.

There is no standard. The elements, attributes and their order are those that the schemas of Jenkins
(junit-10.xsd) and of Ant's report (JUnit.xsd) both accept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from reconciler.core.finding import Checkup, Level
from reconciler.core.notation import count_noun, escape_invisible
from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.core.results import (
    Judged,
    Result,
    Severity,
    list_results,
    pick_results,
)
from reconciler.core.validation_document import Validation
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.summaries import summarize

_NO_TIME: Final = "1970-01-01T00:00:00"
"""The schema asks for the time of a run; equal plans have equal reports."""

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _render(found: Judged, _options: RenderOptions) -> str:
    """Write a test for each problem, which fails, and one for each change and what is fine."""
    name = f"reconciler {_name_command(found)}"
    passed = list(_list_passed(found))
    picked = pick_results(list_results(found))
    cases = [*(_format_case(one, name) for one in picked.shown)]
    cases += [_open_case(text, name, name) + "/>" for text in passed or ([] if cases else [""])]
    failures = sum(one.severity is Severity.ERROR for one in picked.shown)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    attributes = (
        f'name={_quote(name)} package={_quote(name)} id="0" hostname="localhost" '
        f'timestamp="{_NO_TIME}" time="0"'
    )
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<testsuites>",
        f"<testsuite {attributes} {counts}>",
        "<properties/>",
        *cases,
        f"<system-out>{_escape(summarize(found))}</system-out>",
        f"<system-err>{_escape(picked.describe_left_out())}</system-err>",
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _name_command(found: Judged) -> str:
    match found:
        case Plan():
            return "plan"
        case Report():
            return found.command or "runs"
        case Validation():
            return "validate"
    return "doctor"


def _list_passed(found: Judged) -> Iterator[str]:
    """List what is fine: tasks as declared, valid manifests, checks without a finding."""
    match found:
        case Plan() if found.unchanged:
            yield f"{count_noun(found.unchanged, 'task')} as declared"
        case Validation() if not found.problems:
            yield summarize(found)
        case Checkup():
            yield from (f"{f.check.value}: {f.what}" for f in found.findings if f.level is Level.OK)


def _format_case(result: Result, suite: str) -> str:
    where = str(result.source) if result.source else suite
    opened = _open_case(f"{result.topic}: {result}", where, suite)
    if result.severity is not Severity.ERROR:
        return f"{opened}/>"
    return f"{opened}>{''.join(_format_failure(result, where))}</testcase>"


def _format_failure(result: Result, where: str) -> Iterator[str]:
    yield f"<failure type={_quote(result.topic)} message={_quote(str(result))}>"
    lines = filter(None, (where, str(result), result.hint))
    yield "\n".join(map(_escape, lines))
    yield "</failure>"


def _open_case(name: str, where: str, suite: str) -> str:
    return f'<testcase name={_quote(name or suite)} classname={_quote(where)} time="0"'


def _escape(text: str) -> str:
    return escape(_make_xml(text))


def _quote(text: str) -> str:
    return quoteattr(_make_xml(text))


def _make_xml(text: str) -> str:
    """Escape what is invisible, and the few characters that XML excludes although they show."""
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", escape_invisible(text))


render_plan = render_report = render_problems = render_checkup = _render
