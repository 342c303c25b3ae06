"""Figures of start-up and of plans, without a real server: client CPU, memory, growth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.bench.data import Project
from tests.bench.large_values import write as write_large
from tests.bench.measure import BARE, Usage, averaged, child, in_turn, reconciler, run
from tests.bench.options import Options, tell
from tests.bench.server import page_server
from tests.bench.table import Budget, Row, Section

MB: Final = 1e6
_KINDS: Final = {".yaml": "YAML", ".jsonl": ".jsonl"}
_GROWTH: Final = Budget(ratio=11)
_ENGINE: Final = Budget(ratio=1.5)
_AIMS: Final = {(".yaml", 100_000): 6.0, (".jsonl", 100_000): 1.5}
_PEAKS: Final = {
    (".yaml", 100_000): Budget(value=300),
    (".jsonl", 1_000_000): Budget(value=600, aim=150),
}


def start_up(options: Options) -> Section:
    """Measure what a person waits for before anything is done."""
    tell("start-up")
    manifest = options.manifest(Project(100), ".yaml")
    bare, helped, validated = in_turn(
        options.runs * 2,
        partial(run, BARE),
        partial(reconciler, "--help"),
        partial(reconciler, "validate", manifest),
    )
    return Section(
        "Start-up",
        "Wall time of the whole command, beside that of a Python that does nothing.",
        [
            _wall_row("`--help`", helped, bare, limit=150),
            _wall_row("`validate` of 100 tasks", validated, bare, limit=400),
        ],
    )


def _wall_row(figure: str, ours: list[Usage], bare: list[Usage], *, limit: float) -> Row:
    """Make a row of milliseconds."""
    return Row(
        figure=figure,
        unit="ms",
        ours=[usage.wall * 1000 for usage in ours],
        beside=[usage.wall * 1000 for usage in bare],
        of="bare Python",
        budget=Budget(value=limit),
    )


def engine(options: Options) -> Section:
    """Measure the client's CPU of a plan, with the network left out, beside its floor."""
    rows = [_engine_row(options, options.main, suffix) for suffix in _KINDS]
    return Section(
        "Client CPU of a plan",
        "CPU of loading the manifests and planning, the network left out: pages are made inside "
        "the process, beforehand. 1 % of the tasks differ. The floor reads the same file with the "
        "reader of this project, judges each task with jsonschema-rs, decodes the same pages with "
        "msgspec, compares with `core.values.is_same`, and nothing else. Each run is the mean of "
        f"{options.times}, in turn with as many floors.",
        rows,
    )


def _engine_row(options: Options, size: int, suffix: str) -> Row:
    tell(f"plan of {size:,} tasks from {suffix}, beside its floor")
    manifest = options.manifest(Project(size), suffix)
    kinds = ("engine", "floor", "bare") if suffix == ".jsonl" else ("engine", "floor")
    times = options.times
    ours, floor, *bare = in_turn(
        options.runs * times,
        *(partial(child, "planning", kind, manifest, str(size)) for kind in kinds),
    )
    load = median(took["load"] for took in ours)
    note = f"{load:.2f} s of it load the manifests"
    for took in bare:
        least = median(run["cpu"] for run in took)
        note += f"; the floor with a decoder that believes each line: {least:.2f} s"
    return Row(
        figure=f"plan, {size:,} {_KINDS[suffix]} tasks",
        unit="s",
        ours=averaged([took["cpu"] for took in ours], times),
        beside=averaged([took["cpu"] for took in floor], times),
        of="floor",
        budget=replace(_ENGINE, aim=_AIMS.get((suffix, size))),
        note=note,
    )


_LARGE: Final = (
    ("boxes", "text", "30 tasks, each with a list of 3,000 boxes, all moved"),
    ("boxes", "json", "30 tasks of 3,000 boxes, as JSON"),
    ("text", "text", "10 tasks, each with a text of 1 MB that differs in the middle"),
    ("text", "json", "10 texts of 1 MB, as JSON"),
    ("wide", "text", "3 tasks, each with an object of 100,000 keys, all changed"),
    ("wide", "json", "3 objects of 100,000 keys, as JSON"),
)


def large_values(options: Options) -> Section:
    """Measure plans that show how large values differ, beside finding that they do."""
    rows = [_large_row(options, *case) for case in _LARGE]
    return Section(
        "Large values that differ",
        "CPU of loading the manifest, planning and rendering, the network left out. The floor "
        "reads the same manifest with the reader of this project, decodes the same page with "
        "msgspec, and compares up to the first difference of each task.",
        rows,
    )


