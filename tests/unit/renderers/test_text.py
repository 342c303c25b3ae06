"""Plans and reports as a person sees them; most examples are in tests/cases/plan."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.allowances import NOTHING_ALLOWED, Allowances, mark_plan
from reconciler.core.guards import GuardFacts
from reconciler.core.model import Change, Found, Missing, TaskKey, User
from reconciler.core.plan_model import ServerIdentity, Status, TaskPlan
from reconciler.core.planner import apply_guards
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.report import STOPPED, Commit, Outcome, Report, Run, TaskOutcome
from reconciler.core.shard import Shard
from reconciler.core.values import ABSENT, Json
from reconciler.errors import Source
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.style import Style, strip_colors
from reconciler.renderers.text import render_outcomes, render_plan, render_report
from tests.unit.core.building import SERVER, change, desired, plan_of, task_plan, update

PLAIN, COLORED = Style(), Style(color=True)
GREEN, RED, YELLOW, BOLD, DIM, OFF = (f"\x1b[{code}m" for code in ("32", "31", "33", "1", "2", "0"))


def entries(*tasks: TaskPlan, full: bool = False) -> list[str]:
    """The lines between the server and the summary, empty ones left out."""
    lines = render_plan(plan_of(*tasks), RenderOptions(style=PLAIN, full=full)).splitlines()
    return [line for line in lines[1:-1] if line and not line.startswith(("Plan:", "Digest:"))]


def summary(*tasks: TaskPlan, unchanged: int = 0) -> str:
    text = render_plan(plan_of(*tasks, unchanged=unchanged), RenderOptions(style=PLAIN))
    return next(line for line in text.splitlines() if line.startswith(("Plan:", "No changes:")))


def gone(task: int) -> TaskPlan:
    return task_plan(desired(task), Missing())


def test_a_plan_in_colour():
    warned = apply_guards(
        update(1, change("comment_count", 0, 1), change("meta.a", ABSENT, "x")),
        Found({}),
        facts=GuardFacts(load_contract()),
        allow=NOTHING_ALLOWED,
    )
    removing = update(2, change("data.old", [1], ABSENT))
    text = render_plan(plan_of(warned, removing, gone(3)), RenderOptions(style=COLORED))
    digest = text.splitlines()[-1]
    assert text.splitlines()[:-1] == [
        f"{DIM}http://label-studio.test (Label Studio Community 1.23.2){OFF}",
        "",
        f"{YELLOW}~{OFF} {BOLD}task 1{OFF}  {DIM}tasks.yaml:3:5{OFF}",
        (
            f"    {YELLOW}computed{OFF}: the server computes comment_count and "
            "will overwrite what you write"
        ),
        f"    {DIM}do not declare computed attributes, except to correct a value once{OFF}",
        f"    {YELLOW}~{OFF} comment_count  {RED}0{OFF} -> {GREEN}1{OFF}  {DIM}tasks.yaml:3:5{OFF}",
        f'    {GREEN}+{OFF} meta.a         {GREEN}"x"{OFF}  {DIM}tasks.yaml:3:5{OFF}',
        "",
        f"{YELLOW}~{OFF} {BOLD}task 2{OFF}  {DIM}tasks.yaml:3:5{OFF}",
        f"    {RED}-{OFF} data.old  {RED}[1]{OFF}  {DIM}tasks.yaml:3:5{OFF}",
        "",
        f"{RED}!{OFF} {BOLD}task 3{OFF}{RED}  missing{OFF}  {DIM}tasks.yaml:3:5{OFF}",
        (
            f"    {RED}missing{OFF}: the task does not exist on the server, or the "
            "token may not see it"
        ),
        f"    {DIM}remove it from the manifest, or correct the id; tasks are never created{OFF}",
        "",
        f"{BOLD}Blocked:{OFF}",
        (
            f"    {RED}!{OFF} task 3  missing: the task does not exist on the server, or the "
            "token may not see it"
        ),
        "",
        f"{BOLD}Plan: 2 tasks to update (3 changes, including 1 removal), 1 missing.{OFF}",
    ]
    assert digest.startswith(f"{DIM}Digest: sha256:")


def test_a_report_in_colour():
    outcomes = [
        TaskOutcome(1, Outcome.APPLIED),
        TaskOutcome(2, Outcome.STALE, (), "changed on the server since the plan: overlap"),
        TaskOutcome(3, Outcome.MISSING, (), "no such task", accepted=True),
    ]
    assert render_outcomes(outcomes, style=COLORED) == (
        f"{RED}!{OFF} {BOLD}task 2{OFF}  stale: changed on the server since the plan: overlap\n"
        f"{YELLOW}!{OFF} {BOLD}task 3{OFF}  left alone, as allowed: no such task\n"
        f"{BOLD}{RED}Apply: 1 applied, 1 stale, 1 missing (allowed)"
        f" (to change stale tasks, plan again).{OFF}{OFF}\n"
    )


def test_colour_adds_nothing_but_colour():
    plan = plan_of(update(1, change("data.t", "a" * 100, "a" * 99 + "b")), gone(2), unchanged=1)
    colored = render_plan(plan, RenderOptions(style=COLORED))
    for code in (GREEN, RED, YELLOW, BOLD, DIM, OFF):
        colored = colored.replace(code, "")
    assert colored == render_plan(plan, RenderOptions(style=PLAIN))


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([], "Apply: 0 tasks."),
        ([Outcome.APPLIED], "Apply: 1 applied."),
        ([Outcome.ALREADY, Outcome.APPLIED] * 600, "Apply: 600 applied, 600 already up to date."),
    ],
)
def test_a_good_report_is_one_line(outcomes: list[Outcome], text: str):
    told = [TaskOutcome(task, outcome) for task, outcome in enumerate(outcomes, 1)]
    assert render_outcomes(told, style=PLAIN) == f"{text}\n"


def test_a_report_counts_the_tasks_that_were_repaired():
    told = [TaskOutcome(1, Outcome.APPLIED, repairs=2), TaskOutcome(2, Outcome.APPLIED)]
    assert render_outcomes(told, style=PLAIN) == (
        "Changes of 1 task were applied again: another client had undone them.\nApply: 2 applied.\n"
    )


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("apply", "Apply: 1 applied, 1 stale (to change stale tasks, plan again)."),
        ("revert", "Revert: 1 applied, 1 stale (to revert stale tasks, run revert again)."),
        ("", "All runs: 1 applied, 1 stale."),
    ],
)
def test_the_last_line_says_what_to_do_about_stale_tasks(command: str, line: str):
    told = [TaskOutcome(1, Outcome.APPLIED), TaskOutcome(2, Outcome.STALE, (), "changed")]
    assert render_outcomes(told, style=PLAIN, command=command).splitlines()[-1] == line


def test_a_report_that_was_cut_off_is_no_good_one():
    told = [TaskOutcome(1, Outcome.APPLIED)]
    assert render_outcomes(told, style=COLORED, complete=False) == (
        f"{BOLD}{RED}Apply: 1 applied, the rest is unknown.{OFF}{OFF}\n"
    )


def test_a_report_names_every_task_that_is_not_as_declared_in_plain_words():
    told = [TaskOutcome(task, outcome, (), "why") for task, outcome in enumerate(Outcome, 1)]
    assert render_outcomes(told, style=PLAIN).splitlines() == [
        "! task 3  stale: why",
        "! task 4  not honoured: why",
        "! task 5  failed: why",
        "! task 6  missing: why",
        "! task 7  blocked: why",
        "! 1 task not started: why",
        (
            "Apply: 1 applied, 1 already up to date, 1 stale, 1 not honoured, 1 failed, 1 missing, "
            "1 blocked, 1 not started (to change stale tasks, plan again)."
        ),
    ]


def test_what_a_server_says_cannot_steer_the_terminal():
    told = [TaskOutcome(1, Outcome.FAILED, (), "\x1b[2J\rgone\n")]
    assert render_outcomes(told, style=PLAIN).startswith("! task 1  failed: \\u001b[2J\\rgone\\n\n")
    odd = replace(plan_of(), server=ServerIdentity("http://x.test", "\x1b[1mCommunity", None))
    assert render_plan(odd, RenderOptions(style=PLAIN)).startswith(
        "http://x.test (Label Studio \\u001b[1mCommunity)\n"
    )


@pytest.mark.parametrize(
    ("tasks", "unchanged", "text"),
    [
        ([], 0, "No changes: 0 tasks as declared."),
        ([], 1, "No changes: 1 task as declared."),
        ([], 12345, "No changes: 12,345 tasks as declared."),
        ([update(1, change("overlap", 1, 2))], 0, "Plan: 1 task to update (1 change)."),
        (
            [update(task, change("overlap", 1, 2)) for task in range(1, 1204)],
            7,
            "Plan: 1,203 tasks to update (1,203 changes), 7 unchanged.",
        ),
        ([gone(1), gone(2)], 0, "Plan: nothing to update, 2 missing."),
    ],
)
def test_the_last_line_counts(tasks: list[TaskPlan], unchanged: int, text: str):
    assert summary(*tasks, unchanged=unchanged) == text


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ([1], "task 1"),
        ([1, 2], "2 tasks: 1-2"),
        ([1, 3], "2 tasks: 1, 3"),
        ([1, 2, 3, 7, 9, 10], "6 tasks: 1-3, 7, 9-10"),
        ([1, 3, 5, 7, 9, 11], "6 tasks: 1, 3, 5, 7, 9, 11"),
        ([1, 3, 5, 7, 9, 11, 13], "7 tasks: 1, 3, 5, 7, 9, 11, …"),
        (list(range(101, 1304)), "1,203 tasks: 101-1303"),
    ],
)
def test_tasks_that_change_alike_are_one_entry_with_their_ranges(ids: list[int], text: str):
    same = [update(task, change("overlap", 1, 2)) for task in ids]
    assert entries(*same) == [
        f"~ {text}  tasks.yaml:3:5",
        "    ~ overlap  1 -> 2  tasks.yaml:3:5",
    ]


def test_an_entry_names_the_first_of_its_places_and_counts_the_others():
    lines = count(10)

    def declared(task: int) -> TaskPlan:
        source = Source("many.yaml", next(lines), 5)
        moved = replace(change("overlap", 1, 2), source=source)
        return replace(update(task, moved), source=source)

    assert entries(*map(declared, range(1, 1204))) == [
        "~ 1,203 tasks: 1-1203  many.yaml:10:5 and 1,202 more",
        "    ~ overlap  1 -> 2  many.yaml:10:5 and 1,202 more",
    ]


def test_output_grows_with_distinct_changes_and_not_with_tasks():
    few = [update(task, change("overlap", 1, task % 3 + 2)) for task in range(1, 31)]
    many = [update(task, change("overlap", 1, task % 3 + 2)) for task in range(1, 3001)]
    assert len(entries(*few)) == len(entries(*many)) == 6
    assert len(entries(*many, full=True)) == 6000


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (change("data.a", 1, 2), change("data.a", 1, 2.5)),
        (change("data.a", ABSENT, 1), change("data.a", None, 1)),
        (change("data.a", 1, True), change("data.a", 1, 1.5)),  # noqa: FBT003 - a value
        (change("data.a", 1, 2), change("data.b", 1, 2)),
        (change("data.a", "x", "1"), change("data.a", "x", 1)),
    ],
)
def test_tasks_that_change_otherwise_are_entries_of_their_own(left: Change, right: Change):
    assert len(entries(update(1, left), update(2, right))) == 4


def test_paths_are_put_in_a_column_that_does_not_run_away():
    short, long = change("meta.a", 1, 2), change(f"meta.{'k' * 50}", 1, 2)
    assert entries(update(1, short, long))[1:] == [
        f"    ~ meta.a{' ' * 26}  1 -> 2  tasks.yaml:3:5",
        f"    ~ meta.{'k' * 50}  1 -> 2  tasks.yaml:3:5",
    ]


def shown(before: Json, after: Json, *, full: bool = False) -> list[str]:
    """The lines of one change, without its entry."""
    return entries(update(1, change("data.x", before, after)), full=full)[1:]


def test_two_long_strings_show_where_they_differ():
    assert shown("a" * 100 + "OLD" + "b" * 100, "a" * 100 + "NEWER" + "b" * 100) == [
        "    ~ data.x  203 -> 205 characters, from character 101  tasks.yaml:3:5",
        f'        - "…{"a" * 24}OLD{"b" * 24}…"',
        f'        + "…{"a" * 24}NEWER{"b" * 24}…"',
    ]


def test_a_string_that_only_grew_shows_its_end():
    assert shown("a" * 100, "a" * 101) == [
        "    ~ data.x  100 -> 101 characters, from character 101  tasks.yaml:3:5",
        f'        - "…{"a" * 24}"',
        f'        + "…{"a" * 25}"',
    ]


def test_long_strings_in_a_list_show_where_they_differ_too():
    assert shown(["a" * 600 + "1"], ["a" * 600 + "2"])[1:] == [
        f'        ~ [0]  "…{"a" * 24}1" -> "…{"a" * 24}2"'
    ]


def test_in_full_both_strings_are_written_out():
    before, after = "a" * 500, "a" * 500 + "b"
    assert shown(before, after, full=True) == [
        f'    ~ data.x  "{before}" -> "{after}"  tasks.yaml:3:5'
    ]


def test_a_long_value_is_cut_and_says_how_long_it_is():
    line = shown(None, {"k": "v" * 1000})[0]
    assert line == (
        f'    ~ data.x  null -> {{"k": "{"v" * 393}… (1,009 characters, --full shows all)'
        "  tasks.yaml:3:5"
    )


def test_a_list_with_many_differences_shows_twenty_and_counts_the_rest():
    lines = shown(list(range(30)), list(range(100, 130)))
    assert lines[0] == "    ~ data.x  30 elements  tasks.yaml:3:5"
    assert len(lines) == 22
    assert lines[-1] == "        … and 10 more, --full shows all"
    assert len(shown(list(range(30)), list(range(100, 130)), full=True)) == 31


def test_a_very_long_list_shows_its_one_difference():
    before: list[Json] = [{"n": n} for n in range(1500)]
    after: list[Json] = [*before[:700], {"n": True}, *before[701:]]
    assert shown(before, after) == [
        "    ~ data.x  1,500 elements  tasks.yaml:3:5",
        "        ~ [700].n  700 -> true",
    ]


def test_a_very_long_list_that_only_grew_shows_all_that_came():
    before: list[Json] = list(range(1500))
    assert shown(before, [*before, "new", "more"])[1:] == [
        '        + [1500]  "new"',
        '        + [1501]  "more"',
    ]


def boxes(moved: int) -> Json:
    return [{"boxes": [{"x": n + moved, "y": n, "w": 1, "h": 1} for n in range(3_000)]}]


def test_a_very_long_list_of_differences_is_counted_as_far_as_it_was_looked_at():
    lines = shown(boxes(0), boxes(1))
    assert lines[:2] == [
        "    ~ data.x  1 element  tasks.yaml:3:5",
        "        ~ [0].boxes[0].x  0 -> 1",
    ]
    assert len(lines) == 22
    counted = re.fullmatch(" {8}… and at least ([0-9]+) more, --full shows all", lines[-1])
    assert counted
    assert 0 < int(counted[1]) <= 2_980
    assert len(shown(boxes(0), boxes(1), full=True)) == 3_001


def test_a_difference_far_behind_the_others_is_not_denied():
    whole: Json = [[n] for n in range(20_000)]
    real: Json = [[float(n)] for n in range(20_000)]
    assert shown([1, whole, 1], [2, real, 2])[1:] == [
        "        ~ [0]  1 -> 2",
        "        … there may be more, --full shows all",
    ]
    assert shown([1, whole, 1], [2, real, 2], full=True)[1:] == [
        "        ~ [0]  1 -> 2",
        "        ~ [2]  1 -> 2",
    ]


def test_objects_too_long_for_a_line_show_which_keys_differ():
    before: dict[str, Json] = {f"k{n}": n for n in range(100_000)}
    after: dict[str, Json] = {**before, "k99999": 0, "new": 1}
    assert shown(before, after) == [
        "    ~ data.x  100,000 -> 100,001 keys  tasks.yaml:3:5",
        "        ~ k99999  99999 -> 0",
        "        + new  1",
    ]


def test_a_huge_value_is_not_counted_to_its_end():
    line = shown(None, {"k": "v" * 1_000_000})[0]
    assert line.endswith("v… (more than 2,000 characters, --full shows all)  tasks.yaml:3:5")
    assert len(line) < 600


def test_long_texts_show_the_part_that_differs_and_no_more():
    same = "line\n" * 200_000
    lines = shown([f"{same}a{same}", 1], [f"{same}b{same}", 1])
    assert lines[1].startswith('        ~ [0]  "…ine\\nline')
    assert len(lines[1]) < 200
    first, *both = shown(f"a{same}a", f"b{same}b")
    assert first == "    ~ data.x  1,000,002 characters, from character 1  tasks.yaml:3:5"
    assert [line[:13] for line in both] == ['        - "al', '        + "bl']
    assert all(line.endswith("… (more than 2,000 characters, --full shows all)") for line in both)


def test_what_differs_only_far_behind_is_shown_from_there():
    """Two objects with no key in common, whose keys begin alike."""
    start = "k" * 3_000
    [line] = shown([{f"{start}a": 1}], [{f"{start}b": 1}])[1:]
    assert line == f'        ~ [0]  …{"k" * 24}a": 1}} -> …{"k" * 24}b": 1}}'


def test_of_very_many_changes_of_a_task_the_first_are_shown_and_the_others_counted():
    many = [change(f"data.k{n:04}", n, n + 1) for n in range(1_203)]
    lines = entries(update(1, *many))
    assert len(lines) == 202
    assert lines[-1] == "    … and 1,003 more changes, --full shows all"
    assert len(entries(update(1, *many), full=True)) == 1_204


def test_paths_of_any_length_are_written_in_some():
    deep = change("meta", 1, 2)
    deep = replace(deep, path=("meta", *("k" * 50 for _ in range(200))))
    assert len(entries(update(1, deep))[1]) < 500
    assert len(entries(update(1, deep), full=True)[1]) > 10_000


class Told:
    """A watch that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def begin(self, work: str, total: int | None = None) -> None:
        self.said.append((work, total))

    def advance(self, tasks: int = 1) -> None:
        self.said.append(tasks)

    def detail(self, text: str) -> None:
        raise AssertionError(text)

    def note(self, text: str) -> None:
        raise AssertionError(text)


