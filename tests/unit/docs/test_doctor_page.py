"""The page about doctor: its table names all checks, and its example prints what it shows.

Times differ from run to run, so they are masked. With ACCEPT_CASES in the environment, what the
command prints is written into the page.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import pytest

from reconciler.cli.main import run
from reconciler.core.finding import Check
from reconciler.engine.doctor_visit import REQUESTS_MAX
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.tasks_file import load_state
from tests.unit.docs.pages import ROOT, page, table

PAGE: Final = ROOT / "docs" / "doctor.md"
ADDRESS: Final = "https://label-studio.example.org"
_EXAMPLE: Final = re.compile(
    r"^```yaml\n# example.yaml\n(?P<manifest>.*?)^```\n\n"
    r"```console\n\$ (?P<line>.*?)\n(?P<out>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_TIME: Final = re.compile(r"[0-9.]+ (ms|s)\b|several are (not clearly )?faster")


def test_the_table_names_all_checks():
    assert [row[0] for row in table(page("docs/doctor.md"), "Check")] == list(Check)


def test_the_most_requests_are_those_of_the_code():
    assert f"sends at most {REQUESTS_MAX} requests" in PAGE.read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    text = PAGE.read_text(encoding="utf-8")
    found = _EXAMPLE.search(text)
    assert found
    (tmp_path / "example.yaml").write_text(found["manifest"], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with serve(load_state(None)) as url:
        monkeypatch.setenv("LABEL_STUDIO_URL", url)
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
        assert run(found["line"].split()[1:]) == 1
    printed = capsys.readouterr().out.replace(url, ADDRESS)
    if os.environ.get("ACCEPT_CASES"):
        start, end = found.span("out")
        PAGE.write_text(text[:start] + printed + text[end:], encoding="utf-8")
    else:
        assert mask(found["out"]) == mask(printed)


def mask(text: str) -> str:
    return _TIME.sub("(time)", text)
