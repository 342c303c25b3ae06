"""Finding the git commit of the manifests, from the environment or from git."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from reconciler.core.notation import STANDARD_INPUT
from reconciler.core.report import Commit
from reconciler.engine.git import SECONDS, run_git
from reconciler.manifest.files import is_manifest

_VARIABLES: Final = ("RECONCILER_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA")
_STATUS: Final = (
    *("--porcelain", "-z", "--no-renames"),
    *("--untracked-files=all", "--ignore-submodules=all"),
)


def find_commit(
    manifests: Sequence[str], environment: Mapping[str, str], *, seconds: float = SECONDS
) -> Commit | None:
    """Find the commit of ``manifests``, files and folders; None if it is not known.

    The environment comes first, even if it names another commit than the one checked out. Without
    manifests, as for a saved plan, only the environment can name it.
    """
    for name in _VARIABLES:
        commit = environment.get(name, "").strip()
        if commit:
            return Commit(commit)
    if not manifests:
        return None
    git = partial(_ask, _find_folder(manifests[0]), environment=environment, seconds=seconds)
    return _ask_git(manifests, git)


def _ask_git(manifests: Sequence[str], git: Callable[..., str | None]) -> Commit | None:
    commit = git("rev-parse", "--verify", "HEAD")
    if not commit:
        return None
    # Git would match a glob differently: it is left out, and with only globs, the folder counts.
    paths = [str(Path(path).absolute()) for path in manifests if Path(path).exists()] or ["."]
    changed = git("status", *_STATUS, "--", *paths) or ""
    dirty = any(map(is_manifest, changed.split("\0")))
    return Commit(commit.strip(), dirty)


def _find_folder(path: str) -> Path:
    """Return the nearest folder that exists, of a manifest, a folder or a glob."""
    start = Path() if path == STANDARD_INPUT else Path(path)
    return next((p for p in (start, *start.parents) if p.is_dir()), Path())


def _ask(
    folder: Path, *arguments: str, environment: Mapping[str, str], seconds: float
) -> str | None:
    """Run git and return its output; None if it fails or is not installed."""
    try:
        result = run_git(folder, *arguments, environment=environment, seconds=seconds)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return result.stdout.decode(errors="replace") if result.returncode == 0 else None
