"""Figures of what a review needs: the formats of a large plan, plans of what a commit changes, and
pulling a project.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shutil import rmtree
from statistics import median
from typing import Final

from tests.bench.data import Project, in_chunks, write_tasks
from tests.bench.measure import Usage, averaged, child, in_turn, reconciler
from tests.bench.offline import MB
from tests.bench.options import Options, tell
from tests.bench.raw import write_orders
from tests.bench.server import page_server, pages_asked
from tests.bench.table import Budget, Row, Section

FORMATS: Final = ("markdown", "html", "text", "github", "gitlab", "junit", "sarif")
PULL_BUDGET: Final = Budget(ratio=1.3)
_BUDGETS: Final = {"markdown": Budget(value=2), "html": Budget(value=5)}
_FILES: Final = 100
_EDITED: Final = 50


def reviewing(options: Options) -> Section:
    """Measure formats, plans of what changed since a commit, and pull."""
    project = Project(options.main)
    rows = [*_format_rows(options), *_since_rows(options, project), *_pull_rows(options, project)]
    return Section(
        "Reviews",
        "Formats of a plan in which each task changes differently, beside its JSON: what rendering "
        f"takes, the making of the plan left out. `--since` plans {_EDITED} tasks that a commit "
        f"changed in one file, of a project in {_FILES} files, beside the plan of all. `pull` "
        "writes the project as JSON lines, beside fetching the same pages with httpx and nothing "
        "else, both from a server whose pages cost next to nothing.",
        rows,
    )


def _format_rows(options: Options) -> Iterator[Row]:
    count = str(options.main)
    for form in FORMATS:
        tell(f"{form} of {options.main:,} changes")
        ours, floor = in_turn(
            options.runs, *(partial(child, "rendering", one, count) for one in (form, "json"))
        )
        yield Row(
            figure=f"{form}, {options.main:,} distinct changes",
            unit="s",
            ours=[took["wall"] for took in ours],
            beside=[took["wall"] for took in floor],
            of="json",
            budget=_BUDGETS.get(form),
            note=f"{ours[0]['length'] / 1e6:.2f} million characters, "
            f"{max(took['peak'] for took in ours) / MB:,.0f} MB at the peak",
        )


def _since_rows(options: Options, project: Project) -> Iterator[Row]:
    tell(f"plan --since, {_EDITED} of {project.count:,} tasks")
    folder = write_repository(project, options.folder / f"repository-{project.count}")
    with page_server(project) as url:
        plan = partial(reconciler, "plan", "--detailed-exitcode", url=url, good=2)
        before = len(pages_asked(url))
        plan("--since", "HEAD", folder)
        pages = len(pages_asked(url)) - before
        some, whole = in_turn(
            options.runs, partial(plan, "--since", "HEAD", folder), partial(plan, folder)
        )
    yield Row(
        figure=f"`plan --since`, {_EDITED} of {project.count:,} tasks",
        unit="s",
        ours=[usage.wall for usage in some],
        beside=[usage.wall for usage in whole],
        of="the plan of all",
        budget=Budget(value=3),
        note=f"{pages} requests for tasks; {median(usage.cpu for usage in some):.2f} s of CPU",
    )


def write_repository(project: Project, folder: Path) -> Path:
    """Commit a project in many files, and change some of its tasks in the work tree."""
    rmtree(folder, ignore_errors=True)
    (folder / "manifests").mkdir(parents=True)
    for number, ids in enumerate(in_chunks(project.ids, -(-project.count // _FILES))):
        tasks = map(project.declared, ids)
        write_tasks(project, tasks, folder / "manifests" / f"{number:03}.yaml")
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for arguments in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "Tasks")):
        subprocess.run(  # noqa: S603 - commands of this bench
            ["git", *who, *arguments],  # noqa: S607 - as it is installed
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            check=True,
        )
    file = min((folder / "manifests").iterdir())
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"overlap: \d", "overlap: 7", text, count=_EDITED), encoding="utf-8")
    return folder / "manifests"


def _pull_rows(options: Options, project: Project) -> Iterator[Row]:
    with page_server(project) as url:
        yield from pull_rows(options, project, url=url, folder=options.folder)


def pull_rows(
    options: Options,
    project: Project,
    *,
    url: str,
    folder: Path,
    token: str = "0" * 40,
    in_flight: int = 1,
) -> Iterator[Row]:
    """Measure pulling a project, beside fetching the same pages."""
    tell(f"pull of {project.count:,} tasks, beside its pages")
    orders = write_orders(
        folder / f"pulled-pages-{project.count}.json",
        url=url,
        token=token,
        in_flight=in_flight,
        requests=[("GET", target, None) for target in _list_pages(project, folder)],
        at_once=True,
    )
    ours, raw = in_turn(
        options.runs * options.times,
        partial(_pull, project, folder, url=url, token=token),
        partial(child, "raw", orders),
    )
    named = f"{project.count:,} tasks"
    yield Row(
        figure=f"`pull`, {named}",
        unit="s",
        ours=averaged([usage.wall for usage in ours], options.times),
        beside=averaged([took["process_wall"] for took in raw], options.times),
        of="the same pages alone",
        budget=PULL_BUDGET,
    )
    yield Row(
        figure=f"`pull`, {named}, peak memory",
        unit="MB",
        ours=[usage.peak / MB for usage in ours],
        budget=Budget(value=150),
    )


def _pull(project: Project, folder: Path, *, url: str, token: str = "0" * 40) -> Usage:
    """Pull a project into a folder that does not exist yet."""
    out = folder / "pulled"
    rmtree(out, ignore_errors=True)
    chosen = ("--project", str(project.number), "--format", "jsonl", "--out", out)
    return reconciler("pull", *chosen, url=url, token=token)


def _list_pages(project: Project, folder: Path) -> tuple[str, ...]:
    """Find out which pages a pull asks for."""
    with page_server(project) as url:
        _pull(project, folder, url=url)
        return pages_asked(url)
