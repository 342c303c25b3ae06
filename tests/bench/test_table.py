"""The table says which budgets hold, and is not kind about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.options import Options
from tests.bench.page import report, sentence
from tests.bench.table import HEADINGS, Budget, Row, Section, broken, markdown

ROW = Row(
    figure="plan",
    unit="s",
    ours=[3.0, 2.0, 2.0],
    beside=[2.0, 2.0, 1.0],
    of="floor",
    budget=Budget(ratio=2.5),
)


OPTIONS = Options(Path())


def holds(row: Row) -> str:
    return row.cells()[HEADINGS.index("Holds")]


def test_each_run_is_held_against_its_neighbour():
    assert ROW.ratios == [1.5, 1.0, 2.0]
    assert ROW.cells() == (
        "plan",
        "2.00 s, worst 3.00 s (n = 3)",
        "floor: 2.00 s, worst 2.00 s",
        "1.50x, worst 2.00x",
        "at most 2.5x",
        "yes",
    )


@pytest.mark.parametrize(
    ("budget", "verdict"),
    [
        (Budget(ratio=2.0), "yes"),
        (Budget(ratio=1.9), "median only"),
        (Budget(ratio=1.4), "**NO**"),
        (Budget(value=3.0), "yes"),
        (Budget(value=2.5), "median only"),
        (Budget(value=1.9), "**NO**"),
        (Budget(ratio=2.0, value=1.9), "**NO**"),
        (Budget(ratio=2.0, aim=0.1), "yes"),
        (None, ""),
    ],
)
def test_the_worst_run_decides(budget: Budget | None, verdict: str):
    assert holds(replace(ROW, budget=budget)) == verdict


@pytest.mark.parametrize(("times", "verdict"), [(6, "yes"), (9, "median only"), (11, "**NO**")])
def test_beside_a_peer_the_least_advantage_decides(times: float, verdict: str):
    row = replace(
        ROW, ours=[1.0, 2.0, 1.0], beside=[14.0, 14.0, 10.0], peer=True, budget=Budget(faster=times)
    )

    assert row.ratios == [14.0, 7.0, 10.0]
    assert row.cells()[3] == "10.00x, worst 7.00x faster"
    assert holds(row) == verdict


def test_what_was_measured_otherwise_is_held_against_the_median():
    assert replace(ROW, ours=[4.0], beside=[1.0, 2.0, 9.0]).ratios == [2.0]


def test_what_does_not_hold_is_said_first():
    bad = replace(ROW, figure="apply", budget=Budget(ratio=1.1))
    sections = [Section("Speed", "How fast.", [ROW, bad])]
    page = report(sections, OPTIONS, {})

    assert broken(sections) == [bad]
    assert page.index("## Budgets that do not hold") < page.index("## Speed")
    assert f"- {sentence(bad)}\n" in page
    assert "All 1 hold with their worst run." in report([Section("Speed", "", [ROW])], OPTIONS, {})


def test_tables_are_markdown_with_even_columns():
    lines = markdown([ROW, replace(ROW, figure="apply of much")]).splitlines()

    assert [line.count("|") for line in lines] == [len(HEADINGS) + 1] * 4
    assert len(set(map(len, lines))) == 1
