"""The page about formats: its table is the registry, and its examples are what commands write.

With ACCEPT_CASES in the environment, what they write is put into the page.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import pytest

from reconciler.cli.main import run
from reconciler.renderers.registry import FORMATS, Subject
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.tasks_file import load_state
from tests.unit.docs.pages import ROOT, page, table

PAGE: Final = ROOT / "docs" / "formats.md"
ADDRESS: Final = "https://label-studio.example.org"
_MANIFEST: Final = re.compile(
    r"^```yaml\n# example.yaml\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_EXAMPLE: Final = re.compile(
    r"^`reconciler (?P<line>plan example.yaml --format (?P<form>\S+?)(?:=(?P<file>\S+))?)`\n\n"
    r"(?P<fence>`{3,})\w+\n(?P<shown>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


def test_the_table_says_what_each_format_renders():
    order = (Subject.PLAN, Subject.REPORT, Subject.PROBLEMS, Subject.CHECKUP)
    rows = {
        row[0]: [bool(cell) for cell in row[2:]] for row in table(page("docs/formats.md"), "Format")
    }

    assert {form: rows.get(form) for form in FORMATS} == {
        form: [subject in known.renders for subject in order] for form, known in FORMATS.items()
    }


def test_each_example_is_what_the_command_writes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    text = PAGE.read_text(encoding="utf-8")
    manifest = _MANIFEST.search(text)
    assert manifest
    (tmp_path / "example.yaml").write_text(manifest["text"], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    examples = list(_EXAMPLE.finditer(text))
    with serve(load_state(ROOT / "examples" / "sandbox.json")) as url:
        monkeypatch.setenv("LABEL_STUDIO_URL", url)
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
        written: list[str] = []
        for example in examples:
            assert run(example["line"].split()) == 1
            printed = capsys.readouterr().out
            if example["file"]:
                printed = Path(example["file"]).read_text(encoding="utf-8")
            written.append(printed.replace(url, ADDRESS))

    if os.environ.get("ACCEPT_CASES"):
        for example, shown in reversed(list(zip(examples, written, strict=True))):
            start, end = example.span("shown")
            text = text[:start] + shown + text[end:]
        PAGE.write_text(text, encoding="utf-8")
    else:
        assert [example["shown"] for example in examples] == written
    assert {example["form"] for example in examples} >= FORMATS.keys() - {"text", "json", "html"}
