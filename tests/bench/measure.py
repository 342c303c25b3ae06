"""Running a command, and what it took: CPU, wall time, peak memory."""

from __future__ import annotations

import compileall
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryFile
from typing import IO, Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
RECONCILER: Final = (sys.executable, "-m", "reconciler")
BARE: Final = (sys.executable, "-c", "pass")
_PEAK_UNIT: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took: seconds of CPU (its own and the kernel's for it), seconds by the
    clock, and bytes of memory at its peak.
    """

    cpu: float
    wall: float
    peak: int
    output: str


def run(
    command: Sequence[str], *, settings: Mapping[str, str] | None = None, good: int = 0
) -> Usage:
    """Run a command to its end; raises RuntimeError where it ends otherwise than ``good``.

    The system counts a child's peak from that of its parent on: whoever measures stays small.
    Settings of whoever measures do not reach it, neither ours nor Python's: where
    PYTHONDONTWRITEBYTECODE is set, each start would take 50 ms for what is done once.
    """
    passed = (n for n in os.environ if not n.startswith(("RECONCILER_", "PYTHON")))
    environment = {name: os.environ[name] for name in passed}
    with TemporaryFile() as output, TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - what is measured
            command,
            cwd=ROOT,
            env={**environment, **(settings or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != good:
            raise RuntimeError(
                f"{' '.join(command)[:300]} ended with {process.returncode}:\n{_end(errors)}"
            )
        cpu = used.ru_utime + used.ru_stime
        return Usage(cpu, wall, used.ru_maxrss * _PEAK_UNIT, _end(output))


def compile_ahead() -> None:
    """Compile what is measured, and what stands beside it, as whoever installs it has it done."""
    for folder in ("reconciler", "tests/bench"):
        if not compileall.compile_dir(ROOT / folder, quiet=1):
            raise RuntimeError(f"{folder} cannot be compiled")


def _end(file: IO[bytes]) -> str:
    """Read the last lines of a file: a plan of a million tasks is long."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 20_000))
    return file.read().decode(errors="replace")


def reconciler(
    *arguments: str | Path, url: str = "", token: str = "0" * 40, good: int = 0
) -> Usage:
    """Run the command line of this project."""
    settings = {"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": token} if url else {}
    return run([*RECONCILER, *map(str, arguments)], settings=settings, good=good)


def child(module: str, *arguments: str | Path, python: str = sys.executable) -> dict[str, Any]:
    """Run a module of this package in a process of its own; gives the object that it prints.

    ``peak`` and ``process_wall`` are added to it, of the process as a whole.
    """
    usage = run([python, "-m", f"tests.bench.{module}", *map(str, arguments)])
    said: dict[str, Any] = json.loads(usage.output)
    return {**said, "peak": usage.peak, "process_wall": usage.wall}


def averaged(values: Sequence[float], times: int) -> list[float]:
    """Make one run of each ``times`` values: what disturbs one of them disturbs a run less."""
    return [fmean(values[start : start + times]) for start in range(0, len(values), times)]


def in_turn(runs: int, *measured: Callable[[], Any]) -> list[list[Any]]:
    """Measure one after the other, again and again: a machine that slows down slows all."""
    taken: list[list[Any]] = [[] for _ in measured]
    for _ in range(runs):
        for results, measure in zip(taken, measured, strict=True):
            results.append(measure())
    return taken
