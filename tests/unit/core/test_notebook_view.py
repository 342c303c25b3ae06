"""What a notebook shows of plans and reports, read back from its HTML."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reconciler.core.model import TaskKey, User
from reconciler.core.plan_model import Plan, PlannedRule, Status, TaskPlan, UnresolvedKey
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.report import STOPPED, Commit, Outcome, Report, Run, TaskOutcome
from reconciler.core.rule import RuleRef
from reconciler.core.shard import Shard
from reconciler.core.values import ABSENT, Json
from reconciler.errors import Source
from tests.unit.core.building import SERVER, SOURCE, change, plan_of, update

SIZE_MAX = 200_000
HEAD = "Task | {} | Path | Before | After | Declared at"
MORE = "with changes; print(reconciler.render(…, full=True)) shows all"
RUN = Run("sha256:ab", 4)


class _Lines(HTMLParser):
    """The text of HTML: a line for each block, and for each row of a table its cells."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._hidden = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - as HTMLParser
        self._hidden = tag == "style"
        if tag in {"div", "li", "tr"}:
            self.lines.append("")
        if tag in {"td", "th"} and self.lines[-1]:
            self.lines[-1] += " | "

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.lines[-1] += data

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - as HTMLParser
        self._hidden = False


def lines_of(shown: Plan | Report) -> list[str]:
    return [line for line in _Lines(shown._repr_html_()).lines if line]


def rows_of(shown: Plan | Report) -> list[str]:
    """The lines of the table, below its head, and what follows it."""
    lines = lines_of(shown)
    return lines[next(n for n, line in enumerate(lines) if line.startswith("Task |")) + 1 :]


def report_of(*outcomes: TaskOutcome, run: Run = RUN) -> Report:
    return Report(SERVER, (run,), outcomes)


def blocked(task: int, message: str = "it has 3 annotations") -> TaskPlan:
    problem = TaskProblem(Kind.ANNOTATED_DATA, message, "allow it, if that is meant")
    return TaskPlan(task, 7, Status.BLOCKED, SOURCE, (change("data.a", 1, 2),), (problem,))


def test_a_plan():
    warned = TaskProblem(Kind.COMPUTED, "the server computes it")
    gone = TaskProblem(Kind.MISSING, "there is no such task")
    plan = plan_of(
        update(1, change("meta.b", ABSENT, "x"), change("data.a", "old", None)),
        update(2, change("comment_count", 0, 1), problems=(warned,)),
        blocked(3),
        blocked(4),
        blocked(6),
        TaskPlan(9, 7, Status.MISSING, SOURCE, problems=(gone,)),
        unchanged=1_200,
    )

    assert lines_of(plan) == [
        "Plan: 1,200 unchanged, 2 to update, 1 missing, 3 blocked",
        "http://label-studio.test (Label Studio Community 1.23.2)",
        f"Digest: {plan.digest}",
        (
            "3 tasks blocked (3-4, 6): annotated-data: it has 3 annotations"
            " (allow it, if that is meant)"
        ),
        "Task 9 missing: there is no such task",
        "Warning: Task 2 to update: computed: the server computes it",
        HEAD.format("Status"),
        '1 | to update | data.a | "old" | null | tasks.yaml:3:5',
        'meta.b | (absent) | "x" | tasks.yaml:3:5',
        "2 | to update | comment_count | 0 | 1 | tasks.yaml:3:5",
        "3 | blocked | data.a | 1 | 2 | tasks.yaml:3:5",
        "4 | blocked | data.a | 1 | 2 | tasks.yaml:3:5",
        "6 | blocked | data.a | 1 | 2 | tasks.yaml:3:5",
    ]


