"""``make mutate``: changes the code a little, many times, and counts how often a test notices.

mutmut makes the changes and runs the tests that reach them; pyproject.toml says which code, and
which tests. This picks the changes that are tried, and says what came of them. It ends with 1
where tests notice less than they should.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mutmut.__main__ import _run as run_mutants
from mutmut.__main__ import collect_source_file_mutation_data, create_mutants
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import copy_src_dir

FOLDER: Final = Path("mutants")
"""Where mutmut keeps the changed code, and what came of it."""

EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")

SEED: Final = 15
SAMPLE: Final = 400
FEWEST: Final = 3
"""How many changes of a module are tried at least, however small it is."""

GOAL: Final = 97
"""How many in a hundred tests have to notice."""

NOTICED: Final = {"killed", "timeout", "segfault", "suspicious"}
"""What mutmut says where a test noticed."""


class Change(NamedTuple):
    """A change of the code: in which function, what stood there, and what stands there now."""

    function: str
    was: str
    becomes: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the changes, try those that are picked, and say what came of them."""
    given = _parser().parse_args(arguments)
    shutil.rmtree(FOLDER, ignore_errors=True)
    copy_src_dir()
    create_mutants(given.processes)
    names = list(_read_statuses())
    picked = names if given.all else pick(names, given.sample, seed=given.seed)
    _print(f"{len(picked)} of {len(names)} changes are tried.")
    run_mutants(picked, given.processes)
    statuses = _read_statuses()
    if any(statuses[name] == "not checked" for name in picked):
        sys.exit("mutate: interrupted before all of them were tried")
    return report({name: statuses[name] for name in picked})


def pick(names: Iterable[str], size: int, *, seed: int) -> list[str]:
    """Pick about ``size`` names, of each module as large a part, and the same ones every time."""
    by_module = defaultdict[str, list[str]](list)
    for name in names:
        by_module[name.rpartition(".")[0]].append(name)
    total = sum(map(len, by_module.values()))
    picked = list[str]()
    for module, own in sorted(by_module.items()):
        share = max(FEWEST, round(size * len(own) / total))
        # It has to come out the same, and a larger sample to hold all of a smaller one.
        random.Random(f"{seed} {module}").shuffle(own)  # noqa: S311 - no secret
        picked += own[:share]
    return picked


def report(statuses: dict[str, str]) -> int:
    """Print what nobody noticed and the figures; give the exit status."""
    equivalent = read_equivalent()
    unnoticed = {name: describe(name) for name, status in statuses.items() if status not in NOTICED}
    gaps = {name: change for name, change in unnoticed.items() if change not in equivalent}
    for name, change in gaps.items():
        _print(f"\n{name}: {statuses[name]}\n  - {change.was}\n  + {change.becomes}")
    counts = Counter(statuses.values())
    counted = len(statuses) - (len(unnoticed) - len(gaps))
    percentage = 100 * (counted - len(gaps)) / counted
    said = ", ".join(f"{status} {count}" for status, count in counts.most_common())
    _print(f"\n{said}; of these, equivalent {len(unnoticed) - len(gaps)}")
    _print(
        f"Tests notice {percentage:.1f} % of {counted} changes that matter, and have to {GOAL} %."
    )
    return 0 if percentage >= GOAL else 1


def describe(name: str) -> Change:
    """Say what the change of this name is."""
    lines = get_diff_for_mutant(name).splitlines()[2:]
    was, becomes = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    module, _, mangled = name.rpartition("__mutmut_")[0].rpartition(".")
    function = mangled.removeprefix("x").removeprefix("_").strip("ǁ").replace("ǁ", ".")
    return Change(f"{module}.{function}", was, becomes)


def read_equivalent() -> set[Change]:
    """Read which changes alter nothing that anybody could notice."""
    rows = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["change"]
    return {Change(row["function"], row["was"], row["becomes"]) for row in rows}


def _read_statuses() -> dict[str, str]:
    mutants, _ = collect_source_file_mutation_data(mutant_names=())
    return {name: status_by_exit_code[code] for _, name, code in mutants}


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("--all", action="store_true", help="try every change: it takes hours")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="about how many are tried")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed tries others")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
