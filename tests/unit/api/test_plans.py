"""Plans and reports as values of a program: made, saved, merged and rendered."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

import reconciler
from reconciler import (
    ABSENT,
    ManifestError,
    Manifests,
    Refused,
    SavedFileError,
    Shard,
    Status,
)
from tests.unit.api.conftest import MakeServer, Server, declare


def test_a_plan_can_be_looked_at(server: Server):
    new = {"text": "new", "more": 1}
    declared = Manifests.from_tasks([{"id": 1, "data": new}, {"id": 2}, {"id": 99, "overlap": 2}])
    plan = reconciler.plan(declared, server.settings)
    update, missing = plan.tasks
    assert (update.task, update.status, missing.status) == (1, Status.UPDATE, Status.MISSING)
    text, more = update.changes
    assert (text.path, text.before, text.after) == (("data", "text"), "Sentence 1.", "new")
    assert (more.path, more.before, more.after) == (("data", "more"), ABSENT, 1)
    assert str(text.source) == "tasks:1:1"
    assert plan.unchanged == 1
    assert str(text) == 'data.text: "Sentence 1." -> "new" (tasks:1:1)'
    assert repr(text) == "<Change of data at tasks:1:1>"
    assert repr(plan) == f"<Plan for {server.settings.url}: 1 unchanged, 1 to update, 1 missing>"
    assert pickle.loads(pickle.dumps(plan)) == plan  # noqa: S301 - our own


def test_files_are_loaded_as_the_command_line_does(server: Server, tmp_path: Path):
    Path("m").mkdir()
    Path("m/a.yaml").write_text("version: 1\ntasks: [{id: 3, overlap: 2}]\n", encoding="utf-8")
    Path("m/b.json").write_text('{"version": 1, "tasks": [{"id": 1}]}', encoding="utf-8")
    Path("m/c.yaml.bak").write_text("", encoding="utf-8")
    several: list[str | Path] = ["m/a.yaml", Path("m/b.json")]
    for paths in ("m", tmp_path / "m", several, ["m/*"]):
        manifests = reconciler.load(paths)
        assert list(manifests.ids) == [1, 3]
    loaded = reconciler.load("m")
    assert repr(loaded) == "<Manifests: 2 tasks declared>"
    assert ["m/c.yaml.bak" in str(problem) for problem in loaded.unread] == [True]
    assert [task.task for task in reconciler.plan(loaded, server.settings).tasks] == [3]


def test_all_problems_of_manifests_are_raised_at_once_and_rendered():
    Path("a.yaml").write_text("version: 1\ntasks: [{id: x}, {id: 2, nope: 1}]\n", encoding="utf-8")
    with pytest.raises(ManifestError) as refused:
        reconciler.load(["a.yaml", "none.yaml"])
    assert len(refused.value.problems) == 3
    assert reconciler.render(refused.value).endswith("3 problems in the manifests\n")
    assert len(json.loads(reconciler.render(refused.value, "json"))["problems"]) == 3
    with pytest.raises(ManifestError, match="file or folder not found"):
        reconciler.load("none.yaml")
    with pytest.raises(ValueError, match="paths: expected at least one, found none"):
        reconciler.load([])


def test_manifests_for_another_server_are_refused(server: Server):
    tasks = Manifests.from_tasks([{"id": 1}], server="https://there.test")
    with pytest.raises(ManifestError) as refused:
        reconciler.plan(tasks, server.settings)
    assert f"this run uses {server.settings.url}, from the settings" in str(refused.value)
    fitting = Manifests.from_tasks([{"id": 1}], server=server.settings.url)
    assert not reconciler.plan(fitting, server.settings).tasks


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"allow": ["nope"]}, "nope"),
        (
            {"allow": ["resolved-address"]},
            "'resolved-address' cannot be allowed; choose",
        ),
        ({"shard": "3/2"}, "3/2"),
    ],
)
def test_what_is_no_choice_is_told(server: Server, given: dict[str, str], wrong: str):
    with pytest.raises(ValueError, match=wrong):
        reconciler.plan(declare(1, 1), server.settings, **given)  # type: ignore[arg-type]


def test_shards_of_plans_and_reports_are_one(server: Server):
    whole = reconciler.plan(declare(1, 9), server.settings)
    first, second = (
        reconciler.plan(declare(1, 9), server.settings, shard=shard)
        for shard in ("1/2", Shard.parse("2/2"))
    )
    merged = reconciler.merge([second, first])
    assert (merged.digest, merged.missing_shards) == (whole.digest, ())
    assert first.missing_shards == (Shard.parse("2/2"),)
    reports = [reconciler.apply(part, server.settings) for part in (first, second)]
    assert reconciler.merge(reports).is_good
    assert reconciler.merge(reports[:1]).missing_shards == (Shard.parse("2/2"),)
    with pytest.raises(SavedFileError, match="plan 1 and plan 2 are both for shard 1/2"):
        reconciler.merge([first, first])
    with pytest.raises(SavedFileError, match="plan 1 and report 2 cannot be merged"):
        reconciler.merge([first, reports[0]])  # type: ignore[list-item]
    with pytest.raises(
        TypeError, match="parts: expected plans or reports, found a value of type NoneType"
    ):
        reconciler.merge([None])  # type: ignore[list-item]
    with pytest.raises(SavedFileError, match="nothing to merge"):
        reconciler.merge([])


def test_saved_plans_and_reports_are_read_back(server: Server):
    plan = reconciler.plan(declare(1, 3), server.settings)
    reconciler.write_plan(plan, Path("plan.json"))
    assert reconciler.read_plan("plan.json") == plan
    report = reconciler.apply(reconciler.read_plan("plan.json"), server.settings, report="r.jsonl")
    assert report.is_good
    with pytest.raises(SavedFileError, match=r"plan\.json is a plan, not a report"):
        reconciler.read_report("plan.json")
    with pytest.raises(SavedFileError, match=r"r\.jsonl is a report, not a plan"):
        reconciler.read_plan("r.jsonl")
    with pytest.raises(SavedFileError, match=r"none\.json: cannot be read: No such file"):
        reconciler.read_plan("none.json")
    with pytest.raises(Refused, match=r"to r\.jsonl: the file exists and is not a saved plan"):
        reconciler.write_plan(plan, "r.jsonl")


def test_rendering_is_what_the_command_line_prints(server: Server):
    plan = reconciler.plan(declare(1, 3), server.settings)
    text = reconciler.render(plan)
    assert "Plan: 3 tasks to update (3 changes)." in text
    assert "\x1b[" not in text
    assert "\x1b[" in reconciler.render(plan, color=True)
    assert json.loads(reconciler.render(plan, "json"))["digest"] == plan.digest
    with pytest.raises(
        ValueError, match=r"format: expected text or json or .* or html, found 'svg'"
    ):
        reconciler.render(plan, "svg")
    with pytest.raises(
        TypeError, match="found: expected a plan, a report or a ManifestError, found a"
    ):
        reconciler.render("x")  # type: ignore[arg-type]


def test_the_declared_values_are_copied(server: Server):
    task = {"id": 1, "data": {"text": "new"}}
    manifests = Manifests.from_tasks([task])
    task["data"] = {"text": "changed afterwards"}
    (planned,) = reconciler.plan(manifests, server.settings).tasks
    assert planned.changes[0].after == "new"


def test_a_plan_changes_nothing(make_server: MakeServer):
    server = make_server(3)
    for _ in range(2):
        reconciler.plan(declare(1, 3), server.settings)
    assert server.state.requests("PATCH") == 0


def test_tasks_of_values_have_keys_and_rules(server: Server):
    manifests = Manifests.from_tasks(
        [{"key": "Sentence 2.", "overlap": 3}],
        project=7,
        key="data.text",
        rules=[{"name": "few", "where": {"data.text": {"prefix": "Sen"}}, "set": {"overlap": 2}}],
    )
    plan = reconciler.plan(manifests, server.settings)

    found = {task.task: [change.after for change in task.changes] for task in plan.updates}
    assert found[2] == [3]
    assert found[1] == [2]
    assert [(rule.matched, rule.overruled) for rule in plan.rules] == [(len(found), 1)]


def test_markdown_stays_within_its_limit(server: Server):
    plan = reconciler.plan(declare(1, 20, text="new " * 100), server.settings)
    whole = reconciler.render(plan, "markdown", full=True)
    assert len(whole) > 3_000
    for limit in (3_000, "3000", "3000B"):
        cut = reconciler.render(plan, "markdown", full=True, limit=limit)
        assert len(cut) <= 3_000
    for wrong, format_ in ((10, "markdown"), ("1 GB", "markdown"), (3_000, "json")):
        with pytest.raises(ValueError, match=r"limit: "):
            reconciler.render(plan, format_, limit=wrong)
