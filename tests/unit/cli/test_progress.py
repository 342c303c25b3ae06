"""Long work is told about: on a terminal in one line that changes, elsewhere line by line."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.cli.console import Console
from reconciler.cli.progress_bar import ProgressBar, Work, format_work


@pytest.mark.parametrize(
    ("done", "total", "seconds", "said"),
    [
        (0, None, 0.0, "checking: 0 tasks, 0/s, 0:00 so far"),
        (2_000, None, 4.0, "checking: 2,000 tasks, 500/s, 0:04 so far"),
        (0, 10, 5.0, "checking: 0 of 10 tasks, 0/s, 0:05 so far"),
        (1_000, 100_000, 2.0, "checking: 1,000 of 100,000 tasks, 500/s, 3:18 left"),
        (1, 9_000, 1.0, "checking: 1 of 9,000 tasks, 1/s, 2:29:59 left"),
        (10, 10, 1.0, "checking: 10 of 10 tasks, 10/s, 0:00 left"),
        (3_000, 19, 2.0, "checking: 3,000 tasks, 1,500/s, 0:02 so far"),
    ],
)
def test_progress_says_how_far_how_fast_and_how_much_longer(
    done: int, total: int | None, seconds: float, said: str
):
    assert format_work(Work("checking", 100.0, total), done, 100.0 + seconds) == said


class Ticks:
    """A clock that lets a test wait until progress has looked at it so many times."""

    def __init__(self) -> None:
        self.now = 0.0
        self._looks = threading.Semaphore(0)

    def __call__(self) -> float:
        self._looks.release()
        return self.now

    def wait(self, looks: int) -> None:
        for _ in range(looks):
            assert self._looks.acquire(timeout=10)


def show(console: Console, work: Callable[[ProgressBar, Ticks], None], *, terminal: bool) -> None:
    clock = Ticks()
    with ProgressBar(console, terminal=terminal, every=0.001, clock=clock) as progress:
        work(progress, clock)


def long_work(progress: ProgressBar, clock: Ticks) -> None:
    progress.begin("reading", 10)
    clock.now = 2.0
    progress.advance(4)
    clock.wait(4)  # once at the beginning, and then for what is shown


def test_elsewhere_it_is_a_line_each_time(capsys: pytest.CaptureFixture[str]):
    show(Console(), long_work, terminal=False)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "reading: 4 of 10 tasks, 2/s, 0:03 left"
    assert len(lines) >= 2


def test_on_a_terminal_it_is_one_line_that_is_gone_at_the_end(capsys: pytest.CaptureFixture[str]):
    show(Console(), long_work, terminal=True)
    written = capsys.readouterr().err
    assert "\n" not in written
    assert "\r\x1b[Kreading: 4 of 10 tasks, 2/s, 0:03 left" in written
    assert written.endswith("\r\x1b[K")


def test_a_detail_takes_the_place_of_the_line(capsys: pytest.CaptureFixture[str]):
    def work(progress: ProgressBar, clock: Ticks) -> None:
        long_work(progress, clock)
        progress.detail("by pages")

    show(Console(verbose=True), work, terminal=True)
    assert "\r\x1b[Kby pages\n" in capsys.readouterr().err


def test_a_note_takes_the_place_of_the_line_without_being_asked_for(
    capsys: pytest.CaptureFixture[str],
):
    def work(progress: ProgressBar, clock: Ticks) -> None:
        long_work(progress, clock)
        progress.note("applied again")

    show(Console(), work, terminal=True)
    assert "\r\x1b[Kapplied again\n" in capsys.readouterr().err


def test_what_is_said_for_good_takes_the_place_of_the_line(capsys: pytest.CaptureFixture[str]):
    def work(progress: ProgressBar, clock: Ticks) -> None:
        long_work(progress, clock)
        progress.announce("stopping")

    show(Console(), work, terminal=True)
    assert "\r\x1b[Kstopping\n" in capsys.readouterr().err


class _Closed(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_what_nobody_can_read_does_not_end_the_work(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", _Closed())
    with ProgressBar(Console(), terminal=True) as progress:
        progress.announce("stopping")
        progress.note("applied again")


def test_nothing_is_shown_before_there_is_anything_to_wait_for(capsys: pytest.CaptureFixture[str]):
    with ProgressBar(Console(), terminal=False) as progress:
        progress.begin("reading", 10)
        progress.advance(10)
    assert capsys.readouterr().err == ""


def test_quiet_means_no_progress(capsys: pytest.CaptureFixture[str]):
    with ProgressBar(Console(quiet=True), terminal=True, every=0.001) as progress:
        progress.begin("reading", 10)
        progress.detail("by pages")
        progress.note("applied again")
    assert capsys.readouterr().err == ""


def test_on_a_real_terminal_long_work_is_seen_and_leaves_no_trace(tmp_path: Path):
    """A manifest that takes a second or two to check, and a pseudo-terminal to watch it on."""
    manifest = tmp_path / "tasks.yaml"
    tasks = "".join(f"- {{id: {task}, data: {{text: hi}}}}\n" for task in range(1, 20_001))
    manifest.write_text(f"version: 1\ntasks:\n{tasks}")
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "reconciler", "validate", str(manifest)],
        stderr=theirs,
        stdout=theirs,
    ) as process:
        os.close(theirs)
        seen = read_all(ours)
        assert process.wait(timeout=60) == 0
    assert "\r\x1b[Kchecking manifests: " in seen
    assert seen.endswith("\r\x1b[KValid: 20,000 tasks declared.\r\n")


def read_all(descriptor: int) -> str:
    seen = b""
    while True:
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(descriptor)
    return seen.decode()
