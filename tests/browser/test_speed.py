"""Pages of many changes: what they hold, and how long the browser takes, which is only printed."""

from __future__ import annotations

import time

from reconciler.renderers.html import render_plan
from reconciler.renderers.registry import Subject
from reconciler.renderers.render_options import RenderOptions
from tests.browser import pages
from tests.browser.conftest import OpenPage


def test_a_page_of_a_hundred_thousand_changes_stays_small():
    plan = pages.make_distinct_plan(100_000)
    start = time.process_time()
    written = render_plan(plan, RenderOptions())
    took = time.process_time() - start

    print(f"written in {took:.1f} s, {len(written.encode()) / 1e6:.1f} MB")  # noqa: T201 - pytest -rP shows it
    assert len(written.encode()) < 30_000_000


def test_ten_thousand_changes_are_usable_at_once(open_page: OpenPage):
    page = open_page(Subject.PLAN, pages.make_distinct_plan(10_000))
    usable = page.evaluate("performance.now()")
    page.wait_for_timeout(500)

    filtered = page.evaluate(
        """() => ["value 77", "no such text", "text 9", "task:9000"].map((text) => {
          const start = performance.now();
          const input = document.getElementById("search");
          input.value = text;
          input.dispatchEvent(new Event("input"));
          document.getElementById("rows").getBoundingClientRect();
          return performance.now() - start;
        })"""
    )

    print(f"usable after {usable:.0f} ms; filters took {filtered} ms")  # noqa: T201 - as above
    assert page.locator("#count").inner_text() == "1 of 10,000 changes"


def test_only_rows_in_sight_are_in_the_page(open_page: OpenPage):
    page = open_page(Subject.PLAN, pages.make_distinct_plan(10_000))

    for top in (0, 300_000, 599_000):
        page.evaluate(f"document.getElementById('rows').scrollTop = {top}")
        page.wait_for_timeout(100)
        assert 5 < page.locator(".row").count() < 60
