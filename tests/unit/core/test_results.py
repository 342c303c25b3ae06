"""Results by weight: what blocks, removals, annotated data, then by size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.notation import escape_commands
from reconciler.core.problems import Kind
from reconciler.core.results import (
    Result,
    Severity,
    Topic,
    add_fingerprints,
    pick_results,
    show_each_group,
)
from reconciler.errors import Source


def result(severity: Severity, topic: str, tasks: int = 1, line: int = 3) -> Result:
    place = Source("a.yaml", line, 5)
    return Result(severity, topic, place, "", "m", tasks=tasks, identity=(topic, "a.yaml"))


LIGHT_TO_HEAVY = (
    result(Severity.NOTE, Topic.ADD, 5),
    result(Severity.NOTE, Topic.SET, 9),
    result(Severity.NOTE, Topic.REMOVE, 1),
    result(Severity.WARNING, Kind.COMPUTED, 900),
    result(Severity.WARNING, Kind.ANNOTATED_DATA, 2),
    result(Severity.ERROR, Kind.MISSING, 7),
    result(Severity.ERROR, Kind.ANNOTATED_DATA, 1),
)


def test_the_weightiest_come_first_and_the_rest_is_counted():
    assert pick_results(LIGHT_TO_HEAVY).shown == LIGHT_TO_HEAVY[::-1]

    picked = pick_results(LIGHT_TO_HEAVY, 3)
    assert picked.shown == LIGHT_TO_HEAVY[:3:-1]
    assert picked.describe_left_out() == "1 warning, 3 notes left out: the json format has all"
    assert pick_results(LIGHT_TO_HEAVY).describe_left_out() == ""


def test_one_of_each_group_comes_before_the_second_of_any():
    overlap = [
        replace(result(Severity.NOTE, Topic.SET, line=line), group=("overlap", ""))
        for line in (1, 2, 3)
    ]
    text = replace(result(Severity.NOTE, Topic.SET, line=4), group=("data.text", ""))
    missing = [result(Severity.ERROR, Kind.MISSING, line=line) for line in (5, 6)]
    blocked = result(Severity.ERROR, Kind.RULE_CONFLICT, line=7)

    shown = show_each_group([*missing, blocked, *overlap, text])

    assert [one.source and one.source.line for one in shown] == [5, 7, 6, 1, 4, 2, 3]


def test_results_that_are_alike_have_fingerprints_of_their_own_whatever_their_order():
    alike = [result(Severity.ERROR, Kind.MISSING, line=line) for line in (9, 2, 5)]

    found = {one.result.source: one.fingerprint for one in add_fingerprints(alike)}

    assert len(set(found.values())) == 3
    again = {one.result.source: one.fingerprint for one in add_fingerprints(alike[::-1])}
    assert again == found


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("##[error]x", "#\\u0023[error]x"),
        ("a ##[x] ##vso[y]", "a #\\u0023[x] #\\u0023vso[y]"),
        ("##teamcity[x] ## [y]", "#\\u0023teamcity[x] ## [y]"),
        ("###[x]", "##\\u0023[x]"),
        ("::error::x", "\\u003a:error::x"),
        ("  ::error::x", "  \\u003a:error::x"),
        ("a::b", "a::b"),
        ("## a [x]", "## a [x]"),
    ],
)
def test_what_a_ci_system_would_run_is_escaped(text: str, escaped: str):
    assert escape_commands(text) == escaped