def test_whoever_watches_is_told_how_far_it_is():
    told = Told()
    tasks = [update(1, change("overlap", 1, 2)), update(2, change("overlap", 1, 2)), gone(3)]
    render_plan(plan_of(*tasks), RenderOptions(style=PLAIN, progress=told))
    assert told.said == [("writing the plan", 3), 2, 1]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("caf\u00e9", "cafe\u0301", '"caf\\u00e9" -> "cafe\\u0301"'),
        ("a\u00a0b", "a b", '"a\\u00a0b" -> "a b"'),
        ("\uff21", "A", '"\\uff21" -> "A"'),
        ("\u0441\u043e\u0440", "cop", '"\\u0441\\u043e\\u0440" -> "cop"'),
        ("\u039f\u039a", "OK", '"\\u039f\\u039a" -> "OK"'),
        ("1\u20132", "1-2", '"1\\u20132" -> "1-2"'),
        ("\u2764\ufe0f", "\u2764", '"\\u2764\\ufe0f" -> "\\u2764"'),
        ("\u0647\u200c\u0627", "\u0647\u0627", '"\u0647\\u200c\u0627" -> "\u0647\u0627"'),
        ("\u0647\u200c\u0627", "b", '"\u0647\u200c\u0627" -> "b"'),
        ("x\u200b", "x", '"x\\u200b" -> "x"'),
        ("\u043c\u0438\u0440", "mir", '"\u043c\u0438\u0440" -> "mir"'),
        ({"caf\u00e9": 1}, ["cafe\u0301"], '{"caf\u00e9": 1} -> ["cafe\u0301"]'),
    ],
)
def test_values_that_look_alike_are_written_apart(before: Json, after: Json, text: str):
    assert shown(before, after) == [f"    ~ data.x  {text}  tasks.yaml:3:5"]


