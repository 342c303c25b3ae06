"""Running git so that nothing which a user or a repository configures is run by it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SECONDS: Final = 5.0
"""How long git may take: a repository on a network drive must not hold up an apply."""

_ISOLATED: Final = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    # An object that a partial clone lacks would be fetched by programs that its settings name.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_HARMLESS: Final = (
    "--no-pager",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
)
"""Settings of a user or a repository can name programs for git to run: these prevent it."""


def run_git(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str],
    seconds: float = SECONDS,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, and return its result, whatever its exit code.

    Raises OSError if git is not installed, SubprocessError if it takes too long, and ValueError if
    it cannot be passed an argument.
    """
    kept = {name: value for name, value in environment.items() if not name.startswith("GIT_")}
    return subprocess.run(  # noqa: S603 - no shell; options end before what users write
        ["git", *_HARMLESS, "-C", str(folder), *arguments],  # noqa: S607 - wherever git is installed
        env={**kept, **_ISOLATED},
        input=stdin,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
