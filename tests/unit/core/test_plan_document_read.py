"""Plans read back from their documents, and those that are refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Change, Missing
from reconciler.core.plan_document import build_plan_document, restore_plan
from reconciler.core.shard import Shard
from reconciler.core.values import ABSENT, DEPTH_MAX, UNREADABLE, Json
from reconciler.errors import SavedFileError
from tests.unit.core.building import SOURCE, change, desired, plan_of, task_plan, update

CHANGES = (change("overlap", 1, 2), change("meta.a", ABSENT, None), change("data.b", "é", ABSENT))
MISSING = task_plan(desired(3), Missing())
PLAN = plan_of(update(1, *CHANGES), MISSING, unchanged=4)


def document() -> dict[str, Any]:
    return copy.deepcopy(build_plan_document(PLAN))


def test_a_plan_comes_back_whole():
    assert restore_plan(document()) == PLAN


def test_absence_and_null_stay_apart():
    _, added, removed = restore_plan(document()).tasks[0].changes
    assert (added.before, added.after) == (ABSENT, None)
    assert (removed.before, removed.after) == ("é", ABSENT)


def test_what_could_not_be_read_before_stays_so():
    plan = plan_of(update(1, Change(("data",), UNREADABLE, {"text": "A."}, SOURCE)))
    assert restore_plan(json.loads(json.dumps(build_plan_document(plan)))) == plan


def test_half_of_a_pair_of_surrogates_stays_one():
    plan = plan_of(update(1, change("data.a", "\ud800", "\udc00 ")))
    assert restore_plan(json.loads(json.dumps(build_plan_document(plan)))) == plan


def test_a_plan_of_a_shard_is_of_that_shard():
    plan = replace(PLAN, shards=(Shard(2, 2),))
    assert build_plan_document(plan)["shard"] == "2/2"
    assert restore_plan(build_plan_document(plan)) == plan


def test_integers_may_be_written_as_other_programs_write_them():
    odd = document()
    odd["tasks"][0].update(task=1.0, project=7.0)
    odd["requests"] = 3.0
    restored = restore_plan(odd)
    assert restored == PLAN
    assert type(restored.tasks[0].task) is type(restored.requests) is int


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            lambda d: d["tasks"][0]["changes"][0].update(after=9),
            "digest does not match its changes",
        ),
        (lambda d: d["tasks"][0]["changes"].pop(), "digest does not match its changes"),
        (lambda d: d.update(digest="sha256:" + "0" * 64), "digest does not match its changes"),
        (lambda d: d["tasks"].pop(), "summary does not match its tasks"),
        (lambda d: d["summary"].update(tasks=99), "summary does not match its tasks"),
        (lambda d: d["tasks"].reverse(), "task 1 comes after task 3"),
        (lambda d: d["tasks"].append(d["tasks"][1]), "task 3 comes after task 3"),
        (lambda d: d.update(shard="1/2"), "task 1 does not belong to shard 1/2"),
    ],
)
def test_an_edited_plan_is_refused(edit: Callable[[dict[str, Any]], object], said: str):
    spoiled = document()
    edit(spoiled)
    with pytest.raises(SavedFileError, match=said) as refused:
        restore_plan(spoiled)
    assert refused.value.hint == "create the plan again with reconciler plan --out"


def test_a_shard_that_does_not_exist_is_refused():
    with pytest.raises(SavedFileError, match="expected a shard from 1/2 to 2/2, found '3/2'") as (
        refused
    ):
        restore_plan({**document(), "shard": "3/2"})
    assert refused.value.hint == "reconciler does not write such a value: pass an unedited file"


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_value_that_is_too_deep_is_refused(side: str):
    value: Json = 1
    for _ in range(DEPTH_MAX + 1):
        value = [value]
    spoiled = document()
    spoiled["tasks"][0]["changes"][2][side] = value
    with pytest.raises(
        SavedFileError, match=r"data\.b: its objects and lists are nested more than"
    ) as refused:
        restore_plan(spoiled)
    assert refused.value.hint == "reconciler does not write such a value: pass an unedited file"
