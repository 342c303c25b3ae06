"""A JUnit report, which CI systems show as tests: what blocks is a failed test.

There is no standard. The elements, attributes and their order are those that the schemas of Jenkins
(junit-10.xsd) and of Ant's report (JUnit.xsd) both accept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from reconciler.core.finding import Checkup, Level
from reconciler.core.notation import count_noun, escape_invisible
from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.core.results import (
    Result,
    Severity,
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

_NO_TIME: Final = "1970-01-01T00:00:00"
"""The schema asks for the time of a run; equal plans have equal reports."""

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_plan(plan: Plan, _options: RenderOptions) -> str:
    """Write a test for each problem and each change; tasks as declared are one test."""
    passed = [f"{count_noun(plan.unchanged, 'task')} as declared"] if plan.unchanged else []
    return _write("reconciler plan", list_plan_results(plan), passed, summarize_plan(plan))


def render_report(report: Report, _options: RenderOptions) -> str:
    """Write a test for each reason why tasks are not as declared, and for each change."""
    name = f"reconciler {report.command or 'runs'}"
    return _write(name, list_report_results(report), [], summarize_report(report))


def render_problems(validation: Validation, _options: RenderOptions) -> str:
    """Write a test for each problem, or one that says what is declared."""
    summary = summarize_validation(validation)
    passed = [] if validation.problems else [summary]
    return _write("reconciler validate", list_problem_results(validation), passed, summary)


def render_checkup(checkup: Checkup, _options: RenderOptions) -> str:
    """Write a test for each check; only what keeps an apply from working is a failure."""
    passed = [f"{f.check.value}: {f.what}" for f in checkup.findings if f.level is Level.OK]
    results = list_checkup_results(checkup)
    return _write("reconciler doctor", results, passed, summarize_checkup(checkup))


def _write(name: str, results: list[Result], passed: Sequence[str], summary: str) -> str:
    picked = pick_results(results)
    cases = [*(_format_case(one, name) for one in picked.shown)]
    cases += [_open_case(text, name, name) + "/>" for text in passed or ([] if cases else [""])]
    failures = sum(one.severity is Severity.ERROR for one in picked.shown)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    rest = (
        f"{left_out} left out: the json format has all"
        if (left_out := picked.describe_left_out())
        else ""
    )
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
        f"<system-out>{_escape(summary)}</system-out>",
        f"<system-err>{_escape(rest)}</system-err>",
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


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
