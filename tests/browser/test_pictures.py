"""The pictures of the README can be drawn again, and come out the same."""

from __future__ import annotations

from typing import Any

import pytest

from docs.pictures.gallery import list_screenshots
from docs.pictures.screenshots import take_screenshot
from docs.pictures.streets import plan_streets


@pytest.mark.parametrize("name", ["comment", "page"])
def test_a_picture_comes_out_the_same_again(browser: Any, name: str):  # noqa: ANN401 - playwright's
    (shown,) = (one for one in list_screenshots(plan_streets()) if one.name == name)

    first, again = (
        take_screenshot(
            browser, shown.build(), theme="light", size=shown.size, prepare=shown.prepare
        )
        for _ in range(2)
    )
    assert first == again
