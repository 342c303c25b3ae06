"""How many requests it takes, counted where they arrive: the budgets hold on either server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from tests.live.command_line import Command, Ran
from tests.live.counting_proxy import Asked, counting_proxy
from tests.live.under_test import ServerUnderTest

TASKS = 5_000
DENSE_PLAN = 7
SCATTERED_PLAN = 3
UPDATING = 5
"""What updates may cost beside themselves and their fresh reads."""

PER_READ = 8
"""Updates that a fresh read covers at least, where a server does ten a second."""

READS_A_SECOND = 1.5
"""Fresh reads of a server that does fewer: a batch of one takes less than a second, at times."""

HONOURED = 1
"""What it costs to ask what the server stores, where more than data and meta is changed."""
SETTINGS = 1
"""What it costs to ask whether the project sets overlaps too, where some are changed."""

REPORTED = 1
"""What it costs to ask whose token it is, where a report is written."""

BROKEN_PLAN = 25

Tasks = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Counted:
    """What a command line gave, and what it asked the server for."""

    ran: Ran
    asked: Sequence[Asked]
    seconds: float

    def updates_budget(self, count: int) -> int:
        """Tell how many requests a plan and so many updates may take, at the pace they had."""
        reads = max(count // PER_READ, ceil(READS_A_SECOND * self.seconds))
        return count + reads + UPDATING

    def sent(self, method: str) -> list[str]:
        return [asked.path for asked in self.asked if asked.method == method]


Counting = Callable[..., Counted]


@dataclass(frozen=True, slots=True)
class Project:
    """A project of 5,000 tasks, each with ``text`` and ``old`` in its data."""

    number: int
    ids: Sequence[int]


def large_project(server: ServerUnderTest) -> Project:
    project = server.make_project()
    items = [{"data": {"text": f"text {n}", "old": n}} for n in range(TASKS)]
    return Project(project, server.import_tasks(project, items))


@pytest.fixture(scope="module")
def large(server: ServerUnderTest) -> Project:
    """A project that is only planned, never changed."""
    return large_project(server)


@pytest.fixture
def counted(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Counting]:
    """The command line pointed at a proxy; whatever it does, it may send only these."""
    with counting_proxy(server.url) as (url, asked):
        monkeypatch.setenv("LABEL_STUDIO_URL", url)

        def counted(*arguments: str) -> Counted:
            asked.clear()
            began = time.monotonic()
            ran = command(*arguments)
            done = Counted(ran, tuple(asked), time.monotonic() - began)
            writing = {"PATCH"} if arguments[0] == "apply" else set()
            assert {one.method for one in done.asked} <= {"GET", "OPTIONS", "POST"} | writing
            assert {*done.sent("POST")} <= {"/api/token/refresh"}
            return done

        yield counted


def yaml_text(header: Mapping[str, object], tasks: Tasks) -> str:
    lines = [f"{name}: {value}" for name, value in header.items()]
    return "\n".join([*lines, "tasks:", *(f"  - {json.dumps(task)}" for task in tasks)]) + "\n"


def json_text(header: Mapping[str, object], tasks: Tasks) -> str:
    return json.dumps({**header, "tasks": tasks})


def lines_text(header: Mapping[str, object], tasks: Tasks) -> str:
    return "\n".join(map(json.dumps, [header, *tasks])) + "\n"


FORMS = {"yaml": yaml_text, "json": json_text, "jsonl": lines_text}


def write(project: int | None, tasks: Tasks, *, form: str = "jsonl") -> str:
    header = {"version": 1} if project is None else {"version": 1, "project": project}
    name = f"manifest.{form}"
    Path(name).write_text(FORMS[form](header, tasks), encoding="utf-8")
    return name


def as_imported(ids: Sequence[int]) -> list[dict[str, Any]]:
    """Declare the tasks of a project as they are."""
    return [{"id": task, "overlap": 1, "data": {"text": f"text {n}"}} for n, task in enumerate(ids)]


def with_updates(ids: Sequence[int], places: Sequence[int]) -> list[dict[str, Any]]:
    """Declare the tasks as they are, but for a new text at ``places``."""
    tasks = as_imported(ids)
    for place in places:
        tasks[place]["data"] = {"text": "another text"}
    return tasks


def updated(ids: Sequence[int], places: Sequence[int]) -> dict[int, list[str]]:
    return {ids[place]: ["update", "data.text"] for place in places}


@pytest.mark.parametrize("form", FORMS)
def test_a_plan_of_five_thousand_tasks_takes_seven_requests(
    large: Project, counted: Counting, form: str
):
    places = [0, 999, 1000, 2500, 4999]
    tasks = with_updates(large.ids, places)
    # Whether a key may go is asked of the project: the dearest plan of one project.
    tasks[3000]["absent"] = ["data.old"]
    plan = counted("plan", write(large.number, tasks, form=form), "--format", "json")

    assert len(plan.asked) <= DENSE_PLAN
    expected = {**updated(large.ids, places), large.ids[3000]: ["update", "data.old"]}
    assert plan.ran.paths() == expected
    assert plan.ran.plan()["summary"]["unchanged"] == TASKS - 6
    assert plan.ran.plan()["requests"] == len(plan.asked)


def test_a_plan_of_fifty_scattered_tasks_takes_three_requests(large: Project, counted: Counting):
    tasks = with_updates(large.ids, [100, 4900])[::100]
    tasks[7]["absent"] = ["data.old"]
    plan = counted("plan", write(large.number, tasks), "--format", "json")

    assert len(plan.asked) <= SCATTERED_PLAN
    expected = {**updated(large.ids, [100, 4900]), large.ids[700]: ["update", "data.old"]}
    assert plan.ran.paths() == expected
    assert plan.ran.plan()["summary"]["unchanged"] == 47


@pytest.mark.parametrize(
    "places",
    [
        pytest.param(range(1_500), id="the first of the project"),
        pytest.param(range(3_500, 5_000), id="the last of the project"),
        pytest.param(range(0, 4_500, 3), id="every third"),
    ],
)
def test_a_plan_of_a_part_takes_a_request_for_each_five_hundred_tasks_and_two(
    large: Project, counted: Counting, places: range
):
    last = places[-1]
    tasks = with_updates(large.ids, [last])
    manifest = write(large.number, [tasks[place] for place in places])
    plan = counted("plan", manifest, "--format", "json")

    assert len(plan.asked) <= len(places) // 500 + 2
    assert plan.ran.paths() == updated(large.ids, [last])
    assert plan.ran.plan()["summary"]["unchanged"] == len(places) - 1


def fifty_updates(ids: Sequence[int]) -> list[dict[str, Any]]:
    """Declare every hundredth task otherwise than it is, in one of five ways."""
    ways: list[dict[str, Any]] = [
        {"overlap": 3},
        {"data": {"text": "another text"}},
        {"data": {"source": {"crawl": "2026-10"}}},
        {"meta": {"reviewer": "someone"}},
        {"overlap": 2, "data": {"text": "another text"}, "meta": {"n": 1}},
    ]
    return [{"id": task, **ways[n % 5]} for n, task in enumerate(ids[::100])]


def applies_all(counted: Counting, manifest: str, tasks: Tasks) -> Counted:
    """Apply, look that each task got one PATCH and that nothing is left, give what it took."""
    apply = counted("apply", manifest, "--yes", "--report", "report.jsonl")
    assert (apply.ran.code, f"Apply: {len(tasks)} applied." in apply.ran.out) == (0, True)
    assert sorted(apply.sent("PATCH")) == sorted(f"/api/tasks/{task['id']}/" for task in tasks)
    last = json.loads(Path("report.jsonl").read_text().splitlines()[-1])
    assert last["requests"] == len(apply.asked)

    plan = counted("plan", manifest, "--detailed-exitcode")
    assert (plan.ran.code, "No changes: " in plan.ran.out) == (0, True)
    assert len(plan.asked) <= SCATTERED_PLAN
    return apply


def test_fifty_updates_take_sixty_one_requests_and_nothing_is_left_to_plan(
    server: ServerUnderTest, counted: Counting
):
    project = large_project(server)
    tasks = fifty_updates(project.ids)
    apply = applies_all(counted, write(project.number, tasks), tasks)

    spent = HONOURED + SETTINGS + REPORTED
    assert len(apply.asked) <= apply.updates_budget(50) + spent
    assert len(apply.sent("OPTIONS")) == HONOURED


def test_fifty_updates_of_data_take_sixty_one_requests(server: ServerUnderTest, counted: Counting):
    project = large_project(server)
    tasks = [{"id": task, "data": {"text": "another text"}} for task in project.ids[::100]]
    apply = applies_all(counted, write(project.number, tasks), tasks)

    assert len(apply.asked) <= apply.updates_budget(50) + REPORTED
    assert apply.sent("OPTIONS") == []


def test_a_personal_access_token_costs_one_request_more(
    server: ServerUnderTest,
    counted: Counting,
    refresh_token: str,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", refresh_token)
    project = large_project(server)
    tasks = fifty_updates(project.ids)
    apply = applies_all(counted, write(project.number, tasks), tasks)

    assert len(apply.sent("POST")) == 1
    spent = HONOURED + SETTINGS + REPORTED
    assert len(apply.asked) <= apply.updates_budget(50) + spent + 1


def test_removing_keys_costs_no_more_than_the_plan_and_the_updates_may(
    server: ServerUnderTest, counted: Counting
):
    project = server.make_project()
    items = [{"data": {"text": "text", "old": n}} for n in range(10)]
    tasks = [{"id": task, "absent": ["data.old"]} for task in server.import_tasks(project, items)]
    apply = applies_all(counted, write(project, tasks), tasks)

    # The label config is asked for when planning, and afresh before anything is sent.
    assert len(apply.asked) <= apply.updates_budget(10) + 2 + REPORTED


def test_two_shards_cover_all_tasks_once(large: Project, counted: Counting):
    places = range(0, TASKS, 77)
    manifest = write(large.number, with_updates(large.ids, places))
    halves = [
        counted("plan", manifest, "--format", "json", "--shard", part) for part in ("1/2", "2/2")
    ]

    one, other = (half.ran.paths() for half in halves)
    assert one.keys() & other.keys() == set()
    assert {**one, **other} == updated(large.ids, places)
    assert sum(half.ran.plan()["summary"]["tasks"] for half in halves) == TASKS
    assert all(len(half.asked) <= DENSE_PLAN for half in halves)


def test_tasks_whose_project_is_not_declared_are_read_in_bulk_too(
    large: Project, counted: Counting
):
    manifest = write(None, with_updates(large.ids, [42, 4242]))
    plan = counted("plan", manifest, "--format", "json")

    assert plan.ran.paths() == updated(large.ids, [42, 4242])
    assert plan.ran.plan()["summary"]["unchanged"] == TASKS - 2
    # One task, asked for by its id, tells the project of all.
    assert len(plan.asked) <= DENSE_PLAN + 1


def test_deleted_tasks_are_missing_and_cost_one_request_each(
    server: ServerUnderTest, counted: Counting
):
    project = large_project(server)
    manifest = write(project.number, with_updates(project.ids, [1, 4998]))
    deleted = [project.ids[place] for place in (0, 999, 4999, *range(1000, 4400, 200))]
    for task in deleted:
        server.delete(task)
    plan = counted("plan", manifest, "--format", "json")

    missing = {task: ["missing"] for task in deleted}
    assert plan.ran.code == 1
    assert plan.ran.paths() == {**missing, **updated(project.ids, [1, 4998])}
    summary = plan.ran.plan()["summary"]
    assert (summary["missing"], summary["unchanged"]) == (20, TASKS - 22)
    assert len(plan.asked) <= DENSE_PLAN + 20


@pytest.mark.parametrize(
    ("broken", "data"),
    [
        pytest.param(700, [1, 2], id="one that reads unresolved"),
        pytest.param(0, 5, id="the first of a page"),
        pytest.param(700, 5, id="inside a page"),
        pytest.param(1099, 5, id="the last of all"),
    ],
)
def test_a_broken_task_hides_none_of_the_others(
    server: ServerUnderTest, counted: Counting, broken: int, data: object
):
    project, ids = server.make_tasks(1_100)
    assert server.patch(ids[broken], {"data": data}).status_code == 500
    manifest = write(project, with_updates(ids, [broken, 1, 1050]))
    plan = counted("plan", manifest, "--format", "json")

    assert plan.ran.code == 1
    assert plan.ran.paths() == {**updated(ids, [1, 1050]), ids[broken]: ["unreadable"]}
    assert plan.ran.plan()["summary"]["unchanged"] == 1_097
    assert len(plan.asked) <= BROKEN_PLAN


@pytest.mark.parametrize("cap", [100, 300, 700])
def test_pages_cut_short_by_the_server_cost_as_many_requests_as_pages(
    large: Project, counted: Counting, page_size_cap: Callable[[int], None], cap: int
):
    page_size_cap(cap)
    manifest = write(large.number, with_updates(large.ids, [0, 4999]))
    plan = counted("plan", manifest, "--format", "json")

    assert plan.ran.paths() == updated(large.ids, [0, 4999])
    assert len(plan.asked) <= -(-TASKS // cap) + 2
