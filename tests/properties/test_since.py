"""A plan of what differs from a revision is the plan of all, restricted to what differs.

What differs is told by a model: plain Python over what each task and each rule is declared to be,
wherever and in whatever order that is written.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.contract.openapi import load_contract
from reconciler.core.plan_model import Plan
from reconciler.core.since import NO_DIFFERENCE, Since
from reconciler.core.target import EVERYTHING, Targets
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.manifest.declared_difference import DeclaredState, StateComparison, compare_states
from reconciler.manifest.files import find_manifests
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import load_earlier, load_manifests
from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.sandboxed import CONTRACT
from tests.unit.labelstudio.wired import api_of, sandbox_with

bounded = settings(max_examples=60, deadline=None, derandomize=True)

COUNT = 4
VALUES = st.dictionaries(
    st.sampled_from(["overlap", "meta"]), st.none() | st.integers(1, 3), max_size=2
).map(
    lambda found: {
        name: {"k": value} if name == "meta" else value
        for name, value in found.items()
        if value is not None
    }
)
TASK = st.none() | st.fixed_dictionaries(
    {"own": VALUES, "by_key": st.booleans(), "file": st.integers(0, 1), "order": st.integers(0, 9)}
)
RULE = st.none() | st.fixed_dictionaries(
    {
        "texts": st.sets(st.integers(1, COUNT)).map(sorted),
        "value": st.integers(1, 2),
        "file": st.integers(0, 1),
    }
)
STATES = st.fixed_dictionaries(
    {
        "tasks": st.fixed_dictionaries(dict.fromkeys(range(1, COUNT + 1), TASK)),
        "defaults": st.tuples(VALUES, VALUES),
        "rules": st.fixed_dictionaries(dict.fromkeys(("overlap", "meta"), RULE)),
    }
)
State: TypeAlias = dict[str, Any]


def write_files(state: State) -> dict[str, str]:
    """Write a state as two files of two documents each: one for ids, one for keys and rules."""
    return {f"{number}.yaml": _write_file(state, number) for number in (0, 1)}


def _write_file(state: State, number: int) -> str:
    here = [(n, t) for n, t in state["tasks"].items() if t and t["file"] == number]
    here.sort(key=lambda pair: pair[1]["order"])
    header = {"version": 1, "project": 7, "defaults": state["defaults"][number]}
    by_id = [{"id": n, **t["own"]} for n, t in here if not t["by_key"]]
    by_key = [{"key": f"Sentence {n}.", **t["own"]} for n, t in here if t["by_key"]]
    rules = [
        _write_rule(name, r) for name, r in state["rules"].items() if r and r["file"] == number
    ]
    keyed = {**header, "key": "data.text", "tasks": by_key, **({"rules": rules} if rules else {})}
    return "\n---\n".join(map(json.dumps, ({**header, "tasks": by_id}, keyed)))


def _write_rule(name: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    value = rule["value"] if name == "overlap" else {"rule": rule["value"]}
    texts = [f"Sentence {n}." for n in rule["texts"]] or ["none"]
    return {"name": name, "where": {"data.text": texts}, "set": {name: value}}


def declare(state: State, task: int) -> object:
    """Tell what a state declares for a task, defaults included."""
    found = state["tasks"][task]
    if found is None:
        return None
    defaults = state["defaults"][found["file"]]
    return found["by_key"], {**defaults, **found["own"]}


def declare_rule(state: State, name: str) -> object:
    found = state["rules"].get(name)
    return found and (found["texts"], found["value"])


def load(state: State) -> DesiredIndex:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in write_files(state).items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return load_manifests(find_manifests([folder]), load_contract())


def compare(now: DesiredIndex, before: State) -> StateComparison:
    contents = [(name, text.encode()) for name, text in write_files(before).items()]
    earlier, wrong = load_earlier(contents, CONTRACT, int)
    assert not wrong
    return compare_states(
        DeclaredState(now, lambda _: True), DeclaredState(earlier, lambda _: True)
    )


def plan(desired: DesiredIndex, targets: Targets) -> Plan:
    with api_of(SandboxTransport(sandbox_with(COUNT))) as api:
        return build_plan(desired, Connection(api, CONTRACT), targets=targets)


@bounded
@given(STATES, STATES)
def test_only_what_differs_is_planned_and_all_of_it(before: State, now: State):
    desired = load(now)
    found = compare(desired, before)
    since = Since("main", "0" * 40, found.gone, found.named, 0, found.difference)
    whole, part = plan(desired, EVERYTHING), plan(desired, Targets(since=since))
    expected = {}
    for task in whole.tasks:
        differs = declare(before, task.task) != declare(now, task.task)
        changes = [
            change
            for change in task.changes
            if differs
            or (change.rule and declare_rule(before, change.rule) != declare_rule(now, change.rule))
        ]
        if changes:
            expected[task.task] = changes
    assert {task.task: [*task.changes] for task in part.tasks} == expected
    assert part.declared == whole.declared
    assert part.rules == whole.rules


@bounded
@given(STATES, STATES)
def test_what_is_gone_is_what_the_revision_alone_declares(before: State, now: State):
    found = compare(load(now), before)
    gone = {
        f"key:Sentence {n}." if task["by_key"] else str(n)
        for n, task in before["tasks"].items()
        if task and (now["tasks"][n] is None or now["tasks"][n]["by_key"] != task["by_key"])
    }
    gone |= {f"rule:{n}" for n, rule in before["rules"].items() if rule and not now["rules"][n]}
    assert (set(found.named), found.gone) == (gone, len(gone))


@bounded
@given(STATES)
def test_nothing_differs_from_itself(state: State):
    found = compare(load(state), state)
    assert found.difference == NO_DIFFERENCE
