"""The scripts of examples/python, run as programs of their own or imported."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from reconciler.sandbox.access import SANDBOX_TOKEN

ROOT: Final = Path(__file__).resolve().parents[3]
SCRIPTS: Final = ROOT / "examples" / "python"
TASKS: Final = ROOT / "examples" / "sandbox.json"


class Ran(NamedTuple):
    """What a script exited with, and what it printed."""

    code: int
    out: str
    err: str


def name_server(url: str, token: str = SANDBOX_TOKEN) -> dict[str, str]:
    """Give the environment that names a server to a script."""
    return {"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": token}


def run_script(name: str, *arguments: str | Path, environment: Mapping[str, str]) -> Ran:
    """Run a script."""
    return run_python(SCRIPTS / name, *arguments, environment=environment)


def run_python(*arguments: str | Path, environment: Mapping[str, str]) -> Ran:
    """Run Python in the folder of the project; warnings are errors, as in all tests."""
    ran = subprocess.run(  # noqa: S603 - our own interpreter, our own scripts
        [sys.executable, "-W", "error", *map(str, arguments)],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def import_script(name: str) -> dict[str, Any]:
    """Give the names that a script defines."""
    return runpy.run_path(str(SCRIPTS / name))
