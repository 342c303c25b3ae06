"""The page of facts names the tests that show them; here it is held to that."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "server-facts.md"


def test_every_test_that_the_page_names_is_there():
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    sources = (path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    there = {
        name for text in sources for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)
    }

    assert named
    assert named - there == set()
