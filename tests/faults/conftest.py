"""Nobody waits here: what a run would sleep away is passed over."""

from __future__ import annotations

import os
import threading
import time

import pytest

from tests.unit.labelstudio.wired import ADDRESS

MOMENT = 0.0005
"""Seconds: other threads get their turn."""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut short every wait that has an end, however the code that is tried comes to wait."""
    sleep, wait = time.sleep, threading.Event.wait

    def cut_short(self: threading.Event, timeout: float | None = None) -> bool:
        return wait(self, None if timeout is None else min(timeout, MOMENT))

    monkeypatch.setattr("time.sleep", lambda seconds: sleep(min(seconds, MOMENT)))
    monkeypatch.setattr("threading.Event.wait", cut_short)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests takes part."""
    for name in list(os.environ):
        if name.startswith(("LABEL_STUDIO_", "RECONCILER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LABEL_STUDIO_URL", ADDRESS)
