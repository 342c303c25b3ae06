"""Many machines: two worker processes of Dask, two servers, and a worker that dies."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import dask
import psutil
import pytest
from distributed import Client, LocalCluster
from distributed.comm import tcp

from reconciler import Outcome, Report, Settings, load, merge, plan, plan_revert, read_report
from reconciler.executor.execution_options import DEFAULT_CONCURRENCY
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.unit.examples.scripts import SCRIPTS, run_script
from tests.unit.labelstudio.wired import add_tasks

SCRIPT = SCRIPTS / "many_projects.py"
TASKS = range(1, 41)
PROJECT = 7
SECONDS = 60
LEASES = {
    "distributed.scheduler.locks.lease-timeout": "2s",
    "distributed.scheduler.locks.lease-validation-interval": "500ms",
}
"""A dead worker loses its place soon; by default it takes 40 seconds."""


class Log(list[tuple[str, str]]):
    """The log of a sandbox that also notes updates, and calls ``on_update`` with how many."""

    def __init__(self) -> None:
        super().__init__()
        self.updates: list[tuple[datetime, int]] = []
        self.on_update: Callable[[int], None] = lambda _number: None

    def append(self, asked: tuple[str, str]) -> None:
        super().append(asked)
        method, path = asked
        if method == "PATCH":
            task = int(path.split("?")[0].rstrip("/").rpartition("/")[2])
            self.updates.append((datetime.now(UTC), task))
            self.on_update(len(self.updates))


@dataclass
class Sandbox:
    """A server of a name, and its manifest, which declares another text for each of its tasks."""

    name: str
    state: State
    url: str
    manifest: Path
    log: Log = field(default_factory=Log)

    @property
    def token(self) -> str:
        return f"the-token-of-{self.name}"

    @property
    def settings(self) -> Settings:
        return Settings(self.url, self.token)

    def start_anew(self) -> None:
        self.log = self.state.log = Log()
        self.state.tokens = {self.token}
        self.state.tasks.clear()
        self.state.projects.clear()
        add_tasks(self.state, TASKS, project=PROJECT)

    @property
    def texts(self) -> list[object]:
        stored: list[Any] = [self.state.tasks[task].values["data"] for task in TASKS]
        return [data["text"] for data in stored]

    @property
    def declared(self) -> list[object]:
        return [f"{self.name} {task}" for task in TASKS]

    def as_toml(self, *, name: str = "", **settings: float) -> str:
        lines = [f'name = "{name or self.name}"', f'manifests = ["{self.manifest}"]']
        lines += [f"{key} = {value}" for key, value in settings.items()]
        return "\n".join(["[[servers]]", *lines, ""])


@pytest.fixture(scope="module")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sandbox]]:
    with ExitStack() as stack:
        found = {}
        for name in ("staging", "production"):
            state = new_state()
            url = stack.enter_context(serve(state))
            manifest = tmp_path_factory.mktemp(name) / "tasks.json"
            tasks = [{"id": task, "data": {"text": f"{name} {task}"}} for task in TASKS]
            manifest.write_text(json.dumps({"version": 1, "tasks": tasks}), encoding="utf-8")
            found[name] = Sandbox(name, state, url, manifest)
        yield found


@pytest.fixture
def staging(sandboxes: dict[str, Sandbox]) -> Sandbox:
    sandboxes["staging"].start_anew()
    return sandboxes["staging"]


@pytest.fixture
def production(sandboxes: dict[str, Sandbox]) -> Sandbox:
    sandboxes["production"].start_anew()
    return sandboxes["production"]


@pytest.fixture(scope="module")
def sent() -> Iterator[list[bytes]]:
    """All that the scheduler receives and sends: it lives in this process, workers do not."""
    kept: list[bytes] = []
    receive: Any = vars(tcp)["from_frames"]
    send: Any = vars(tcp)["to_frames"]

    async def receive_and_keep(frames: list[bytes], *args: object, **options: object) -> object:
        kept.extend(bytes(frame) for frame in frames)
        return await receive(frames, *args, **options)

    async def send_and_keep(*args: object, **options: object) -> object:
        frames = await send(*args, **options)
        kept.extend(bytes(frame) for frame in frames)
        return frames

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tcp, "from_frames", receive_and_keep)
        patch.setattr(tcp, "to_frames", send_and_keep)
        yield kept


@pytest.fixture(scope="module")
def variables(sandboxes: dict[str, Sandbox]) -> dict[str, str]:
    """What workers have in their environment, and nobody else."""
    known = {}
    for name, sandbox in sandboxes.items():
        known[f"{name.upper()}_LABEL_STUDIO_URL"] = sandbox.url
        known[f"{name.upper()}_LABEL_STUDIO_API_KEY"] = sandbox.token
    staging, production = sandboxes["staging"], sandboxes["production"]
    # Staging again: few changes are allowed, the token is wrong, nothing is, and there is none.
    return known | {
        "CAPPED_LABEL_STUDIO_URL": staging.url,
        "CAPPED_LABEL_STUDIO_API_KEY": staging.token,
        "CAPPED_RECONCILER_MAX_CHANGES": "3",
        "STRANGER_LABEL_STUDIO_URL": staging.url,
        "STRANGER_LABEL_STUDIO_API_KEY": production.token,
        "LOST_LABEL_STUDIO_URL": staging.url,
        "LOST_LABEL_STUDIO_API_KEY": staging.token,
        "KEYLESS_LABEL_STUDIO_URL": staging.url,
        "LABEL_STUDIO_API_KEY": staging.token,
    }


@pytest.fixture(scope="module")
def cluster(sent: list[bytes], variables: dict[str, str]) -> Iterator[LocalCluster]:  # noqa: ARG001 - it listens from the beginning
    """Two workers; one that is killed is started again."""
    with (
        dask.config.set(LEASES),
        LocalCluster(
            n_workers=2,
            processes=True,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            env=variables,
        ) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    """The example as a module: its units of work need no engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT.parent)
        yield importlib.import_module(SCRIPT.stem)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Script:
    """The example as a process of its own, which knows no token unless it is given."""

    scheduler: str
    folder: Path
    known: dict[str, str] = field(default_factory=dict)

    def __call__(self, command: str, *servers: str, out: str = "run") -> Ran:
        (self.folder / "servers.toml").write_text("".join(servers), encoding="utf-8")
        needed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        leases = {f"DASK_{n.upper().replace('.', '__')}": v for n, v in LEASES.items()}
        ran = subprocess.run(  # noqa: S603 - our own program
            [
                *(sys.executable, str(SCRIPT), command, "servers.toml"),
                *("--out", out),
                *(("--scheduler", self.scheduler) if self.scheduler else ()),
            ],
            cwd=self.folder,
            env=needed | leases | self.known,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def reports_of(self, sandbox: Sandbox) -> list[Report]:
        files = (self.folder / "run" / sandbox.name).glob("report-*")
        return [read_report(file) for file in files]


@pytest.fixture
def script(cluster: LocalCluster, tmp_path: Path) -> Script:
    return Script(cluster.scheduler_address, tmp_path)


PlanAll = Callable[..., None]
"""Plans all that is to be applied, in this process, which is faster."""


@pytest.fixture
def plan_all(example: ModuleType, variables: dict[str, str], tmp_path: Path) -> Iterator[PlanAll]:
    def make_plans(*servers: str) -> None:
        file = tmp_path / "servers.toml"
        file.write_text("".join(servers), encoding="utf-8")
        for unit in example.list_units(example.read_servers(file), tmp_path / "run"):
            unit.plan_file.parent.mkdir(parents=True, exist_ok=True)
            example.plan_unit(unit, nullcontext())

    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield make_plans


def find_working(cluster: LocalCluster, sandbox: Sandbox) -> int:
    """Find the worker that is connected to a server; gives its pid."""
    port = int(sandbox.url.rpartition(":")[2])
    for nanny in cluster.workers.values():
        connections = psutil.Process(nanny.pid).net_connections("tcp")
        if any(one.raddr and one.raddr.port == port for one in connections):
            return int(nanny.pid)
    raise AssertionError("no worker is at work on the server")


def kill_at(cluster: LocalCluster, sandbox: Sandbox, number: int) -> list[int]:
    """Kill the worker that sends the update of that number; gives a list that its pid comes to.

    The server stores the update, and answers it when the worker is dead.
    """
    killed: list[int] = []

    def kill(so_far: int) -> None:
        if so_far == number:
            killed.append(find_working(cluster, sandbox))
            os.kill(killed[0], signal.SIGKILL)

    sandbox.log.on_update = kill
    return killed


def hold_until_both_update(sandbox: Sandbox) -> None:
    """Answer no update before each of two shards has sent one: then both are under way."""
    seen: set[int] = set()
    both = threading.Event()

    def hold(_number: int) -> None:
        _, task = sandbox.log.updates[-1]
        seen.add(task % 2)
        if len(seen) > 1:
            both.set()
        # The lock is held here, and the other update needs it.
        sandbox.state.lock.release()
        try:
            both.wait(SECONDS)
        finally:
            sandbox.state.lock.acquire()

    sandbox.log.on_update = hold


def list_tasks(report: Report, outcome: Outcome) -> list[int]:
    return [one.task for one in report.outcomes if one.outcome is outcome]


def test_a_plan_of_all_servers_changes_nothing_and_tells_what_differs(
    script: Script, staging: Sandbox, production: Sandbox
):
    production.state.tasks[1].values["data"] = {"text": "production 1"}
    ran = script("plan", staging.as_toml(shards=3, at_once=2), production.as_toml())

    assert ran.code == 2, ran
    first, second = ran.out.split("== ")[1:]
    whole = plan(load(staging.manifest), staging.settings)
    assert first.startswith("staging")
    assert second.startswith("production")
    assert f"Digest: {whole.digest}" in first
    assert "39 tasks to update (39 changes), 1 unchanged" in second
    assert not staging.log.updates
    assert not production.log.updates


def test_an_apply_carries_out_the_plans_and_then_nothing_is_left(
    script: Script, staging: Sandbox, production: Sandbox
):
    servers = (staging.as_toml(shards=2, at_once=2), production.as_toml(shards=3, at_once=2))
    assert script("plan", *servers).code == 2
    ran = script("apply", *servers)

    assert ran.code == 0, ran
    assert ran.out.count("Apply: 40 applied.") == 2
    for sandbox in (staging, production):
        assert sandbox.texts == sandbox.declared
        report = merge(script.reports_of(sandbox))
        assert report.complete
        assert report.is_good
        assert not report.missing_shards
    again = script("plan", *servers, out="again")
    assert again.code == 0, again
    assert again.out.count("No changes: 40 tasks as declared.") == 2


def test_no_token_travels(
    script: Script, sent: list[bytes], cluster: LocalCluster, staging: Sandbox, production: Sandbox
):
    del sent[:]
    servers = (staging.as_toml(shards=2, at_once=2), production.as_toml())
    runs = [script("plan", *servers), script("apply", *servers)]
    runs.append(script("plan", staging.as_toml(name="stranger"), out="refused"))

    assert [ran.code for ran in runs] == [2, 0, 1]
    travelled = b"".join(sent)
    files = [file.read_bytes() for file in script.folder.rglob("*") if file.is_file()]
    assert str(staging.manifest).encode() in travelled
    for sandbox in (staging, production):
        assert sandbox.token.encode() not in travelled
        assert all(sandbox.token.encode() not in file for file in files)
        assert all(sandbox.token not in ran.out + ran.err for ran in runs)
    # It would have been seen.
    with Client(cluster) as client:
        assert client.submit(len, staging.token).result(SECONDS) == len(staging.token)
    assert staging.token.encode() in b"".join(sent)


def test_the_pace_of_a_server_holds_over_its_workers(
    script: Script, plan_all: PlanAll, staging: Sandbox
):
    servers = (staging.as_toml(shards=2, at_once=2, rps=16),)
    plan_all(*servers)
    hold_until_both_update(staging)
    assert script("apply", *servers).code == 0

    begun = [when for when, _ in staging.log.updates]
    in_a_second = [
        sum(first <= when < first + timedelta(seconds=1) for when in begun) for first in begun
    ]
    shards = [task % 2 for _, task in staging.log.updates]
    assert staging.texts == staging.declared
    # 16, and some that were late. Were each shard to go at the pace of the server, it would be 32.
    assert max(in_a_second) <= 24
    assert shards != sorted(shards)
    assert shards != sorted(shards, reverse=True)


def test_no_more_units_of_a_server_are_under_way_than_it_takes(
    script: Script, plan_all: PlanAll, staging: Sandbox
):
    servers = (staging.as_toml(shards=4, at_once=1),)
    plan_all(*servers)
    assert script("apply", *servers).code == 0

    shards = [task % 4 for _, task in staging.log.updates]
    assert staging.texts == staging.declared
    assert sum(one != other for one, other in pairwise(shards)) == 3


def test_the_unit_of_a_worker_that_dies_is_done_again_by_another(
    script: Script,
    plan_all: PlanAll,
    cluster: LocalCluster,
    staging: Sandbox,
    production: Sandbox,
):
    servers = (
        staging.as_toml(shards=2, at_once=1),
        production.as_toml(shards=2, at_once=2),
    )
    plan_all(*servers)
    killed = kill_at(cluster, staging, 8)
    ran = script("apply", *servers)

    assert len(killed) == 1
    assert ran.code == 0, ran
    assert staging.texts == staging.declared
    assert production.texts == production.declared
    reports = script.reports_of(staging)
    assert sorted(report.complete for report in reports) == [False, True, True]
    assert re.search(r"^shard [12]/2 was cut off, and applied again$", ran.out, re.MULTILINE)
    # All can be undone but what the dead worker had sent and not yet written down: that is named.
    merged = merge(reports)
    applied, already = (list_tasks(merged, one) for one in (Outcome.APPLIED, Outcome.ALREADY))
    undone = plan_revert(reports, staging.settings).updates
    assert sorted(applied + already) == list(TASKS)
    assert [task.task for task in undone] == applied
    assert 1 <= len(already) <= DEFAULT_CONCURRENCY
    assert f"no report has and no revert undoes: {already}" in ran.out


def test_what_no_worker_survives_is_named_and_another_apply_goes_on(
    script: Script,
    plan_all: PlanAll,
    cluster: LocalCluster,
    staging: Sandbox,
    production: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    servers = (
        staging.as_toml(shards=2, at_once=1),
        production.as_toml(shards=2, at_once=2),
    )
    plan_all(*servers)
    killed = kill_at(cluster, staging, 4)
    ran = script("apply", *servers)

    assert len(killed) == 1
    assert ran.code == 1, ran
    assert re.search(r"^! shard [12]/2 is cut off: .*died", ran.out, re.MULTILINE)
    assert "the rest is unknown" in ran.out
    assert staging.texts != staging.declared

    monkeypatch.undo()
    again = script("apply", *servers)
    assert again.code == 0, again
    assert staging.texts == staging.declared
    assert production.texts == production.declared


def test_a_unit_that_fails_hides_no_other(
    script: Script, staging: Sandbox, production: Sandbox, tmp_path: Path
):
    wrong, lost = tmp_path / "wrong.json", tmp_path / "lost.json"
    wrong.write_text('{"version": 1, "tasks": [{"id": "seven"}]}', encoding="utf-8")
    gone = production.as_toml(name="gone", shards=3)
    lost.write_text('{"version": 1, "project": 9, "tasks": [{"id": 1}]}', encoding="utf-8")
    servers = (
        staging.as_toml(name="stranger"),
        staging.as_toml(name="keyless"),
        staging.as_toml(name="capped"),
        production.as_toml().replace(str(production.manifest), str(wrong)),
        staging.as_toml(name="lost").replace(str(staging.manifest), str(lost)),
        gone.replace(str(production.manifest), "gone/"),
        staging.as_toml(shards=2),
    )
    ran = script("plan", *servers)
    found = split_by_server(ran)

    assert ran.code == 1, ran
    assert found["stranger"].startswith("! no plan for shard 1/1: GET ")
    assert "Invalid token" in found["stranger"]
    assert found["keyless"].startswith(
        "! no plan for shard 1/1: keyless has no LABEL_STUDIO_API_KEY"
    )
    assert "set KEYLESS_LABEL_STUDIO_API_KEY where the workers run" in found["keyless"]
    assert found["lost"].startswith(f"! no plan for shard 1/1: {lost}:1:")
    assert found["production"].startswith(f"! no plan for shard 1/1: {wrong}:1:")
    assert found["gone"].startswith("! no plan for shard 1/3, 2/3, 3/3: ")
    assert found["gone"].count("file or folder not found") == 1
    assert "Traceback" not in ran.err
    assert "40 tasks to update" in found["capped"]
    assert "40 tasks to update" in found["staging"]

    ran = script("apply", *servers)
    found = split_by_server(ran)
    assert ran.code == 1, ran
    assert found["stranger"] == "! shard 1/1 has no plan: run plan again\n"
    assert found["capped"].startswith("! shard 1/1 has no report: max-changes: nothing was changed")
    assert "Apply: 40 applied." in found["staging"]


def split_by_server(ran: Ran) -> dict[str, str]:
    found = {}
    for part in ran.out.split("== ")[1:]:
        name, _, found[name] = part.partition("\n")
    return found


def test_without_a_scheduler_processes_of_this_machine_do_it_in_a_new_folder(
    tmp_path: Path, staging: Sandbox
):
    known = {
        "STAGING_LABEL_STUDIO_URL": staging.url,
        "STAGING_LABEL_STUDIO_API_KEY": staging.token,
    }
    script = Script("", tmp_path, known)

    assert script("plan", staging.as_toml()).code == 2
    again = script("plan", staging.as_toml())
    assert again.code == 1
    assert again.err == (
        "many_projects: run already has all plans: use another folder for a new run\n"
    )


def test_another_plan_makes_those_that_are_missing_and_keeps_the_others(
    script: Script, staging: Sandbox
):
    servers = (staging.as_toml(shards=2),)
    assert script("plan", *servers).code == 2
    kept, lost = (script.folder / "run" / "staging" / f"plan-{n}-of-2.json" for n in (1, 2))
    before = kept.stat().st_ino
    lost.unlink()

    again = script("plan", *servers)

    assert again.code == 2
    assert f"Digest: {plan(load(staging.manifest), staging.settings).digest}" in again.out
    assert kept.stat().st_ino == before
    assert "1 of 1: staging 2/2 done" in again.err


def test_a_folder_without_plans_is_told_and_not_made(script: Script, staging: Sandbox):
    ran = script("apply", staging.as_toml(), out="misspelt")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "many_projects: misspelt has no plans: run plan first\n"
    assert not (script.folder / "misspelt").exists()


def test_a_scheduler_that_is_not_there_leaves_no_folder(
    tmp_path: Path, staging: Sandbox, closed_url: str
):
    address = closed_url.replace("http", "tcp")
    script = Script(address, tmp_path, {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"})

    ran = script("plan", staging.as_toml())

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[-1].startswith("many_projects: Timed out trying to connect to")
    assert "Traceback" not in ran.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plan",), "the following arguments are required"),
        (("plan", "gone.toml", "--out", "run"), "[Errno 2] No such file or directory: 'gone.toml'"),
    ],
)
def test_bad_usage_is_no_difference(arguments: tuple[str, ...], message: str):
    ran = run_script("many_projects.py", *arguments, environment={})

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"many_projects: {message}")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("", r"servers\.toml has no \[\[servers\]\]"),
        ('[servers]\nname = "a"', r"has no \[\[servers\]\]"),
        (
            '[[servers]]\nname = "../other"\nmanifests = ["a/"]',
            "expected lowercase letters, digits and -, found",
        ),
        (
            '[[servers]]\nmanifests = ["a/"]',
            "name: expected lowercase letters, digits and -, found None",
        ),
        (
            '[[servers]]\nname = "a"\nmanifest = ["a/"]',
            r"a: unknown key 'manifest' \(the keys are name, manif",
        ),
        ('[[servers]]\nname = "a"', "a: manifests: expected a list of paths"),
        ('[[servers]]\nname = "a"\nmanifests = "a/"', r'a list of paths, such as \["a/"\]'),
        ('[[servers]]\nname = "a"\nmanifests = [5]', "a: manifests: expected a list of paths"),
        ('[[servers]]\nname = "a"\nmanifests = ["a/"]\nat_once = 0', "whole numbers, 1 or more"),
        ('[[servers]]\nname = "a"\nmanifests = ["a/"]\nshards = "2"', "whole numbers, 1 or more"),
        ('[[servers]]\nname = "a"\nmanifests = ["a/"]\nrps = 0', "rps: expected a number above 0"),
        ('[[servers]]\nname = "a"\nmanifests = ["a/"]\n' * 2, "duplicate server name a"),
        ("[[servers", "Expected"),
    ],
)
def test_what_cannot_be_used_is_named(example: ModuleType, tmp_path: Path, toml: str, message: str):
    file = tmp_path / "servers.toml"
    file.write_text(toml, encoding="utf-8")

    with pytest.raises(ValueError, match=message):
        example.read_servers(file)
