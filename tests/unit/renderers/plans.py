"""Plans, reports and problems that formats are tried with."""

from __future__ import annotations

from typing import TypeAlias

from reconciler.core.finding import Check, Checkup, Finding, Level
from reconciler.core.model import Change, TaskKey
from reconciler.core.notation import parse_path
from reconciler.core.plan_model import (
    Plan,
    PlannedRule,
    ServerIdentity,
    Status,
    TaskPlan,
    UnresolvedKey,
)
from reconciler.core.problems import Allowance, Kind, TaskProblem
from reconciler.core.report import Outcome, Report, Run, TaskOutcome
from reconciler.core.rule import RuleRef
from reconciler.core.validation_document import Validation
from reconciler.core.values import ABSENT, Side
from reconciler.errors import Problem, Source

SERVER = ServerIdentity("https://labels.example.org", "Community", "1.23.2")

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "::error file=a.py::pwned",
    "##[error]pwned",
    "a ##[add-matcher]/tmp/x.json",
    "##vso[task.setvariable variable=x]y",
    "%0A::error::pwned",
    "line\n::error::pwned\r\n##[group]x",
    "\x1b[31mred\x1b]0;title\x07",
    "```\n</details>\n<h1>x</h1>\n```",
    "`` ` ```` ~~~~",
    "a | b \\| c",
    "</code></summary></details><!-- ",
    "<!-- x --> -->",
    "\u202egnp.exe\u2066",
    "@everyone ping @octocat",
    "fixes #1, GH-1, octo/repo#1, !2, 0123456789abcdef0123456789abcdef01234567",
    "https://evil.example/?a=b www.evil.example a@evil.example",
    "[click](https://evil.example) ![x](https://evil.example/x.png)",
    "${{ secrets.TOKEN }} $(id) {0} {{1}}",
    "$`\\href{x}`$ $$x$$ :smile:",
    "/close\n/assign @x",
    "]]> &amp; &#x202e; \ufffe \ufffd",
    "\ud800 half",
    "* a\n# b\n> c\n---\n    d",
    "`",
    " ` ",
    "\\",
    "",
)
"""Values that must stay text, whatever reads them."""


def change(path: str, before: Side, after: Side, line: int = 3, rule: str = "") -> Change:
    return Change(parse_path(path), before, after, Source("manifests/a.yaml", line, 5), rule)


def update(task: int, *changes: Change, problems: tuple[TaskProblem, ...] = ()) -> TaskPlan:
    blocked = any(not (one.allowed or one.is_warning) for one in problems)
    status = Status.BLOCKED if blocked else Status.UPDATE
    return TaskPlan(task, 7, status, changes[0].source, changes, problems)


def make_four_intentions() -> Plan:
    """What four lines of a manifest do to 3,000 tasks."""
    place = Source("manifests/rules.yaml", 4, 5)
    rule = PlannedRule(RuleRef("label the validation split twice", 7, place, ()), 1599)
    tasks = []
    for task in range(1, 3001):
        changes = [
            change(
                "data.image",
                f"s3://old-photos/2024/{task:06}.jpg",
                f"s3://photos/2024/{task:06}.jpg",
                9,
            )
        ]
        if task <= 2000:
            changes.append(change("data.old_score", task % 1412 / 1412, ABSENT, 12))
        if task % 2 or task < 200:
            changes.append(change("overlap", 1, 2, 6, rule.rule.name))
        if task in {7, 99, 500, 1000, 2500}:
            changes.append(change("data.text", f"A sentance {task}.", f"A sentence {task}.", task))
        problems: tuple[TaskProblem, ...] = ()
        if task in {11, 12, 13}:
            problems = (
                TaskProblem(
                    Kind.ANNOTATED_DATA,
                    "the task has 2 annotations, and they were made for the data as it was",
                    "if intended, pass --allow annotated-data",
                ),
            )
        tasks.append(update(task, *changes, problems=problems))
    return Plan(SERVER, tuple(tasks), 17, rules=(rule,))


