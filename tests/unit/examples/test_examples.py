"""The examples do what they are there to show: plan, apply, and then nothing is left to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from reconciler.core.report import Outcome
from reconciler.core.values import ABSENT
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import find_manifests
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import load_manifests
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from tests.sandboxed import CONTRACT, apply_with
from tests.unit.labelstudio.wired import api_of

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
MANIFESTS = sorted(path for path in (EXAMPLES / "manifests").iterdir() if path.is_file())

STREETS = sorted((EXAMPLES / "streets" / "manifests").iterdir())


@pytest.fixture
def api(state: State) -> Iterator[TaskApi]:
    with api_of(SandboxTransport(state)) as api:
        yield api


def desired(*files: Path) -> DesiredIndex:
    paths = [str(path) for path in files or (EXAMPLES / "manifests",)]
    return load_manifests(find_manifests(paths), CONTRACT)


def apply(api: TaskApi, tasks: DesiredIndex) -> set[Outcome]:
    plan = build_plan(tasks, Connection(api, CONTRACT))
    outcomes = apply_with(api, plan, options=ExecutionOptions())
    return {outcome.outcome for outcome in outcomes}


def test_plan_apply_plan_ends_with_nothing_to_do(api: TaskApi):
    tasks = desired()

    before = build_plan(tasks, Connection(api, CONTRACT))
    outcomes = apply(api, tasks)
    after = build_plan(tasks, Connection(api, CONTRACT))

    assert len(before.updates) == len(before.tasks) == len(tasks) > 10
    assert outcomes == {Outcome.APPLIED}
    assert after.tasks == ()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_each_manifest_works_alone(api: TaskApi, path: Path):
    tasks = desired(path)

    assert apply(api, tasks) == {Outcome.APPLIED}
    assert build_plan(tasks, Connection(api, CONTRACT)).tasks == ()


@pytest.mark.parametrize(
    "path",
    [path for path in [*MANIFESTS, *STREETS] if path.suffix != ".json"],
    ids=lambda path: path.name,
)
def test_the_first_line_leads_editors_to_the_schema(path: Path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    prefix = "# yaml-language-server: $schema="

    assert first.startswith(prefix)
    assert (path.parent / first.removeprefix(prefix)).resolve() == (
        ROOT / "schemas" / "manifest.schema.json"
    )


def test_what_nobody_declares_stays(api: TaskApi, state: State):
    untouched = dict(state.tasks[108].values)

    apply(api, desired())

    assert state.tasks[108].values == untouched
    assert state.tasks[101].values["data"] == {
        "text": "The train left on time.",
        "source": {"crawl": "2026-10", "site": "travel"},
    }
    assert state.tasks[105].values["meta"] == {"batch": "a"}


def test_addresses_in_the_bucket_stay_as_they_are_stored(api: TaskApi, state: State):
    apply(api, desired())

    images = [state.tasks[number].values["data"] for number in range(201, 207)]
    assert state.projects[8].storage is not None
    assert all(
        isinstance(data, dict) and data["image"].startswith("s3://photos/") for data in images
    )


def test_they_show_each_thing_that_a_manifest_can_do(api: TaskApi):
    documents = [
        document
        for path in MANIFESTS
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]
    changes = [
        change
        for task in build_plan(desired(), Connection(api, CONTRACT)).tasks
        for change in task.changes
    ]

    assert len(documents) > len(MANIFESTS)
    assert {"defaults", "policy", "project"} <= {key for document in documents for key in document}
    assert any("absent" in task for document in documents for task in document["tasks"])
    assert any(change.before is ABSENT for change in changes)
    assert any(change.after is ABSENT for change in changes)
