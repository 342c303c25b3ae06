"""Before a change is sent, its reasons are judged again: the key, and the conditions of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.decision import find_lost_reason
from reconciler.core.model import DesiredTask, TaskKey
from reconciler.core.plan_document import build_plan_document, restore_plan
from reconciler.core.plan_model import TaskPlan
from reconciler.core.planner import plan_ruled
from reconciler.core.rule import Rule
from reconciler.core.rule_set import RuleSet
from reconciler.core.values import Json
from tests.unit.core.building import change, desired, plan_of, update
from tests.unit.core.test_rule_set import LIVE, VAL, rule

CONTRACT = load_contract()


def plan_task(
    one: Rule, own: DesiredTask | None = None, live: Mapping[str, Json] = LIVE
) -> TaskPlan:
    """Plan a task by one rule, and read the plan back as from a file."""
    rules = RuleSet([one], CONTRACT)
    ruled = rules.extend(1, live, own, rules.match(live, own))
    assert ruled
    planned = plan_ruled(ruled, live, CONTRACT)
    assert planned
    plan = plan_of(planned)
    saved = build_plan_document(plan)
    restored = restore_plan({**saved, **_rules(rules)})
    return restored.tasks[0]


def _rules(rules: RuleSet) -> dict[str, Json]:
    return {"rules": build_plan_document(replace(plan_of(), rules=rules.summarize()))["rules"]}


def lost(task: TaskPlan, **changed: Json) -> str:
    return find_lost_reason(task, {**LIVE, **changed}, CONTRACT)


def data(**changed: Json) -> dict[str, Json]:
    known = LIVE["data"]
    assert isinstance(known, dict)
    return {**known, **changed}


def test_a_condition_that_still_holds() -> None:
    task = plan_task(rule("r", VAL, {"overlap": 2}))

    assert lost(task) == ""
    assert lost(task, overlap=2, data=data(old=5)) == ""
    assert (
        lost(task, data=data(split="test")) == 'the task no longer matches rule "r" (rules.yaml:3)'
    )


def test_what_the_rule_itself_changed_counts_as_it_was() -> None:
    task = plan_task(
        rule("r", {"data.old": ("exists", True)}, {"overlap": 2}, absent=("data.old",))
    )
    without = {key: value for key, value in data().items() if key != "old"}

    assert lost(task, data=without) == ""
    assert lost(task.narrow(task.changes[:1]), data=without) == ""


def test_a_parent_that_is_gone_is_no_obstacle() -> None:
    task = plan_task(rule("r", VAL, {"overlap": 2}, absent=("data.inner.a",)))

    assert lost(task, data={"split": "val"}) == ""
    assert lost(task, data={"split": "val", "inner": 5}) == ""


def test_what_the_task_declares_counts_as_declared() -> None:
    own = desired(1, {"data": {"split": "test"}, "meta": {"s": 1}})
    task = plan_task(rule("r", {"data.split": "test", "meta.s": 1}, {"meta": {"x": 2}}), own)

    assert lost(task) == ""
    assert lost(task, meta={"s": 1, "x": 2}, data=data(split="test")) == ""
    narrowed = task.narrow(tuple(c for c in task.changes if c.path == ("meta",)))
    assert lost(narrowed) == ""


def test_an_attribute_that_is_no_longer_shown() -> None:
    task = plan_task(rule("r", VAL, {"overlap": 2}))
    live = {name: value for name, value in LIVE.items() if name != "data"}

    assert "no data, which rule" in find_lost_reason(task, live, CONTRACT)


@pytest.mark.parametrize("value", ["y", None, ["x"], {"x": 1}])
def test_a_key_that_is_gone(value: Json) -> None:
    task = update(1, change("overlap", 1, 2), key=TaskKey(("data", "k"), "x"))

    assert lost(task, data=data(k="x")) == ""
    assert lost(task, data=data(k=value)) == 'the task no longer has the key "x" at data.k'
    assert lost(task) == 'the task no longer has the key "x" at data.k'
