"""The report on disk: one line at a time, for its owner alone."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from reconciler.artifacts.report_file import ReportFile
from reconciler.errors import Refused


def test_each_line_is_on_disk_before_the_next_is_written(tmp_path: Path):
    file = tmp_path / "report.jsonl"
    with ReportFile(file) as report:
        report.write({"task": 1})
        assert file.read_text() == '{"task":1}\n'
        report.write({"task": 2, "value": "\u00fc\ud800\n"})
        assert file.read_text() == '{"task":1}\n{"task":2,"value":"\\u00fc\\ud800\\n"}\n'


@pytest.mark.parametrize("before", [None, 0o644])
def test_only_its_owner_can_read_it_even_if_it_was_there_before(tmp_path: Path, before: int | None):
    file = tmp_path / "report.jsonl"
    if before is not None:
        file.write_text("old\n" * 100)
        file.chmod(before)
    with ReportFile(file) as report:
        report.write({})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == "{}\n"


def test_a_file_that_cannot_be_made_is_refused_before_anything_is_done(tmp_path: Path):
    with pytest.raises(Refused) as refused:
        ReportFile(tmp_path / "no" / "report.jsonl")
    assert str(refused.value) == (
        f"cannot write the report to {tmp_path}/no/report.jsonl: No such file or directory "
        "(pass another file to --report: no task is changed without a report)"
    )


def test_a_full_disk_is_refused_and_closing_says_nothing_more():
    with (
        pytest.raises(
            Refused, match="cannot write the report to /dev/full: No space left on device"
        ),
        ReportFile(Path("/dev/full")) as report,
    ):
        report.write({"task": 1})


def test_a_pipe_can_take_the_report(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with ReportFile(pipe) as report:
        report.write({"task": 1})
    assert os.read(reader, 100) == b'{"task":1}\n'
    os.close(reader)


def test_what_is_no_file_keeps_its_mode():
    before = Path("/dev/null").stat().st_mode
    with ReportFile(Path("/dev/null")) as report:
        report.write({"task": 1})
    assert Path("/dev/null").stat().st_mode == before


def test_an_earlier_report_is_kept_under_another_name(tmp_path: Path):
    file = tmp_path / "report.jsonl"
    kept = []
    for run in range(3):
        with ReportFile(file) as report:
            report.write({"run": run})
        kept.append(report.kept)
    assert [json.loads(path.read_text())["run"] for path in sorted(tmp_path.iterdir())] == [2, 0, 1]
    assert kept == [None, tmp_path / "report.jsonl.1", tmp_path / "report.jsonl.2"]


def test_an_empty_file_is_nothing_to_keep(tmp_path: Path):
    file = tmp_path / "report.jsonl"
    file.touch()
    with ReportFile(file) as report:
        assert report.kept is None
