"""A report as the data of the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.core.allowances import describe_allowances
from reconciler.core.change_groups import group_changes
from reconciler.core.notation import shorten
from reconciler.core.report import (
    GOOD,
    Outcome,
    Report,
    Run,
    TaskOutcome,
    describe_outcome,
    list_run_facts,
)
from reconciler.errors import Source
from reconciler.renderers.html.group_views import build_groups
from reconciler.renderers.html.page_rows import Entry, build_rows
from reconciler.renderers.html.problem_views import BAD, WARN, ProblemList
from reconciler.renderers.html.view import StatusList, View, describe_shards, write_text
from reconciler.renderers.style import PLAIN
from reconciler.renderers.text import render_outcomes

_KEY_MAX: Final = 60


def build_report_view(report: Report) -> View:
    """Build what the page shows of a report."""
    outcomes = [one for one in report.outcomes if one.changes or one.outcome not in GOOD]
    problems, statuses = ProblemList(), StatusList()
    groups = group_changes(outcomes)
    entries = [_make_entry(one, problems, statuses) for one in outcomes]
    changes = (change for one in outcomes for change in one.changes)
    data = {
        **statuses.build((entry.status for entry in entries), len(report.outcomes) - len(outcomes)),
        **problems.build(),
        **build_groups(groups, (), changes),
        **build_rows(entries, groups),
        "noun": "row",
        "title": "Every planned change, with its outcome",
        "pictureTitle": "Planned changes",
        "facts": list(_list_facts(report)),
    }
    command = report.command.capitalize() or "Several runs"
    return View(
        f"{command} on {report.server.name}",
        _write_headline(report),
        _write_lead(report),
        data,
        "\n\n".join((write_text(groups), render_outcomes(report.outcomes, style=PLAIN))),
    )


def _make_entry(outcome: TaskOutcome, problems: ProblemList, statuses: StatusList) -> Entry:
    is_good = outcome.is_good
    word = describe_outcome(outcome.outcome)
    label = f"{word}, allowed" if outcome.accepted else word
    tone = "good" if outcome.outcome in GOOD else WARN if is_good else BAD
    numbers: tuple[int, ...] = ()
    if outcome.outcome not in GOOD:
        who = describe_allowances(outcome.allowed) if outcome.accepted else ""
        effect = "left alone, as allowed" if outcome.accepted else "not as declared"
        message = outcome.error or word
        number = problems.add_text(
            word, message, label=effect, tone=tone, by=who, task=outcome.task
        )
        numbers = (number,)
    source = outcome.changes[0].source if outcome.changes else Source("")
    name = shorten(str(outcome.key), _KEY_MAX) if outcome.key else ""
    status = statuses.find_number(label, tone)
    return Entry(outcome.task, name, status, source, outcome.changes, numbers)


def _write_headline(report: Report) -> str:
    command = report.command.capitalize() or "All runs"
    return f"{command}: {report.describe()}"


def _write_lead(report: Report) -> str:
    stale = any(one.outcome is Outcome.STALE for one in report.outcomes)
    return "\n".join(
        filter(
            None,
            (
                "Every task is as declared." if report.is_good and report.complete else "",
                "Stale tasks changed since the plan was made. To change them, plan again."
                if stale
                else "",
                describe_shards(report.shards),
            ),
        )
    )


def _list_facts(report: Report) -> Iterator[tuple[str, list[str]]]:
    yield "Server", [str(report.server)]
    if report.redacted:
        yield "Redacted", [report.redacted.redaction.describe()]
    for run in report.runs:
        yield run.command.capitalize(), [*_describe_run(run)]


def _describe_run(run: Run) -> Iterator[str]:
    if run.started:
        yield f"started {run.started}"
    facts = list_run_facts(run)
    if run.user:
        facts["user"] = str(run.user.id)  # forges keep pages for many readers
    yield from (f"{name} {value}" for name, value in facts.items())