def test_the_markup_is_plain():
    html = plan_of(
        *(update(task, change("data.a", 1, "<b>")) for task in range(50)),
        update(50, *(change(f"data.k{number}", 1, 2) for number in range(6))),
        blocked(51),
    )._repr_html_()
    many = plan_of(update(1, *(change(f"data.k{number}", 1, 2) for number in range(6))))
    line = (
        "<td><code>data.k{}</code></td><td><code>1</code></td><td><code>2</code></td>"
        '<td style="opacity: 0.7">tasks.yaml:3:5</td></tr>'
    )

    assert html.startswith('<div class="reconciler-view"><style>.reconciler-view th')
    assert (
        "</style><div><strong>Plan: 51 to update, 1 blocked</strong></div>"
        '<div style="opacity: 0.7">http://label-studio.test' in html
    )
    assert (
        "<ul><li><strong>Task 51 blocked</strong>: annotated-data: it has 3 annotations"
        '<span style="opacity: 0.7"> (allow it, if that is meant)</span></li></ul>'
        "<table><thead><tr><th>Task</th><th>Status</th>" in html
    )
    assert (
        '</tr></thead><tbody><tr><td rowspan="1">0</td><td rowspan="1">to update</td>'
        '<td><code>data.a</code></td><td><code>1</code></td><td><code>"&lt;b&gt;"</code></td>'
        '<td style="opacity: 0.7">tasks.yaml:3:5</td></tr></tbody><tbody>' in html
    )
    assert html.endswith(
        '</tbody></table><div style="opacity: 0.7">… and 2 more tasks with changes; '
        "<code>print(reconciler.render(…, full=True))</code> shows all</div></div>"
    )
    assert many._repr_html_().endswith(
        f"{line.format(3)}<tr>{line.format(4)}"
        '<tr><td colspan="4">… and 1 more change</td></tr></tbody></table></div>'
    )


def test_a_plan_without_changes():
    plan = replace(plan_of(unchanged=3), shards=(Shard(4, 1), Shard(4, 2)))

    assert lines_of(plan) == [
        "Plan: 3 unchanged",
        "http://label-studio.test (Label Studio Community 1.23.2)",
        "Only tasks of shards 1/4, 2/4",
    ]
    assert "Only tasks of shard 2/4" in lines_of(replace(plan, shards=(Shard(4, 2),)))


def test_what_was_allowed_does_not_block():
    allowed = replace(blocked(1), status=Status.UPDATE)

    (line,) = (line for line in lines_of(plan_of(allowed, blocked(2))) if "Allowed: " in line)
    assert line.startswith("Allowed: Task 1 to update: annotated-data: it has 3 annotations")


def test_a_report():
    changes = (change("data.a", 1, 2),)
    run = replace(
        RUN,
        started="2026-01-01T00:00:00.000Z",
        ended="2026-01-01T00:00:09.000Z",
        user=User(3, "ann@example.org"),
        commit=Commit("c0ffee", dirty=True),
    )
    report = report_of(
        TaskOutcome(1, Outcome.APPLIED, changes),
        TaskOutcome(2, Outcome.ALREADY, changes),
        TaskOutcome(3, Outcome.NOT_HONOURED, changes, "the server kept 1"),
        TaskOutcome(4, Outcome.BLOCKED, (), "it has annotations", accepted=True),
        TaskOutcome(5, Outcome.INTERRUPTED, changes, STOPPED),
        TaskOutcome(6, Outcome.INTERRUPTED, changes, STOPPED),
        run=run,
    )

    assert lines_of(report) == [
        (
            "Apply: 1 applied, 1 already up to date, 1 not honoured, 1 blocked (allowed), "
            "2 not started"
        ),
        "http://label-studio.test (Label Studio Community 1.23.2)",
        (
            "Apply: 2026-01-01T00:00:00.000Z, ended 2026-01-01T00:00:09.000Z, by ann@example.org"
            " (user 3), commit c0ffee with uncommitted changes, digest sha256:ab"
        ),
        "Task 3 not honoured: the server kept 1",
        f"2 tasks not started (5-6): {STOPPED}",
        "Warning: Task 4 left alone, as allowed: it has annotations",
        HEAD.format("Outcome"),
        "1 | applied | data.a | 1 | 2 | tasks.yaml:3:5",
        "2 | already up to date | data.a | 1 | 2 | tasks.yaml:3:5",
        "3 | not honoured | data.a | 1 | 2 | tasks.yaml:3:5",
        "5 | not started | data.a | 1 | 2 | tasks.yaml:3:5",
        "6 | not started | data.a | 1 | 2 | tasks.yaml:3:5",
    ]


