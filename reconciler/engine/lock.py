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
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import FoundFiles, Place
from reconciler.manifest.files_above import FilesAbove, make_absolute
from reconciler.manifest.lock_file import FILE, LockFile, read_lock, write_lock
from reconciler.progress import NULL_PROGRESS, ProgressListener

__all__ = [
    "FILE",
    "LockChange",
    "ServerFacts",
    "find_lock_path",
    "list_stale_locks",
    "lock_manifests",
    "lock_project",
    "update_lock",
]

_UPDATE: Final = "run reconciler doctor --update-lock"

_WARNINGS_MAX: Final = 10


def find_lock_path(places: Mapping[Place, str]) -> Path:
    """Return where the lock of a run is, or would be.

    That is beside the settings file nearest to the first manifest; without one, where the nearest
    lock above it is, or else in the current folder, or beside the manifest if it is elsewhere.
    """
    folder = make_absolute(next(iter(places)).reached) if places else str(Path.cwd())
    for name in (SETTINGS_FILE, FILE):
        if found := FilesAbove(name).list_files(folder):
            return Path(shorten_path(found[0])).with_name(FILE)
    # Manifests find a lock only above them.
    is_below = Path(folder).is_relative_to(Path.cwd())
    return Path(FILE) if is_below else Path(folder) / FILE


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
    return found[:_WARNINGS_MAX] + ([f"{FILE}: {more:,} more differences"] if more > 0 else [])


def _compare(lock: LockFile, environment: str, facts: ServerFacts) -> Iterator[str]:
    locked = lock.lock.environments.get(environment or DEFAULT)
    if locked is not None:
        yield from compare_facts(locked, facts)
    elif environment:
        yield f"environment {environment} is not in it"


@dataclass(frozen=True, slots=True)
class LockChange:
    """What an update of a lock changed, a line each; ``lines`` is empty if it changed nothing."""

    file: Path
    lines: tuple[str, ...] = ()


def update_lock(  # noqa: PLR0913 - what to lock, and where
    connection: Connection,
    projects: Mapping[int, Collection[str]],
    *,
    file: Path,
    environment: str = "",
    task: int | None = None,
    prune: bool = False,
    progress: ProgressListener = NULL_PROGRESS,
) -> LockChange:
    """Read what a lock holds of some projects, and write it to ``file`` if it has changed.

    ``projects`` are the numbers, each with the names that manifests use. It takes a request for
    each project, one for the version, and one for OPTIONS; another one finds a ``task`` for that
    if none is passed. What connections have been told before is not asked again. Entries of other
    environments are kept, and projects of the same server, too: ``prune`` removes projects that
    are not among ``projects``. A lock with problems is not overwritten.

    Raises ServerError, ManifestError if the lock in ``file`` has problems, and Refused if it
    cannot be written.
    """
    lock = read_lock(str(file)).lock if os.path.lexists(file) else Lock()
    before = lock.environments.get(environment or DEFAULT)
    facts = _read_facts(connection, sorted(projects), task, progress)
    now = lock_facts(facts, projects, before=before, prune=prune)
    lines = tuple(describe_update(before, now))
    updated = lock.put(environment, now)
    if updated != lock or not os.path.lexists(file):
        write_lock(updated, file)
    return LockChange(file, lines)


def lock_manifests(
    files: FoundFiles,
    settings: Settings,
    connection: Connection,
    *,
    progress: ProgressListener = NULL_PROGRESS,
) -> LockChange:
    """Write what the server says of the projects of manifests into their lock.

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
        progress=progress,
    )


def lock_project(
    project: int | str, folder: Path, settings: Settings, connection: Connection
) -> LockChange:
    """Write what the server says of one project into the lock of the manifests in a folder.

    Raises what `update_lock` raises.
    """
    if isinstance(project, str):
        projects = {choose_lookup(settings, connection)(project): [project]}
    else:
        projects = {project: []}
    return update_lock(
        connection,
        projects,
        file=find_lock_path(find_place_of(folder)),
        environment=settings.environment,
    )


def _read_facts(
    connection: Connection, projects: list[int], task: int | None, progress: ProgressListener
) -> ServerFacts:
    api = connection.api
    identity = connection.identify()
    settings = {number: api.project_settings(number) for number in projects}
    if api.capabilities.known is None:
        found = _find_task(api, projects) if task is None else task
        if found is not None:
            api.capabilities.ask(found, progress)
    return ServerFacts(identity, api.capabilities.known, settings)


def _find_task(api: TaskApi, projects: list[int]) -> int | None:
    """Find any task, which OPTIONS needs; None if the first project has none."""
    if not projects:
        return None
    page = api.fetch_list(projects[0], {"id"}, page=1, size=1)()
    return next(iter(page.tasks), None)
