"""The bench measures what it says: the right work, on both sides, and honest verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from reconciler.labelstudio.bulk.cost import PAGE_SIZE
from reconciler.labelstudio.bulk.pages import PageNumber
from reconciler.labelstudio.client import CACHE_BUSTER
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state
from tests.bench import large_values, offline, planning
from tests.bench.data import (
    Project,
    sandbox_description,
    write_keyed,
    write_manifest,
    write_rules,
    write_tasks,
)
from tests.bench.keys_and_rules import keys_and_rules
from tests.bench.measure import BARE, averaged, in_turn, run
from tests.bench.options import Options
from tests.bench.page import data, report
from tests.bench.pages import Canned, Pages
from tests.bench.patching import Sending, Turns
from tests.bench.raw import send
from tests.bench.reviewing import FORMATS, reviewing
from tests.bench.server import page_server, pages_asked

PROJECT = Project(1_200, number=3, first=501)


def sandbox_state(project: Project, folder: Path) -> State:
    file = folder / "sandbox.json"
    file.write_text(json.dumps(sandbox_description(project)), encoding="utf-8")
    return load_state(file)


@pytest.mark.parametrize("suffix", [".yaml", ".jsonl"])
def test_engine_and_floor_find_the_one_task_in_a_hundred_that_differs(suffix: str, tmp_path: Path):
    manifest = write_manifest(PROJECT, tmp_path / f"manifest{suffix}")

    assert len(PROJECT.changed) == 12
    assert planning.engine(manifest, PROJECT)["changed"] == list(PROJECT.changed)
    assert planning.floor(manifest, PROJECT)["changed"] == list(PROJECT.changed)


def test_the_same_tasks_differ_by_key(tmp_path: Path):
    manifest = write_keyed(PROJECT, tmp_path / "keyed.jsonl")

    assert planning.engine(manifest, PROJECT)["changed"] == list(PROJECT.changed)


@pytest.mark.parametrize("count", [1, 5])
def test_rules_change_one_task_in_a_hundred(count: int, tmp_path: Path):
    manifest = write_rules(PROJECT, tmp_path / "rules.json", count)

    assert len(PROJECT.ruled) == 12
    assert planning.engine(manifest, PROJECT)["changed"] == list(PROJECT.ruled)


def test_what_reviews_need_is_measured_beside_others(tmp_path: Path):
    options = Options(tmp_path, sizes=(5_000,), runs=1, times=1)
    rows = reviewing(options).rows

    assert [(row.figure, row.of) for row in rows] == [
        *((f"{form}, 5,000 distinct changes", "json") for form in FORMATS),
        ("`plan --since`, 50 of 5,000 tasks", "the plan of all"),
        ("`pull`, 5,000 tasks", "the same pages alone"),
        ("`pull`, 5,000 tasks, peak memory", ""),
    ]
    assert all(min(row.ours) > 0 for row in rows)
    assert "1 requests for tasks" in rows[-3].note


def test_plans_by_key_and_rules_are_measured_beside_others(tmp_path: Path):
    options = Options(tmp_path, sizes=(1_200,), runs=1, times=1)
    rows = keys_and_rules(options).rows

    assert [(row.figure, row.of) for row in rows] == [
        ("plan, 1,200 tasks by key, CPU", "by id"),
        ("CPU of a task and rule", ""),
        ("`plan`, 1,200 tasks by key", "by id"),
        ("`plan`, 1,200 tasks, five rules", "the same pages alone"),
        ("`plan`, 1,200 tasks, five rules, peak memory", "by id"),
        ("`plan`, 3,600 tasks, five rules, peak memory", "1,200 tasks"),
    ]
    assert all(row.beside or not row.of for row in rows)


def test_floor_reads_the_pages_that_the_engine_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[dict[str, list[str]]] = []
    answer, fresh = Pages.answer, CACHE_BUSTER

    def noted(pages: Pages, path: str, query: str) -> tuple[int, bytes]:
        if path == "/api/tasks/":
            given = parse_qs(query)
            asked.append({n: v for n, v in given.items() if n not in {"resolve_uri", fresh}})
        return answer(pages, path, query)

    monkeypatch.setattr(Pages, "answer", noted)
    manifest = write_manifest(PROJECT, tmp_path / "manifest.jsonl")
    planning.engine(manifest, PROJECT)

    # Two pages, made beforehand as the floor asks for them, and then asked for by the plan.
    assert len(asked) == 4
    assert asked[:2] == asked[2:]


@pytest.mark.parametrize("kind", ["engine", "floor", "bare"])
def test_python_looks_for_garbage_as_rarely_in_the_floor_as_in_the_engine(
    kind: str, tmp_path: Path
):
    manifest = write_manifest(Project(10), tmp_path / "manifest.jsonl")
    code = (
        "import gc; from tests.bench.planning import main; "
        f"main({kind!r}, {str(manifest)!r}, '10'); print(gc.get_threshold()[0])"
    )

    assert run([*BARE[:2], code]).output.endswith("}10000\n")


def test_floor_is_as_strict_as_the_engine(tmp_path: Path):
    project = Project(4)
    boolean, fraction, extra, right = map(project.declared, project.ids)
    boolean["meta"]["priority"] = True  # live is 1, which Python holds equal
    fraction["inner_id"] = 2.0  # the same number
    extra["data"]["new"] = None  # null, where live has nothing
    manifest = write_tasks(project, [boolean, fraction, extra, right], tmp_path / "odd.jsonl")

    assert planning.engine(manifest, project)["changed"] == [1, 3]
    assert planning.floor(manifest, project)["changed"] == [1, 3]


def test_a_task_is_as_long_as_the_budgets_say(tmp_path: Path):
    manifest = write_manifest(Project(10_000), tmp_path / "manifest.yaml")

    assert manifest.stat().st_size / 10_000 == pytest.approx(376, rel=0.02)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/tasks/", "project=3&page_size=5&resolve_uri=false"),
        ("/api/tasks/", "project=3&page=2&page_size=7&include=id,data,meta&fields=all"),
        ("/api/tasks/", "project=3&page=13&fields=all&resolve_uri=false"),
        ("/api/tasks/", "project=3&page=9000"),
        ("/api/tasks/", "project=4"),
        (
            "/api/tasks/",
            'project=3&include=id,overlap&query={"selectedItems":{"all":false,"included":[1,502]}}',
        ),
        ("/api/tasks/777/", "resolve_uri=false"),
        ("/api/tasks/777/", "include=id,project,avg_lead_time"),
        ("/api/tasks/77/", ""),
    ],
)
def test_pages_are_those_of_the_sandbox(path: str, query: str, tmp_path: Path):
    transports = SandboxTransport(sandbox_state(PROJECT, tmp_path)), Canned(Pages(PROJECT))
    theirs, ours = (_got(transport, f"{path}?{query}") for transport in transports)

    assert ours == theirs


def _got(transport: httpx.BaseTransport, target: str) -> tuple[int, object]:
    headers = {"Authorization": f"Token {SANDBOX_TOKEN}"}
    with httpx.Client(transport=transport, headers=headers) as client:
        answer = client.get(f"http://label-studio.test{target}")
    return answer.status_code, answer.is_success and _timeless(answer.json())


def _timeless(body: dict[str, object]) -> object:
    tasks = body.get("tasks", [body])
    assert isinstance(tasks, list)
    for task in tasks:
        assert bool(task.pop("created_at", "")) == bool(task.pop("updated_at", ""))
    return body


def test_apply_and_raw_patches_leave_the_same_behind(tmp_path: Path):
    project = Project(6)
    state = sandbox_state(project, tmp_path)
    with serve(state) as url:
        sending = Sending(Turns(project, tmp_path), url=url, token=SANDBOX_TOKEN, folder=tmp_path)
        sending.applied(2)
        applied = [task.values["data"] for task in state.tasks.values()]
        sending.raw(2)
        sent = [task.values["data"] for task in state.tasks.values()]

    assert applied == [{**project.live_data(task), "turn": 1} for task in project.ids]
    assert sent == [{**project.live_data(task), "turn": 2} for task in project.ids]
    assert [method for method, _ in state.log].count("PATCH") == 12


def test_what_a_client_asked_for_is_known_afterwards():
    targets = [f"/api/tasks/?project=3&page={page}" for page in (1, 2)]
    with page_server(PROJECT) as url:
        send(url, "0" * 40, 1, [("GET", target, None) for target in ["/api/version", *targets]])
        asked = pages_asked(url)

    assert asked == tuple(targets)


def test_requests_that_fail_are_no_figures():
    with page_server(PROJECT) as url, pytest.raises(httpx.HTTPStatusError, match="404"):
        send(url, "0" * 40, 2, [("GET", "/api/tasks/9/", None)])


def test_commands_that_fail_are_no_figures():
    with pytest.raises(RuntimeError, match=r"ended with 3:\nno tasks"):
        run([*BARE[:2], "import sys; sys.stderr.write('no tasks'); sys.exit(3)"])


@pytest.mark.parametrize("form", ["text", "json"])
def test_plans_of_large_values_and_their_floor_find_all_that_differ(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(large_values.CASES, "boxes", (3, large_values.CASES["boxes"][1]))
    manifest = large_values.write("boxes", tmp_path)
    live = large_values.Live("boxes")

    assert large_values.plan(manifest, live, form)["changed"] == 3
    assert large_values.floor(manifest, live, form)["changed"] == 3


def test_pages_that_are_made_meanwhile_are_no_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    manifest = write_manifest(PROJECT, tmp_path / "tasks.jsonl")
    monkeypatch.setattr(planning, "_growing", lambda _: [PageNumber(1, PAGE_SIZE)])
    with pytest.raises(SystemExit, match="other pages than were made"):
        planning.engine(manifest, PROJECT)


def test_settings_of_whoever_measures_do_not_reach_what_is_measured(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("RECONCILER_TIMEOUT", "1")
    show = "import os; print(*(n for n in os.environ if n.startswith(('PYTHON', 'RECONCILER'))))"

    assert run([*BARE[:2], show]).output.strip() == ""


def test_measures_take_turns():
    order: list[str] = []
    first, second = in_turn(2, lambda: order.append("a"), lambda: order.append("b"))

    assert order == ["a", "b", "a", "b"]
    assert len(first) == len(second) == 2


def test_some_measures_in_turn_make_a_run():
    assert averaged([1.0, 3.0, 2.0, 4.0, 9.0, 11.0], 2) == [2.0, 3.0, 10.0]


def test_a_run_becomes_a_page_and_data(tmp_path: Path):
    options = Options(tmp_path, sizes=(100,), runs=1, times=1)
    section = offline.engine(options)
    page = report([section], options, {"Label Studio": "1.23.2"})
    said = data([section], options, {})

    assert [row.figure for row in section.rows] == [
        "plan, 100 YAML tasks",
        "plan, 100 .jsonl tasks",
    ]
    assert all(row.ours[0] > 0 and row.beside[0] > 0 for row in section.rows)
    assert "| plan, 100 YAML tasks " in page
    assert "Label Studio 1.23.2" in page
    assert json.loads(json.dumps(said))["sections"][0]["rows"][0]["beside"] == [
        section.rows[0].beside[0]
    ]
