"""Signals that come at the worst moment, when whatever they stop holds a lock."""

from __future__ import annotations

import io
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.cli import main
from reconciler.cli import signals as interrupts
from reconciler.cli.stopping import Stopping
from tests.unit.cli.conftest import Command, Manifest
from tests.unit.labelstudio.wired import Hooked

SECONDS = 30
"""After which a test is given up; none waits for it."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_whoever_is_about_to_wait_for_the_stop(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
):
    stop = threading.Event()
    with Stopping(stop) as stopping:
        with stop._cond:  # noqa: SLF001 - as whoever begins to wait, or no longer does, holds it
            signal.raise_signal(number)
        assert stop.wait(SECONDS)
    assert stopping.signalled
    assert capsys.readouterr().err == ("reconciler: stopping; waiting for the updates under way\n")


def test_without_a_signal_nothing_is_stopped(capsys: pytest.CaptureFixture[str]):
    stop = threading.Event()
    with Stopping(stop) as stopping:
        pass
    assert (stopping.signalled, stop.is_set(), capsys.readouterr().err) == (False, False, "")


def test_in_the_end_the_handlers_from_before_are_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Stopping(threading.Event()):
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = threading.Event()
    try:
        with Stopping(stop):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not stop.is_set()


class _Closed(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_a_stop_that_cannot_be_told_of_is_no_error(monkeypatch: pytest.MonkeyPatch):
    stop = threading.Event()
    monkeypatch.setattr(sys, "stderr", _Closed())
    with Stopping(stop):
        signal.raise_signal(signal.SIGTERM)
    assert stop.is_set()


def test_after_a_signal_that_was_lost_nothing_is_changed(
    server: Hooked, command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(interrupts, "_received", [signal.SIGTERM])
    ran = command("apply", manifest(), "--yes", "--report", "report.jsonl")
    assert (ran.code, server.count("PATCH")) == (130, 0)
    assert ran.errors.endswith("reconciler: interrupted; nothing more is done\n")
    assert not Path("report.jsonl").exists()


def release(lock: threading.Condition) -> None:
    """Do as `threading` does where an interrupt comes between taking a lock and having it."""
    try:
        raise KeyboardInterrupt
    finally:
        lock.release()


class _Program:
    """Stands for the commands: does one thing."""

    def __init__(self, does: Callable[[], None]) -> None:
        self._does = does

    def main(self, *_: object, **__: object) -> None:
        self._does()


def test_an_interrupt_that_ended_as_another_error_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(main, "program", _Program(lambda: release(threading.Condition())))
    assert main.run(["plan"]) == 130
    assert capsys.readouterr().err == "reconciler: interrupted; nothing more is done\n"


def test_a_bug_is_no_interrupt(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(main, "program", _Program(threading.Condition().release))
    with pytest.raises(RuntimeError, match="un-acquired lock"):
        main.run(["plan"])