def test_strings_that_look_alike_up_to_their_end_are_not_cut_before_it():
    before, after = "\U0001d400" * 59 + "A", "\U0001d400" * 59 + "\uff21"
    [line] = shown(before, after)
    left, right = line.removesuffix("  tasks.yaml:3:5").split(" -> ")
    assert left.endswith('A"')
    assert right.endswith('\\uff21"')


def test_paths_line_up_by_the_columns_that_they_take():
    changes = [change("data.a", 1, 2), replace(change("data", 1, 2), path=("data", "\u4f60\u597d"))]
    assert entries(update(1, *changes))[1:] == [
        "    ~ data.a        1 -> 2  tasks.yaml:3:5",
        '    ~ data["\u4f60\u597d"]  1 -> 2  tasks.yaml:3:5',
    ]


def test_a_place_that_does_not_fit_the_terminal_is_written_below():
    plan = plan_of(update(1, change("data.x", "a" * 58, "b"), change("data.y", "a", "b")))
    for style in (PLAIN, COLORED):
        lines = render_plan(plan, RenderOptions(style=style, width=80)).splitlines()
        assert [strip_colors(line) for line in lines[2:6]] == [
            "~ task 1  tasks.yaml:3:5",
            f'    ~ data.x  "{"a" * 58}" -> "b"',
            "        tasks.yaml:3:5",
            '    ~ data.y  "a" -> "b"  tasks.yaml:3:5',
        ]


