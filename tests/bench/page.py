"""The page of the documentation, and the data behind it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from textwrap import fill
from typing import Any, Final

from tests.bench.options import Options
from tests.bench.table import Row, Section, broken, markdown

WIDTH: Final = 96
_LIBRARIES: Final = ("click", "deepdiff", "httpx", "jsonschema-rs", "msgspec", "PyYAML")
_INTRODUCTION: Final = """\
# Performance

What the tool costs, beside the least that the same work can cost, measured in the same run.
Seconds differ from machine to machine and from hour to hour: the ratios are what to look at.
{when}

To repeat it:

```sh
make bench                                      # all; Label Studio is what make live installed
make bench BENCH="--quick --no-real"            # in a minute
make bench BENCH="--write docs/performance.md"  # this page
```

Each figure is the median and the worst of n runs, and stands beside what was measured in turn
with it; a run may be the mean of several commands, which is said there. The tables say whether
the worst run keeps to a budget, or the median alone. No test asserts a time.
"""


def environment(found: Mapping[str, str]) -> dict[str, str]:
    """Say in general words what it was measured with; ``found`` adds what else took part."""
    machine = f"{platform.system()} on {platform.machine()}, {os.cpu_count()} processors"
    libraries = {name: version(name) for name in _LIBRARIES}
    return {"machine": machine, "Python": platform.python_version(), **libraries, **found}


def report(sections: Sequence[Section], options: Options, found: Mapping[str, str]) -> str:
    """Write the page."""
    with_ = ", ".join(f"{name} {said}" for name, said in environment(found).items())
    when = fill(
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with {with_.removeprefix('machine ')}; "
        f"{options.runs} runs of each.",
        WIDTH,
    )
    parts = [_INTRODUCTION.format(when=when), _verdict(sections)]
    parts += [_section(section) for section in sections]
    return "\n".join(parts)


_REASONS: Final = """
Why some figures are, or were, close to their budget or over it:

- Two processors that others share do not take the same time twice, nor does a real server:
  fetching alone differs by 15 % from run to run, and that as the mean of some. There the median
  says more than the worst.
- A plan takes 0.2 s beside its pages, however few they are: start-up, reading the manifest, the
  version of the server, what it stores. Beside the pages of 10,000 tasks that is a fourteenth, and
  more of fewer; beside those of 100,000 it hardly shows.
- How much faster a plan is than the published SDK's list depends on the server. No client can be
  faster than only fetching the pages; that was 8 to 9 times as fast as the list on one machine,
  and 6 to 7.5 times on another. A client cannot change
  what a page costs: the server fetches annotations, predictions and storage links of each task,
  whatever the request asks for, and its garbage collection, which costs the same for pages of
  any size, takes half of the time.
- `.jsonl` is streamed: of a task no more is kept than a fingerprint, and the changed ones are read
  again, where the floor keeps all tasks in memory, three times as much.
- PATCHes from many threads wait for each other's turn at the interpreter: httpx alone costs a third
  more at 64 at a time, or half as much again.
"""


def _verdict(sections: Sequence[Section]) -> str:
    lines = ["## Budgets that do not hold with their worst run\n"]
    rows = broken(sections)
    if not rows:
        judged = sum(row.holds is not None for section in sections for row in section.rows)
        return f"## Budgets\n\nAll {judged} hold with their worst run.\n"
    lines += [f"- {sentence(row)}" for row in rows]
    return "\n".join(lines) + "\n" + _REASONS


def sentence(row: Row) -> str:
    """Say of a row that breaks its budget what it is and what it should be."""
    _, ours, beside, ratio, budget, _ = row.cells()
    found = " | ".join(filter(None, (ours, beside, ratio)))
    median = " The median keeps to it." if row.median_holds else ""
    return f"{row.figure}: {found}; budget: {budget}.{median}"


def _section(section: Section) -> str:
    notes = [f"- {row.figure}: {row.note}." for row in section.rows if row.note]
    listed = "\n" + "\n".join(notes) + "\n" if notes else ""
    return f"## {section.title}\n\n{fill(section.said, WIDTH)}\n\n{markdown(section.rows)}{listed}"


def data(sections: Sequence[Section], options: Options, found: Mapping[str, str]) -> dict[str, Any]:
    """Give all that was measured, for machines."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "environment": environment(found),
        "runs": options.runs,
        "sizes": list(options.sizes),
        "sections": [
            {"title": section.title, "said": section.said, "rows": list(map(_row, section.rows))}
            for section in sections
        ],
    }


def _row(row: Row) -> dict[str, Any]:
    return {**asdict(row), "ratios": row.ratios, "holds": row.holds}
