"""For all tests: what signals do, and how much of what can go wrong has been tried, at the end."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

# No test asserts a time, and machines are busy.
settings.register_profile("reconciler", deadline=None)
settings.load_profile("reconciler")


# Tests that a script starts with `&` ignore SIGINT, and so would all processes that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

TRIED = "faults tried"
"""The property under which a test records how many pairs of request and fault it tried."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    tried = sum(
        count
        for report in reports
        for name, count in getattr(report, "user_properties", ())
        if name == TRIED
    )
    if tried:
        terminalreporter.line(f"faults: {tried:,} pairs of request and fault were tried")
