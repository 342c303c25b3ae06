"""Plans, reports and problems to look at in a browser: mixed, hostile, and large."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from reconciler.core.model import Change, TaskKey
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
from reconciler.core.values import ABSENT, Json, Side
from reconciler.errors import Problem, Source

SERVER: Final = ServerIdentity(
    "https://label.example.test", "Community", "1.23.2", environment="production"
)
RULE: Final = "Street scenes get a second look"
WORDS: Final = (
    "the quick courier crosses a narrow bridge before sunrise and leaves small parcel at door of "
    "museum while two neighbours talk about weather in valley"
)

HOSTILE: Final = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "<svg/onload=alert(4)>",
    "javascript:alert(5)",
    "https://evil.test/pixel.png",
    "<!--",
    "</textarea></pre></details></style>",
    "::error::broken",
    "##[error]broken",
    "##[add-matcher]x",
    "%0A::warning::x",
    "\x1b[31mred\x1b[0m\x1b]8;;https://evil.test\x07link",
    "```\n````\n~~~",
    "a | b | c",
    "\u202egnp.exe\u2066\u200b",
    "@everyone #1 !2",
    "{{data}} {{script}} ${x}",
    "\u2028\u2029\ud800",
    "__proto__",
    "constructor",
    "url(https://evil.test/style.css)",
)


def make_text(seed: int, paragraphs: int = 6) -> str:
    chosen = random.Random(seed)  # noqa: S311 - the same text in each run
    return "\n".join(
        f"{' '.join(chosen.choices(WORDS.split(), k=24))}." for _ in range(paragraphs)
    ).capitalize()


def make_boxes(task: int, count: int = 12) -> list[Json]:
    chosen = random.Random(task)  # noqa: S311 - as above
    return [
        {
            "x": round(chosen.random() * 90, 2),
            "y": round(chosen.random() * 90, 2),
            "width": round(chosen.random() * 10, 2),
            "height": round(chosen.random() * 10, 2),
            "label": chosen.choice(["car", "truck", "bicycle"]),
        }
        for _ in range(count)
    ]


def change(path: str, before: Side, after: Side, line: int = 7, rule: str = "") -> Change:
    file = "manifests/rules.yaml" if rule else f"manifests/batch-{line % 4}.yaml"
    return Change(tuple(path.split(".")), before, after, Source(file, line, 5), rule)


def _change_task(task: int) -> Iterator[Change]:
    if task % 10 < 4:
        yield change(
            "data.image",
            f"s3://old-bucket/2024/{task}.jpg",
            f"s3://photos/2024/{task}.jpg",
            line=task,
        )
    elif task % 10 < 6:
        yield change("data.old_score", round((task * 37 % 100) / 100, 2), ABSENT, line=task)
        yield change("overlap", 1, 2, line=12, rule=RULE)
    elif task % 10 == 6:
        text = make_text(task)
        after = text.replace("bridge", "viaduct", 1).replace("museum", "old museum", 1)
        yield change("data.text", text, after, line=task)
    elif task % 10 == 7:
        yield change("meta.priority", (task * 7) % 40, 20 + (task * 11) % 80, line=task)
    elif task % 10 == 8:
        boxes = make_boxes(task)
        moved: list[Json] = [*boxes[1:4], {"label": "van"}, *boxes[5:], {"x": 1, "y": 2}]
        yield change("data.regions", boxes, moved, line=task)
    else:
        yield change("meta.reviewed", ABSENT, "yes", line=task)


def _block(task: int) -> TaskPlan:
    source = Source("manifests/batch-1.yaml", task, 3)
    if task % 3 == 0:
        problem = TaskProblem(
            Kind.MISSING,
            f"task {task} does not exist on the server, or the token may not see it",
            "correct the id, or pass --allow missing to skip it",
        )
        return TaskPlan(task, 4, Status.MISSING, source, (), (problem,))
    problem = TaskProblem(
        Kind.ANNOTATED_DATA,
        f"data.text changes, but {task % 5 + 1} annotations refer to it",
        "if intended, pass --allow annotated-data",
    )
    text = make_text(task, 2)
    changed = change("data.text", text, text.replace("parcel", "package"), line=task)
    return TaskPlan(task, 4, Status.BLOCKED, source, (changed,), (problem,))


def make_mixed_plan(count: int = 1_000, *, blocked: int = 12) -> Plan:
    """A plan with all kinds of changes and problems."""
    tasks = []
    for task in range(100, 100 + count):
        changes = tuple(_change_task(task))
        key = TaskKey(("data", "name"), f"street-{task:06}") if task % 10 == 3 else None
        warning = TaskProblem(Kind.TYPE_CHANGE, "the type of the value changes", "check it")
        problems = (warning,) if task % 100 == 7 else ()
        tasks.append(
            TaskPlan(task, 4, Status.UPDATE, changes[0].source, changes, problems, key=key)
        )
    tasks += map(_block, range(200_000, 200_000 + blocked))
    if blocked:
        allowed = Allowance(Kind.MISSING, by="--allow missing")
        accepted = TaskProblem(Kind.MISSING, "task 300000 does not exist", allowed=(allowed,))
        source = Source("manifests/batch-2.yaml", 5, 1)
        tasks.append(TaskPlan(300_000, 4, Status.MISSING, source, (), (accepted,)))
    ref = RuleRef(RULE, 4, Source("manifests/rules.yaml", 12, 5), ())
    return Plan(SERVER, tuple(tasks), 96_000, rules=(PlannedRule(ref, count // 5),))


def make_hostile_plan() -> Plan:
    """A plan in which every value, name, path, message and place is hostile."""
    tasks = []
    for number, text in enumerate(HOSTILE, 1):
        source = Source(text.replace("\ud800", ""), number, 1)
        problem = TaskProblem(Kind.TYPE_CHANGE, text, text)
        changes = (
            Change(("data", text), text, text + text, source, text),
            Change(("meta", text), ABSENT, {text: [text, 1]}, source),
            Change(("data", "list"), [{"label": text}] * 3, [{"label": text}, text], source),
        )
        key = TaskKey(("data", "key"), text)
        tasks.append(TaskPlan(number, 1, Status.UPDATE, source, changes, (problem,), key=key))
        blocked = TaskProblem(Kind.MISSING, text, text, (Allowance(Kind.MISSING, (), text, text),))
        tasks.append(TaskPlan(1000 + number, 1, Status.MISSING, source, (), (blocked,)))
    rules = tuple(PlannedRule(RuleRef(text, 1, Source(text, 1, 1), ()), 3) for text in HOSTILE)
    server = ServerIdentity(f"https://x.test/{HOSTILE[1]}", HOSTILE[2], HOSTILE[0], HOSTILE[1])
    tasks.sort(key=lambda task: task.task)
    problem = TaskProblem(Kind.AMBIGUOUS, HOSTILE[1], HOSTILE[1])
    keys = (UnresolvedKey(TaskKey(("id",), HOSTILE[1]), 1, Source("a", 1, 1), problem),)
    return Plan(server, tuple(tasks), 3, rules=rules, unresolved=keys)


def make_distinct_plan(count: int) -> Plan:
    """A plan in which no two changes are alike."""
    return Plan(
        SERVER,
        tuple(
            TaskPlan(
                task,
                4,
                Status.UPDATE,
                Source("manifests/big.yaml", task, 3),
                (
                    change(
                        f"data.field_{task % 7}",
                        f"value {task * 7919 % 1_000_003} as it was",
                        f"text {task * 104_729 % 1_000_003} as declared",
                        line=task,
                    ),
                ),
            )
            for task in range(1, count + 1)
        ),
        0,
    )


def make_report() -> Report:
    plan = make_mixed_plan(60, blocked=0)
    outcomes = [
        TaskOutcome(task.task, Outcome.APPLIED, task.changes, time="2026-03-01T09:00:00.000Z")
        for task in plan.tasks
    ]
    outcomes[3] = TaskOutcome(
        outcomes[3].task, Outcome.STALE, outcomes[3].changes, "data.image changed since the plan"
    )
    outcomes[9] = TaskOutcome(
        outcomes[9].task, Outcome.FAILED, outcomes[9].changes, "the server returned 500"
    )
    run = Run("4f1c…", 130, started="2026-03-01T09:00:00.000Z", ended="2026-03-01T09:00:20.000Z")
    return Report(SERVER, (run,), tuple(outcomes))


def make_validation() -> Validation:
    return Validation(
        tuple(
            Problem(
                Source(f"manifests/batch-{number % 3}.yaml", number + 1, 5),
                f"tasks[{number}].overlap",
                'expected an integer, found the string "two"',
                "write the number without quotes",
            )
            for number in range(40)
        )
    )


def with_changes(task: TaskPlan, *changes: Change) -> TaskPlan:
    return replace(task, changes=changes, problems=())
