"""Rich tasks of the bench: both sides do the work, and find what there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from tests.bench.options import Options
from tests.bench.rich import floor, least, main, plan, rich, tasks, validate, write_rich


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".yaml"])
def test_manifests_of_rich_tasks_say_the_same_in_each_notation(tmp_path: Path, suffix: str):
    file = write_rich(3, tmp_path / f"rich{suffix}")
    desired = load_manifests(find_manifests([str(file)]), load_contract())
    live = {task["id"]: task["data"] for task in tasks(3)}
    assert len(desired) == 15
    assert {task.id: task.attributes["data"] for task in desired} == live


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_plan_and_floor_find_the_tasks_that_differ(tmp_path: Path, suffix: str):
    file = write_rich(6, tmp_path / f"rich{suffix}")
    assert all(measure(file, 6) > 0 for measure in (validate, floor, plan, least))


def test_a_plan_that_finds_other_changes_is_no_figure(tmp_path: Path):
    file = write_rich(3, tmp_path / "rich.jsonl")
    file.write_text(file.read_text(encoding="utf-8").replace('"at": 5', '"at": 4', 1))
    for measure in (plan, least):
        with pytest.raises(SystemExit, match="other"):
            measure(file, 3)


def test_what_it_took_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main("floor", str(write_rich(3, tmp_path / "rich.jsonl")), "3")
    assert json.loads(capsys.readouterr().out)["cpu"] > 0


def test_each_notation_has_its_rows(tmp_path: Path):
    rows = rich(Options(tmp_path, runs=1, rich=3)).rows
    assert [row.figure for row in rows] == [
        f"`{command}`, 3 MB of rich {suffix}"
        for suffix in (".jsonl", ".json", ".yaml")
        for command in ("validate", "plan")
    ]
    assert [row.budget is not None for row in rows] == [True] * 4 + [False] * 2
