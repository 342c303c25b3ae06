"""The HTML page, as people use it: by mouse and by keys, wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import TaskKey
from reconciler.core.plan_model import Plan, Status, TaskPlan
from reconciler.core.problems import Allowance, Kind, TaskProblem
from reconciler.core.values import ABSENT, Json
from reconciler.errors import Source
from reconciler.renderers.registry import Subject
from tests.browser import pages
from tests.browser.conftest import OpenPage

PLAN = pages.make_mixed_plan()


def plan_of(*changes: Any) -> Plan:  # noqa: ANN401 - changes
    tasks = [
        TaskPlan(number, 1, Status.UPDATE, Source("a.yaml", number, 1), (one,))
        for number, one in enumerate(changes, 1)
    ]
    return Plan(pages.SERVER, tuple(tasks), 0)


def choose(page: Any, name: str, text: str) -> None:  # noqa: ANN401 - playwright's
    option = page.locator(f"#filter-{name} option", has_text=text).first
    page.select_option(f"#filter-{name}", value=option.get_attribute("value"))


def count(page: Any) -> str:  # noqa: ANN401 - playwright's
    return str(page.locator("#count").inner_text())


def test_the_first_screen_says_what_will_happen(open_page: OpenPage):
    page = open_page(Subject.PLAN, pages.make_mixed_plan(3_000, blocked=0))

    assert page.locator("h1").inner_text() == "3,000 tasks will change"
    assert "600 removed, 2,700 changed, 300 added" in page.locator("#lead").inner_text()
    first = page.locator("#picture .paths > li").first
    assert "1,200 tasks" in first.inner_text()
    assert "s3://old-bucket" in first.inner_text()
    assert first.bounding_box()["y"] < 900


def test_a_plan_that_cannot_be_applied_says_so_first(open_page: OpenPage):
    page = open_page(Subject.PLAN, PLAN)

    assert page.locator("h1").inner_text() == "Nothing can be applied yet: 12 tasks blocked"
    first = page.locator(".concern").first
    assert "8 tasks: annotated-data" in first.inner_text()
    assert "if intended, pass --allow annotated-data" in first.inner_text()
    first.get_by_role("button", name="Show them below").click()
    assert count(page) == "8 of 1,213 rows"


def test_a_blocked_task_is_shown_without_the_allowed_ones(open_page: OpenPage):
    allowed = Allowance(Kind.ANNOTATED_DATA, by="a.yaml:3", reason="the same pictures")
    found = TaskProblem(Kind.ANNOTATED_DATA, "would change data.image", "keep the data")
    source, key = Source("a.yaml", 7, 5), TaskKey(("data", "name"), "leiden-7")
    moved = pages.change("data.image", "s3://old/1.jpg", "s3://new/1.jpg")
    accepted = replace(found, allowed=(allowed,))
    tasks = [
        TaskPlan(1, 4, Status.UPDATE, source, (moved,), (accepted,)),
        TaskPlan(2, 4, Status.UPDATE, source, (moved,), (accepted,)),
        TaskPlan(3, 4, Status.BLOCKED, source, (moved,), (found,), key=key),
    ]
    page = open_page(Subject.PLAN, Plan(pages.SERVER, tuple(tasks), 0))

    blocked = page.locator(".concern").first
    assert "Task 3 (leiden-7): annotated-data" in blocked.inner_text()
    blocked.get_by_role("button", name="Show it below").click()
    assert count(page) == "1 of 3 changes"


def test_a_plan_without_changes_is_short(open_page: OpenPage):
    page = open_page(Subject.PLAN, Plan(pages.SERVER, (), 7))

    assert page.locator("h1").inner_text() == "No changes"
    assert page.locator("h2:visible").all_inner_texts() == ["About this page"]


def test_filters_and_search_narrow_the_list(open_page: OpenPage):
    page = open_page(Subject.PLAN, PLAN)

    choose(page, "path", "data.text")
    assert count(page) == "108 of 1,213 rows"
    choose(page, "status", "blocked")
    assert count(page) == "8 of 1,213 rows"
    page.get_by_role("button", name="Clear filters").click()
    assert count(page) == "1,213 rows"
    choose(page, "rule", pages.RULE)
    assert count(page) == "200 of 1,213 rows"
    page.get_by_role("button", name="Clear filters").click()
    choose(page, "file", "manifests/rules.yaml")
    assert count(page) == "200 of 1,213 rows"
    page.get_by_role("button", name="Clear filters").click()
    page.fill("#search", "VIADUCT")
    assert count(page).endswith(" of 1,213 rows")
    page.fill("#search", "task:104")
    assert count(page) == "2 of 1,213 rows"
    page.fill("#search", "there is no such text")
    assert count(page) == "0 of 1,213 rows"


def test_a_group_of_the_picture_filters_the_list(open_page: OpenPage):
    page = open_page(Subject.PLAN, PLAN)

    page.locator(".groups button", has_text="s3://old-bucket").click()

    assert count(page) == "400 of 1,213 rows"
    names = set(page.locator(".row .name").all_inner_texts())
    assert names == {"data.image"}


def test_keys_are_enough(open_page: OpenPage):
    page = open_page(Subject.PLAN, PLAN)

    page.keyboard.press("/")
    page.keyboard.type("data.text")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = page.locator(".row[aria-selected=true]")
    assert chosen.get_attribute("aria-posinset") == "2"
    assert page.locator("#rows").get_attribute("aria-activedescendant") == chosen.get_attribute(
        "id"
    )
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "panel"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "rows"
    page.keyboard.press("End")
    assert page.locator(".row[aria-selected=true]").get_attribute("aria-posinset") == "108"


def test_words_that_differ_are_marked_side_by_side(open_page: OpenPage):
    change = pages.change("data.text", "one\nthe red car\nthree", "one\nthe blue car\nthree")
    page = open_page(Subject.PLAN, plan_of(change))

    page.locator(".row").click()

    assert page.locator(".compare .old mark").all_inner_texts() == ["red"]
    assert page.locator(".compare .new mark").all_inner_texts() == ["blue"]
    old, new = page.locator(".compare .old"), page.locator(".compare .new")
    assert old.bounding_box()["y"] == new.bounding_box()["y"]
    assert old.bounding_box()["x"] < new.bounding_box()["x"]


def test_each_box_of_a_list_has_a_line(open_page: OpenPage):
    boxes = pages.make_boxes(1, 40)
    changed: list[Json] = [*boxes[:20], {"label": "new"}, *boxes[20:]]
    page = open_page(Subject.PLAN, plan_of(pages.change("data.regions", boxes, changed)))

    page.locator(".row").click()

    assert page.locator(".compare .new").all_inner_texts() == ['  {"label": "new"},']
    page.get_by_role("button", name="18 unchanged lines").first.click()
    assert page.locator(".compare .same.left").count() > 18


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        (1, 1.5, "1", "1.5"),
        (12345678901234567890123, 1e300, "12345678901234567890123", "1e300"),
        (None, "null", "null", '"null"'),
        (ABSENT, "", "", '""'),
        (True, ABSENT, "true", ""),
        ({"a": 1.0}, {"a": 10**25}, '{"a":1.0}', '{"a":10000000000000000000000000}'),
    ],
)
def test_values_are_written_exactly(
    before: Any,  # noqa: ANN401 - any value
    after: Any,  # noqa: ANN401 - any value
    old: str,
    new: str,
    open_page: OpenPage,
):
    page = open_page(Subject.PLAN, plan_of(pages.change("data.x", before, after)))
    sides = page.locator(".row .sides")

    assert "".join(sides.locator(".old").all_inner_texts()) == old
    assert "".join(sides.locator(".new").all_inner_texts()) == new


def test_invisible_characters_are_written_out(open_page: OpenPage):
    change = pages.change("data.x", "abc", "a\u202ebc\u200b\t")
    page = open_page(Subject.PLAN, plan_of(change))

    page.locator(".row").click()

    assert page.locator(".compare .new .esc").all_inner_texts() == ["\\u202e", "\\u200b", "\\t"]


def test_letters_that_look_alike_are_named(open_page: OpenPage):
    change = pages.change("data.x", "p\u0430ge", "page")
    page = open_page(Subject.PLAN, plan_of(change))

    page.locator(".row").click()

    assert "U+0430 became U+0061" in page.locator("#panel").inner_text()


def test_very_long_values_can_be_compared(open_page: OpenPage):
    text = pages.make_text(1, 15_000)
    change = pages.change("data.x", [text], [text.replace("bridge", "viaduct", 1)])
    page = open_page(Subject.PLAN, plan_of(change))

    page.locator(".row").click()

    assert page.locator(".compare .old mark").count() == 1
    assert "viaduct" in page.locator(".compare .new mark").inner_text()


def test_a_report_shows_what_failed_first(open_page: OpenPage):
    page = open_page(Subject.REPORT, pages.make_report())

    assert page.locator("h1").inner_text() == "Apply: 58 applied, 1 stale, 1 failed"
    assert "the server returned 500" in page.locator("#concerns").inner_text()
    choose(page, "status", "failed")
    page.locator(".row").first.click()
    assert "the server returned 500" in page.locator("#panel").inner_text()


def test_problems_of_manifests_can_be_searched(open_page: OpenPage):
    page = open_page(Subject.PROBLEMS, pages.make_validation())

    assert page.locator("h1").inner_text() == "40 problems in 3 files"
    choose(page, "file", "manifests/batch-2.yaml")
    assert count(page) == "13 of 40 problems"
    page.locator(".row").first.click()
    assert "write the number without quotes" in page.locator("#panel").inner_text()


def test_without_scripts_the_page_is_the_text(open_page: OpenPage):
    page = open_page(Subject.PLAN, PLAN, java_script_enabled=False)

    assert page.locator("h1").inner_text() == "Nothing can be applied yet: 12 tasks blocked"
    assert "s3://old-bucket/" in page.locator("#plain pre").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing(
    theme: str, width: int, open_page: OpenPage, find_violations: Callable[[Any], list[str]]
):
    page = open_page(Subject.PLAN, PLAN, theme=theme, width=width)

    assert find_violations(page) == []
    choose(page, "path", "data.text")
    page.locator(".row").nth(1).click()
    assert page.locator(".compare").is_visible()
    assert find_violations(page) == []


@pytest.mark.parametrize("subject", ["report", "validation", "hostile"])
def test_axe_finds_nothing_elsewhere(
    subject: str, open_page: OpenPage, find_violations: Callable[[Any], list[str]]
):
    shown = {
        "report": (Subject.REPORT, pages.make_report()),
        "validation": (Subject.PROBLEMS, pages.make_validation()),
        "hostile": (Subject.PLAN, pages.make_hostile_plan()),
    }
    page = open_page(*shown[subject])

    assert find_violations(page) == []


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_screen(width: int, open_page: OpenPage):
    for plan in (PLAN, pages.make_hostile_plan()):
        page = open_page(Subject.PLAN, plan, width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_theme_can_be_changed(open_page: OpenPage):
    page = open_page(Subject.PLAN, PLAN, theme="dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.get_by_role("button", name="Light theme").click()

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_bars_have_one_scale(open_page: OpenPage):
    page = open_page(Subject.PLAN, pages.make_mixed_plan())
    page.wait_for_selector(".path .bar")
    assert "blocked)" in page.inner_text("#picture")
    widths = "bars => bars.map(bar => bar.offsetWidth)"
    assert len(set(page.eval_on_selector_all(".path .bar", widths))) == 1
