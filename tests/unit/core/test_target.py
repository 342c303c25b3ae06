"""Targets choose tasks by id and key, and changes of tasks by rule, path and file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.conditions import Condition
from reconciler.core.limit import Limit, describe_excess
from reconciler.core.merge import merge_plans
from reconciler.core.model import Change, Missing, Observed, TaskKey
from reconciler.core.plan_document import build_plan_document, restore_plan
from reconciler.core.plan_model import Status, TaskPlan, UnresolvedKey
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.rule import Rule, RuleRef
from reconciler.core.target import EVERYTHING, Targets, TargetTally, describe_unmatched
from reconciler.core.values import ABSENT
from reconciler.errors import SavedFileError, Source
from tests.unit.core.building import Listed, change, desired, plan_of, task_plan, update

KEYED = TaskKey(("data", "external_id"), "x-1")
NOWHERE: tuple[Condition, ...] = ()
LABELLED = RuleRef("label twice", 7, Source("rules/a.yaml", 7, 5), NOWHERE)


def changed(path: str, file: str, *, rule: str = "") -> Change:
    return replace(change(path, 1, 2), source=Source(file, 1, 1), rule=rule)


TASK = replace(
    update(
        101,
        changed("data.text", "manifests/a.yaml"),
        changed("data.page.url", "manifests/deep/b.yaml"),
        changed("overlap", "rules/a.yaml", rule="label twice"),
    ),
    source=Source("manifests/a.yaml", 1, 1),
    key=KEYED,
    rules=(LABELLED,),
)


def narrowed(task: TaskPlan, *include: str, exclude: tuple[str, ...] = ()) -> list[str] | None:
    left = Targets.parse(include, exclude).narrow(task)
    return None if left is None else [".".join(one.path) for one in left.changes]


ALL = ["data.text", "data.page.url", "overlap"]


@pytest.mark.parametrize(
    ("include", "exclude", "left"),
    [
        ((), (), ALL),
        (("101",), (), ALL),
        (("100-200",), (), ALL),
        (("102", "100-101"), (), ALL),  # of one sort: either
        (("102",), (), None),
        (("key:x-1",), (), ALL),
        (("key:x-2",), (), None),
        (("101", "key:x-2"), (), None),  # of different sorts: both
        (("rule:label twice",), (), ["overlap"]),
        (("rule:other",), (), None),
        (("path:data",), (), ["data.text", "data.page.url"]),
        (("path:data.text",), (), ["data.text"]),
        (("path:data.page.url.host",), (), None),
        (("path:data.text", "path:overlap"), (), ["data.text", "overlap"]),
        (("path:data", "rule:label twice"), (), None),
        (("file:manifests",), (), ["data.text", "data.page.url"]),
        (("file:manifests/",), (), ["data.text", "data.page.url"]),
        (("file:./manifests/*.yaml",), (), ["data.text"]),
        (("file:**/*.yaml",), (), ALL),
        (("file:manifests/**/b.yaml",), (), ["data.page.url"]),
        (("file:a.yaml",), (), None),
        (("101",), ("101",), None),  # exclude wins
        ((), ("100-200",), None),
        ((), ("key:x-1",), None),
        ((), ("path:data.text",), ["data.page.url", "overlap"]),
        ((), ("path:data.page.url.host",), ["data.text", "overlap"]),  # a part of a change
        ((), ("rule:label twice", "file:manifests/a.yaml"), ["data.page.url"]),
        ((), ("path:data", "path:overlap"), None),
    ],
)
def test_targets_keep_what_fits(
    include: tuple[str, ...], exclude: tuple[str, ...], left: list[str] | None
):
    assert narrowed(TASK, *include, exclude=exclude) == left


def test_rules_whose_changes_are_left_out_need_not_hold_when_the_plan_is_applied():
    left = Targets.parse(["path:data"]).narrow(TASK)
    assert left is not None
    assert (left.rules, left.key) == ((), KEYED)


@pytest.mark.parametrize(
    ("include", "stays"),
    [
        ("101", True),
        ("path:data", True),
        ("file:tasks.yaml", True),
        ("file:b", False),
        ("rule:label twice", False),
        ("key:x", False),
        ("5", False),
    ],
)
def test_a_missing_task_stays_unless_a_target_leaves_it_out(include: str, *, stays: bool):
    missing = task_plan(desired(101), Missing())
    assert (Targets.parse([include]).narrow(missing) is missing) is stays


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "0",
        "5-3",
        "-5",
        "1-",
        "id:5",
        "key:",
        "rule:",
        "path:",
        "path:a..b",
        "ids:5",
        "1,2",
    ],
)
def test_what_is_no_target_is_refused(text: str):
    with pytest.raises(ValueError, match="expected"):
        Targets.parse([text])


OTHER_RULE = RuleRef("label once", 7, Source("rules/b.yaml", 3, 5), NOWHERE)
IN_CONFLICT = TaskPlan(
    101,
    7,
    Status.BLOCKED,
    LABELLED.source,
    problems=(TaskProblem(Kind.RULE_CONFLICT, "two rules set overlap"),),
    rules=(LABELLED, OTHER_RULE),
)


@pytest.mark.parametrize("include", ["rule:label twice", "rule:label once", "file:rules/b.yaml"])
def test_each_of_two_rules_in_conflict_blocks_the_task(include: str):
    assert Targets.parse([include]).narrow(IN_CONFLICT) is IN_CONFLICT


@pytest.mark.parametrize(
    ("include", "exclude", "stays"),
    [
        (("rule:other",), (), False),
        (("file:tasks.yaml",), (), False),
        ((), ("file:rules/b.yaml",), True),
        ((), ("file:rules",), False),
        ((), ("rule:label once",), True),  # whether the other rule alone would block is not known
    ],
)
def test_a_task_in_conflict_is_left_out_only_if_nothing_of_it_is_looked_at(
    include: tuple[str, ...], exclude: tuple[str, ...], *, stays: bool
):
    assert (Targets.parse(include, exclude).narrow(IN_CONFLICT) is IN_CONFLICT) is stays


def tally_of(targets: Targets, *tasks: TaskPlan) -> tuple[TargetTally, list[TaskPlan]]:
    tally = TargetTally(targets)
    observed: Observed = Missing()
    return tally, [task for task, _ in tally.narrow((task, observed) for task in tasks)]


def test_what_is_left_out_is_counted():
    other = update(102, change("meta.n", 1, 2))
    tally, left = tally_of(Targets.parse(["path:data.text"]), TASK, other)
    assert ([task.task for task in left], tally.tasks, tally.changes) == ([101], {102}, 2)


def unmatched(targets: Targets, *, rules: tuple[Rule, ...] = ()) -> list[str]:
    """Name what fits nothing, where all tasks are as declared."""
    declared = Listed(
        [
            desired(101, {"data": {"text": "A.", "page": {"url": "x"}}}),
            desired(102, {"overlap": 2}, absent=("data.old",))._replace(key=KEYED),
        ],
        rules,
    )
    tally, _ = tally_of(targets)
    return [str(one) for one in tally.list_unmatched(declared)]


@pytest.mark.parametrize(
    "text",
    [
        "101",
        "102-500",
        "key:x-1",
        "path:data",
        "path:data.page.url",
        "path:data.old",
        "path:overlap",
        "file:*.yaml",
        "file:tasks.yaml",
    ],
)
def test_what_is_as_declared_is_matched_too(text: str):
    assert unmatched(Targets.parse([text])) == []
    assert unmatched(Targets.parse([], [text])) == []


@pytest.mark.parametrize(
    "text", ["103", "1-100", "key:x-2", "path:data.tex", "path:meta", "file:b.yaml", "rule:x"]
)
def test_what_matches_nothing_is_named(text: str):
    targets = Targets.parse(["101"], [text])
    assert unmatched(targets) == [text]
    message = describe_unmatched(targets.exclude, targets)
    assert message == f"--exclude {text}: no declared task or rule fits"


@pytest.mark.parametrize("text", ["rule:label twice", "path:meta.split", "file:rules"])
def test_a_rule_that_changes_nothing_now_is_matched(text: str):
    rule = Rule(LABELLED, {("meta", "split"): "val"})
    assert unmatched(Targets.parse([text]), rules=(rule,)) == []


def test_keys_without_a_task_are_looked_at_where_they_are_chosen():
    problem = TaskProblem(Kind.MISSING, "no task has this key")
    unresolved = UnresolvedKey(KEYED, 7, Source("a.yaml", 3, 5), problem)

    def looked_at(*include: str) -> bool:
        tally = TargetTally(Targets.parse(include))
        return list(tally.narrow_keys([unresolved])) == [unresolved]

    assert looked_at()
    assert looked_at("key:x-1", "file:a.yaml")
    assert looked_at("path:data")
    for include in ("key:y", "101", "rule:x", "file:b.yaml"):
        assert not looked_at(include)


def test_percentages_of_limits_mean_all_declared_tasks():
    plan = replace(plan_of(TASK), tasks_left_out=99, targets=Targets.parse(["101"]))
    assert describe_excess(plan, Limit.parse("1%")) == ""
    assert describe_excess(plan, Limit.parse("0.5%")) == (
        "the plan would change 1 of 100 tasks; the limit is 0.5% (0 tasks)"
    )


@pytest.mark.parametrize(
    ("tasks", "changes", "said"),
    [
        (0, 0, "nothing that differs"),
        (1200, 0, "1,200 tasks"),
        (0, 1, "1 change"),
        (1, 2, "1 task and 2 changes of the others"),
    ],
)
def test_a_plan_says_what_it_did_not_look_at(tasks: int, changes: int, said: str):
    targets = Targets.parse(["101", "path:data.text"], ["file:old"])
    plan = replace(plan_of(), targets=targets, tasks_left_out=tasks, changes_left_out=changes)
    assert plan.describe_targets() == (
        f"Targets: --target 101, --target path:data.text, --exclude file:old. Left out: {said}."
    )
    assert plan_of().describe_targets() == ""
    assert restore_plan(build_plan_document(plan)) == plan


def test_targets_of_a_saved_plan_that_were_edited_are_refused():
    document: dict[str, Any] = {**build_plan_document(plan_of())}
    document["targets"] = {"include": ["data.text"], "exclude": []}
    with pytest.raises(SavedFileError, match="targets: expected an id, a range"):
        restore_plan(document)


def test_plans_of_different_targets_do_not_merge():
    one = replace(plan_of(update(1, change("overlap", 1, 2))), targets=Targets.parse(["1"]))
    other = replace(plan_of(), targets=EVERYTHING)
    with pytest.raises(SavedFileError, match=r"a was made with --target 1, but b with no targets"):
        merge_plans([("a", one), ("b", other)])
    same = replace(plan_of(), targets=Targets.parse(["1"]), tasks_left_out=3, changes_left_out=2)
    merged = merge_plans([("a", one), ("b", same)])
    assert (merged.targets, merged.tasks_left_out, merged.changes_left_out) == (one.targets, 3, 2)


SELECTORS = st.sampled_from(
    [
        "1",
        "2-3",
        "key:x-1",
        "rule:a",
        "rule:b",
        "path:data",
        "path:data.a",
        "path:data.a.b",
        "path:meta",
        "file:a.yaml",
        "file:b",
        "file:*/c.yaml",
    ]
)
CHANGES = st.lists(
    st.builds(
        changed,
        st.sampled_from(["data.a", "data.a.b", "data.c", "meta.d", "overlap"]),
        st.sampled_from(["a.yaml", "b/c.yaml", "b/d/e.yaml"]),
        rule=st.sampled_from(["", "a", "b"]),
    ),
    min_size=1,
    unique_by=lambda one: one.path,
)


@given(
    st.lists(SELECTORS),
    st.lists(SELECTORS),
    CHANGES,
    st.integers(1, 4),
    st.sampled_from([None, KEYED]),
)
def test_a_change_is_left_exactly_if_each_sort_fits_it_and_nothing_excludes_it(
    include: list[str], exclude: list[str], changes: list[Change], task: int, key: TaskKey | None
):
    def fits(text: str, one: Change, *, partly: bool) -> bool:
        word, _, value = text.rpartition(":")
        path = ".".join(one.path)
        match word:
            case "key":
                return key is not None
            case "rule":
                return one.rule == value
            case "path":
                inside = f"{path}.".startswith(f"{value}.")
                return inside or (partly and f"{value}.".startswith(f"{path}."))
            case "file":
                known = {"a.yaml": ["a.yaml"], "b": ["b/c.yaml", "b/d/e.yaml"]}
                return one.source.file in known.get(value, ["b/c.yaml"])
        return task == 1 if text == "1" else task in {2, 3}

    def is_left(one: Change) -> bool:
        sorts: dict[str, list[bool]] = {}
        for text in include:
            sorts.setdefault(text.rpartition(":")[0], []).append(fits(text, one, partly=False))
        chosen = all(any(found) for found in sorts.values())
        return chosen and not any(fits(text, one, partly=True) for text in exclude)

    planned = replace(update(task, *changes), key=key)
    left = Targets.parse(include, exclude).narrow(planned)
    expected = [one for one in changes if is_left(one)]
    assert ([*left.changes] if left else []) == expected


def test_an_added_object_around_a_target_is_left_out():
    adding = update(1, change("data.page", ABSENT, {"url": 1, "size": 2}))
    assert narrowed(adding, "path:data.page.url") is None
    assert narrowed(adding, exclude=("path:data.page.url",)) is None


def test_a_rule_that_would_not_match_after_a_part_of_it_is_left_out_whole() -> None:
    where = (Condition(("data", "done"), ()),)
    rule = RuleRef("mark", 7, Source("rules/a.yaml", 7, 5), where)
    task = replace(
        update(
            101,
            changed("data.done", "rules/a.yaml", rule="mark"),
            changed("data.extra", "rules/a.yaml", rule="mark"),
            changed("data.text", "manifests/a.yaml"),
        ),
        rules=(rule,),
    )

    assert narrowed(task, "path:data.done") is None
    assert narrowed(task, "path:data.done", "path:data.text") == ["data.text"]
    assert narrowed(task, "path:data.extra") == ["data.extra"]
    assert narrowed(task, "rule:mark") == ["data.done", "data.extra"]