def test_what_is_allowed_is_said_and_counted():
    plan = mark_plan(plan_of(gone(1), gone(2)), Allowances.of(["missing"], by="--allow"))
    lines = render_plan(plan, RenderOptions()).splitlines()
    gone_from = "the task does not exist on the server, or the token may not see it"
    assert lines[2:] == [
        "! 2 tasks: 1-2  missing (allowed)  tasks.yaml:3:5",
        f"    missing (allowed by --allow): {gone_from}",
        "",
        "Plan: nothing to update, 2 missing.",
        "Allowed: missing (2 tasks, by --allow).",
    ]


def test_a_long_plan_says_where_blocked_tasks_are_declared_and_how_they_are_called():
    key = TaskKey(("data", "id"), "x-000102")
    blocked = [replace(gone(task), key=key) for task in (1, 2)]
    many = [update(task, change(f"data.k{task}", 0, 1)) for task in range(10, 50)]

    lines = entries(*blocked, *many)
    assert (
        "! 2 tasks: 1-2  missing: task 1 (x-000102): the task does not exist on the server, "
        "or the token may not see it  tasks.yaml:3:5"
    ) in lines
    assert lines[lines.index("Blocked:") + 1].startswith(
        "    ! 2 tasks: 1 (x-000102), 2 (x-000102)"
    )


