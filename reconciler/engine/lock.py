"""``reconciler.lock`` and the server: compared by plans, and written from what is read now."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.core.locked_server import (
    DEFAULT,
    Lock,
    ServerFacts,
    compare_facts,
    describe_update,
    lock_facts,
)
from reconciler.engine.connection import Connection
from reconciler.engine.load import load_desired
from reconciler.engine.lock_files import LockFiles, shorten_path
from reconciler.engine.project_lookup import choose_lookup
from reconciler.engine.settings.run_settings import Settings, find_place_of
from reconciler.engine.settings.settings_file import FILE as SETTINGS_FILE
from reconciler.errors import ManifestError, ReconcilerError
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import FoundFiles, Place
from reconciler.manifest.files_above import (
    LOCK_FILE,
    WORK_TREE,
    FilesAbove,
    find_work_tree,
    make_absolute,
)
from reconciler.manifest.lock_file import LockFile, read_lock, write_lock
from reconciler.progress import NULL_PROGRESS, ProgressListener

__all__ = [
    "LOCK_FILE",
    "LockChange",
    "ServerFacts",
    "find_lock_path",
    "list_stale_locks",
    "lock_manifests",
    "try_to_lock_project",
    "update_lock",
]

_REPLACED: Final = (
    "it could not be read, and was replaced; only this environment is in it now (run again with "
    "--env for each of the others)"
)

_UPDATE: Final = "run reconciler doctor --update-lock"

_WARNINGS_MAX: Final = 10


def find_lock_path(places: Mapping[Place, str]) -> Path:
    """Return where the lock of a run is, or would be.

    That is beside the settings file nearest to the first manifest; without one, where the nearest
    lock above it is, or else in the current folder, or beside the manifest if it is elsewhere. All
    of them must be in the git work tree of the manifest, if it is in one; its top is the last
    choice.
    """
    folder = make_absolute(next(iter(places)).reached) if places else str(Path.cwd())
    for name in (SETTINGS_FILE, LOCK_FILE):
        if found := FilesAbove(name, top=WORK_TREE).list_files(folder):
            return Path(shorten_path(found[0])).with_name(LOCK_FILE)
    # Manifests find a lock only above them.
    if not Path(folder).is_relative_to(Path.cwd()):
        return Path(folder) / LOCK_FILE
    top = find_work_tree(folder)
    if top is None or Path.cwd().is_relative_to(top):
        return Path(LOCK_FILE)
    return Path(shorten_path(top)) / LOCK_FILE


def list_stale_locks(
    files: FoundFiles, environment: str, facts: Iterable[ServerFacts]
) -> list[str]:
    """List where the locks of manifests differ from what a plan has read of the server.

    It takes no request, and changes nothing: the server is believed, not the lock. Of many
    differences, the first are listed and the others counted.
    """
    locks = LockFiles()
    found = [
        f"{lock.path}: {message} ({_UPDATE})"
        for lock in locks.find_all(files.places)
        for read in facts
        for message in _compare(lock, environment, read)
    ]
    found += map(str, locks.problems)
    more = len(found) - _WARNINGS_MAX
    return found[:_WARNINGS_MAX] + ([f"{LOCK_FILE}: {more:,} more differences"] if more > 0 else [])


def _compare(lock: LockFile, environment: str, facts: ServerFacts) -> Iterator[str]:
    locked = lock.lock.environments.get(environment or DEFAULT)
    if locked is not None:
        yield from compare_facts(locked, facts)
    elif environment:
        yield f"environment {environment} is not in it"


@dataclass(frozen=True, slots=True)
class LockChange:
    """What an update of a lock changed, a line each; ``lines`` is empty if it changed nothing.

    ``problems`` say why the lock could not be updated; empty if it was.
    """

    file: Path
    lines: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def update_lock(
    connection: Connection,
    projects: Mapping[int, Collection[str]],
    *,
    file: Path,
    environment: str = "",
    replace_damaged: bool = False,
    progress: ProgressListener = NULL_PROGRESS,
) -> LockChange:
    """Read what a lock holds of some projects, and write it to ``file`` if it has changed.

    ``projects`` are the numbers, each with the names that manifests use. It takes a request for
    each project, one for the version, one for OPTIONS, and one that finds a task for that. What
    connections have been told before is not asked again. Entries of other environments are kept,
    and other projects of the same server, too. A regular file that is no valid lock is only
    overwritten with ``replace_damaged``; its entries are lost.

    Raises ServerError, ManifestError if the lock in ``file`` has problems, and Refused if it
    cannot be written.
    """
    lock = _read_known(file, replace_damaged=replace_damaged)
    is_damaged = lock is None
    lock = lock or Lock()
    before = lock.environments.get(environment or DEFAULT)
    facts = _read_facts(connection, sorted(projects), progress)
    now = lock_facts(facts, projects, before=before)
    lines = tuple(describe_update(before, now))
    updated = lock.put(environment, now)
    if updated != lock or is_damaged or not os.path.lexists(file):
        write_lock(updated, file)
    return LockChange(file, (_REPLACED, *lines) if is_damaged else lines)


def _read_known(file: Path, *, replace_damaged: bool) -> Lock | None:
    """Read the lock, empty if there is none; None if it is a damaged one that may be replaced."""
    if not os.path.lexists(file):
        return Lock()
    try:
        return read_lock(str(file)).lock
    except ManifestError:
        if replace_damaged and not file.is_symlink() and file.is_file():
            return None
        raise


def lock_manifests(
    files: FoundFiles,
    settings: Settings,
    connection: Connection,
    *,
    progress: ProgressListener = NULL_PROGRESS,
) -> LockChange:
    """Write what the server says of the projects of manifests into their lock, damaged or not.

    Raises what `update_lock` and `load_desired` raise.
    """
    names: dict[int, set[str]] = {}
    find = choose_lookup(settings, connection)

    def find_and_note(name: str) -> int:
        number = find(name)
        names.setdefault(number, set()).add(name)
        return number

    desired = load_desired(files, server=settings.server, projects=find_and_note, progress=progress)
    projects = {number: names.get(number, ()) for number in desired.list_projects()}
    return update_lock(
        connection,
        projects,
        file=find_lock_path(files.places),
        environment=settings.environment,
        replace_damaged=True,
        progress=progress,
    )


def try_to_lock_project(
    project: int | str, folder: Path, settings: Settings, connection: Connection
) -> LockChange:
    """Write what the server says of one project into the lock of the manifests in a folder.

    Why that fails is returned, not raised.
    """
    file = find_lock_path(find_place_of(folder))
    try:
        if isinstance(project, str):
            projects = {choose_lookup(settings, connection)(project): [project]}
        else:
            projects = {project: []}
        return update_lock(connection, projects, file=file, environment=settings.environment)
    except ManifestError as error:
        problems = tuple(map(str, error.problems))
    except ReconcilerError as error:
        problems = (str(error),)
    return LockChange(file, problems=problems)


def _read_facts(
    connection: Connection, projects: list[int], progress: ProgressListener
) -> ServerFacts:
    api = connection.api
    identity = connection.identify()
    settings = {number: api.project_settings(number) for number in projects}
    if api.capabilities.known is None and (task := _find_task(api, projects)) is not None:
        api.capabilities.ask(task, progress)
    return ServerFacts(identity, api.capabilities.known, settings)


def _find_task(api: TaskApi, projects: list[int]) -> int | None:
    """Find any task, which OPTIONS needs; None if the first project has none."""
    if not projects:
        return None
    page = api.fetch_list(projects[0], {"id"}, page=1, size=1)()
    return next(iter(page.tasks), None)
