"""Plans put together, and those that do not belong together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.merge import merge_plans
from reconciler.core.model import TaskKey
from reconciler.core.plan_model import Plan, PlannedRule, ServerIdentity, UnresolvedKey
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.rule import RuleRef
from reconciler.core.shard import Shard
from reconciler.errors import SavedFileError
from tests.unit.core.building import SERVER, SOURCE, change, plan_of, update

OVERLAP = change("overlap", 1, 2)


def part(number: int, count: int, *tasks: int, unchanged: int = 0) -> Plan:
    plan = plan_of(*(update(task, OVERLAP) for task in tasks), unchanged=unchanged)
    return replace(plan, shards=(Shard(count, number),))


def test_all_shards_are_a_whole_plan():
    merged = merge_plans([("b", part(2, 2, 1, 3, unchanged=4)), ("a", part(1, 2, 2, unchanged=5))])

    assert [task.task for task in merged.tasks] == [1, 2, 3]
    assert (merged.unchanged, merged.requests, merged.shards) == (9, 6, ())
    assert merged.digest == plan_of(*(update(task, OVERLAP) for task in (1, 2, 3))).digest


def test_some_shards_stay_some_shards_and_more_can_be_added():
    some = merge_plans([("c", part(3, 3, 2)), ("a", part(1, 3, 3))])
    assert some.shards == (Shard(3, 1), Shard(3, 3))

    assert merge_plans([("some", some), ("b", part(2, 3, 1))]).shards == ()


def test_one_plan_stays_as_it_is():
    assert merge_plans([("a", part(1, 1, 1))]).shards == (Shard(1, 1),)


def test_plans_of_other_manifests_are_one_plan_too():
    merged = merge_plans([("a", plan_of(update(5, OVERLAP))), ("b", plan_of(update(2, OVERLAP)))])
    assert [task.task for task in merged.tasks] == [2, 5]


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (part(1, 2, 2), part(1, 2, 4), "a.json and b.json are both for shard 1/2"),
        (part(1, 2), part(3, 4), "a.json is for shard 1/2, but b.json is for shard 3/4"),
        (part(1, 2), plan_of(), "a.json is for shard 1/2, but b.json is for all tasks"),
        (plan_of(), part(1, 2), "b.json is for shard 1/2, but a.json is for all tasks"),
        (
            plan_of(update(7, OVERLAP)),
            plan_of(update(7, OVERLAP)),
            "task 7 is in both a.json and b.json",
        ),
        (
            part(1, 2),
            replace(part(2, 2), server=replace(SERVER, version="1.24.0")),
            (
                r"a.json is for http://label-studio.test \(Label Studio Community 1.23.2\), but "
                r"b.json is for http://label-studio.test \(Label Studio Community 1.24.0\)"
            ),
        ),
        (
            part(1, 2),
            replace(part(2, 2), server=ServerIdentity("http://x.test", None, None)),
            r"b.json is for http://x.test \(Label Studio\)",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused_with_both_names(
    one: Plan, other: Plan, said: str
):
    with pytest.raises(SavedFileError, match=said) as refused:
        merge_plans([("a.json", one), ("b.json", other)])
    assert refused.value.hint


def test_shards_that_were_divided_otherwise_are_of_another_run():
    with pytest.raises(SavedFileError) as refused:
        merge_plans([("a.json", part(1, 2)), ("b.json", part(3, 4))])
    assert refused.value.hint == "pass the shards of one run"


def test_rules_and_keys_of_shards_are_merged() -> None:
    rule = RuleRef("r", 7, SOURCE, ())
    blocked = PlannedRule(rule, 5, problem=TaskProblem(Kind.RULE, "too many"))
    key = UnresolvedKey(TaskKey(("data", "k"), "x"), 7, SOURCE, TaskProblem(Kind.MISSING, "gone"))
    first = replace(plan_of(), shards=(Shard(2, 1),), rules=(PlannedRule(rule, 4),))
    second = replace(plan_of(), shards=(Shard(2, 2),), rules=(blocked,), unresolved=(key,))

    merged = merge_plans([("a", first), ("b", second)])

    assert (merged.rules, merged.unresolved) == ((blocked,), (key,))


def test_plans_with_other_rules_of_one_name_do_not_belong_together() -> None:
    rules = [PlannedRule(RuleRef("r", number, SOURCE, ()), 1) for number in (1, 2)]
    plans = [replace(part(n, 2), rules=(one,)) for n, one in enumerate(rules, start=1)]

    with pytest.raises(SavedFileError, match="b has another rule 'r' than a"):
        merge_plans([("a", plans[0]), ("b", plans[1])])
