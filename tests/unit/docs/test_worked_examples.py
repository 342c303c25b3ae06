"""Worked examples print what their page shows.

An example begins with a manifest, ``# example.yaml``, on a sandbox with the tasks of
examples/sandbox.json. Other manifests, ``console`` and ``http`` blocks below it go on from there;
an ``http`` block begins an example too if the one before it has printed something. Comments in
consoles say what goes wrong (`ExampleServer`). The line that names the server and the digest are
left out, and pauses take no time. With ACCEPT_CASES in the environment what the
commands print is written into the page: look at the differences before you commit them.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from reconciler.cli import main, review
from reconciler.cli.collaborators import Collaborators
from reconciler.cli.main import run
from reconciler.cli.signals import SignalRecord
from reconciler.labelstudio import client
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.releases import NEWEST
from reconciler.sandbox.tasks_file import load_state
from tests.git_repositories import GitRepository
from tests.unit.docs.example_server import ExampleServer, send_again
from tests.unit.docs.pages import ROOT
from tests.unit.labelstudio.patient import Patient

PAGES: Final = tuple(
    ROOT / "docs" / f"{name}.md"
    for name in ("semantics", "manifest", "server-facts", "pull", "updating")
)
ADDRESS: Final = "https://label-studio.example.org"
_BLOCK: Final = re.compile(
    r"^```(?:yaml\n# (?P<file>\S+)\n(?P<manifest>.*?)|console\n(?P<console>.*?)|"
    r"http\n(?P<http>.*?))^```$",
    re.MULTILINE | re.DOTALL,
)
_LEFT_OUT: Final = re.compile(r"^(Digest: .*|https://\S+ \(.*\))\n+", re.MULTILINE)


_TOOK: Final = re.compile(r"(?<= requests, )[\d.]+ s$", re.MULTILINE)
"""How long reading took, which is never the same twice."""


class Step(NamedTuple):
    """A manifest to save, or a console or exchange to print again; ``span`` is where it stands."""

    file: str
    text: str
    span: tuple[int, int]
    kind: str


def read_examples(page: Path) -> Iterator[list[Step]]:
    """Give the steps of each example, in the order of the page."""
    example: list[Step] = []
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        kind = next(name for name in ("manifest", "console", "http") if found[name] is not None)
        printed = any(step.kind != "manifest" for step in example)
        if (found["file"] == "example.yaml" and example) or (kind == "http" and printed):
            yield example
            example = []
        example.append(Step(found["file"] or "", found[kind], found.span(kind), kind))
    yield example


EXAMPLES: Final = [
    pytest.param(page, number, id=f"{page.name}-{number + 1}")
    for page in PAGES
    for number in range(len(list(read_examples(page))))
]


def print_again(console: str, server: ExampleServer) -> str:
    """Run the commands of a console, and return it with what they print now."""
    printed = ""
    code = 0
    for line in re.findall(r"^(?:\$|#(?! \S+\.yaml$)) .+$", console, re.MULTILINE):
        printed += f"{line}\n"
        out = io.StringIO()
        if line.startswith("#"):
            server.expect(line)
        elif line == "$ echo $?":
            out.write(f"{code}\n")
        elif line.startswith("$ git "):
            out.write(run_git(shlex.split(line)[2:]))
        elif line.startswith("$ cat "):
            out.write(Path(line.removeprefix("$ cat ")).read_text(encoding="utf-8"))
        else:
            server.begin(out)
            with redirect_stdout(out), redirect_stderr(out), handling_signals():
                code = run(shlex.split(line)[2:], collaborators=Collaborators(server))
            server.end()
        text = _LEFT_OUT.sub("", _TOOK.sub("0.1 s", out.getvalue())).strip("\n")
        printed += text and f"{text}\n"
    return printed


def run_git(arguments: list[str]) -> str:
    """Run git in the current folder, where nobody's settings count; commits are always the same."""
    return GitRepository(Path()).git(*arguments)


def accept(page: Path, number: int, printed: list[str]) -> None:
    text = page.read_text(encoding="utf-8")
    shown = [step for step in list(read_examples(page))[number] if not step.file]
    for step, now in reversed(list(zip(shown, printed, strict=True))):
        text = text[: step.span[0]] + now + text[step.span[1] :]
    page.write_text(text, encoding="utf-8")


def start_server(example: list[Step]) -> ExampleServer:
    """Start the sandbox that an example runs on; its first line may name another release."""
    found = re.match(
        r"# reconciler sandbox .*--release (\S+)\n", example[0].text if example else ""
    )
    release = found[1] if found else NEWEST
    return ExampleServer(load_state(ROOT / "examples" / "sandbox.json", release=release))


@contextmanager
def handling_signals() -> Iterator[None]:
    """Handle signals as the program does when it starts, with a record of its own."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    with pytest.MonkeyPatch.context() as patch:
        record = SignalRecord()
        patch.setattr(main, "SIGNALS", record)
        patch.setattr(review, "SIGNALS", record)
        record.install()
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@pytest.mark.parametrize(("page", "number"), EXAMPLES)
def test_an_example_prints_what_the_page_shows(
    page: Path, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    example = list(read_examples(page))[number]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_URL", ADDRESS)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    monkeypatch.setattr(client, "Backoff", Patient)
    server = start_server(example)
    shown, printed = [], []
    for step in example:
        if step.kind == "manifest":
            Path(step.file).write_text(f"# {step.file}\n{step.text}", encoding="utf-8")
            continue
        shown.append(step.text)
        if step.kind == "http":
            printed.append(send_again(step.text, server.state))
        else:
            printed.append(print_again(step.text, server))

    if "ACCEPT_CASES" in os.environ:
        accept(page, number, printed)
    else:
        assert printed == shown


WITHOUT: Final = {
    "semantics.md": ["Words", "Report", "JSON plan", "JSON validation"],
    "manifest.md": ["Header", "Attributes", "JSON and JSON lines", "Editors"],
    "server-facts.md": [],
    # These say which options there are, and what an example would only repeat.
    "pull.md": ["Which tasks", "Which values", "Which files", "What cannot be declared", "Reading"],
    "updating.md": ["What is written"],
}
"""The sections that define words and formats, or whose example is in another section."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_section_has_an_example(page: Path):
    sections = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    without = [
        section.partition("\n")[0]
        for section in sections
        if not any(found["file"] is None for found in _BLOCK.finditer(section))
    ]

    assert without == WITHOUT[page.name]


def test_what_goes_wrong_is_said_in_words_that_the_server_knows():
    server = ExampleServer(load_state(None))

    with pytest.raises(ValueError, match="the server explodes"):
        server.expect("# the server explodes")
    server.expect("# update 1 is stored, but its answer is lost")
    with pytest.raises(AssertionError):
        server.end()
