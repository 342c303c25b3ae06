"""Chromium for these tests, which fail if a page asks for anything or writes an error."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.renderers.registry import Subject, render
from reconciler.renderers.render_options import RenderOptions

collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]
"""Only `make browser` installs playwright."""

AXE: Final = Path(__file__).parents[2] / ".browser/node_modules/axe-core/axe.min.js"
OpenPage = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - see above

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "install Chromium: Debian's package is chromium"
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root, as which CI runs.
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[OpenPage]:  # noqa: ANN401 - not typed
    """Open what is rendered as a page; nothing may go wrong in it until the test ends."""
    wrong: list[str] = []
    pages = []

    def open_file(
        subject: Subject,
        found: Any,  # noqa: ANN401 - a plan, a report or a validation
        *,
        width: int = 1280,
        theme: str = "light",
        **options: Any,  # noqa: ANN401 - of the browser
    ) -> Any:  # noqa: ANN401 - as above
        file = tmp_path / "page.html"
        file.write_text(render(subject, found, "html", RenderOptions()), encoding="utf-8")
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=theme, **options
        )
        pages.append(page)
        address = file.as_uri()

        def watch(route: Any) -> None:  # noqa: ANN401 - as above
            if route.request.url == address:
                route.continue_()
            else:
                wrong.append(f"request: {route.request.url}")
                route.abort()

        def dismiss(dialog: Any) -> None:  # noqa: ANN401 - as above
            wrong.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.route("**/*", watch)
        page.on("dialog", dismiss)
        page.on("popup", lambda _: wrong.append("popup"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda message: wrong.append(f"console: {message.text}"))
        page.goto(address)
        return page

    yield open_file
    for page in pages:
        page.close()
    assert wrong == []


@pytest.fixture
def find_violations() -> Callable[[Any], list[str]]:
    """Run axe-core on a page, and list what it finds."""
    assert AXE.exists(), "axe-core is missing: run make browser"
    axe = AXE.read_text(encoding="utf-8")

    def run(page: Any) -> list[str]:  # noqa: ANN401 - as above
        # Playwright runs this beside the page's policy, which allows no other script.
        page.evaluate(f"() => {{ {axe}; }}")
        found = page.evaluate("async () => (await axe.run()).violations")
        return [f"{one['id']}: {json.dumps([n['html'] for n in one['nodes']])}" for one in found]

    return run
