"""The numbers that the settings of an environment give to the names of projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.notation import format_value, shorten
from reconciler.engine.settings.environments import suggest_nearest
from reconciler.errors import UnknownProjectName

_NAMED_MAX: Final = 10
"""How many project names a hint lists."""


@dataclass(frozen=True, slots=True)
class ProjectNumbers:
    """The numbers of projects by name; call it with a name.

    ``environment`` is empty if none was chosen: then no name has a number. ``place`` is the file
    and line of the settings, for messages.
    """

    numbers: Mapping[str, int] = field(default_factory=dict)
    environment: str = ""
    place: str = "the settings"

    def __call__(self, name: str) -> int:
        """Return the number of a project; raises UnknownProjectName."""
        number = self.numbers.get(name)
        if number is not None:
            return number
        shown = shorten(format_value(name), 200)
        if not self.environment:
            raise UnknownProjectName(
                f"project {shown} has a number only in an environment, and none is chosen",
                hint=f"pass --env to choose an environment of {self.place}",
            )
        if not self.numbers:
            raise UnknownProjectName(
                f"environment {self.environment} has no projects, {self.place}",
                hint=f"add projects = {{{shown} = NUMBER}} to it",
            )
        raise UnknownProjectName(
            f"project {shown} is not in projects of environment {self.environment}, {self.place}",
            hint=self._advise(name),
        )

    def _advise(self, name: str) -> str:
        known = list(self.numbers)
        listed = ", ".join(known[:_NAMED_MAX]) + (", ..." if len(known) > _NAMED_MAX else "")
        return suggest_nearest(name[:_LONG], known) or f"the projects are {listed}"


_LONG: Final = 200
"""Characters: the names of projects in settings are not longer."""
