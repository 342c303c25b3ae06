"""Which pictures there are, what each shows, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from docs.pictures import comment, terminal
from docs.pictures.screenshots import Prepare, run_chromium, stamp, take_screenshot
from docs.pictures.streets import plan_streets
from reconciler.core.plan_model import Plan
from reconciler.renderers.html import render_plan as render_page
from reconciler.renderers.render_options import RenderOptions

FOLDER: Final = Path(__file__).parent
THEMES: Final = ("light", "dark")
TERMINAL: Final = FOLDER / "terminal.svg"


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A page to be drawn in both themes; ``source`` is all that the tool contributes to it."""

    name: str
    source: str
    build: Callable[[], str]
    size: tuple[int, int | None]
    prepare: Prepare

    def locate(self, theme: str) -> Path:
        """Return the file of one theme."""
        return FOLDER / f"{self.name}-{theme}.png"


def list_screenshots(plan: Plan) -> Iterator[Screenshot]:
    """List the pictures that need a browser."""
    markdown, page = comment.render_comment(plan), render_page(plan, RenderOptions())
    yield Screenshot(
        "comment",
        markdown + comment.CSS,
        lambda: comment.build_page(markdown),
        (800, None),
        _unfold,
    )
    yield Screenshot("page", page, lambda: page, (1200, 1330), _select)


def draw_terminal(plan: Plan) -> str:
    """Return the SVG, which needs no browser."""
    return terminal.draw(terminal.render_session(plan))


def draw_all() -> None:
    """Write all pictures."""
    plan = plan_streets()
    TERMINAL.write_text(draw_terminal(plan), encoding="utf-8")
    with run_chromium() as browser:
        for shown in list_screenshots(plan):
            for theme in THEMES:
                picture = take_screenshot(
                    browser, shown.build(), theme=theme, size=shown.size, prepare=shown.prepare
                )
                shown.locate(theme).write_bytes(stamp(picture, shown.source))


def _unfold(page: Any) -> None:  # noqa: ANN401 - playwright is not typed here
    """Unfold the corrections, as a reviewer would."""
    page.locator("summary", has_text="data.caption").click()
    page.mouse.move(0, 0)


def _select(page: Any) -> None:  # noqa: ANN401 - as above
    """Leave the page as it opens."""
    page.wait_for_selector("#rows [role=option]")