def test_a_message_is_below_its_heading_where_a_terminal_would_wrap_it():
    many = [update(task, change(f"data.k{task}", 0, 1)) for task in range(10, 50)]
    plan = plan_of(gone(1), gone(2), *many)

    lines = render_plan(plan, RenderOptions(width=80)).splitlines()
    at = lines.index("! 2 tasks: 1-2  missing")
    assert lines[at + 1 : at + 4] == [
        "    task 1: the task does not exist on the server, or the token may not see it",
        "        tasks.yaml:3:5",
        "    remove it from the manifest, or correct the id; tasks are never created",
    ]


def test_of_many_reasons_that_block_the_first_are_repeated_at_the_end():
    problems = [TaskProblem(Kind.UNREADABLE, f"reason {task}") for task in range(1, 13)]
    blocked = [
        replace(gone(task), status=Status.UNREADABLE, problems=(problem,))
        for task, problem in enumerate(problems, 1)
    ]
    lines = entries(*blocked)
    repeated = lines[lines.index("Blocked:") + 1 :]
    assert repeated[0] == "    ! task 1  unreadable: reason 1"
    assert repeated[10:] == ["    … and 2 more reasons, --full shows all"]
    lines = entries(*blocked, full=True)
    assert lines[-1] == "    ! task 12  unreadable: reason 12"


