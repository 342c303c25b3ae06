"""Writing manifests from live tasks: read and pick, then write the files, all or none.

The first pass keeps what it picks on disk, because names of files, repeated keys and shared values
are known only after the last task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing

from reconciler.core.notation import format_path
from reconciler.core.paths import Path, are_nested
from reconciler.core.pull_result import Pulled
from reconciler.engine.connection import Connection
from reconciler.engine.load import FoundFiles, find_files, load_desired
from reconciler.engine.project_lookup import choose_lookup
from reconciler.engine.pull_options import PullOptions, check_options
from reconciler.engine.pull_reading import PulledProject, SpooledReading
from reconciler.engine.pull_writing import FolderWriting
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import Refused
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.writers.placing import prepare_folder
from reconciler.manifest.writers.spool import Spool
from reconciler.progress import NULL_PROGRESS, ProgressListener


def pull_tasks(
    options: PullOptions,
    settings: Settings,
    connection: Connection,
    *,
    progress: ProgressListener = NULL_PROGRESS,
) -> Pulled:
    """Write manifests for the tasks of a project into a folder; the server is only read.

    Raises Refused if nothing can be written, ManifestError if the manifests that are in the folder
    have problems, and ServerError. The files then are as before.
    """
    where = check_options(options, connection.attributes)
    lookup = choose_lookup(settings, connection)
    number = options.project if isinstance(options.project, int) else lookup(options.project)
    declared = _load_declared(options, settings, lookup, progress)
    project = PulledProject(number, _name_project(options, settings, number))
    for rule in declared.rules:
        if rule.ref.project == number:
            _check_key_kept(options, rule.ref.name, rule.list_paths(), str(rule.ref.source))
    connection.api.backoff.progress = progress
    with prepare_folder(options.out) as prepared, closing(Spool(prepared / ".spool")) as spool:
        reading = SpooledReading(
            options=options,
            connection=connection,
            project=project,
            where=where,
            declared=declared,
            progress=progress,
            spool=spool,
        )
        reading.read_all()
        return FolderWriting(reading, prepared, progress).write()


def _name_project(options: PullOptions, settings: Settings, number: int) -> str:
    """Return the name for manifests: the given one, or that of the environment for the number."""
    if isinstance(options.project, str):
        return options.project
    numbers = settings.projects.numbers if settings.projects else {}
    return next((name for name, known in numbers.items() if known == number), "")


def _load_declared(
    options: PullOptions,
    settings: Settings,
    lookup: Callable[[str], int],
    progress: ProgressListener,
) -> DesiredIndex:
    """Load the manifests that are in the folder already, of which there may be none."""
    files = find_files([str(options.out)]) if options.out.is_dir() else FoundFiles()
    if not files.files:
        files = FoundFiles()
    return load_desired(files, server=settings.server, projects=lookup, progress=progress)


def _check_key_kept(options: PullOptions, rule: str, paths: Iterable[Path], source: str) -> None:
    key = options.key
    if key and any(are_nested(key, path) for path in paths):
        raise Refused(
            f"nothing was pulled: rule {rule} ({source}) changes {format_path(key)}, which would "
            "hold the keys of tasks",
            hint="choose another --key, or another --out",
        )
