"""Values come from strangers: in the page they are text, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reconciler.core.plan_model import Plan
from reconciler.renderers.html import render_plan
from reconciler.renderers.registry import Subject
from reconciler.renderers.render_options import RenderOptions
from tests.browser import pages
from tests.browser.conftest import OpenPage

OURS = {
    *("html", "head", "meta", "title", "style", "script", "body", "header", "main", "section"),
    *("article", "form", "label", "input", "select", "option", "button", "p", "h1", "h2", "h3"),
    *("ul", "li", "dl", "dt", "dd", "div", "span", "bdi", "mark", "kbd", "b", "details"),
    *("summary", "figure", "figcaption", "svg", "rect"),
}
"""The elements that the page makes: none of them loads anything by itself."""


def list_elements(page: Any) -> set[str]:  # noqa: ANN401 - playwright's
    """List the names of elements, and of attributes that could act."""
    names = page.evaluate(
        """() => [...document.querySelectorAll("*")].flatMap((element) => [
          element.localName,
          ...[...element.attributes].map((one) => one.name)
            .filter((name) => /^on|^href$|^src|^xlink|^action|^formaction|^srcdoc/.test(name)),
        ])"""
    )
    return set(names)


def test_hostile_values_are_text(open_page: OpenPage):
    plan = pages.make_hostile_plan()
    page = open_page(Subject.PLAN, plan)
    places = page.locator("#rows").evaluate("list => list.firstElementChild.offsetHeight / 60")

    page.locator("#rows").focus()
    for _ in range(int(places)):
        page.keyboard.press("ArrowDown")
        assert list_elements(page) <= OURS
    page.locator(".concern details").first.locator("summary").click()
    for name in ("path", "group", "rule", "file"):
        for value in page.locator(f"#filter-{name} option").evaluate_all(
            "all => all.map((one) => one.value)"
        ):
            page.select_option(f"#filter-{name}", value=value)
        page.select_option(f"#filter-{name}", value="")
    assert list_elements(page) <= OURS
    assert page.locator("script").count() == 2


def test_hostile_values_are_shown_as_they_are(open_page: OpenPage):
    change = pages.change("data.x", "a", pages.HOSTILE[1])
    task = pages.make_hostile_plan().tasks[0]
    page = open_page(Subject.PLAN, Plan(pages.SERVER, (pages.with_changes(task, change),), 0))

    page.locator(".row").first.click()

    assert page.locator(".compare .new").inner_text() == pages.HOSTILE[1]


def test_hostile_values_are_text_without_scripts(open_page: OpenPage):
    page = open_page(Subject.PLAN, pages.make_hostile_plan(), java_script_enabled=False)

    assert page.locator("#plain pre *").count() == 0
    assert page.locator("script").count() == 2


def test_the_page_allows_only_its_own_script_and_style(open_page: OpenPage):
    page = open_page(Subject.PLAN, pages.make_mixed_plan(10))

    policy = page.locator("meta[http-equiv]").get_attribute("content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_policy_refuses_markup_and_requests(browser: Any, tmp_path: Path):  # noqa: ANN401
    file = tmp_path / "page.html"
    file.write_text(render_plan(pages.make_mixed_plan(10), RenderOptions()), encoding="utf-8")
    page = browser.new_page()
    asked: list[str] = []

    def watch(route: Any) -> None:  # noqa: ANN401 - playwright's
        asked.append(route.request.url)
        route.continue_()

    page.route("**/*", watch)
    page.goto(file.as_uri())

    refused = page.evaluate(
        """async () => {
          const refused = [];
          try { document.body.innerHTML = "<b>x</b>"; } catch { refused.push("markup"); }
          try { await fetch("https://evil.test/"); } catch { refused.push("fetch"); }
          const image = new Image();
          image.src = "https://evil.test/pixel.png";
          await new Promise((done) => { image.onerror = done; });
          return [...refused, "image"];
        }"""
    )
    page.close()
    assert refused == ["markup", "fetch", "image"]
    assert asked in ([], [file.as_uri()])


def test_data_cannot_end_its_element():
    written = render_plan(pages.make_hostile_plan(), RenderOptions())
    data = written.partition('<script id="data" type="application/json">')[2]
    inside = data.partition("</script>")[0]

    assert "<" not in inside
    assert inside.startswith("{")
    assert inside.endswith("}")
    assert "\u2028" not in inside
