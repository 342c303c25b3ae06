"""Worked examples print what their page shows.

An example begins with a manifest, ``# example.yaml``, on a sandbox with the tasks of
examples/sandbox.json. Other manifests and ``console`` blocks below it go on from there. The line
that names the server and the digest are left out. With ACCEPT_CASES in the environment what the
commands print is written into the page: look at the differences before you commit them.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from reconciler.cli.main import run
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.tasks_file import load_state
from tests.unit.docs.pages import ROOT

PAGES: Final = tuple(ROOT / "docs" / f"{name}.md" for name in ("semantics", "manifest", "pull"))
ADDRESS: Final = "https://label-studio.example.org"
_BLOCK: Final = re.compile(
    r"^```(?:yaml\n# (?P<file>\S+)\n(?P<manifest>.*?)|console\n(?P<console>.*?))^```$",
    re.MULTILINE | re.DOTALL,
)
_LEFT_OUT: Final = re.compile(r"^(Digest: .*|https://\S+ \(.*\))\n+", re.MULTILINE)


class Step(NamedTuple):
    """A manifest to save, or a console to print again; ``span`` is where it stands."""

    file: str
    text: str
    span: tuple[int, int]


def read_examples(page: Path) -> Iterator[list[Step]]:
    """Give the steps of each example, in the order of the page."""
    example: list[Step] = []
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if found["file"] == "example.yaml" and example:
            yield example
            example = []
        group = "manifest" if found["file"] else "console"
        example.append(Step(found["file"] or "", found[group], found.span(group)))
    yield example


EXAMPLES: Final = [
    pytest.param(page, number, id=f"{page.name}-{number + 1}")
    for page in PAGES
    for number in range(len(list(read_examples(page))))
]


def print_again(console: str, address: str) -> str:
    """Run the commands of a console, and return it with what they print now."""
    printed = ""
    code = 0
    for line in re.findall(r"^\$ (.+)$", console, re.MULTILINE):
        out = io.StringIO()
        if line == "echo $?":
            out.write(f"{code}\n")
        elif line.startswith("cat "):
            out.write(Path(line.removeprefix("cat ")).read_text(encoding="utf-8"))
        else:
            with redirect_stdout(out), redirect_stderr(out):
                code = run(shlex.split(line)[1:])
        text = _LEFT_OUT.sub("", out.getvalue().replace(address, ADDRESS)).strip("\n")
        printed += f"$ {line}\n{text}\n" if text else f"$ {line}\n"
    return printed


def accept(page: Path, number: int, printed: list[str]) -> None:
    text = page.read_text(encoding="utf-8")
    shown = [step for step in list(read_examples(page))[number] if not step.file]
    for step, now in reversed(list(zip(shown, printed, strict=True))):
        text = text[: step.span[0]] + now + text[step.span[1] :]
    page.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("page", "number"), EXAMPLES)
def test_an_example_prints_what_the_page_shows(
    page: Path, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    example = list(read_examples(page))[number]
    monkeypatch.chdir(tmp_path)
    shown, printed = [], []
    with serve(load_state(ROOT / "examples" / "sandbox.json")) as address:
        monkeypatch.setenv("LABEL_STUDIO_URL", address)
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
        for step in example:
            if step.file:
                Path(step.file).write_text(f"# {step.file}\n{step.text}", encoding="utf-8")
            else:
                shown.append(step.text)
                printed.append(print_again(step.text, address))

    if "ACCEPT_CASES" in os.environ:
        accept(page, number, printed)
    else:
        assert printed == shown


def test_there_are_examples():
    counts = [sum(1 for _ in read_examples(page)) for page in PAGES]

    assert counts[0] > 9
    assert counts[1] > 2
