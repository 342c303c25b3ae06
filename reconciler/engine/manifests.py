"""The declared tasks as one value, which can be planned against any number of servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from reconciler.contract.openapi import load_contract
from reconciler.core.notation import count_noun
from reconciler.core.server_address import ChosenServer
from reconciler.engine.load import FoundFiles
from reconciler.engine.redacting import Redacting, read_redacting, redacting
from reconciler.errors import ManifestError, Problem
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import load_values, number_projects
from reconciler.progress import NULL_PROGRESS, ProgressListener


class Origin(NamedTuple):
    """The paths that manifests were read from, and the files that they name."""

    paths: Sequence[str]
    files: FoundFiles


class Manifests:
    """Declared tasks, read and checked, without a request to a server.

    Made by `reconciler.load` from files, or by `from_tasks` from values. It is immutable, and
    several threads may plan it at once. A ``.jsonl`` file is read again while a plan is made: if
    it has changed by then, planning raises ManifestError.
    """

    def __init__(
        self,
        desired: DesiredIndex,
        *,
        unread: Sequence[Problem] = (),
        origin: Origin | None = None,
    ) -> None:
        self._desired = desired
        self.origin = origin
        self.unread: tuple[Problem, ...] = tuple(unread)
        """Files that look like manifests and were not read, with the reason."""

    @classmethod
    def from_tasks(  # noqa: PLR0913 - the keys of a manifest
        cls,
        tasks: Iterable[Mapping[str, Any]],
        *,
        project: int | str | None = None,
        server: str | None = None,
        policy: Mapping[str, str] | None = None,
        defaults: Mapping[str, Any] | None = None,
        key: str | Sequence[str] | None = None,
        rules: Sequence[Mapping[str, Any]] | None = None,
        allow: Sequence[Mapping[str, Any]] | None = None,
        name: str = "tasks",
        redact: Redacting = (),
        progress: ProgressListener = NULL_PROGRESS,
    ) -> Manifests:
        """Declare tasks from values, without a file.

        Args:
            tasks: What a manifest has under ``tasks``: for each task its ``id`` or ``key``, and
                the attributes to declare, such as ``{"id": 7, "data": {"split": "test"}}``.
            project: The project that the tasks are in: its number, or a name that the settings
                of a plan give a number.
            server: The address of the only server that the tasks may be planned against.
            policy: ``{"data": "replace"}``, for whole objects instead of single keys.
            defaults: Attributes that all tasks share.
            key: Where tasks hold their keys, such as ``"data.external_id"``.
            rules: What a manifest has under ``rules``.
            allow: What a manifest has under ``allow``.
            name: Replaces the name of a file in messages and plans: ``tasks:3:1`` is the third
                task. Text that can be printed.
            redact: Settings that redact values, or paths: an error does not quote these values.
            progress: Follows the work.

        Raises:
            ManifestError: The declarations have problems; the error holds all of them.
            ValueError: ``name`` is empty, or cannot be printed, or a path is not valid.

        """
        if type(name) is not str or not name or not name.isprintable():
            raise ValueError(f"name: expected text that can be printed, found {name!a}")
        given = {
            "project": project,
            "server": server,
            "policy": policy,
            "defaults": defaults,
            "key": key,
            "rules": rules,
            "allow": allow,
        }
        header = {key: value for key, value in given.items() if value is not None}
        with redacting(read_redacting(redact)):
            declared = load_values(
                {"version": 1, **header}, tasks, load_contract(), name=name, progress=progress
            )
        return cls(declared)

    @property
    def ids(self) -> Sequence[int]:
        """The ids of the declared tasks, in ascending order."""
        return self._desired.list_ids()

    def __len__(self) -> int:
        return len(self._desired)

    def __repr__(self) -> str:
        return f"<Manifests: {count_noun(len(self), 'task')} declared>"

    def get_desired(self, server: ChosenServer, projects: Callable[[str], int]) -> DesiredIndex:
        """Return the declared tasks, to be planned against a server.

        ``projects`` returns the numbers of named projects there. Raises ManifestError if a manifest
        declares another server, or a project that is unknown there.
        """
        problems = self._desired.find_other_servers(server)
        if problems:
            raise ManifestError(tuple(sorted(set(problems))))
        return number_projects(self._desired, load_contract(), projects)