def _large_row(options: Options, case: str, form: str, figure: str) -> Row:
    tell(f"{case} as {form}, beside its floor")
    folder = options.folder
    write_large(case, folder)
    ours, floor = in_turn(
        options.runs,
        *(partial(child, "large_values", kind, case, form, folder) for kind in ("plan", "floor")),
    )
    return Row(
        figure=figure,
        unit="s",
        ours=[took["cpu"] for took in ours],
        beside=[took["cpu"] for took in floor],
        of="floor",
        budget=_ENGINE if case == "boxes" else None,
        note=f"{median(took['render'] for took in ours):.3f} s of it render "
        f"{ours[0]['characters']:,} characters",
    )


class Commands:
    """Whole commands at each size, each measured once for all rows that speak of it."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._taken: dict[tuple[str, str, int], list[Usage]] = {}
        self._measure(".yaml", options.yaml_sizes)
        self._measure(".jsonl", options.sizes)

    def _measure(self, suffix: str, sizes: tuple[int, ...]) -> None:
        """Measure the sizes in turn: each is held against its neighbour of the same minute."""
        named = ", ".join(f"{size:,}" for size in sizes)
        tell(f"validate and plan of {named} tasks from {suffix}, as commands")
        commands: dict[tuple[str, str, int], Callable[[], Usage]] = {}
        with ExitStack() as stack:
            for size in sizes:
                project = Project(size)
                manifest = self._options.manifest(project, suffix)
                url = stack.enter_context(page_server(project))
                commands["validate", suffix, size] = partial(reconciler, "validate", manifest)
                # 2: there are changes. Anything else would be another figure.
                changing = partial(reconciler, "plan", "--detailed-exitcode", good=2)
                commands["plan", suffix, size] = partial(changing, manifest, url=url)
            taken = in_turn(self._options.runs, *commands.values())
        self._taken.update(zip(commands, taken, strict=True))

    def taken(self, command: str, suffix: str, size: int) -> list[Usage]:
        """Give what the runs of a command took."""
        return self._taken[command, suffix, size]

    def values(
        self, command: str, suffix: str, size: int, value: Callable[[Usage], float]
    ) -> list[float]:
        """Give one figure of each run."""
        return [value(usage) for usage in self.taken(command, suffix, size)]


def growth(options: Options, commands: Commands) -> Section:
    """Hold each size against the next smaller one."""
    rows = list(_growth_rows(options, commands))
    return Section(
        "Growth",
        "CPU of the whole command, start-up included and nothing subtracted, beside that of the "
        "next smaller size. (Start-up makes the smallest look dearer than it is: see above.) "
        "Plans are made against a page server in another process, over HTTP.",
        rows,
    )


def _growth_rows(options: Options, commands: Commands) -> Iterator[Row]:
    for suffix, sizes in ((".yaml", options.yaml_sizes), (".jsonl", options.sizes)):
        for command in ("validate", "plan"):
            for small, large in pairwise(sizes):
                walls = commands.values(command, suffix, large, lambda usage: usage.wall)
                yield Row(
                    figure=f"`{command}`, {large:,} {_KINDS[suffix]} tasks",
                    unit="s",
                    ours=commands.values(command, suffix, large, lambda usage: usage.cpu),
                    beside=commands.values(command, suffix, small, lambda usage: usage.cpu),
                    of=f"{small:,} tasks",
                    budget=_scaled(large / small),
                    note=f"{median(walls):.1f} s by the clock",
                )


def _scaled(factor: float) -> Budget:
    """Ten times the tasks may take eleven times as long, and so for other factors."""
    return _GROWTH if factor == 10 else Budget(ratio=factor * 1.1)


def memory(options: Options, commands: Commands) -> Section:
    """Tell the peaks of whole plans."""
    tell("memory")
    rows = [
        Row(
            figure=f"`plan`, {size:,} {_KINDS[suffix]} tasks",
            unit="MB",
            ours=commands.values("plan", suffix, size, lambda usage: usage.peak / MB),
            beside=_floor_peaks(options, suffix, size),
            of="floor" if size == options.main else "",
            budget=_PEAKS.get((suffix, size)),
        )
        for suffix, size in ((".yaml", options.main), *((".jsonl", s) for s in options.sizes))
    ]
    return Section(
        "Peak memory",
        "Resident memory of the whole command at its peak, against a page server in another "
        "process. The floor reads the whole manifest before it compares, with the places of all "
        "that YAML holds: what streams can stay below it.",
        rows,
    )


def _floor_peaks(options: Options, suffix: str, size: int) -> list[float]:
    if size != options.main:
        return []
    manifest: Path = options.manifest(Project(size), suffix)
    took: dict[str, Any] = child("planning", "memory", manifest, str(size))
    return [took["peak"] / MB]
