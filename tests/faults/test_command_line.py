"""The same faults met by the command line: its exit code, its report and its words are true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.artifacts.saved_file import read_saved
from reconciler.cli.collaborators import Collaborators
from reconciler.cli.main import run
from reconciler.core.report import Report
from tests.conftest import TRIED
from tests.faults.kinds import Fault
from tests.faults.misbehaving import Misbehaving, Schedule, once
from tests.faults.promises import (
    claims_are_true,
    exit_code_is_true,
    nothing_else_changed,
    same,
    wanted,
)
from tests.faults.scenarios import SCENARIOS, Ended, Values, stored
from tests.sandboxed import set_environment

MANIFEST = """\
version: 1
project: 7
tasks:
  - {id: 1, overlap: 3}
  - {id: 2, data: {text: Another.}}
  - {id: 3, data: {lang: en, kept: {added: null}}}
  - {id: 4, absent: [data.old]}
  - {id: 6, overlap: 1}
---
version: 1
project: 7
policy: {meta: replace}
tasks:
  - {id: 5, meta: {n: 2}}
"""
EVERY = 3
"""Each fault befalls every third request, and each request some of the faults: the others are
tried without the command line, in less time."""


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Schedule], Misbehaving]:
    """Gives the command line a server of its own that misbehaves."""
    set_environment(monkeypatch)
    monkeypatch.chdir(tmp_path)
    Path("tasks.yaml").write_text(MANIFEST, encoding="utf-8")

    def transport(schedule: Schedule) -> Misbehaving:
        state, _ = SCENARIOS["six tasks"].begin()
        return Misbehaving(state, schedule)

    return transport


def apply(line: Misbehaving) -> int:
    Path("report.jsonl").unlink(missing_ok=True)
    arguments = ["apply", "tasks.yaml", "--yes", "--concurrency", "1", "--report", "report.jsonl"]
    try:
        return run(arguments, collaborators=Collaborators(line))
    finally:
        line.finish()


def reported() -> Report | None:
    """Read what was reported; None where it did not come to that."""
    if not Path("report.jsonl").exists():
        return None
    found = read_saved("report.jsonl")
    assert isinstance(found, Report)
    assert found.complete
    return found


def is_as_declared(before: dict[int, Values], after: dict[int, Values]) -> bool:
    return all(same(after[task], wanted(task, values)) for task, values in before.items())


@pytest.mark.parametrize("fault", Fault)
def test_what_it_says_is_so(
    fault: Fault,
    transport: Callable[[Schedule], Misbehaving],
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
):
    tried = range(1 + list(Fault).index(fault) % EVERY, 13, EVERY)
    for number in tried:
        line = transport(once(fault, number))
        before = stored(line.state)
        code = apply(line)
        after, report = stored(line.state), reported()
        said = capsys.readouterr()
        ended = Ended(code, report.outcomes if report else (), said.err)
        assert code in {0, 1, 3}, said
        assert (report is None) == (code == 1)
        assert "Traceback" not in said.err
        assert code != 1 or "\nreconciler: " in "\n" + said.err
        nothing_else_changed(SCENARIOS["six tasks"], before, after)
        claims_are_true(ended.outcomes, before, after)
        exit_code_is_true(ended, before, after)
        line.schedule = lambda _number: None
        assert apply(line) == 0
        assert is_as_declared(before, stored(line.state))
    record_property(TRIED, len(tried))
