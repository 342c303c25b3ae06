"""Plans over ids, keys and rules together: each task once, whatever the server returns of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.core.allowances import Allowances
from reconciler.core.comparison import Comparison
from reconciler.core.model import ReadBatch, Unreadable
from reconciler.core.plan_model import Plan, Status
from reconciler.core.shard import Shard
from reconciler.core.values import Json
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from reconciler.progress import NULL_PROGRESS, NullProgress, ProgressListener
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.sandboxed import CONTRACT
from tests.unit.labelstudio.wired import TEXT, Hooked, api_of

RULE = "rules: [{name: twice, where: {data.n: {gte: 2}}, set: {overlap: 2}}]\n"
DAMAGED = {"text": "half a pair: \ud800", "k": "d"}


def state_of(*keys: str | int) -> State:
    """A project with a task for each key, which also holds its number."""
    state = new_state()
    project = state.add_project("Seven", TEXT, number=7)
    for number, key in enumerate(keys, start=1):
        data = {"text": "t", "k": key, "n": number}
        state.add_task(project, {"data": data}, number=number)
    return state


def plan(
    state: State,
    folder: Path,
    text: str,
    *,
    shard: Shard | None = None,
    allow: tuple[str, ...] = (),
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    file = folder / "m.yaml"
    file.write_text(f"version: 1\nproject: 7\n{text}", encoding="utf-8")
    desired = load_manifests(find_manifests([str(file)]), CONTRACT)
    with api_of(Hooked(state)) as api:
        connection = Connection(api, CONTRACT)
        allowed = Allowances.of(allow)
        return build_plan(desired, connection, shard=shard, allow=allowed, progress=progress)


def statuses(found: Plan) -> dict[int, Status]:
    listed = {task.task: task.status for task in found.tasks}
    assert len(listed) == len(found.tasks)
    return listed


class Totals(NullProgress):
    """Keeps how many tasks each work said to have."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int | None]] = []

    def begin(self, work: str, total: int | None = None) -> None:
        self.begun.append((work, total))


@pytest.mark.parametrize(
    ("text", "total"),
    [("tasks: [{id: 1}, {id: 2}]\n", 2), (f"tasks: [{{id: 1}}, {{id: 2}}]\n{RULE}", None)],
)
def test_progress_has_no_total_where_rules_read_whole_projects(
    tmp_path: Path, text: str, total: int | None
):
    listener = Totals()
    plan(state_of(*"abc"), tmp_path, text, progress=listener)
    assert listener.begun == [("reading and comparing", total)]


KEYS = "key: data.k\ntasks:\n"


def test_a_key_that_is_missing_does_not_bring_the_others_twice(tmp_path: Path) -> None:
    found = plan(state_of("a", "b", "c"), tmp_path, f"{KEYS}- {{keys: [a, b, z], overlap: 2}}\n")

    assert statuses(found) == {1: Status.UPDATE, 2: Status.UPDATE}
    assert [key.key.value for key in found.unresolved] == ["z"]
    assert (found.unchanged, found.summary()["tasks"]) == (0, 3)


@pytest.mark.parametrize(
    "more", [RULE, f"{KEYS}- {{key: a, overlap: 2}}\n- {{key: 7, overlap: 1}}\n"]
)
def test_a_damaged_task_that_an_id_declares_is_planned_once(tmp_path: Path, more: str) -> None:
    state = state_of("a", "b", 7)
    state.tasks[2].values["data"] = DAMAGED
    tasks = "- {id: 2, overlap: 3}\n"
    text = more + tasks if "tasks:" in more else f"{more}tasks:\n{tasks}"
    found = plan(state, tmp_path, text)

    assert statuses(found)[2] is Status.UNREADABLE
    assert found.summary()["tasks"] == 3


def test_a_damaged_task_that_rules_cannot_judge_is_unreadable(tmp_path: Path) -> None:
    state = state_of("a", "b", "c")
    state.tasks[2].values["data"] = DAMAGED
    found = plan(state, tmp_path, RULE)

    assert statuses(found) == {2: Status.UNREADABLE, 3: Status.UPDATE}
    assert "rules cannot be judged without it" in found.tasks[0].problems[0].hint
    assert (found.unchanged, found.rules[0].matched) == (1, 1)


