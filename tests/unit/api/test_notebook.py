"""A notebook, run by a real kernel: what its reader sees of plans, reports and errors."""

from __future__ import annotations

import ast
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from tests.unit.labelstudio.wired import sandbox_with

Cell = nbformat.NotebookNode
Run = Callable[..., list[Cell]]

SETTINGS = """
import reconciler
from reconciler import ApplyOptions, Manifests, Settings

settings = Settings(url={url!r}, token={token!r})
tasks = Manifests.from_tasks([{{"id": n, "data": {{"text": f"<b>{{n}}</b>"}}}} for n in (1, 2)])
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run cells one after the other, on a server with tasks 1 to 3; give what each shows."""
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter"))

    def run(*cells: str) -> list[Cell]:
        first = SETTINGS.format(url=url, token=SANDBOX_TOKEN)
        notebook = new_notebook(cells=[new_code_cell(text) for text in (first, *cells)])
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": str(tmp_path)}},
        )
        client.execute()
        assert notebook.cells[0].outputs == []
        shown: list[Cell] = notebook.cells[1:]
        return shown

    with serve(sandbox_with(3)) as url:
        yield run


def shown(cell: Cell) -> dict[str, Any]:
    """What a cell shows, by its type: one value, and nothing is printed besides."""
    (output,) = cell.outputs
    assert output.output_type == "execute_result", output
    return dict(output.data)


def error_of(cell: Cell) -> str:
    """The last line of a traceback, as its reader sees it."""
    (output,) = cell.outputs
    assert output.output_type == "error", output
    assert output.traceback[-1].endswith(output.evalue)
    return f"{output.ename}: {output.evalue}"


def test_from_a_plan_to_its_revert(run: Run, tmp_path: Path):
    (tmp_path / "tasks.yaml").write_text(
        "version: 1\ntasks:\n  - id: 3\n    data: {text: from a file}\n", encoding="utf-8"
    )
    cells = run(
        "tasks",
        "plan = reconciler.plan(tasks, settings); plan",
        "report = reconciler.apply(plan, settings, report='report.jsonl'); report",
        "reconciler.plan(tasks, settings)",
        "reconciler.revert(reconciler.read_report('report.jsonl'), settings)",
        "reconciler.plan(reconciler.load('tasks.yaml'), settings)",
        "print(reconciler.render(plan))",
    )
    tasks, plan, report, again, undone, from_file = map(shown, cells[:-1])

    assert tasks["text/plain"] == "<Manifests: 2 tasks declared>"
    assert plan["text/plain"].endswith(": 2 to update>")
    assert "<strong>Plan: 2 to update</strong>" in plan["text/html"]
    assert '"&lt;b&gt;2&lt;/b&gt;"' in plan["text/html"]
    assert report["text/plain"].endswith(": 2 applied>")
    assert report["text/plain"].startswith("<Report of apply on http://127.0.0.1:")
    assert "<strong>Apply: 2 applied</strong>" in report["text/html"]
    assert again["text/plain"].endswith(": 2 unchanged>")
    assert "<table>" not in again["text/html"]
    assert "<strong>Revert: 2 applied</strong>" in undone["text/html"]
    assert '"from a file"' in from_file["text/html"]
    assert "tasks.yaml:4:12" in from_file["text/html"]
    (printed,) = cells[-1].outputs
    assert (printed.output_type, printed.name) == ("stream", "stdout")
    assert "Plan: 2 tasks to update (2 changes)." in printed.text


BEFORE_ASKING = {
    "Settings(url='', token='none')": "SettingsError: '' is not a server address",
    "Settings(url='http://other.org', token='none')": "SettingsError: the token would be sent",
    "reconciler.load('nowhere.yaml')": "ManifestError: nowhere.yaml: file or folder not found",
    "Manifests.from_tasks([{'id': 1, 'dada': {}}])": "ManifestError: tasks:1:1: tasks[0].dada: ",
    "reconciler.plan(elsewhere, settings)": "ManifestError: tasks:1:1: server: the manifest",
    "reconciler.read_plan('nowhere.json')": "SavedFileError: nowhere.json: cannot be read",
    "reconciler.merge([])": "SavedFileError: nothing to merge",
    "reconciler.plan(tasks, settings, allow=['all'])": "ValueError: 'all' cannot be allowed",
    "reconciler.plan(tasks, settings, shard='5/4')": (
        "ValueError: expected a shard from 1/4 to 4/4, found '5/4'"
    ),
    "reconciler.render(tasks)": "TypeError: found: expected a plan, a report or a",
    "import pickle; pickle.dumps(settings)": "TypeError: Settings hold a token and cannot be",
}


def test_errors_before_a_server_is_asked(run: Run):
    _, *cells = run(
        "elsewhere = Manifests.from_tasks([], server='https://other.org')", *BEFORE_ASKING
    )

    for cell, beginning in zip(cells, BEFORE_ASKING.values(), strict=True):
        assert error_of(cell).startswith(beginning), error_of(cell)


BY_A_SERVER = {
    "Settings(url=settings.url, token='wrong')": (
        "Unauthorised: GET {url}/api/tasks/1/ returned 401"
    ),
    "Settings(url=settings.url + '/elsewhere', token='none')": (
        "NotLabelStudio: GET {url}/elsewhere/api/version returned 404 with a page of type text/html"
    ),
    "Settings(url=silent, token='none')": "NotSent: cannot connect to {silent}: ",
}


def test_errors_of_a_server(run: Run):
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        silent = f"http://127.0.0.1:{listening.getsockname()[1]}"
    address, *cells, project = run(
        f"silent = {silent!r}; settings.url",
        *(f"reconciler.plan(tasks, {wrong})" for wrong in BY_A_SERVER),
        "reconciler.plan(Manifests.from_tasks([{'id': 1, 'data': {}}], project=99), settings)",
    )
    url = ast.literal_eval(shown(address)["text/plain"])

    for cell, beginning in zip(cells, BY_A_SERVER.values(), strict=True):
        assert error_of(cell).startswith(beginning.format(url=url, silent=silent)), error_of(cell)
    assert error_of(project).startswith("NoSuchProject: tasks:1:1: project 99 does not exist")


def test_errors_of_an_apply(run: Run):
    _, _, digest, blocked, callback, after, stopped = run(
        "plan = reconciler.plan(tasks, settings)",
        "gone = reconciler.plan(Manifests.from_tasks([{'id': 9, 'data': {'a': 1}}]), settings)",
        "reconciler.apply(plan, settings, options=ApplyOptions(expected_digest='sha256:other'))",
        "reconciler.apply(gone, settings)",
        "reconciler.apply(plan, settings, on_outcome=lambda outcome: 1 / 0)",
        "reconciler.plan(tasks, settings)",
        "import sys; sys.last_value.report",
    )

    assert error_of(digest).startswith("Refused: nothing was changed: expected the plan sha256:")
    assert error_of(blocked).startswith("Refused: nothing was changed: 1 task is blocked")
    assert error_of(callback).startswith("ApplyStopped: stopped: a callback raised")
    assert any("ZeroDivisionError" in line for line in callback.outputs[0].traceback)
    assert " unchanged" in shown(after)["text/plain"]
    assert " applied" in shown(stopped)["text/html"]


def test_no_token_is_shown(run: Run):
    cells = run("settings", "reconciler.apply(None, settings)", "vars()['settings']")

    assert shown(cells[0])["text/plain"].startswith("Settings(url='http://127.0.0.1:")
    assert SANDBOX_TOKEN not in str([cell.outputs for cell in cells])
