"""From the name of a project, as manifests write it, to its number on the server of the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from reconciler.core.notation import format_value, shorten
from reconciler.engine.connection import Connection
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import UnknownProjectName
from reconciler.labelstudio.task_api import TaskApi

ProjectLookup: TypeAlias = Callable[[str], int]
"""Returns the number of a project; raises UnknownProjectName, which is a LookupError."""

_TITLES_MAX: Final = 50
"""How many titles are looked up, each with a request. More names belong into the settings."""

_NUMBERS_MAX: Final = 10
"""How many projects with the same title an error lists."""


def choose_lookup(settings: Settings, connection: Connection) -> ProjectLookup:
    """Choose where names are looked up: in the settings, or on the server if these have none.

    The server is asked only when a name is looked up. Then ServerError can be raised as well.
    """
    return settings.projects or ProjectTitles(connection.api)


class ProjectTitles:
    """Looks names up as the exact titles of projects, each once; for one thread at a time."""

    def __init__(self, api: TaskApi) -> None:
        self._api = api
        self._known: dict[str, tuple[int, ...]] = {}

    def __call__(self, name: str) -> int:
        """Return the number of the only project with a title; raises UnknownProjectName."""
        numbers = self._find(name)
        shown = shorten(format_value(name), 200)
        if not numbers:
            raise UnknownProjectName(
                f"no project on {self._api.address} has the title {shown}",
                hint="correct it, use the number of the project, or give the name a number in "
                "the settings",
            )
        if len(numbers) > 1:
            listed = ", ".join(map(str, numbers[:_NUMBERS_MAX]))
            listed += ", ..." if len(numbers) > _NUMBERS_MAX else ""
            raise UnknownProjectName(
                f"{len(numbers):,} projects on {self._api.address} have the title {shown}: "
                f"{listed}",
                hint="use the number of the project, or give the name a number in the settings",
            )
        return numbers[0]

    def _find(self, name: str) -> tuple[int, ...]:
        if name not in self._known:
            if len(self._known) >= _TITLES_MAX:
                raise UnknownProjectName(
                    f"more than {_TITLES_MAX} project names would be looked up on the server",
                    hint="give the names numbers in the settings",
                )
            # No title is empty or has such characters, and the server would refuse or change them.
            odd = not name.strip() or not name.isprintable()
            self._known[name] = () if odd else self._api.find_projects(name)
        return self._known[name]
