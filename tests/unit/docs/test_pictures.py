"""The pictures of the README show what the tool prints today; `make pictures` draws them again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from docs.pictures.gallery import TERMINAL, THEMES, Screenshot, draw_terminal, list_screenshots
from docs.pictures.screenshots import read_stamp, stamp
from docs.pictures.streets import plan_streets
from reconciler.core.allowances import list_blocked
from reconciler.core.plan_model import Plan
from reconciler.core.problems import Kind
from tests.unit.docs.pages import ROOT, page

LARGEST = 200_000


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_streets()


@pytest.fixture(scope="module")
def screenshots(plan: Plan) -> list[Screenshot]:
    return list(list_screenshots(plan))


def list_pictures() -> Iterator[tuple[str, str]]:
    """List the pictures of the README, and the text that stands for each."""
    for found in re.finditer(r"<img [^>]+>", page("README.md")):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', found[0]))
        yield attributes["src"], attributes["alt"]


def test_the_plan_is_worth_a_picture(plan: Plan):
    blocked = [(str(task.key), task.problems[0].kind) for task in list_blocked(plan)]

    assert blocked == [("leiden-0303", Kind.ANNOTATED_DATA)]
    assert len(plan.updates) == 2_399
    assert [rule.matched for rule in plan.rules] == [2_399, 480, 2_400]


def test_the_terminal_shows_what_plan_prints(plan: Plan):
    assert TERMINAL.read_text(encoding="utf-8") == draw_terminal(plan), "run make pictures"


def test_screenshots_show_what_plan_prints(screenshots: list[Screenshot]):
    stamps = {
        shown.locate(theme).name: (read_stamp(shown.locate(theme)), shown.source)
        for shown in screenshots
        for theme in THEMES
    }
    stale = [
        name
        for name, (found, source) in stamps.items()
        if found != sha256(source.encode()).hexdigest()
    ]

    assert stale == [], "run make pictures"


def test_the_readme_shows_each_picture_and_says_what_is_on_it(screenshots: list[Screenshot]):
    files = [shown.locate(theme) for shown in screenshots for theme in THEMES]
    text = page("README.md")

    for file in (TERMINAL, *files):
        assert str(file.relative_to(ROOT)) in text
        assert file.stat().st_size < LARGEST
    for source, words in list_pictures():
        assert (ROOT / source).exists()
        assert len(words) > 40


def test_a_stamp_is_read_as_it_was_written(screenshots: list[Screenshot], tmp_path: Path):
    original = screenshots[0].locate("light").read_bytes()
    file = tmp_path / "a.png"
    file.write_bytes(stamp(original, "another text"))

    assert read_stamp(file) == sha256(b"another text").hexdigest()
