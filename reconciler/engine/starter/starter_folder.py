"""Making a folder of manifests: the files, the projects of the server, and a first pull."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from reconciler.core.pull_result import Pulled
from reconciler.core.server_address import normalize_address
from reconciler.core.starter_result import (
    KeptFile,
    ListedProject,
    ServerProjects,
    StarterResult,
)
from reconciler.engine.connection import Connection
from reconciler.engine.lock import try_to_lock_project
from reconciler.engine.project_lookup import ProjectTitles
from reconciler.engine.pull import pull_tasks
from reconciler.engine.pull_options import PullOptions
from reconciler.engine.settings.environments import check_name
from reconciler.engine.settings.run_settings import (
    OF_PULL,
    CliOverrides,
    Settings,
    find_place_of,
    read_settings,
)
from reconciler.engine.settings.settings_file import FILE as SETTINGS_FILE
from reconciler.engine.settings.settings_file import SettingsFiles
from reconciler.engine.starter.ci_service import CiService, find_ci_service
from reconciler.engine.starter.next_steps import list_steps
from reconciler.engine.starter.package_source import find_package_source
from reconciler.engine.starter.starter_files import (
    MANIFESTS,
    Filling,
    Layout,
    build_first_manifest,
    build_settings,
    has_manifests,
    list_files,
    write_files,
)
from reconciler.errors import ReconcilerError, SettingsError
from reconciler.manifest.files_above import find_work_tree
from reconciler.manifest.writers.file_names import make_name
from reconciler.progress import NULL_PROGRESS, ProgressListener

PROJECTS_MAX: Final = 20
"""How many projects are listed."""

Connect: TypeAlias = Callable[[Settings], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class StarterOptions:
    """What to make: ``ci`` is None to find it out, ``project`` to pull the only one there is."""

    folder: Path
    ci: CiService | None
    project: int | str | None
    overrides: CliOverrides


def make_folder(
    options: StarterOptions,
    environment: Mapping[str, str],
    connect: Connect,
    *,
    progress: ProgressListener = NULL_PROGRESS,
) -> StarterResult:
    """Write the files that do not exist, and pull a project if a server can be read.

    The server is only read. A problem with it is told in the result, not raised, because the files
    do not need it. Raises Refused and SettingsError before anything is written, and Refused if a
    file cannot be written.
    """
    folder = options.folder
    layout = Layout(folder, _find_root(folder))
    layout.check()
    above = _find_settings(layout)
    filling = _choose_filling(options, above)
    ci = options.ci or find_ci_service(layout.root)
    files = list_files(layout, filling, ci)
    if above and above.parent != folder.resolve():
        files = [file for file in files if file.path.name != SETTINGS_FILE]
    written, kept = write_files(files)
    if above and above.parent != folder.resolve():
        kept.insert(0, KeptFile(str(above), "it counts for this folder too"))
    made = _Made(options, environment, layout, filling, written)
    result = made.fill_manifests(connect, progress)
    result = replace(result, written=[*map(str, made.written)], kept=[*kept, *made.kept])
    return replace(result, steps=list_steps(result, layout, filling, ci))


def _find_root(folder: Path) -> Path:
    """Return the top of the repository, relative to the current folder; else the folder itself."""
    real = str(folder.resolve())
    root = find_work_tree(real)
    return folder if root in {None, real} else Path(os.path.relpath(str(root)))


def _find_settings(layout: Layout) -> Path | None:
    """Find the settings file of the folder: in it, or above it in the repository."""
    top, folder = layout.root.resolve(), layout.folder.resolve()
    for place in (folder, *folder.parents):
        if os.path.lexists(place / SETTINGS_FILE):
            return place / SETTINGS_FILE
        if place == top:
            break
    return None


def _choose_filling(options: StarterOptions, above: Path | None) -> Filling:
    """Choose what the templates say; raises SettingsError if it cannot be so."""
    name = options.overrides.env or ""
    url = normalize_address(options.overrides.url) if options.overrides.url else ""
    known: Sequence[str] = ()
    if name:
        check_name(name, "--env")
    if above:
        files = SettingsFiles.of(above)
        known = files.list_environments()
        files.choose(name)
    elif name and not url:
        raise SettingsError(
            f"environment {name} needs the address of its server",
            hint="pass --url or set LABEL_STUDIO_URL",
        )
    elif name:
        known = [name]
    return Filling(
        source=find_package_source(),
        url=url,
        environment=name,
        environments=known,
        project=options.project,
    )


class _Made:
    """A folder whose files are written, and whose manifests are to be."""

    def __init__(
        self,
        options: StarterOptions,
        environment: Mapping[str, str],
        layout: Layout,
        filling: Filling,
        written: list[Path],
    ) -> None:
        self.written = written
        self.kept: list[KeptFile] = []
        self._options = options
        self._environment = environment
        self._layout = layout
        self._filling = filling

    def fill_manifests(self, connect: Connect, progress: ProgressListener) -> StarterResult:
        """Pull a project, or write a first manifest; nothing if there are manifests already."""
        empty = not has_manifests(self._layout.folder)
        server, pulled, problem = None, None, ""
        try:
            with connect(self._read_settings()) as connection:
                server = list_projects(connection)
                project = self._choose_project(server)
                if project is not None and empty:
                    pulled = self._pull(project, connection, progress)
        except SettingsError as error:
            # With manifests there is nothing to read, unless a project was asked for.
            needed = empty or self._options.project is not None
            problem = str(error) if needed else ""
        except ReconcilerError as error:
            problem = str(error)
        if pulled:
            self.written += [Path(file.path) for file in pulled.files]
        elif empty:
            self.written += write_files([build_first_manifest(self._layout, self._filling)])[0]
        return StarterResult((), (), server, pulled, problem, has_manifests=not empty)

    def _read_settings(self) -> Settings:
        place = find_place_of(self._layout.folder / MANIFESTS)
        return read_settings(place, self._options.overrides, self._environment, keys=OF_PULL)

    def _choose_project(self, server: ServerProjects) -> int | str | None:
        if self._options.project is not None:
            return self._options.project
        return server.projects[0].number if server.total == 1 and server.projects else None

    def _pull(
        self, project: int | str, connection: Connection, progress: ProgressListener
    ) -> Pulled:
        """Pull a project; in a new environment, its name and number go to the settings first."""
        settings = self._layout.folder / SETTINGS_FILE
        if self._filling.environment and settings in self.written:
            project = self._name_project(project, connection)
            settings.write_text(build_settings(self._filling), encoding="utf-8")
        options = PullOptions(project=project, out=self._layout.folder / MANIFESTS)
        read = self._read_settings()
        pulled = pull_tasks(options, read, connection, progress=progress)
        change = try_to_lock_project(project, options.out, read, connection)
        if change.problems:
            self.kept.append(KeptFile(str(change.file), "; ".join(change.problems)))
        elif change.lines:
            self.written.append(change.file)
        return pulled

    def _name_project(self, project: int | str, connection: Connection) -> str:
        if isinstance(project, int):
            title = connection.api.project_settings(project).title
            name, number = make_name(title) or f"project-{project}", project
            name = f"project-{name}" if name.isdigit() else name
        else:
            name, number = project, ProjectTitles(connection.api)(project)
        self._filling = replace(self._filling, projects={name: number})
        return name


def list_projects(connection: Connection) -> ServerProjects:
    """List the first projects of a server, with one request; raises ServerError."""
    total, rows = connection.api.list_projects(PROJECTS_MAX)
    projects = [ListedProject(row.number, row.title, row.tasks) for row in rows]
    return ServerProjects(connection.api.address, projects, max(total, len(projects)))
