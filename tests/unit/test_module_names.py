"""A module can be found by its name alone: no two of the package share one."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import reconciler

PACKAGE = Path(reconciler.__file__).parent
NAMED_BY_USERS = {"cli/commands", "renderers"}
"""The folders whose modules have the names of commands and of formats."""


def list_modules_by_name(folder: Path) -> dict[str, set[str]]:
    """List, by name, the folders of modules; those with the names of commands are left out."""
    folders: dict[str, set[str]] = defaultdict(set)
    for file in folder.rglob("*.py"):
        inside = file.parent.relative_to(folder).as_posix()
        if inside not in NAMED_BY_USERS and not file.stem.startswith("__"):
            folders[file.stem].add(inside)
    return folders


def find_shared_names(folder: Path) -> dict[str, set[str]]:
    by_name = list_modules_by_name(folder)
    return {name: folders for name, folders in by_name.items() if len(folders) > 1}


def test_no_two_modules_share_a_name():
    assert len(list_modules_by_name(PACKAGE)) > 100
    assert find_shared_names(PACKAGE) == {}


def test_a_shared_name_is_noticed(tmp_path: Path):
    for file in ("core/plan.py", "engine/plan.py", "cli/commands/plan.py", "core/__init__.py"):
        module = tmp_path / file
        module.parent.mkdir(parents=True, exist_ok=True)
        module.touch()
    assert find_shared_names(tmp_path) == {"plan": {"core", "engine"}}
