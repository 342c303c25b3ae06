"""Changes grouped by path and effect."""

from __future__ import annotations

from array import array

from reconciler.core.change_groups import (
    ChangedTask,
    ChangeGroup,
    Effect,
    TextEdit,
    count_paths,
    find_edit,
    group_changes,
)
from reconciler.core.model import Change, TaskKey
from reconciler.core.plan_model import Status, TaskPlan
from reconciler.core.values import ABSENT, Side
from reconciler.errors import Source
from reconciler.renderers.group_lines import format_groups
from reconciler.renderers.render_options import RenderOptions


def change(path: str, before: Side, after: Side, *, rule: str = "", line: int = 3) -> Change:
    return Change(tuple(path.split(".")), before, after, Source("a.yaml", line, 5), rule)


def tasks(*changes: Change) -> list[ChangedTask]:
    """Tasks 1, 2, ... with one change each."""
    return [
        TaskPlan(number, 7, Status.UPDATE, one.source, (one,))
        for number, one in enumerate(changes, 1)
    ]


def only(groups: tuple[ChangeGroup, ...]) -> ChangeGroup:
    (group,) = groups
    return group


def test_values_that_become_the_same_are_one_group_whatever_they_were():
    group = only(group_changes(tasks(change("overlap", 1, 2), change("overlap", 3, 2))))

    assert (group.path, group.effect, group.tasks) == (("overlap",), Effect.SET, array("q", [1, 2]))
    assert (group.before.count, group.before.lowest, group.before.highest) == (2, 1, 3)
    assert (group.after.count, group.after.first) == (1, 2)


def test_removals_of_different_values_are_one_group_and_come_first():
    removals = [change("data.old", number / 10, ABSENT) for number in range(3)]
    first, second = group_changes(tasks(*[change("overlap", 1, 2)] * 9, *removals))

    assert (first.effect, len(first), first.before.count) == (Effect.REMOVE, 3, 3)
    assert (second.effect, len(second)) == (Effect.SET, 9)


def test_the_same_edit_of_different_texts_is_one_group():
    group = only(
        group_changes(
            tasks(
                *(
                    change("data.image", f"s3://old-photos/{n}.jpg", f"s3://photos/{n}.jpg")
                    for n in range(9)
                )
            )
        )
    )

    assert group.effect is Effect.REPLACE
    assert group.edit == TextEdit("s3://", "old-photos/", "photos/")


def test_texts_that_change_differently_are_one_group_with_two_examples():
    changes = [change("data.text", f"a{n}", f"{n}b{n + 1}") for n in range(5)]
    group = only(group_changes(tasks(*changes)))

    assert (group.effect, len(group), group.after.count) == (Effect.VARY, 5, 5)
    assert [example.task for example in group.examples] == [1, 2]


def test_what_many_tasks_share_stands_apart_from_what_is_different_in_each():
    shared = [change("data.city", f"town {n}", "Leiden") for n in range(4)]
    single = [change("data.city", f"x{n}", f"{n}y{n}") for n in range(3)]
    groups = group_changes(tasks(*shared, *single))

    assert [(group.effect, len(group)) for group in groups] == [(Effect.SET, 4), (Effect.VARY, 3)]


def test_rules_and_additions_have_groups_of_their_own():
    groups = group_changes(
        tasks(
            change("overlap", 1, 2, rule="twice"),
            change("overlap", 1, 2),
            change("overlap", ABSENT, 2),
            change("meta.a", ABSENT, "1"),
            change("meta.a", ABSENT, 1),
        )
    )

    assert [(group.effect, group.rule, group.after.first) for group in groups] == [
        (Effect.ADD, "", "1"),
        (Effect.ADD, "", 1),
        (Effect.SET, "", 2),
        (Effect.ADD, "", 2),
        (Effect.SET, "twice", 2),
    ]


def test_many_values_of_one_path_make_few_groups():
    changes = [change("meta.n", 0, number % 500) for number in range(1_000)]
    groups = group_changes(tasks(*changes))

    assert len(groups) == 7
    assert sum(map(len, groups)) == 1_000


def test_totals_count_what_is_removed_changed_and_added():
    groups = group_changes(
        tasks(
            change("data.a", 1, ABSENT),
            change("data.a", 1, 2),
            change("data.a", 1, 3),
            change("meta", ABSENT, {}),
        )
    )

    assert count_paths(groups) == {
        ("data", "a"): {Effect.REMOVE: 1, Effect.SET: 2, Effect.ADD: 0},
        ("meta",): {Effect.REMOVE: 0, Effect.SET: 0, Effect.ADD: 1},
    }


def test_only_short_parts_of_texts_are_edits():
    assert find_edit("a" * 300 + "x", "a" * 300 + "y") is None
    assert find_edit("x" * 300, "y") is None
    assert find_edit(1, "y") is None
    assert find_edit("abc", "abXc") == TextEdit("ab", "", "X")


def test_lines_for_people():
    groups = group_changes(
        tasks(
            *(change("data.old_score", number / 10, ABSENT) for number in range(3)),
            *[change("overlap", 1, 2)] * 2,
            *(change("data.image", f"s3://old/{n}", f"s3://new/{n}") for n in range(4)),
            change("data.text", "one", "eins"),
            change("data.text", "two", "zwei", line=9),
            change("data.text", "six", "sechs", line=12),
        )
    )

    assert list(format_groups(groups, (), RenderOptions())) == [
        "- data.old_score  3 tasks  was 0.0 … 0.2, 3 different values  a.yaml:3:5",
        (
            '~ data.image      4 tasks  "s3://old/" -> "s3://new/" at the beginning, '
            "the rest as it was  a.yaml:3:5"
        ),
        "~ data.text       3 tasks  each differently  a.yaml:3:5 and 2 more",
        '    task 10: "one" -> "eins"',
        '    task 11: "two" -> "zwei"',
        "~ overlap         2 tasks  1 -> 2  a.yaml:3:5",
    ]


def test_values_that_tasks_share_are_counted():
    changes = (change("data.n", "", f"{number % 8}") for number in range(16))
    lines = list(format_groups(group_changes(tasks(*changes)), (), RenderOptions()))

    assert "~ data.n  4 tasks  2 different values  a.yaml:3:5" in lines


def test_a_long_name_of_one_task_moves_no_other_line():
    one, many = change("overlap", 1, 2), change("data.a", 1, 2)
    keyed = TaskPlan(
        101, 7, Status.UPDATE, one.source, (one,), key=TaskKey(("data", "id"), "x-000102")
    )

    lines = format_groups(group_changes([*tasks(many, many), keyed]), (), RenderOptions())
    assert list(lines) == [
        "~ data.a   2 tasks         1 -> 2  a.yaml:3:5",
        "~ overlap  task 101 (x-000102)  1 -> 2  a.yaml:3:5",
    ]


def test_a_single_task_is_named_by_its_key_too():
    one = change("overlap", 1, 2)
    keyed = TaskPlan(
        101, 7, Status.UPDATE, one.source, (one,), key=TaskKey(("data", "id"), "x-000102")
    )

    (line,) = format_groups(group_changes([keyed]), (), RenderOptions())
    assert "task 101 (x-000102)" in line
