"""A program outside of this project: it runs, and type checkers know all that it uses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from tests.unit.labelstudio.wired import sandbox_with

PROGRAM = Path(__file__).with_name("typed_program.py")
PYRIGHT = "1.1.414"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program, where nothing of this project lies beside it."""
    return Path(shutil.copy(PROGRAM, tmp_path / "program.py"))


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - commands of this test
        command, cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def cache(request: pytest.FixtureRequest) -> Path:
    """A folder that later runs of the tests find again."""
    return request.config.cache.mkdir(f"type-checkers-{sys.version_info[0]}.{sys.version_info[1]}")


@pytest.fixture
def pyright(cache: Path) -> Path:
    """Pyright, which is written for node and installed from there."""
    npm = shutil.which("npm")
    assert npm, "pyright is installed with npm, which is not there: install node 18 or later"
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
    installed = run(npm, "install", *options, "--prefix", cache, f"pyright@{PYRIGHT}", folder=cache)
    assert installed.returncode == 0, installed.stderr
    return cache / "node_modules" / ".bin" / "pyright"


def test_it_runs(program: Path):
    with serve(sandbox_with(3)) as url:
        done = run(sys.executable, program, url, SANDBOX_TOKEN, folder=program.parent)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_mypy_finds_every_type(program: Path, cache: Path):
    options = ("--strict", "--no-error-summary", "--cache-dir", cache / "mypy")
    done = run(sys.executable, "-m", "mypy", *options, program, folder=program.parent)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_pyright_finds_every_type(program: Path, pyright: Path):
    settings = {"typeCheckingMode": "strict", "include": [program.name]}
    (program.parent / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")

    options = ("--outputjson", "--pythonpath", sys.executable)
    done = run(pyright, *options, folder=program.parent)

    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == 1
    assert found["generalDiagnostics"] == []
