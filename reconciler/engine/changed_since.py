"""Loading manifests with what is declared differently than at a git revision."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from reconciler.contract.openapi import load_contract
from reconciler.core.notation import STANDARD_INPUT, count_noun, escape_invisible
from reconciler.core.since import Since
from reconciler.core.target import Targets
from reconciler.engine.load import FoundFiles, load_desired
from reconciler.engine.manifests import Manifests
from reconciler.engine.revision import (
    Blob,
    Repository,
    check_revision,
    find_repository,
    hash_file,
    hash_link,
    list_links,
)
from reconciler.engine.settings.earlier_settings import ServerSettings, read_server_settings
from reconciler.engine.settings.run_settings import Settings
from reconciler.engine.settings.settings_file import FILE
from reconciler.errors import Problem, SettingsError
from reconciler.manifest.declared_difference import DeclaredState, compare_states, may_have_rules
from reconciler.manifest.files import is_manifest
from reconciler.manifest.files_above import FilesAbove
from reconciler.manifest.folders import is_inside
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import load_earlier
from reconciler.manifest.named_files import NamedFiles
from reconciler.progress import NULL_PROGRESS, ProgressListener

_NOTED_MAX: Final = 5


class LoadedSince(NamedTuple):
    """Manifests, the targets that leave out what is the same, and notes for the user."""

    desired: DesiredIndex
    targets: Targets
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SinceRequest:
    """What ``--since`` was passed, the paths of the run, and the files that they name."""

    revision: str
    paths: Sequence[str]
    files: FoundFiles
    environment: Mapping[str, str]


def build_since_request(
    revision: str | None, paths: Sequence[str], files: FoundFiles, environment: Mapping[str, str]
) -> SinceRequest | None:
    """Build the request of a run; None without a revision. Raises SettingsError if it is none."""
    if revision is None:
        return None
    check_revision(revision)
    return SinceRequest(revision, paths, files, environment)


def load_since(
    request: SinceRequest,
    *,
    settings: Settings,
    projects: Callable[[str], int],
    targets: Targets,
    progress: ProgressListener = NULL_PROGRESS,
) -> LoadedSince:
    """Load manifests, and compare what they declare with the revision.

    Files that are the same there are not read, if they cannot matter: nothing has rules, no other
    target must be checked against them, and no limit is a share of all tasks. Raises
    ManifestError, and SettingsError if there is no such revision.
    """
    lookup = _RecordingLookup(projects)
    history = _open_history(request)
    context = _compare_settings(history, settings.environment)
    pairs = _pair_files(history) if context.is_same else _pair_nothing(history)
    whole = bool(targets) or bool(settings.max_changes and settings.max_changes.percent)

    def load(chosen: Sequence[str]) -> DesiredIndex:
        found = replace(request.files, files=chosen)
        return load_desired(found, server=settings.server, projects=lookup, progress=progress)

    read_all = whole or any(map(_may_have_rules, pairs.same))
    desired = load(request.files.files if read_all else pairs.changed)
    if desired.rules and not read_all:
        read_all, desired = True, load(request.files.files)
    unread = 0 if read_all else len(pairs.same)
    comparison = _Comparison(history, context, pairs, lookup.known)
    return comparison.compare(desired, targets, unread=unread)


def compare_since(
    request: SinceRequest,
    manifests: Manifests,
    *,
    settings: Settings,
    projects: Callable[[str], int],
    targets: Targets,
) -> LoadedSince:
    """Compare manifests that are read already with the revision; see `load_since`.

    What counts is what was read, even if the files have changed since.
    """
    lookup = _RecordingLookup(projects)
    desired = manifests.get_desired(settings.server, lookup)
    history = _open_history(request)
    context = _compare_settings(history, settings.environment)
    comparison = _Comparison(history, context, _pair_nothing(history), lookup.known)
    return comparison.compare(desired, targets)


class _RecordingLookup:
    """Looks numbers of projects up, and remembers them."""

    def __init__(self, lookup: Callable[[str], int]) -> None:
        self._lookup = lookup
        self.known: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        number = self.known[name] = self._lookup(name)
        return number


class _File(NamedTuple):
    """A manifest: its path as it is shown, and its path in the repository."""

    shown: str
    path: str


@dataclass(frozen=True)
class _History:
    """The manifests of a run, and the files of a revision of their repository."""

    repository: Repository
    revision: str
    commit: str
    files: Sequence[_File]
    names: NamedFiles
    blobs: Mapping[str, Blob]
    relinked: frozenset[str]

    @cached_property
    def named(self) -> Sequence[Blob]:
        """The manifests of the revision that the paths of the run name.

        Those that only links lead to which were not there, or led elsewhere, were none of them.
        """
        return [
            blob
            for path, blob in self.blobs.items()
            if path not in self.relinked and self.names.holds(path)
        ]

    @cached_property
    def moved(self) -> Sequence[Blob]:
        """The manifests elsewhere that are gone now, if the run had no manifests then.

        It may have them by other names. If it had manifests, others were none of them: what came
        from elsewhere, such as a folder of drafts, is new.
        """
        return [
            blob
            for path, blob in self.blobs.items()
            if not self.named
            and is_manifest(path)
            and not self.names.holds(path)
            and not os.path.lexists(Path(self.repository.root, path))
        ]

    def read(self, blobs: Sequence[Blob]) -> Iterator[tuple[Blob, bytes]]:
        """Yield the contents of files of the revision."""
        return self.repository.read(blobs) if blobs else iter(())


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Compares what manifests declare with the files of a revision.

    ``known`` are the numbers of the projects that the manifests name.
    """

    history: _History
    context: _SettingsPair
    pairs: _Pairs
    known: Mapping[str, int]

    def compare(self, desired: DesiredIndex, targets: Targets, *, unread: int = 0) -> LoadedSince:
        """Return the manifests, with targets that leave out what is the same.

        ``unread`` is how many files were not read, as they are the same in the revision.
        """
        history, pairs, context = self.history, self.pairs, self.context
        named = {_name_earlier(blob.path, history.commit): blob for blob in pairs.earlier}
        before, wrong = load_earlier(
            (
                (_name_earlier(blob.path, history.commit), held)
                for blob, held in history.read(pairs.earlier)
            ),
            load_contract(),
            context.build_lookup(self.known),
        )
        changed = frozenset(pairs.changed)
        found = compare_states(
            DeclaredState(desired, changed.__contains__, context.now.url),
            DeclaredState(
                before,
                lambda file: file not in wrong,
                context.before.url,
                is_named=lambda file: history.names.holds(named[file].path),
            ),
        )
        since = Since(
            history.revision, history.commit, found.gone, found.named, unread, found.difference
        )
        in_scope = {f: p for f, p in wrong.items() if history.names.holds(named[f].path)}
        notes = (*_describe_moved(history), *_describe_wrong(in_scope))
        return LoadedSince(desired, replace(targets, since=since), notes)


