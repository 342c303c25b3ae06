"""What is known of signals within the process, and what a command line makes of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from reconciler.cli.signals import SIGNALS, SignalRecord
from tests.unit.cli.conftest import Command, Manifest
from tests.unit.labelstudio.wired import Hooked

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
INTERRUPTED = "reconciler: interrupted; nothing more will be changed\n"


@pytest.fixture
def record() -> Iterator[SignalRecord]:
    """A record of what comes during the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    record = SignalRecord()
    record.install()
    yield record
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def _swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal came before, and what it raised got lost."""
    monkeypatch.setattr(SIGNALS, "interrupted", True)


@BOTH
def test_a_signal_is_recorded_and_interrupts(record: SignalRecord, number: signal.Signals):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert (record.interrupted, record.stopped) == (True, False)


@BOTH
def test_while_signals_are_only_recorded_they_interrupt_nothing(
    record: SignalRecord, number: signal.Signals
):
    with record.record_only():
        signal.raise_signal(number)
    assert (record.interrupted, record.stopped) == (False, True)


def test_without_a_signal_there_is_nothing_to_know(record: SignalRecord):
    with record.record_only():
        pass
    assert (record.interrupted, record.stopped) == (False, False)


def test_after_a_time_of_only_recording_signals_interrupt_again(record: SignalRecord):
    with record.record_only():
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


def test_after_an_interrupt_that_was_swallowed_no_time_of_only_recording_begins(
    record: SignalRecord,
):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), record.record_only():
        pytest.fail("what follows would change something")


@pytest.mark.usefixtures("_swallowed")
def test_after_a_signal_that_was_lost_nothing_is_changed(
    server: Hooked, command: Command, manifest: Manifest
):
    ran = command("apply", manifest(), "--yes", "--report", "report.jsonl")
    assert (ran.code, server.count("PATCH")) == (130, 0)
    assert ran.errors.endswith(INTERRUPTED)
    assert not Path("report.jsonl").exists()


def fail(_request: object) -> NoReturn:
    message = "cannot release un-acquired lock"
    raise RuntimeError(message)


@pytest.mark.usefixtures("_swallowed")
def test_an_interrupt_that_ended_as_another_error_is_one(
    server: Hooked, command: Command, manifest: Manifest
):
    server.hook = fail
    ran = command("plan", manifest())
    assert (ran.code, ran.errors) == (130, INTERRUPTED)


def test_a_bug_is_no_interrupt(server: Hooked, command: Command, manifest: Manifest):
    server.hook = fail
    with pytest.raises(RuntimeError, match="un-acquired lock"):
        command("plan", manifest())
