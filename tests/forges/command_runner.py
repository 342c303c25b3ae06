"""Running command lines in this process, with only the variables that a job has."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from reconciler.cli.main import run as run_command


def run_command_line(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path
) -> tuple[int, str]:
    """Run a command line; returns its exit code, and what it printed on both streams."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        with redirect_stdout(printed), redirect_stderr(printed):
            code = run_command(arguments)
    return code, printed.getvalue()
