"""Figures of plans by keys and by rules, beside plans by ids and beside the pages alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from reconciler.sandbox.access import SANDBOX_TOKEN
from tests.bench.data import Project, write_keyed, write_rules
from tests.bench.measure import Usage, averaged, child, in_turn, reconciler
from tests.bench.offline import MB
from tests.bench.options import Options, tell
from tests.bench.raw import write_orders
from tests.bench.server import page_server, pages_asked, sandbox
from tests.bench.table import Budget, Row, Section

RULES: Final = 5
KEYS_BUDGET: Final = Budget(ratio=1.1)
RULES_BUDGET: Final = Budget(ratio=1.15)
_GROWTH: Final = 3
"""How many times as many tasks the memory of a larger plan is told of."""


def keys_and_rules(options: Options) -> Section:
    """Measure plans of as many tasks by ids, by keys and by rules."""
    project = Project(options.main)
    rows = [_keys_cpu_row(options, project), _rule_cost_row(options, project)]
    rows += [*_sandbox_rows(options, project), *_memory_rows(options, project)]
    return Section(
        "Keys and rules",
        "The same .jsonl tasks by key and by id, and five rules without tasks: one sets a value on "
        "one task in a hundred, the others match a fifth of the tasks, all of them twice, and "
        "none, and change nothing. CPU is that of a process without the network, as above; the "
        "cost of a rule is what four of the five add to the first. Wall time and memory are those "
        f"of whole commands against the sandbox, each run the mean of {options.times}; memory of "
        f"{_GROWTH} times as many tasks is held against a page server.",
        rows,
    )


def _keys_cpu_row(options: Options, project: Project) -> Row:
    tell(f"plan of {project.count:,} tasks by key, beside by id")
    files = keyed_manifest(options, project), options.manifest(project, ".jsonl")
    size, times = str(project.count), options.times
    by_key, by_id = in_turn(
        options.runs * times, *(partial(child, "planning", "engine", file, size) for file in files)
    )
    return Row(
        figure=f"plan, {project.count:,} tasks by key, CPU",
        unit="s",
        ours=averaged([took["cpu"] for took in by_key], times),
        beside=averaged([took["cpu"] for took in by_id], times),
        of="by id",
        budget=KEYS_BUDGET,
        note=f"{median(took['load'] for took in by_key):.2f} s of it load the manifests; by id "
        f"{median(took['load'] for took in by_id):.2f} s",
    )


def _rule_cost_row(options: Options, project: Project) -> Row:
    tell("the cost of a rule")
    files = [rules_manifest(options, project, count) for count in (RULES, 1)]
    size, times = str(project.count), options.times
    all_rules, one = in_turn(
        options.runs * times, *(partial(child, "planning", "rules", file, size) for file in files)
    )
    pairs = zip(all_rules, one, strict=True)
    costs = [(a["cpu"] - o["cpu"]) / (RULES - 1) / project.count * 1e6 for a, o in pairs]
    return Row(
        figure="CPU of a task and rule",
        unit="us",
        ours=averaged(costs, times),
        budget=Budget(value=3),
        note=f"a plan of five takes {median(took['cpu'] for took in all_rules):.2f} s of CPU, "
        f"a plan of one {median(took['cpu'] for took in one):.2f} s",
    )


def _sandbox_rows(options: Options, project: Project) -> Iterator[Row]:
    with sandbox(project, options.folder) as url:
        yield from command_rows(
            options, project, url=url, token=SANDBOX_TOKEN, folder=options.folder
        )


def command_rows(
    options: Options,
    project: Project,
    *,
    url: str,
    token: str,
    folder: Path,
    in_flight: int = 1,
) -> Iterator[Row]:
    """Measure whole commands on a server: by key beside by id, rules beside the pages alone."""
    tell(f"plans of {project.count:,} tasks by id, key and rules, beside their pages")
    rules = rules_manifest(options, project)
    orders = write_orders(
        folder / f"rule-pages-{project.count}.json",
        url=url,
        token=token,
        in_flight=in_flight,
        requests=[("GET", target, None) for target in _targets(project, rules)],
        at_once=True,
    )
    planned = partial(_plan, url=url, token=token)
    times = options.times
    by_key, by_id, ruled, raw = in_turn(
        options.runs * times,
        partial(planned, keyed_manifest(options, project)),
        partial(planned, options.manifest(project, ".jsonl")),
        partial(planned, rules),
        partial(child, "raw", orders),
    )
    named = f"{project.count:,} tasks"
    yield Row(
        figure=f"`plan`, {named} by key",
        unit="s",
        ours=averaged([usage.wall for usage in by_key], times),
        beside=averaged([usage.wall for usage in by_id], times),
        of="by id",
        budget=KEYS_BUDGET,
    )
    yield Row(
        figure=f"`plan`, {named}, five rules",
        unit="s",
        ours=averaged([usage.wall for usage in ruled], times),
        beside=averaged([took["process_wall"] for took in raw], times),
        of="the same pages alone",
        budget=RULES_BUDGET,
    )
    yield Row(
        figure=f"`plan`, {named}, five rules, peak memory",
        unit="MB",
        ours=[usage.peak / MB for usage in ruled],
        beside=[usage.peak / MB for usage in by_id],
        of="by id",
    )


def _memory_rows(options: Options, project: Project) -> Iterator[Row]:
    tell("memory of rules")
    larger = Project(project.count * _GROWTH)
    with ExitStack() as stack:
        measured = [
            partial(_plan, rules_manifest(options, some), url=stack.enter_context(server))
            for some, server in ((p, page_server(p)) for p in (larger, project))
        ]
        taken = in_turn(options.runs, *measured)
    ours, beside = ([usage.peak / MB for usage in usages] for usages in taken)
    yield Row(
        figure=f"`plan`, {larger.count:,} tasks, five rules, peak memory",
        unit="MB",
        ours=ours,
        beside=beside,
        of=f"{project.count:,} tasks",
        note=f"{len(larger.ruled) - len(project.ruled):,} more tasks change",
    )


def keyed_manifest(options: Options, project: Project) -> Path:
    """Give the manifest of a project by keys, written when it is first asked for."""
    file = options.folder / f"keyed-{project.number}-{project.first}-{project.count}.jsonl"
    return file if file.exists() else write_keyed(project, file)


def rules_manifest(options: Options, project: Project, count: int = RULES) -> Path:
    """Write a manifest of rules for a project."""
    file = options.folder / f"rules-{project.number}-{project.count}-{count}.json"
    return write_rules(project, file, count)


def _plan(manifest: Path, *, url: str, token: str = "0" * 40) -> Usage:
    """Plan a project that has changes."""
    return reconciler("plan", "--detailed-exitcode", manifest, url=url, token=token, good=2)


def _targets(project: Project, manifest: Path) -> tuple[str, ...]:
    """Find out which pages a plan asks for."""
    with page_server(project) as url:
        _plan(manifest, url=url)
        return pages_asked(url)
