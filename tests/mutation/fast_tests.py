"""A plugin of pytest: the tests of a changed function are fast, and none of them hangs.

Properties are shown with few examples, and one that fails is not made small. What hangs in a
changed function ends the process that tries it.
"""

from __future__ import annotations

import os
import sys
from typing import Final

import pytest
from hypothesis import Phase, settings

EXAMPLES: Final = 20
"""How many examples of a property are tried at most."""

DEPTH: Final = 4_000
"""How deep calls may be: a function that can be changed takes three, and some values are deep."""

TIMED_OUT: Final = 36
"""The exit status by which mutmut knows that a test took too long."""


def pytest_configure() -> None:
    sys.setrecursionlimit(DEPTH)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        test = getattr(item, "obj", None)
        asked = getattr(test, "_hypothesis_internal_use_settings", None)
        if test is not None and asked is not None:
            test._hypothesis_internal_use_settings = settings(  # noqa: SLF001 - there is no other way
                asked,
                max_examples=min(EXAMPLES, asked.max_examples),
                phases=(Phase.explicit, Phase.generate),
            )


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    is_changed = "__mutmut_" in os.environ.get("MUTANT_UNDER_TEST", "")
    if is_changed and report.failed and "from pytest-timeout" in report.longreprtext:
        os._exit(TIMED_OUT)