def test_of_many_tasks_with_one_outcome_the_last_are_named_by_their_ids():
    told = [TaskOutcome(task, Outcome.FAILED, (), "no answer") for task in range(1, 61)]
    *lines, last = render_outcomes(told, style=PLAIN).splitlines()
    assert lines[-1] == "! 10 more tasks  failed: 51-60"
    assert (len(lines), last) == (51, "Apply: 60 failed.")
    assert len(render_outcomes(told, style=PLAIN, full=True).splitlines()) == 61


DIGEST = "sha256:" + "0a" * 32
RUN = Run(
    DIGEST,
    3,
    started="2026-11-28T10:00:00.000Z",
    ended="2026-11-28T10:04:12.500Z",
    user=User(7, "ann@example.org"),
    commit=Commit("1a2b3c", dirty=True),
)


def changed(
    task: int, outcome: Outcome = Outcome.APPLIED, *, error: str = "", time: str = ""
) -> TaskOutcome:
    return TaskOutcome(task, outcome, (change("overlap", 1, 2),), error, time=time)


def test_a_report_tells_what_was_changed_when_by_whom_and_from_what():
    outcomes = (
        changed(1),
        changed(2),
        changed(3, Outcome.FAILED, error="no answer"),
        changed(4, Outcome.STALE, error="changed since"),
        *(TaskOutcome(n, Outcome.INTERRUPTED, (), STOPPED) for n in range(5, 1_205)),
    )
    assert render_report(Report(SERVER, (RUN,), outcomes), RenderOptions(style=PLAIN)) == (
        "http://label-studio.test (Label Studio Community 1.23.2)\n"
        "\n"
        "Apply 2026-11-28T10:00:00.000Z\n"
        "    ended   2026-11-28T10:04:12.500Z\n"
        "    user    ann@example.org (user 7)\n"
        "    commit  1a2b3c, with uncommitted changes\n"
        f"    digest  {DIGEST}\n"
        "\n"
        "~ 2 tasks: 1-2  tasks.yaml:3:5\n"
        "    ~ overlap  1 -> 2  tasks.yaml:3:5\n"
        "\n"
        "! task 3  failed  tasks.yaml:3:5\n"
        "    ~ overlap  1 -> 2  tasks.yaml:3:5\n"
        "\n"
        "! task 3  failed: no answer\n"
        "! task 4  stale: changed since\n"
        "! 1,200 tasks not started; run apply again to continue\n"
        "Apply: 2 applied, 1 stale, 1 failed, 1,200 not started "
        "(to change stale tasks, plan again).\n"
    )


