"""Finding the git commit of the manifests, from the environment or from git."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from reconciler.core.notation import STANDARD_INPUT
from reconciler.core.report import Commit
from reconciler.engine.git import SECONDS
from reconciler.engine.load import find_files
from reconciler.engine.revision import Blob, Repository, hash_file
from reconciler.errors import SettingsError
from reconciler.manifest.files_above import find_work_tree
from reconciler.manifest.folders import is_inside
from reconciler.manifest.named_files import NamedFiles

_VARIABLES: Final = ("RECONCILER_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA")


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
    root = find_work_tree(os.path.realpath(_find_folder(manifests[0])))
    if root is None:
        return None
    try:
        return _ask_git(manifests, Repository(root, environment, seconds))
    except SettingsError:
        return None


def _ask_git(manifests: Sequence[str], repository: Repository) -> Commit | None:
    commit = repository.find_commit("HEAD")
    if commit is None:
        return None
    blobs = {blob.path: blob for blob in repository.list_blobs(commit)}
    return Commit(commit, _have_changed(manifests, repository, blobs))


def _have_changed(
    manifests: Sequence[str], repository: Repository, blobs: Mapping[str, Blob]
) -> bool:
    """Tell whether a manifest is not as in the commit.

    Git is not asked for this: its answer may come from programs that a repository configures.
    """
    root = repository.root
    reals = (os.path.realpath(file) for file in _list_files(manifests))
    files = {os.path.relpath(real, root): real for real in reals if is_inside(real, root)}
    if not files.keys() <= blobs.keys():
        return True
    names = NamedFiles(manifests, root)
    removed = (path for path in blobs if names.holds(path) and path not in files)
    if any(not os.path.lexists(Path(root, path)) for path in removed):
        return True
    differing = {
        blobs[path]: real
        for path, real in files.items()
        if hash_file(real, len(blobs[path].object_id)) != blobs[path].object_id
    }
    return any(
        not _has_contents(differing[blob], held) for blob, held in repository.read([*differing])
    )


def _list_files(manifests: Sequence[str]) -> Sequence[str]:
    """List the files of a run; tasks from standard input are of no commit."""
    paths = [path for path in manifests if path != STANDARD_INPUT]
    return find_files(paths).files if paths else []


def _has_contents(file: str, expected: bytes) -> bool:
    """Tell whether a file has these contents; git may store line ends differently."""
    try:
        found = Path(file).read_bytes()
    except OSError:
        return False
    return found.replace(b"\r\n", b"\n") == expected.replace(b"\r\n", b"\n")


def _find_folder(path: str) -> Path:
    """Return the nearest folder that exists, of a manifest, a folder or a glob."""
    start = Path() if path == STANDARD_INPUT else Path(path)
    return next((p for p in (start, *start.parents) if p.is_dir()), Path())
