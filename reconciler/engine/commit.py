"""Which git commit manifests were at: told by the environment, or asked of git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from reconciler.core.notation import STANDARD_INPUT
from reconciler.core.report import Commit
from reconciler.manifest.files import is_manifest

_VARIABLES: Final = ("RECONCILER_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA")
SECONDS: Final = 5.0
"""How long git may take: a repository on a network drive must not hold up an apply."""

_ISOLATED: Final = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
}
_HARMLESS: Final = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
"""Settings of a user or a repository can name programs that git runs: none of them is to run."""

_STATUS: Final = (
    *("--porcelain", "-z", "--no-renames"),
    *("--untracked-files=all", "--ignore-submodules=all"),
)


def find_commit(
    manifests: Sequence[str], environment: Mapping[str, str], *, seconds: float = SECONDS
) -> Commit | None:
    """Tell the commit that ``manifests``, files and folders, are of; None where nothing tells.

    The environment comes first: what it names need not be the commit that is checked out. Without
    manifests, as for a saved plan, only the environment can tell.
    """
    for name in _VARIABLES:
        told = environment.get(name, "").strip()
        if told:
            return Commit(told)
    if not manifests:
        return None
    git = partial(_run_git, _find_folder(manifests[0]), environment=environment, seconds=seconds)
    return _ask_git(manifests, git)


def _ask_git(manifests: Sequence[str], git: Callable[..., str | None]) -> Commit | None:
    commit = git("rev-parse", "--verify", "HEAD")
    if not commit:
        return None
    # A glob stands for its folder: git would not find what it stands for here.
    paths = [str(Path(path).absolute()) for path in manifests if Path(path).exists()] or ["."]
    changed = git("status", *_STATUS, "--", *paths) or ""
    dirty = any(map(is_manifest, changed.split("\0")))
    return Commit(commit.strip(), dirty)


def _find_folder(path: str) -> Path:
    """Give the folder that a manifest, a folder of them, or a glob, lies in."""
    start = Path() if path == STANDARD_INPUT else Path(path)
    return next((p for p in (start, *start.parents) if p.is_dir()), Path())


def _run_git(
    folder: Path, *arguments: str, environment: Mapping[str, str], seconds: float
) -> str | None:
    """Ask git, which need not be there; None where it does not tell."""
    kept = {name: value for name, value in environment.items() if not name.startswith("GIT_")}
    try:
        asked = subprocess.run(  # noqa: S603 - no shell, and nothing but paths is given
            ["git", *_HARMLESS, "-C", str(folder), *arguments],  # noqa: S607 - as it is installed
            env={**kept, **_ISOLATED},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return asked.stdout if asked.returncode == 0 else None