def _open_history(request: SinceRequest) -> _History:
    files = request.files
    if STANDARD_INPUT in files.files:
        raise SettingsError(
            "--since cannot be used with standard input, which git does not know",
            hint="pass files or folders, or leave out --since",
        )
    reals = [(file, os.path.realpath(file)) for file in files.files]
    above = FilesAbove(".git")
    roots = {}
    for _, real in reals:
        found = above.list_files(os.path.dirname(real))  # noqa: PTH120 - thousands of files
        roots[real] = os.path.dirname(found[0]) if found else ""  # noqa: PTH120 - as above
    root = find_repository(reals, roots)
    repository = Repository(root, request.environment)
    commit = repository.resolve(request.revision)
    names = NamedFiles(request.paths, root)
    found_files = [_File(file, os.path.relpath(real, root)) for file, real in reals]
    for file in found_files:
        names.add_file(file.path)
    listed = repository.list_blobs(commit)
    links = {blob.path: blob for blob in listed if blob.is_link}
    relinked = frozenset(
        os.path.relpath(real, root)
        for file, real in reals
        if os.path.abspath(file) != real and _is_relinked(file, root, links)  # noqa: PTH100 - thousands of files
    )
    blobs = {blob.path: blob for blob in listed if not blob.is_link}
    return _History(repository, request.revision, commit, found_files, names, blobs, relinked)


def _is_relinked(file: str, root: str, links: Mapping[str, Blob]) -> bool:
    """Tell whether a link of the repository that leads to a file differs from the revision."""
    for link in list_links(file):
        if is_inside(link, root):
            then = links.get(os.path.relpath(link, root))
            if then is None or hash_link(link, len(then.object_id)) != then.object_id:
                return True
    return False


@dataclass(frozen=True, slots=True)
class _SettingsPair:
    """What the settings say of the server, now and at the revision."""

    now: ServerSettings
    before: ServerSettings

    @property
    def is_same(self) -> bool:
        return self.now == self.before

    def build_lookup(self, known: Mapping[str, int]) -> Callable[[str], int]:
        """Return a lookup of the numbers at the revision.

        ``known`` are those of now, which hold for both if the settings do not differ in them. A
        name without a number gets a negative one, which no project has.
        """
        now, before = self.now, self.before
        is_same = (now.projects, now.disputed) == (before.projects, before.disputed)
        numbers = known if is_same else before.projects or {}
        unknown: dict[str, int] = {}
        return lambda name: numbers.get(name) or unknown.setdefault(name, -1 - len(unknown))


