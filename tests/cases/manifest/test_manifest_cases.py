"""Each folder of ``negative`` and ``positive`` is a case: manifests, and what they come to.

``problems.txt`` holds every line that a person is shown. ``desired.json`` holds the tasks, and
``sources.json`` where paths of theirs are declared: by task, by path, ``file:line:column``.
``rules.json`` holds the rules. A ``reconciler.lock`` is what the case is checked against, as
``validate`` does. ``ACCEPT_CASES=1`` rewrites them all.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.conditions import describe_conditions
from reconciler.core.model import DesiredTask, TaskKey
from reconciler.core.notation import format_path, parse_path
from reconciler.core.redacted_model import redact_problems
from reconciler.core.redaction import Redaction
from reconciler.core.rule import Rule
from reconciler.engine.lock_files import read_label_checks
from reconciler.errors import ManifestError
from reconciler.manifest.files import find_manifests
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import check_manifests, load_manifests

HERE = Path(__file__).parent
EXPECTATIONS = {"problems.txt", "desired.json", "rules.json", "sources.json"}
LOCK = "reconciler.lock"
NAMED_KEY = re.compile(r"\bkey [\"0-9].*")
ACCEPTS = "ACCEPT_CASES" in os.environ


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case.name) for case in sorted((HERE / kind).iterdir())]


def load(case: Path, monkeypatch: pytest.MonkeyPatch) -> DesiredIndex:
    monkeypatch.chdir(case)
    others = {*EXPECTATIONS, LOCK}
    files = find_manifests(sorted(e.name for e in case.iterdir() if e.name not in others))
    if (case / LOCK).exists():
        labels = read_label_checks(files, None)
        return check_manifests(files, load_contract(), labels=labels)
    return load_manifests(files, load_contract())


@pytest.mark.parametrize("case", cases("negative"))
def test_every_problem_is_reported_with_its_place(case: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ManifestError) as caught:
        load(case, monkeypatch)
    if ACCEPTS:
        (case / "problems.txt").write_text(f"{caught.value}\n", encoding="utf-8")
    expected = (case / "problems.txt").read_text(encoding="utf-8").removesuffix("\n")
    assert str(caught.value).split("\n") == expected.split("\n")


@pytest.mark.parametrize("case", cases("negative"))
def test_no_problem_shows_a_redacted_key(case: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ManifestError) as caught:
        load(case, monkeypatch)
    redaction = Redaction((("data",), ("meta",)))
    shown = "\n".join(map(str, redact_problems(caught.value.problems, redaction)))
    assert NAMED_KEY.findall(shown) == []


@pytest.mark.parametrize("case", cases("positive"))
def test_manifests_come_to_these_tasks(case: Path, monkeypatch: pytest.MonkeyPatch):
    index = load(case, monkeypatch)
    tasks = list_tasks(index)
    desired = [shown(task) for task in tasks]
    # As text, since Python holds 1, 1.0 and true equal.
    assert written(desired) == expect(case / "desired.json", desired)
    rules = [shown_rule(rule) for rule in index.rules]
    if rules or (case / "rules.json").exists():
        assert written(rules) == expect(case / "rules.json", rules)
    if (case / "sources.json").exists():
        sources = json.loads((case / "sources.json").read_text(encoding="utf-8"))
        by_name = {str(task.key or task.id): task for task in tasks}
        assert sources == {
            name: {path: source(by_name[name], path) for path in paths}
            for name, paths in sources.items()
        }


def expect(file: Path, found: list[Any]) -> str:
    """Return what the file holds, as text; write it first if it is to be accepted."""
    if ACCEPTS and (not file.exists() or written(found) != written(json.loads(file.read_text()))):
        file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return written(json.loads(file.read_text(encoding="utf-8")))


def list_tasks(index: DesiredIndex) -> list[DesiredTask]:
    """List the tasks declared by id, then those declared by key."""
    keyed = [
        index.build(0, (TaskKey(group.path, key),), group.project)
        for group in index.list_key_groups()
        for key in group.keys
    ]
    return [*index, *keyed]


def shown(task: DesiredTask) -> dict[str, Any]:
    named: dict[str, Any] = {"key": task.key} if task.key else {}
    if task.allow:
        named["allow"] = [[a.kind, a.paths, a.by, a.reason] for a in task.allow]
    return {
        **named,
        "id": task.id,
        "project": task.project,
        "attributes": task.attributes,
        "replaced": sorted(task.replaced),
        "absent": task.absent,
    }


def shown_rule(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "project": rule.ref.project,
        "source": str(rule.ref.source),
        "where": describe_conditions(rule.ref.where),
        "set": {format_path(path): value for path, value in rule.values.items()},
        "absent": [format_path(path) for path in rule.absent],
        "rewrite": {format_path(r.path): [r.prefix, r.to] for r in rule.rewrites},
        "expect": [rule.expect.minimum, rule.expect.maximum],
        "sources": {format_path(path): str(at) for path, at in rule.sources.items()},
        "allow": [[a.kind, a.paths, a.by, a.reason] for a in rule.allow],
    }


def source(task: DesiredTask, path: str) -> str:
    """Tell where ``path`` is declared; the empty one stands for the task itself."""
    return str(task.places.source_of(parse_path(path)) if path else task.source)


def written(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True)
