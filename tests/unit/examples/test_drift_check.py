"""The drift check gives a row of plain data for each path, and an exit code that tells."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler import Settings, apply, load, plan
from reconciler.sandbox.state import State
from tests.unit.examples.scripts import (
    ROOT,
    Ran,
    import_script,
    name_server,
    run_script,
)

MANIFESTS = ROOT / "examples" / "manifests"
SENTENCES = str(MANIFESTS / "sentences.yaml")


def check(*paths: str, url: str, token: str | None = None) -> tuple[Ran, list[dict[str, Any]]]:
    environment = name_server(url) if token is None else name_server(url, token)
    ran = run_script("drift_check.py", *paths, environment=environment)
    return ran, json.loads(ran.out)["rows"]


def test_each_path_is_a_row_of_counts(url: str):
    ran, (sentences, images) = check(SENTENCES, str(MANIFESTS / "images.yaml"), url=url)

    assert (ran.code, ran.err) == (2, "")
    assert sentences == {
        "manifests": SENTENCES,
        "error": "",
        "counts": {
            "declared": 6,
            "unchanged": 0,
            "drifted": 6,
            "blocked": 0,
            "missing": 0,
            "unreadable": 0,
        },
        "paths": [
            {"path": ["overlap"], "tasks": 6},
            {"path": ["data", "source", "crawl"], "tasks": 6},
            {"path": ["data", "old_score"], "tasks": 2},
            {"path": ["data", "text"], "tasks": 1},
        ],
        "digest": sentences["digest"],
    }
    assert images["counts"]["declared"] == 4
    assert sentences["digest"].startswith("sha256:")
    assert sentences["digest"] != images["digest"]


def test_no_drift_is_left_after_an_apply(url: str, settings: Settings):
    apply(plan(load(MANIFESTS), settings), settings)

    ran, (row,) = check(str(MANIFESTS), url=url)

    assert ran.code == 0
    assert row["counts"]["unchanged"] == row["counts"]["declared"] == 13
    assert row["paths"] == []


def test_a_function_gives_the_same_and_says_when(settings: Settings):
    drift = import_script("drift_check.py")["check_drift"]([SENTENCES], settings)

    assert json.loads(json.dumps(drift)) == drift
    assert drift["server"] == settings.url
    assert drift["rows"][0]["counts"]["drifted"] == 6
    age = datetime.now(UTC) - datetime.fromisoformat(drift["checked_at"])
    assert timedelta(0) <= age < timedelta(days=1)


def test_what_a_guard_would_stop_is_drift_as_well(url: str, state: State):
    state.tasks[103].values["total_annotations"] = 1

    ran, (row,) = check(SENTENCES, url=url)

    assert ran.code == 2
    assert (row["counts"]["drifted"], row["counts"]["blocked"]) == (5, 1)


def test_a_task_that_cannot_be_read_is_not_known(url: str, state: State, tmp_path: Path):
    state.tasks[101].values["data"] = 5
    manifest = tmp_path / "one.json"
    manifest.write_text('{"version": 1, "tasks": [{"id": 101, "data": {"a": 1}}]}')

    ran, (row,) = check(str(manifest), url=url)

    assert ran.code == 1
    assert row["counts"]["unreadable"] == 1


def test_a_bad_manifest_costs_its_own_row_alone(url: str, tmp_path: Path):
    manifest = tmp_path / "bad.yaml"
    manifest.write_text("version: 1\ntasks:\n  - {id: 101, overlap: two}\n")

    ran, (bad, good) = check(str(manifest), SENTENCES, url=url)

    assert ran.code == 1
    assert bad["error"].startswith(f"{manifest}:3:")
    assert (bad["counts"], bad["paths"], bad["digest"]) == ({}, [], "")
    assert good["counts"]["drifted"] == 6


def test_without_a_server_nothing_can_be_told(closed_url: str):
    ran, (row,) = check(SENTENCES, url=closed_url)

    assert ran.code == 1
    assert "127.0.0.1" in row["error"]


def test_a_token_that_is_refused_is_not_repeated(url: str):
    ran, (row,) = check(SENTENCES, url=url, token="0123456789abcdef" * 2)

    assert ran.code == 1
    assert "returned 401: Invalid token." in row["error"]
    assert "0123456789abcdef" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((SENTENCES,), "no server is set"), ((), "the following arguments are required: paths")],
)
def test_what_was_not_given_is_told_and_is_no_drift(arguments: tuple[str, ...], message: str):
    ran = run_script("drift_check.py", *arguments, environment={})

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"drift_check: {message}")
