"""What others take for the same work: the published SDK, a loop by id, octoDNS."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.bench.data import CHANGED_EVERY, Project
from tests.bench.measure import ROOT, Usage, averaged, in_turn, run
from tests.bench.offline import Commands
from tests.bench.options import Options, tell
from tests.bench.real import SMALL, Site, plan, raw_gets
from tests.bench.table import Budget, Row, Section
from tests.live.real_server import TOKEN

OCTODNS: Final = "1.22.0"
OCTODNS_VENV: Final = ROOT / ".bench" / "octodns"
SAMPLE: Final = 100
"""Tasks that are read one by one; what the rest would take is calculated from them."""

_BEARABLE_SECONDS: Final = 90


def reading(at: Site, options: Options) -> Section:
    """Hold plans of whole projects against the ways that people read tasks by now."""
    rows = [row for project in at.projects for row in _reading_rows(at, options, project)]
    return Section(
        "Beside the published SDK",
        "Wall time of whole processes. A plan reads and compares the whole project; the others "
        f"only read it. The SDK's list is walked with its defaults for up to {SMALL:,} tasks, in "
        "turn with the plan; beyond that it is calculated. One by one, a sample of "
        f"{SAMPLE} tasks is read once, and the rest calculated from it. What is calculated has its "
        "start-up once. Each run of plans and lists is the mean of some.",
        rows,
    )


def _reading_rows(at: Site, options: Options, project: Project) -> list[Row]:
    tell(f"the SDK and a loop by id, project of {project.count:,} tasks")
    manifest = options.manifest(project, ".jsonl")
    listed = min(project.count, SMALL)
    sample = min(project.count, SAMPLE)
    times = options.times if project.count == listed else min(2, options.times)
    plans, lists = in_turn(
        options.runs * times,
        partial(plan, at, manifest),
        partial(_sdk, at, "list", project.number, listed),
    )
    by_get = _sdk(at, "get", project.first, sample)
    by_id = raw_gets(at, project, sample)
    sdk = f"SDK {by_get['version']}"
    ways = (
        (f"{sdk}, `tasks.get` loop", [by_get], sample, Budget(faster=200)),
        (f"{sdk}, `tasks.list`", lists, listed, Budget(faster=8)),
        ("httpx, loop by id", [by_id], sample, None),
    )
    return [
        Row(
            figure=f"plan, project of {project.count:,} tasks",
            unit="s",
            ours=averaged([usage.wall for usage in plans], times),
            beside=averaged([_calculated(took, project.count / tasks) for took in taken], times),
            of=way if tasks == project.count else f"{way}, calculated from {tasks:,}",
            peer=True,
            budget=budget,
            note=f"{median(took['wall'] for took in taken) / tasks * 1000:.2f} ms a task",
        )
        for way, taken, tasks, budget in ways
    ]


def _calculated(took: Mapping[str, float], factor: float) -> float:
    """Give the seconds of a whole process, had it read ``factor`` times as much."""
    return took["process_wall"] + took["wall"] * (factor - 1)


def _sdk(at: Site, way: str, start: int, count: int) -> dict[str, Any]:
    script = Path(__file__).with_name("sdk_peer.py")
    command = [str(at.python), str(script), at.url, TOKEN, way, str(start), str(count)]
    usage = run(command)
    said: dict[str, Any] = json.loads(usage.output)
    if said["tasks"] != count:
        raise RuntimeError(f"the SDK gave {said['tasks']} of {count} tasks")
    return {**said, "process_wall": usage.wall}


def octodns(options: Options, commands: Commands) -> Section:
    """Hold our plan of YAML against octoDNS planning as many records, YAML to YAML."""
    sync = _octodns_sync()
    rows: list[Row] = []
    for size in options.yaml_sizes:
        tell(f"octoDNS, {size:,} records")
        config = _zone(options.folder / f"octodns-{size}", size)
        command = [str(sync), f"--config-file={config}", "--quiet"]
        taken: list[Usage] = in_turn(options.runs if not rows else 1, partial(run, command))[0]
        cpu = [usage.cpu / size * 1e6 for usage in taken]
        rows.append(
            Row(
                figure=f"plan, each of {size:,} YAML tasks",
                unit="us",
                ours=[c / size * 1e6 for c in commands.values("plan", ".yaml", size, _cpu)],
                beside=cpu,
                of="octoDNS, each record",
                peer=True,
            )
        )
        if taken[0].wall * 11 > _BEARABLE_SECONDS:
            break
    left = options.yaml_sizes[len(rows) :]
    unborne = f" {left[0]:,} records were left out: they would take minutes." if left else ""
    return Section(
        "Beside octoDNS",
        f"octoDNS {OCTODNS} plans a zone from one folder of YAML to another, 1 % of the records "
        "changed. CPU of the whole commands, start-up included, for each record or task; a record "
        f"is 50 bytes of YAML, a task 376, and ours includes reading pages over HTTP.{unborne}",
        rows,
    )


def _cpu(usage: Usage) -> float:
    return usage.cpu


def _octodns_sync() -> Path:
    """Install octoDNS into an environment of its own, once; raises OSError or RuntimeError."""
    sync = OCTODNS_VENV / "bin" / "octodns-sync"
    if not sync.exists():
        tell("installing octoDNS")
        python = str(OCTODNS_VENV / "bin" / "python")
        run([sys.executable, "-m", "venv", str(OCTODNS_VENV)])
        run([python, "-m", "pip", "install", "--quiet", f"octodns=={OCTODNS}"])
    return sync


def _zone(folder: Path, count: int) -> Path:
    """Write a zone twice, the target with other values for 1 % of the records, and the config."""
    for side, changed in (("source", "10.1.1.1"), ("target", "10.2.2.2")):
        zone = folder / side / "example.com.yaml"
        zone.parent.mkdir(parents=True, exist_ok=True)
        with zone.open("w", encoding="utf-8") as output:
            output.write("---\n")
            output.writelines(_record(number, changed) for number in range(1, count + 1))
    config = folder / "config.yaml"
    providers = "".join(_provider(side, folder / side) for side in ("source", "target"))
    zones = "zones:\n  example.com.:\n    sources: [source]\n    targets: [target]\n"
    config.write_text(f"providers:\n{providers}{zones}", encoding="utf-8")
    return config


def _record(number: int, changed: str) -> str:
    value = changed if number % CHANGED_EVERY == 0 else "192.0.2.1"
    return f"www-{number:07d}:\n  ttl: 300\n  type: A\n  value: {value}\n"


def _provider(name: str, folder: Path) -> str:
    kind = "octodns.provider.yaml.YamlProvider"
    return f"  {name}: {{class: {kind}, directory: {folder}, default_ttl: 3600}}\n"
