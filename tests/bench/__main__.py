"""``make bench``: measures every budget beside its floor. Ends with 0 whether or not they hold."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import keys_and_rules, offline, patching, peers, reviewing, rich
from tests.bench.measure import ROOT, compile_ahead
from tests.bench.options import QUICK_SIZES, SIZES, Options, tell
from tests.bench.page import data, report, sentence
from tests.bench.table import Section, broken, markdown

_DEFAULT_BIN = ROOT / ".live" / "venv" / "bin"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print each table as soon as it is there, and write what was asked for."""
    given = _parser().parse_args(arguments)
    compile_ahead()
    found: dict[str, str] = {}
    sections: list[Section] = []
    with TemporaryDirectory(prefix="reconciler-bench-") as folder:
        options = _options(given, Path(folder))
        for section in _measured(given, options, found):
            sections.append(section)
            _print(section)
    if given.json:
        text = json.dumps(data(sections, options, found), indent=2)
        given.json.write_text(text + "\n", encoding="utf-8")
    if given.write:
        given.write.write_text(report(sections, options, found), encoding="utf-8")
    _conclude(sections)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, two runs: a minute")
    parser.add_argument("--runs", type=int, help="runs of each figure (5)")
    parser.add_argument("--sizes", help=f"tasks, ascending: {','.join(map(str, SIZES))}")
    parser.add_argument("--rich", type=int, help="megabytes of rich tasks (100)")
    parser.add_argument("--patches", type=int, help="changes of an apply on the sandbox (2000)")
    parser.add_argument(
        "--real",
        action=argparse.BooleanOptionalAction,
        help="measure on a real Label Studio; without it, where one is installed",
    )
    parser.add_argument(
        "--label-studio",
        type=Path,
        default=_DEFAULT_BIN,
        metavar="BIN",
        help="the folder with label-studio and its Python (what make live installed)",
    )
    parser.add_argument(
        "--large",
        action=argparse.BooleanOptionalAction,
        help="a project of 100,000 tasks on the real Label Studio too (yes, unless --quick)",
    )
    parser.add_argument(
        "--octodns", action=argparse.BooleanOptionalAction, default=True, help="octoDNS as a peer"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write docs/performance.md")
    return parser


def _options(given: argparse.Namespace, folder: Path) -> Options:
    default = QUICK_SIZES if given.quick else SIZES
    sizes = tuple(map(int, given.sizes.split(","))) if given.sizes else default
    runs = given.runs or (2 if given.quick else 5)
    patches = given.patches or (200 if given.quick else 2_000)
    megabytes = given.rich or (12 if given.quick else 100)
    return Options(folder, sizes, runs, 1 if given.quick else 3, patches, megabytes)


def _measured(
    given: argparse.Namespace, options: Options, found: dict[str, str]
) -> Iterator[Section]:
    yield offline.start_up(options)
    yield offline.engine(options)
    yield rich.rich(options)
    yield offline.large_values(options)
    commands = offline.Commands(options)
    yield offline.growth(options, commands)
    yield offline.memory(options, commands)
    yield keys_and_rules.keys_and_rules(options)
    yield reviewing.reviewing(options)
    yield patching.patching(options)
    if given.octodns:
        yield from _tried("octoDNS", lambda: [peers.octodns(options, commands)])
        found["octoDNS"] = peers.OCTODNS
    executable = given.label_studio / "label-studio"
    if given.real or (given.real is None and executable.exists()):
        yield from _tried("Label Studio", lambda: _real(given, options, found))
    else:
        tell(f"without a real Label Studio: {executable} is not there, or --no-real was given")


def _real(given: argparse.Namespace, options: Options, found: dict[str, str]) -> list[Section]:
    from tests.bench import real  # noqa: PLC0415 - who measures memory stays small until here

    large = not given.quick if given.large is None else given.large
    scale = real.Scale(
        (real.SMALL, 100_000) if large else (real.SMALL,), 80 if given.quick else 400
    )
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="reconciler-bench-"))
        at = stack.enter_context(real.site(given.label_studio / "label-studio", Path(folder)))
        found["Label Studio"] = at.version
        sections = real.measure(at, options, scale)
        return [*sections, peers.reading(at, options)]


def _tried(what: str, measure: Callable[[], list[Section]]) -> Iterator[Section]:
    """Measure what needs more than this project; where it is not to be had, say so and go on."""
    try:
        yield from measure()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        tell(f"WITHOUT {what}: {error}")


def _print(section: Section) -> None:
    sys.stdout.write(f"\n## {section.title}\n\n{markdown(section.rows)}")
    notes = [f"  {row.figure}: {row.note}\n" for row in section.rows if row.note]
    sys.stdout.writelines(notes)
    sys.stdout.flush()


def _conclude(sections: Sequence[Section]) -> None:
    rows = broken(sections)
    judged = sum(row.holds is not None for section in sections for row in section.rows)
    sys.stdout.write(f"\n{judged - len(rows)} of {judged} budgets hold.\n")
    if rows:
        sys.stdout.write(f"\n!!! {len(rows)} BUDGETS DO NOT HOLD:\n")
        sys.stdout.writelines(f"!!! {sentence(row)}\n" for row in rows)


if __name__ == "__main__":
    sys.exit(main())
