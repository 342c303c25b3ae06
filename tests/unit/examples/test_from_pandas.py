"""What pandas computed is declared, planned, and carried out only when that is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reconciler import ManifestError, Settings, plan, read_report
from reconciler.sandbox.state import State
from tests.unit.examples.scripts import (
    SCRIPTS,
    import_script,
    name_server,
    run_python,
    run_script,
)

SCORES = SCRIPTS / "scores.csv"


def values_of(state: State, task: int) -> tuple[object, object]:
    values = state.tasks[task].values  # noqa: PD011 - a dict, not a frame
    data, meta = values["data"], values["meta"]
    assert isinstance(data, dict)
    assert isinstance(meta, dict)
    return data.get("split"), meta.get("score")


def test_by_itself_it_only_shows_the_plan(url: str, state: State):
    ran = run_script("from_pandas.py", SCORES, environment=name_server(url))

    assert (ran.code, ran.err) == (0, "")
    assert '+ data.split  "test"' in ran.out
    assert "Plan: 5 tasks to update (9 changes)." in ran.out
    assert values_of(state, 105) == (None, None)


def test_it_applies_what_it_showed_and_writes_a_report(url: str, state: State, tmp_path: Path):
    report = tmp_path / "report.jsonl"
    arguments = (SCORES, "--apply", "--report", report)

    ran = run_script("from_pandas.py", *arguments, environment=name_server(url))
    again = run_script("from_pandas.py", SCORES, environment=name_server(url))

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith(f"5 applied; see {report}\n")
    assert len(read_report(report).outcomes) == 5
    assert values_of(state, 101) == ("train", 0.878)
    assert values_of(state, 104) == ("train", None)
    assert values_of(state, 105) == ("test", 0.702)
    assert again.out.endswith("No changes: 5 tasks as declared.\n")


def test_numpy_scalars_are_stored_as_numbers_and_nan_leaves_the_score_alone(settings: Settings):
    script = import_script("from_pandas.py")
    values = pd.DataFrame(
        {
            "task": np.array([101, 102], dtype=np.int64),
            "score": np.array([0.5, np.nan], dtype=np.float32),
            "split": np.array(["train", "test"]),
        }
    )
    manifests = script["declare_tasks"](values)

    made = plan(manifests, settings)

    assert list(manifests.ids) == [101, 102]
    assert [(change.path, change.after) for task in made.tasks for change in task.changes] == [
        (("data", "split"), "train"),
        (("meta", "score"), 0.5),
        (("data", "split"), "test"),
    ]


def test_what_cannot_be_declared_is_told_with_its_row(settings: Settings):
    script = import_script("from_pandas.py")
    values = pd.DataFrame({"task": [101, 0], "score": [0.5, np.inf], "split": ["a", "b"]})

    with pytest.raises(ManifestError) as told:
        plan(script["declare_tasks"](values), settings)

    places = [(problem.source.file, problem.source.line) for problem in told.value.problems]
    assert places == [("scores", 2), ("scores", 2)]


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        ("task,score\n101,0.5\n,0.5\n", "Integer column has NA values"),
        ("id,score\n101,0.5\n", "Usecols do not match columns"),
        ("task,score\n0,0.5\n", "scores:1:"),
    ],
)
def test_a_bad_file_is_told(csv: str, message: str, url: str, tmp_path: Path):
    file = tmp_path / "scores.csv"
    file.write_text(csv)

    ran = run_script("from_pandas.py", file, "--apply", environment=name_server(url))

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"from_pandas: {message}")


def test_a_task_that_does_not_exist_keeps_all_from_being_applied(
    url: str, state: State, tmp_path: Path
):
    file = tmp_path / "scores.csv"
    file.write_text("task,score\n101,0.5\n999,0.5\n")
    arguments = (file, "--apply", "--report", tmp_path / "report.jsonl")

    ran = run_script("from_pandas.py", *arguments, environment=name_server(url))

    assert ran.code == 1
    assert "the task does not exist on the server, or the token may not see it" in ran.out
    assert ran.err.startswith("from_pandas: nothing was changed: 1 task is blocked")
    assert values_of(state, 101) == (None, None)


def test_a_report_of_an_earlier_run_is_kept(url: str, tmp_path: Path):
    arguments = (SCORES, "--apply", "--report", tmp_path / "report.jsonl")

    codes = [
        run_script("from_pandas.py", *arguments, environment=name_server(url)).code
        for _ in range(2)
    ]

    assert codes == [0, 0]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["report.jsonl", "report.jsonl.1"]


def test_without_a_report_nothing_is_changed(url: str, state: State):
    arguments = (SCORES, "--apply", "--report", "/dev/full")

    ran = run_script("from_pandas.py", *arguments, environment=name_server(url))

    assert ran.code == 1
    assert ran.err.startswith("from_pandas: cannot write the report to /dev/full: No space left")
    assert values_of(state, 101) == (None, None)


def test_what_a_report_lacks_is_printed(url: str, tmp_path: Path):
    """A file may get no larger here than the first line of the report, and a few tasks."""
    report = tmp_path / "report.jsonl"
    limited = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900)); "
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )

    ran = run_python(
        *("-c", limited, SCRIPTS / "from_pandas.py", SCORES, "--apply", "--report", report),
        environment=name_server(url),
    )

    assert ran.code == 3
    *lines, last = ran.err.splitlines()
    assert last.startswith(
        f"from_pandas: stopped: cannot write the report to {report}: File too large"
    )
    report.write_text(report.read_text() + "\n".join(lines))
    told = read_report(report)
    assert told.complete
    assert sorted(outcome.task for outcome in told.outcomes) == [101, 102, 103, 104, 105]


def test_without_a_server_or_with_a_bad_token_nothing_is_done(url: str, closed_url: str):
    gone = name_server(closed_url)
    refused = name_server(url, "0123456789abcdef" * 2)

    without_server = run_script("from_pandas.py", SCORES, environment=gone)
    with_bad_token = run_script("from_pandas.py", SCORES, environment=refused)

    assert (without_server.code, with_bad_token.code) == (1, 1)
    assert "127.0.0.1" in without_server.err
    assert "returned 401: Invalid token." in with_bad_token.err
    assert "0123456789abcdef" not in with_bad_token.err