def test_a_rule_that_needs_no_data_does_not_pass_over_a_damaged_task(tmp_path: Path) -> None:
    state = state_of("a", "b")
    state.tasks[2].values["data"] = DAMAGED
    found = plan(state, tmp_path, "rules: [{name: all, set: {overlap: 2}}]\n")

    assert statuses(found) == {1: Status.UPDATE, 2: Status.UNREADABLE}
    assert found.rules[0].matched == 2


@pytest.mark.parametrize("number", [1, 2])
def test_shards_of_rules_divide_the_tasks_and_count_the_whole_project(
    tmp_path: Path, number: int
) -> None:
    found = plan(state_of(*"abcde"), tmp_path, RULE, shard=Shard(2, number))

    assert set(statuses(found)) == ({2, 4} if number == 1 else {3, 5})
    assert found.rules[0].matched == 4
    assert found.summary()["tasks"] == (2 if number == 1 else 3)


@pytest.mark.parametrize("number", [1, 2])
def test_shards_of_keys_divide_the_tasks_and_the_first_has_the_unresolved_ones(
    tmp_path: Path, number: int
) -> None:
    text = f"{KEYS}- {{keys: [a, b, same, z], overlap: 2}}\n"
    found = plan(state_of("a", "b", "same", "same"), tmp_path, text, shard=Shard(2, number))

    expected = (
        {2: Status.UPDATE, 4: Status.BLOCKED}
        if number == 1
        else {1: Status.UPDATE, 3: Status.BLOCKED}
    )
    assert statuses(found) == expected
    assert [key.key.value for key in found.unresolved] == (["z", "same"] if number == 1 else [])
    assert found.unchanged == 0


def test_what_is_allowed_of_keys_is_recorded(tmp_path: Path) -> None:
    text = f"{KEYS}- {{keys: [same, z], overlap: 2}}\n"
    found = plan(state_of("same", "same"), tmp_path, text, allow=("missing", "ambiguous"))

    assert all(key.problem.allowed for key in found.unresolved)
    assert all(problem.allowed for task in found.tasks for problem in task.problems)
    blocked = plan(state_of("same", "same"), tmp_path, text, allow=("missing",))
    assert [bool(key.problem.allowed) for key in blocked.unresolved] == [True, False]


def test_a_project_with_rules_alone_is_not_remembered(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(f"version: 1\nproject: 7\n{RULE}", encoding="utf-8")
    comparison = Comparison(load_manifests(find_manifests([str(file)]), CONTRACT), CONTRACT)
    rows: dict[int, dict[str, Json]] = {
        task: {"project": 7, "data": {"n": 1}, "overlap": 1} for task in (1, 2)
    }

    assert list(comparison.compare(ReadBatch(rows), 7)) == []
    assert (comparison.looked_at, comparison.done) == (2, set())


def test_beside_rules_only_declared_tasks_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(f"version: 1\nproject: 7\n{RULE}tasks: [{{ids: [2, 9]}}]\n", encoding="utf-8")
    comparison = Comparison(load_manifests(find_manifests([str(file)]), CONTRACT), CONTRACT)
    rows: dict[int, dict[str, Json]] = {
        task: {"project": 7, "data": {"n": 1}, "overlap": 1} for task in (1, 2, 3)
    }

    batch = ReadBatch(rows, {9: Unreadable("no", "")})
    assert [planned.task for planned, _ in comparison.compare(batch, 7)] == [9]
    assert (comparison.looked_at, comparison.done) == (4, {2, 9})


def test_a_task_that_two_projects_show_is_compared_once(tmp_path: Path) -> None:
    texts = [f"version: 1\nproject: {n}\n{RULE.replace('name: ', f'name: {n} ')}" for n in (7, 8)]
    file = tmp_path / "m.yaml"
    file.write_text("---\n".join([f"{texts[0]}tasks: [{{id: 2}}]\n", texts[1]]), encoding="utf-8")
    comparison = Comparison(load_manifests(find_manifests([str(file)]), CONTRACT), CONTRACT)
    rows: dict[int, dict[str, Json]] = {2: {"project": 7, "data": {"n": 1}, "overlap": 1}}

    for project in (7, 8):
        assert list(comparison.compare(ReadBatch(rows), project)) == []
    assert comparison.looked_at == 1
