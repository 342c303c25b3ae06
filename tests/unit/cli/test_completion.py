"""Completion in real shells: what a press of TAB makes of a line is what the program receives."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from tests.unit.cli.conftest import Command

_PROMPT: Final = "READY> "
_SHIM: Final = """#!/bin/sh
if [ -n "$_RECONCILER_COMPLETE" ]; then exec "{python}" -m reconciler "$@"; fi
printf 'RAN:'; printf '<%s>' "$@"; echo ':END'
"""
_ON_TERMINAL: Final = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal that of a new session, without which shells have no job control."""

_START: Final = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], f"PS1='{_PROMPT}'; source ./script"),
    "zsh": (
        ["zsh", "-f", "-i"],
        f"autoload -U compinit; compinit -u -D; source ./script; PROMPT='{_PROMPT}'",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        f"source ./script; function fish_prompt; printf '{_PROMPT}'; end",
    ),
}
_RULES: Final = """version: 1
project: 7
rules:
  - name: label the validation split twice
    where: {data.split: val}
    set: {overlap: 2}
  - {name: "pictures: all", where: {data.name: x}, set: {overlap: 3}}
  - name: 'Ann''s'
    set: {overlap: 3}
tasks:
  - id: 1
    data: {name: not a rule}
"""
_SECONDS: Final = 60


@pytest.fixture(params=list(_START))
def shell(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed: apt-get install {name}")
    return name


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Path:
    """A folder with a manifest, two environments, and the program under its name."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "rules.yaml").write_text(_RULES, encoding="utf-8")
    (tmp_path / "reconciler.toml").write_text(
        '[environments.staging]\nurl = "https://s.example"\n'
        '[environments.production]\nurl = "https://p.example"\n',
        encoding="utf-8",
    )
    program = tmp_path / "bin" / "reconciler"
    program.parent.mkdir()
    program.write_text(_SHIM.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o700)
    return tmp_path


def make_environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "HOME": str(folder),
        "TERM": "xterm",
        "LANG": "C.UTF-8",
    }


class Terminal:
    """A shell on a terminal."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._primary, secondary = pty.openpty()
        self._process = subprocess.Popen(  # noqa: S603 - the shells that are tested
            [sys.executable, "-c", _ON_TERMINAL, *command],
            cwd=folder,
            env=make_environment(folder),
            stdin=secondary,
            stdout=secondary,
            stderr=secondary,
        )
        os.close(secondary)
        self.shown = ""

    def send(self, text: str) -> None:
        os.write(self._primary, text.encode())

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until the pattern is shown; what comes after it is looked at by the next call."""
        until = time.monotonic() + _SECONDS
        while not (found := re.search(pattern, self.shown)):
            assert time.monotonic() < until, self.shown
            if select.select([self._primary], [], [], 0.2)[0]:
                self.shown += os.read(self._primary, 65_536).decode(errors="replace")
        self.shown = self.shown[found.end() :]
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._primary)


CASES: Final = [
    ("pl\t", "plan"),
    ("compl\tzs\t", "completion", "zsh"),
    ("plan --detailed-e\t", "plan", "--detailed-exitcode"),
    ("plan --env st\t", "plan", "--env", "staging"),
    ("plan --format js\t", "plan", "--format", "json"),
    ("plan --allow label-c\t", "plan", "--allow", "label-config"),
    ("plan --target rule:la\t", "plan", "--target", "rule:label the validation split twice"),
    (
        "plan manifests/ --exclude rule:pic\t",
        "plan",
        "manifests/",
        "--exclude",
        "rule:pictures: all",
    ),
    ("plan --target file:man\t", "plan", "--target", "file:manifests/rules.yaml"),
    ("validate manif\tru\t", "validate", "manifests/rules.yaml"),
]
"""What is typed after the name of the program, and what it receives."""


def test_each_shell_completes_what_is_typed(shell: str, folder: Path, command: Command):
    script = command("completion", shell)
    (folder / "script").write_text(script.output, encoding="utf-8")
    (arguments, start), received = _START[shell], []
    terminal = Terminal(arguments, folder)
    try:
        # Two words, so that the echo of the line is not taken for its output.
        terminal.send(f"{start}; echo STAR''TED\r")
        terminal.wait_for("STARTED")
        terminal.wait_for(_PROMPT)
        for typed, *_ in CASES:
            terminal.send("reconciler ")
            for part in re.findall(r"[^\t]+\t?", typed):
                terminal.send(part)
                time.sleep(0.5)
            terminal.send("\r")
            found = terminal.wait_for("RAN:(.*):END")[1]
            received.append((typed, *(word.rstrip() for word in re.findall("<(.*?)>", found))))
            terminal.wait_for(_PROMPT)
    finally:
        terminal.close()

    assert script.code == 0
    assert received == CASES


def test_the_scripts_load_without_a_word(shell: str, folder: Path, command: Command):
    (folder / "script").write_text(command("completion", shell).output, encoding="utf-8")
    start = "autoload -U compinit; compinit -u -D; " if shell == "zsh" else ""

    done = subprocess.run(  # noqa: S603 - as above
        [*_START[shell][0][:-1], "-c", f"{start}source ./script"],
        env=make_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def complete(folder: Path, line: str) -> list[str]:
    """Complete a line as bash does; returns the values."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler"],
        cwd=folder,
        env=make_environment(folder)
        | {"COMP_WORDS": line, "_RECONCILER_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [text.partition(",")[2] for text in done.stdout.splitlines()]


def test_rules_come_from_the_manifests_of_the_line(folder: Path):
    (folder / "other.json").write_text(
        '{"version": 1, "project": 7, "rules": [{"name": "of json", "set": {"overlap": 1}}]}',
        encoding="utf-8",
    )

    beside = complete(folder, "reconciler plan --target rule:")
    named = complete(folder, "reconciler plan other.json --target rule:")

    assert beside == [
        "rule:label the validation split twice",
        "rule:pictures: all",
        "rule:Ann's",
    ]
    assert named == ["rule:of json"]


@pytest.mark.parametrize(
    "line",
    ["reconciler nonsense ", "reconciler plan --env ", "reconciler plan --target rule:", "x"],
)
def test_what_cannot_be_read_is_not_completed(line: str, folder: Path):
    (folder / "reconciler.toml").write_bytes(b"\xff = [")
    (folder / "manifests" / "rules.yaml").write_bytes(b"rules: [\x00\xff{name: \x1b[31m}")

    assert not [value for value in complete(folder, line) if not value.isprintable()]


def test_huge_manifests_are_scanned_in_part(folder: Path):
    with (folder / "manifests" / "huge.yaml").open("w", encoding="utf-8") as out:
        out.write("rules:\n")
        out.writelines(f"  - name: rule {number}\n" for number in range(1_000_000))

    found = complete(folder, "reconciler plan --target 'rule:rule 99")

    assert "rule:rule 99" in found
    assert "rule:rule 999999" not in found
