"""Work that goes on in a thread of its own until a signal stops it."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from reconciler.engine.interruption import run_until_stopped

SECONDS = 30
"""After which a test is given up; none waits for it."""


def test_the_result_is_that_of_the_work():
    stop = threading.Event()
    assert run_until_stopped(lambda: 3, stop) == 3
    assert not stop.is_set()


@pytest.mark.parametrize("error", [ValueError("no"), TimeoutError("no"), SystemExit(3)])
def test_what_the_work_raises_is_raised(error: BaseException):
    def work() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        run_until_stopped(work, threading.Event())
    assert raised.value is error


def test_the_work_is_done_by_another_thread():
    assert run_until_stopped(threading.current_thread, threading.Event()) != (
        threading.current_thread()
    )


def test_a_signal_stops_the_work_and_is_told_of_once():
    stop, signalled = threading.Event(), threading.Event()
    told: list[bool] = []

    def work() -> str:
        signalled.set()
        assert stop.wait(SECONDS)
        time.sleep(0.3)  # several waits long
        return "what was under way"

    result = run_until_stopped(
        work,
        stop,
        is_signalled=signalled.is_set,
        on_stop=lambda: told.append(stop.is_set()),
    )
    assert (result, told) == ("what was under way", [True])


def test_a_signal_is_told_of_even_if_the_work_was_stopping_for_another_reason():
    stop, told = threading.Event(), threading.Event()
    stop.set()
    run_until_stopped(lambda: told.wait(SECONDS), stop, is_signalled=lambda: True, on_stop=told.set)
    assert told.is_set()


def test_an_interrupt_stops_the_work_and_is_raised_when_that_has_ended():
    stop, ended = threading.Event(), threading.Event()

    def work() -> None:
        signal.raise_signal(signal.SIGINT)  # which Python raises in the main thread
        assert stop.wait(SECONDS)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(work, stop)
    assert ended.is_set()