def test_a_report_of_several_runs():
    runs = [replace(RUN, command="apply"), *[replace(RUN, command="revert")] * 6]
    report = Report(SERVER, tuple(runs), (), shards=(Shard(2, 1),))

    assert lines_of(report) == [
        "All runs: no tasks",
        "http://label-studio.test (Label Studio Community 1.23.2)",
        "Only tasks of shard 1/2",
        "Apply: digest sha256:ab",
        *["Revert: digest sha256:ab"] * 4,
        "… and 2 more runs",
    ]


def test_a_report_that_was_cut_off_says_so():
    report = report_of(run=replace(RUN, requests=None, commit=Commit("c0ffee")))

    assert lines_of(report)[0] == "Apply: the rest is unknown"
    assert lines_of(report)[-1] == "Apply: commit c0ffee, digest sha256:ab"


def test_the_first_tasks_are_shown_and_the_others_counted():
    shown = rows_of(plan_of(*(update(task, change("data.a", 1, 2)) for task in range(1, 53))))

    assert len(shown) == 51
    assert shown[49].startswith("50 | to update")
    assert shown[50] == f"… and 2 more tasks {MORE}"
    assert (
        len(rows_of(plan_of(*(update(task, change("data.a", 1, 2)) for task in range(50))))) == 50
    )


def test_the_first_changes_of_a_task_are_shown_and_the_others_counted():
    changes = [change(f"data.k{number}", 1, 2) for number in range(7)]

    shown = rows_of(plan_of(update(1, *changes), update(2, *changes[:5])))

    assert [line.split(" | ")[-4] for line in shown[:5]] == [f"data.k{n}" for n in range(5)]
    assert shown[5] == "… and 2 more changes"
    assert len(shown) == 11
    assert shown[6].startswith("2 | to update | data.k0")


def test_the_first_problems_are_shown_and_the_others_counted():
    tasks = [blocked(task, f"it has {task} annotations") for task in range(2, 14)]
    lines = lines_of(plan_of(*tasks))

    assert sum("annotated-data" in line for line in lines) == 10
    assert "… and 2 more problems" in lines
    scattered = lines_of(plan_of(*(blocked(task) for task in range(0, 14, 2))))
    assert any(line.startswith("7 tasks blocked (0, 2, 4, 6, 8, 10, …): ") for line in scattered)


def test_lists_and_large_objects_are_shown_where_they_differ():
    boxes: list[Json] = [{"x": number} for number in range(9)]
    large: dict[str, Json] = {"text": "v" * 500, "n": 1}
    plan = plan_of(
        update(
            1,
            change("data.boxes", boxes, [*boxes[:4], {"x": -4}, *boxes[5:], "new"]),
            change("data.small", {"a": 1}, {"a": 2}),
            change("meta", {"n": 1}, {**large, "n": 2, "text": "v" * 500}),
        ),
        update(2, change("data.boxes", boxes, [{"x": -number - 1} for number in range(9)])),
    )

    shown = rows_of(plan)

    assert shown[:4] == [
        "1 | to update | data.boxes[4].x | 4 | -4 | tasks.yaml:3:5",
        'data.boxes[9] | (absent) | "new" | tasks.yaml:3:5',
        'data.small | {"a": 1} | {"a": 2} | tasks.yaml:3:5',
        "meta.n | 1 | 2 | tasks.yaml:3:5",
    ]
    assert shown[4].startswith('meta.text | (absent) | "vvv')
    assert [line.partition(" | 0 |")[0] for line in shown[5:6]] == [
        "2 | to update | data.boxes[0].x"
    ]
    assert len(shown) == 9
    assert shown[8] == "data.boxes | … and 6 more"