def make_hostile_plan() -> Plan:
    """A plan in which every text that a user or a server writes is hostile."""
    tasks = []
    for number, text in enumerate(HOSTILE):
        source = Source(f"{text or 'x'}.yaml", number + 1, 2)
        path = ("data", text, *HOSTILE[:1])
        rule = text if number % 2 else ""
        long = f"{text}{'x' * 3000}"
        changes = (
            Change(path, text, f"{text}2", source, rule),
            Change(("data", "b", text), ABSENT, {text: [text]}, source),
            Change(("data", "c"), [text, 1], [1, text, long], source),
            Change(("data", "d"), long + text, long + text + "!", source),
            Change(("data", text, "e"), text, ABSENT, source, rule),
        )
        problems = (
            TaskProblem(Kind.ANNOTATED_DATA, f"message {text}", f"hint {text}"),
            TaskProblem(
                Kind.LABEL_CONFIG, text, text, (Allowance(Kind.LABEL_CONFIG, (), text, text),)
            ),
            TaskProblem(Kind.COMPUTED, text, text, paths=(path,)),
        )
        key = TaskKey(("data", text), text)
        status = Status.BLOCKED if number % 3 else Status.UPDATE
        shown = problems if number % 3 else problems[1:]
        tasks.append(TaskPlan(number + 1, 7, status, source, changes, shown, key=key))
    unresolved = tuple(
        UnresolvedKey(
            TaskKey(("data", text), text),
            7,
            Source(text, 1, 1),
            TaskProblem(Kind.MISSING, f"no task {text}", text),
        )
        for text in HOSTILE
    )
    rules = tuple(
        PlannedRule(
            RuleRef(text, 7, Source(text, 1, 1), ()),
            3,
            1,
            TaskProblem(Kind.RULE if number % 2 else Kind.RULE_UNUSED, text, text),
        )
        for number, text in enumerate(HOSTILE)
    )
    server = ServerIdentity("https://x.test/`@everyone`<b>#1", "Community", "1")
    return Plan(server, tuple(tasks), 3, unresolved=unresolved, rules=rules)


Found: TypeAlias = Plan | Report | Validation | Checkup


def make_hostile_report() -> Report:
    outcomes = tuple(
        TaskOutcome(
            task.task,
            list(Outcome)[task.task % len(Outcome)],
            task.changes if task.task % 5 else (),
            HOSTILE[task.task - 1],
        )
        for task in make_hostile_plan().tasks
    )
    return Report(SERVER, (Run("sha256:1", 3, started="2026-11-28T10:00:00.000Z"),), outcomes)


def make_hostile_validation() -> Validation:
    return Validation(
        tuple(
            Problem(Source(f"{text or 'x'}.yaml", n, 2), text, f"found {text}", text)
            for n, text in enumerate(HOSTILE)
        )
    )


def make_hostile_checkup() -> Checkup:
    levels = list(Level)
    return Checkup(
        "https://x.test",
        tuple(
            Finding(Check.FILES, levels[n % len(levels)], text, text)
            for n, text in enumerate(HOSTILE)
        ),
        3,
    )


def make_distinct_changes(count: int = 100_000) -> Plan:
    """Each task changes its own path, declared on its own line."""
    tasks = tuple(
        update(task, change(f"data.field_{task}", f"old {task}", f"new {task}", task))
        for task in range(1, count + 1)
    )
    return Plan(SERVER, tasks, 0)


def make_mixed_changes(count: int = 1_000) -> Plan:
    """Changes of all sorts, some of which block the apply."""
    tasks = []
    for task in range(1, count + 1):
        sorts = (
            change("overlap", task % 3, 7, task),
            change("data.score", task / 7, ABSENT, task),
            change("meta.source", ABSENT, {"crawl": f"2026-{task % 12}"}, task),
            change("data.text", f"Wrod {task} " * 40, f"Word {task} " * 40, task),
            change("data.boxes", [{"x": task}], [{"x": task, "y": 1}, {"x": 2}], task),
        )
        problems = (TaskProblem(Kind.ANNOTATED_DATA, f"{task % 4} annotations", "allow it"),)
        tasks.append(
            update(
                task, sorts[task % 5], sorts[task % 4], problems=problems if task % 50 == 0 else ()
            )
            if task % 5 != task % 4
            else update(task, sorts[task % 5])
        )
    return Plan(SERVER, tuple(tasks), 5)