def test_a_report_in_full_tells_of_each_task_and_when_it_was_changed():
    outcomes = tuple(changed(task, time=f"2026-11-28T10:00:0{task}.000Z") for task in (1, 2))
    lines = render_report(
        Report(SERVER, (RUN,), outcomes), RenderOptions(style=PLAIN, full=True)
    ).splitlines()
    assert [line for line in lines if line.startswith("~")] == [
        "~ task 1  2026-11-28T10:00:01.000Z  tasks.yaml:3:5",
        "~ task 2  2026-11-28T10:00:02.000Z  tasks.yaml:3:5",
    ]


def test_a_report_of_several_runs_tells_of_each_and_of_what_is_not_known():
    revert = replace(RUN, command="revert", user=None, commit=Commit("\x1b[2J"), ended="")
    runs = (Run(DIGEST, 1, (Shard(2, 1),)), revert)
    report = Report(SERVER, runs, (TaskOutcome(5, Outcome.INTERRUPTED, (), STOPPED),))
    assert render_report(report, RenderOptions(style=PLAIN)).splitlines()[1:] == [
        "",
        "Apply (time not recorded)",
        "    shard   1/2",
        f"    digest  {DIGEST}",
        "",
        "Revert 2026-11-28T10:00:00.000Z",
        "    commit  \\u001b[2J",
        f"    digest  {DIGEST}",
        "",
        "! 1 task not started",
        "All runs: 1 not started.",
    ]
    alone = replace(report, runs=(revert,))
    assert render_report(alone, RenderOptions(style=PLAIN)).splitlines()[-2:] == [
        "! 1 task not started; run revert again to continue",
        "Revert: 1 not started.",
    ]