def test_sides_that_are_the_same_are_shown_all_the_same():
    assert rows_of(plan_of(update(1, change("data.a", [1], [1])))) == [
        "1 | to update | data.a | [1] | [1] | tasks.yaml:3:5"
    ]


def test_spaces_are_kept_where_values_stand():
    html = plan_of(update(1, change("data.a", "a b", "a  b")))._repr_html_()

    assert ".reconciler-view code { white-space: pre-wrap }" in html
    assert '<code>"a  b"</code>' in html
    assert html.startswith('<div class="reconciler-view"><style>')


@pytest.mark.parametrize(
    "value",
    [
        "&" * 1_000_000,
        ["&" * 2_000] * 500,
        {f"&&&{number}": "&" * 1_000 for number in range(1_000)},
        [[["&" * 5_000]]],
        "\u202e" * 500,
        "\U0001f600" * 100_000,
    ],
    ids=["text", "list", "object", "nested", "marks", "faces"],
)
def test_however_much_there_is_little_is_shown(value: Json):
    key = '["' + "&" * 5_000 + '{}"]'
    changes = [change(f"data{key.format(n)}", value, [value, 1]) for n in range(10)]
    changes += [change(f"data{key.format(n)}", [value], [1, value]) for n in range(10, 20)]
    problem = TaskProblem(Kind.ANNOTATED_DATA, "&" * 10_000, "&" * 10_000)
    tasks = [
        replace(
            update(task, *changes), problems=(replace(problem, message="&" * 5_000 + str(task)),)
        )
        for task in range(200)
    ]
    plan = replace(plan_of(*tasks), server=replace(SERVER, url="&" * 10_000))
    plan.__dict__["digest"] = "not looked at"
    run = replace(RUN, started="&" * 9_999, ended="&" * 9_999, digest="&" * 9_999)
    outcomes = [
        TaskOutcome(task.task, Outcome.FAILED, task.changes, "&" * 5_000 + str(task.task))
        for task in tasks
    ]
    report = Report(plan.server, (run,) * 100, tuple(outcomes))

    for shown in (plan, report):
        html = shown._repr_html_()
        assert len(html.encode()) < SIZE_MAX
        assert " more tasks with changes; <code>" in html


def test_of_many_tasks_few_are_shown():
    plan = plan_of(*(update(task, change("data.a", 1, 2)) for task in range(10_000)))

    assert lines_of(plan)[0] == "Plan: 10,000 to update"
    assert rows_of(plan)[-1] == f"… and 9,950 more tasks {MORE}"
    assert len(plan._repr_html_()) < SIZE_MAX


def test_keys_and_rules_are_shown():
    key = TaskKey(("data", "k"), "x-<1>")
    gone = UnresolvedKey(key, 7, SOURCE, TaskProblem(Kind.MISSING, "no task has it"))
    rule = PlannedRule(RuleRef("twice", 7, Source("r.yaml", 3, 1), ()), 2, 1)
    blocked = replace(rule, problem=TaskProblem(Kind.RULE, "expected at most 1 task"))
    plan = plan_of(update(5, change("overlap", 1, 2), key=key))
    html = replace(plan, unresolved=(gone,) * 12, rules=(rule, blocked))._repr_html_()

    assert "5 (x-&lt;1&gt;)" in html
    assert "Key x-&lt;1&gt;: missing: no task has it" in html
    assert "… and 2 more keys" in html
    assert "(r.yaml:3): 2 tasks match, overruled at 1 of them" in html
    assert "; rule: expected at most 1 task" in html
