"""A program of somebody else, strictly typed: it uses what there is, and loses no type on the way.

Usage: typed_program URL TOKEN. It runs in a folder of its own, on a server with tasks 1 to 3.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import reconciler
from reconciler import (
    ABSENT,
    UNREADABLE,
    ApplyOptions,
    ApplyStopped,
    Change,
    Commit,
    Kind,
    Limit,
    ManifestError,
    Manifests,
    Outcome,
    Plan,
    Problem,
    ProgressListener,
    ReconcilerError,
    Refused,
    Report,
    Run,
    ServerError,
    ServerIdentity,
    Settings,
    Shard,
    Source,
    Status,
    TaskOutcome,
    TaskPlan,
    TaskProblem,
    Unauthorised,
    User,
)


class Counter:
    """Follows a run, without knowing more of it than the protocol says."""

    def __init__(self) -> None:
        self.tasks = 0
        self.lines: list[str] = []

    def begin(self, work: str, total: int | None = None) -> None:
        self.lines.append(f"{work}: {total}")

    def advance(self, tasks: int = 1) -> None:
        self.tasks += tasks

    def detail(self, text: str) -> None:
        self.lines.append(text)

    def note(self, text: str) -> None:
        self.lines.append(text)


def declare(folder: Path) -> Manifests:
    file = folder / "tasks.yaml"
    file.write_text("version: 1\ntasks:\n  - id: 1\n    data: {split: test}\n", encoding="utf-8")
    from_file: Manifests = reconciler.load(file)
    from_files: Manifests = reconciler.load([file, str(file)])
    unread: tuple[Problem, ...] = from_files.unread
    rows: list[dict[str, object]] = [{"id": n, "data": {"n": n}, "meta": None} for n in (1, 2, 3)]
    tasks = Manifests.from_tasks(
        rows,
        project=7,
        policy={"data": "merge"},
        defaults={"data": {"by": "program"}},
        name="rows",
    )
    ids: Sequence[int] = tasks.ids
    assert [*ids] == [1, 2, 3]
    assert len(from_file) == 1
    assert not unread
    return tasks


def describe_change(change: Change) -> str:
    path: tuple[str, ...] = change.path
    source: Source = change.source
    place = f"{source.file}:{source.line}:{source.column}"
    if change.before is ABSENT:
        return f"{place}: {path} is new"
    if change.before is UNREADABLE or change.after is UNREADABLE:
        return f"{place}: {path} cannot be read"
    if change.after is ABSENT:
        return f"{place}: {path} goes"
    before: bool | float | str | list[object] | dict[str, object] | None
    before = f"{len(change.before)} long" if isinstance(change.before, str) else None
    return f"{place}: {path} was {before}"


def describe_task(task: TaskPlan) -> list[str]:
    problems: tuple[TaskProblem, ...] = task.problems
    status: Status = task.status
    kinds: list[Kind] = [problem.kind for problem in problems if not problem.is_warning]
    changes: Iterable[Change] = task.changes
    return [f"{task.task} {status.value} {kinds}", *map(describe_change, changes)]


def look_at_plan(plan: Plan) -> Mapping[str, int]:
    server: ServerIdentity = plan.server
    updates: tuple[TaskPlan, ...] = plan.updates
    missing: tuple[Shard, ...] = plan.missing_shards
    digest: str = plan.digest
    lines = [line for task in updates for line in describe_task(task)]
    assert lines
    assert digest
    assert server.url
    assert not missing
    return plan.summary()


def look_at_report(report: Report) -> list[str]:
    run: Run = report.runs[0]
    user: User | None = run.user
    commit: Commit | None = run.commit
    outcomes: tuple[TaskOutcome, ...] = report.outcomes
    failed: list[TaskOutcome] = [o for o in outcomes if o.outcome is Outcome.FAILED]
    requests: int | None = report.requests
    assert report.is_good
    assert report.complete
    assert not failed
    assert requests
    return [report.describe(), user.email if user else "", commit.id if commit else ""]


def plan_in_parts(tasks: Manifests, settings: Settings, progress: ProgressListener) -> Plan:
    parts = [
        reconciler.plan(tasks, settings, shard=Shard(2, 1), progress=progress),
        reconciler.plan(tasks, settings, shard="2/2", allow=["annotated-data", Kind.EMPTY_DATA]),
    ]
    whole: Plan = reconciler.merge(parts)
    reconciler.write_plan(whole, "plan.json")
    return reconciler.read_plan(Path("plan.json"))


def carry_out(plan: Plan, settings: Settings) -> Report:
    options = ApplyOptions(
        allow=frozenset({Kind.ANNOTATED_DATA}),
        expected_digest=plan.digest,
        canary=1,
        careful=True,
        commit="c0ffee",
    )
    seen: list[TaskOutcome] = []
    counter = Counter()
    report: Report = reconciler.apply(
        plan,
        settings,
        options=options,
        report=Path("report.jsonl"),
        on_outcome=seen.append,
        progress=counter,
        stop=threading.Event(),
    )
    assert {outcome.task for outcome in seen} == {1, 2, 3}
    assert counter.tasks
    return report


def undo(report: Report, settings: Settings) -> Report:
    inverse: Plan = reconciler.plan_revert(report, settings)
    assert len(inverse.updates) == 3
    undone: Report = reconciler.revert([report], settings, options=ApplyOptions(careful=True))
    both: Report = reconciler.merge([report, undone])
    assert len(both.runs) == 2
    return undone


def fail(settings: Settings) -> list[str]:
    messages: list[str] = []
    try:
        Manifests.from_tasks([{"id": "one"}])
    except ManifestError as error:
        problems: tuple[Problem, ...] = error.problems
        messages += [problems[0].message, reconciler.render(error, "json")]
    try:
        tasks = Manifests.from_tasks([{"id": 1, "data": {"n": 5}}])
        reconciler.plan(tasks, Settings(url=settings.url, token="wrong"))
    except Unauthorised as error:
        status: int = error.status
        messages += [str(status), error.hint]
    except ServerError as error:
        messages.append(error.message)
    try:
        reconciler.apply(Plan(ServerIdentity("http://else", None, None), (), 0), settings)
    except ApplyStopped as error:
        stopped: Report = error.report
        unwritten: tuple[str, ...] = error.unwritten
        messages += [repr(stopped), *unwritten]
    except (Refused, ReconcilerError) as error:
        messages.append(error.message)
    return messages


def main(url: str, token: str) -> None:
    settings = Settings(url=url, token=token, rps=100.0, max_changes=Limit.parse("100%"))
    tasks = declare(Path.cwd())
    counter = Counter()
    plan = plan_in_parts(tasks, settings, counter)
    counts = look_at_plan(plan)
    report = carry_out(plan, settings)
    assert reconciler.read_report("report.jsonl") == report
    undo(report, settings)
    lines = [*look_at_report(report), *fail(settings), reconciler.render(plan, "text", full=True)]
    assert counts["update"] == 3
    assert all(isinstance(line, str) for line in lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
