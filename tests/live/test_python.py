"""The engine from Python, on a server: what the command line does, as calls."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import reconciler
from reconciler import ApplyOptions, Kind, Manifests, NoSuchProject, Refused, Settings, Unauthorised
from tests.live.twenty import WAYS, declared, written
from tests.live.under_test import ServerUnderTest

pytestmark = pytest.mark.every_release


@pytest.fixture
def settings(server: ServerUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return Settings(server.url, server.token)


def test_tasks_are_loaded_planned_applied_and_reverted(server: ServerUnderTest, settings: Settings):
    tasks = declared(server, 20)
    before = tasks.stored()
    manifests = reconciler.load(tasks.manifest())
    values = [{"id": task, **WAYS[n % len(WAYS)]} for n, task in enumerate(tasks.ids)]
    plan = reconciler.plan(manifests, settings)
    assert plan.digest == reconciler.plan(Manifests.from_tasks(values), settings).digest
    assert len(plan.updates) == 20

    report = reconciler.apply(plan, settings, report="report.jsonl")
    assert report.is_good
    assert reconciler.read_report("report.jsonl") == report
    assert tasks.stored() == {task: written(before[task], n) for n, task in enumerate(tasks.ids)}
    assert not reconciler.plan(manifests, settings).tasks

    inverse = reconciler.plan_revert(report, settings)
    options = ApplyOptions(expected_digest=inverse.digest)
    assert reconciler.revert(report, settings, options=options).is_good
    assert tasks.stored() == before


def test_errors_of_each_kind_are_raised_as_themselves(server: ServerUnderTest, settings: Settings):
    tasks = declared(server, 1)
    missing = Manifests.from_tasks([{"id": 2**31 - 1, "overlap": 2}])
    plan = reconciler.plan(missing, settings)
    with pytest.raises(Refused, match="to leave them out"):
        reconciler.apply(plan, settings)
    allowed = ApplyOptions(allow=frozenset({Kind.MISSING}))
    assert reconciler.apply(plan, settings, options=allowed).is_good
    with pytest.raises(Unauthorised):
        reconciler.plan(missing, replace(settings, token="0" * 40))
    nowhere = Manifests.from_tasks([{"id": tasks.ids[0]}], project=2**31 - 1)
    with pytest.raises(NoSuchProject, match="does not exist, or this token may not see it"):
        reconciler.plan(nowhere, settings)