def _compare_settings(history: _History, environment: str) -> _SettingsPair:
    root = Path(history.repository.root)
    now = _list_nearest(
        (file.path for file in history.files), lambda path: os.path.lexists(root / path)
    )
    before = _list_nearest((blob.path for blob in history.named), history.blobs.__contains__)
    texts_now = [_read_or_nothing(root / path) for path in now]
    texts_before = [held for _, held in history.read([history.blobs[path] for path in before])]
    if now == before and texts_now == texts_before:
        same = read_server_settings(texts_now, environment)
        return _SettingsPair(same, same)
    return _SettingsPair(
        read_server_settings(texts_now, environment),
        read_server_settings(texts_before, environment),
    )


def _list_nearest(paths: Iterable[str], exists: Callable[[str], bool]) -> list[str]:
    """List the settings files nearest to files, by their paths in the repository."""
    nearest: dict[str, None] = {}
    for folder in {path.rpartition("/")[0] for path in paths}:
        at = folder
        while True:
            candidate = f"{at}/{FILE}" if at else FILE
            if exists(candidate):
                nearest[candidate] = None
                break
            if not at:
                break
            at = at.rpartition("/")[0]
    return sorted(nearest)


def _read_or_nothing(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The manifests by whether their contents are in the revision.

    ``changed`` and ``same`` are shown paths; ``earlier`` are the files of the revision whose
    contents no manifest has.
    """

    changed: Sequence[str]
    same: Sequence[str]
    earlier: Sequence[Blob]


def _list_earlier(history: _History) -> dict[str, Blob]:
    """Return the files of the revision that may have been manifests of the run, by path."""
    earlier = {blob.path: blob for blob in history.named}
    if any(file.path not in earlier for file in history.files):
        earlier |= {blob.path: blob for blob in history.moved}
    return earlier


def _pair_nothing(history: _History) -> _Pairs:
    """Let every file count as changed, so that only what they declare is compared."""
    changed = [file.shown for file in history.files]
    return _Pairs(changed, [], [*_list_earlier(history).values()])


def _pair_files(history: _History) -> _Pairs:
    """Pair manifests with files of the revision that have the same contents, moved or not.

    That two contents differ does not mean much: git may store line ends differently.
    """
    length = next((len(blob.object_id) for blob in history.blobs.values()), 0)
    ids = {file.shown: hash_file(file.shown, length) for file in history.files}
    left = _list_earlier(history)
    same: list[str] = []
    open_files: list[_File] = []
    for file in history.files:
        if file.path in left and left[file.path].object_id == ids[file.shown]:
            del left[file.path]
            same.append(file.shown)
        else:
            open_files.append(file)
    by_id: dict[tuple[str, str], list[str]] = {}
    for blob in left.values():
        by_id.setdefault((blob.object_id, _find_suffix(blob.path)), []).append(blob.path)
    changed: list[str] = []
    for file in open_files:
        paths = by_id.get((ids[file.shown], _find_suffix(file.path)))
        if paths:
            del left[paths.pop()]
            same.append(file.shown)
        else:
            changed.append(file.shown)
    return _Pairs(changed, same, [*left.values()])


def _find_suffix(path: str) -> str:
    """Return what says how a file is read."""
    return os.path.splitext(path)[1].lower()  # noqa: PTH122 - thousands of files


def _may_have_rules(file: str) -> bool:
    """Tell quickly whether a manifest may have rules: in a ``.jsonl`` file, only the header."""
    try:
        with Path(file).open("rb") as opened:
            if not file.lower().endswith(".jsonl"):
                return may_have_rules(opened.read())
            return may_have_rules(next((line for line in opened if line.strip()), b""))
    except OSError:
        return True


def _name_earlier(path: str, commit: str) -> str:
    return f"{commit[:12]}:{path}"


def _describe_moved(history: _History) -> Iterator[str]:
    if moved := history.moved:
        more = f" and {count_noun(len(moved) - 1, 'more file')}" if len(moved) > 1 else ""
        yield escape_invisible(
            f"none of these manifests was in {history.revision}: they are compared with files from "
            f"elsewhere that are gone now: {moved[0].path}{more}"
        )


def _describe_wrong(wrong: Mapping[str, Problem]) -> Iterator[str]:
    for problem in [*wrong.values()][:_NOTED_MAX]:
        yield escape_invisible(f"all of this file counts as changed: {problem}")
    if len(wrong) > _NOTED_MAX:
        yield f"so does all of {count_noun(len(wrong) - _NOTED_MAX, 'more file')}"
