"""The engine in a larger program: several threads, several servers, an event loop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor

import pytest

import reconciler
from reconciler import Manifests, Report, Settings
from tests.unit.api.conftest import MakeServer, Server, declare, list_changed


def test_threads_plan_and_apply_at_once_against_two_servers(make_server: MakeServer):
    one, other = make_server(120), make_server(120)
    shared = declare(1, 60)
    work = [(one, shared), (other, shared), (one, declare(61, 120)), (other, declare(61, 90))]

    def run(server: Server, manifests: Manifests) -> Report:
        return reconciler.apply(reconciler.plan(manifests, server.settings), server.settings)

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda given: run(*given), work))
    assert [len(report.outcomes) for report in reports] == [60, 60, 60, 30]
    assert all(report.is_good for report in reports)
    assert [report.server.url for report in reports] == [server.settings.url for server, _ in work]
    assert list_changed(one.state) == set(range(1, 121))
    assert list_changed(other.state) == set(range(1, 91))
    assert one.state.requests("PATCH") == 120
    assert other.state.requests("PATCH") == 90


def test_an_event_loop_goes_on_while_a_plan_is_carried_out(make_server: MakeServer):
    server = make_server(2_000)
    plan = reconciler.plan(declare(1, 2_000), server.settings)
    stop = threading.Event()

    async def cancel_soon() -> Report:
        begun, loop = asyncio.Event(), asyncio.get_running_loop()
        work = asyncio.create_task(
            asyncio.to_thread(
                reconciler.apply,
                plan,
                server.settings,
                stop=stop,
                on_outcome=lambda _: loop.call_soon_threadsafe(begun.set),
            )
        )
        await begun.wait()
        stop.set()
        return await work

    report = asyncio.run(cancel_soon())
    assert 0 < len(list_changed(server.state)) < 2_000
    assert report.complete
    assert not report.is_good


class Spy(MutableMapping[str, str]):
    """An environment that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self._real = dict(os.environ)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._real[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._real[name] = value

    def __delitem__(self, name: str) -> None:
        del self._real[name]

    def __iter__(self) -> Iterator[str]:
        self.asked.add("all")
        return iter(self._real)

    def __len__(self) -> int:
        return len(self._real)


def test_nothing_of_the_process_is_read_printed_or_changed(
    server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    def look() -> list[object]:
        signals = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        return [*signals, sys.getswitchinterval(), gc.get_threshold(), gc.isenabled(), os.getcwd()]  # noqa: PTH109 - as it is

    before, spy = look(), Spy()
    with monkeypatch.context() as patch:
        patch.setattr(os, "environ", spy)
        plan = reconciler.plan(declare(1, 3), server.settings)
        report = reconciler.apply(plan, server.settings, report="report.jsonl")
        reconciler.revert(reconciler.read_report("report.jsonl"), server.settings)
        reconciler.render(report, full=True)
    assert look() == before
    assert spy.asked == set()
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_ends_a_plan_that_waits_for_a_server():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        settings = Settings(f"http://127.0.0.1:{silent.getsockname()[1]}", "s3cret")

        def interrupt() -> None:
            with silent.accept()[0] as connection:
                connection.recv(1)  # The request is there, and is never answered.
                signal.raise_signal(signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            reconciler.plan(declare(1, 3), settings)
        thread.join()
