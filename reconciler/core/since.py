"""What manifests declare differently than at a git revision: a run may look at nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from reconciler.core.model import TaskKey
from reconciler.core.notation import count_noun
from reconciler.core.paths import Path, get_value
from reconciler.core.values import Side

if TYPE_CHECKING:
    from reconciler.core.plan_model import TaskPlan, UnresolvedKey

NAMED_MAX: Final = 100
"""How many tasks and rules that are no longer declared a plan names."""

_SHOWN_MAX: Final = 10
_COMMIT_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class DeclaredDifference:
    """The tasks and rules whose declarations differ, those no longer declared included.

    ``keys`` are the keys of tasks by project and path, ``rules`` the projects of rules by name.
    """

    tasks: frozenset[int] = frozenset()
    keys: Mapping[int, Mapping[Path, frozenset[str | int]]] = field(default_factory=dict)
    rules: Mapping[str, int] = field(default_factory=dict)

    def holds_key(self, project: int, key: TaskKey) -> bool:
        """Tell whether the declarations of a key differ."""
        return key.value in self.keys.get(project, {}).get(key.path, ())

    def holds_task(self, task: TaskPlan, live: Mapping[str, Side] | None) -> bool:
        """Tell whether the declarations of a task differ, by its id or by a key that it holds."""
        if task.task in self.tasks:
            return True
        if not self.keys or task.project is None:
            return False
        if task.key is not None and self.holds_key(task.project, task.key):
            return True
        paths = self.keys.get(task.project, {})
        return live is not None and any(
            _normalize(get_value(live, path)) in keys for path, keys in paths.items()
        )

    def governs(self, task: TaskPlan) -> bool:
        """Tell whether a rule that differs governs a task without changes, or may govern it."""
        if task.rules:
            return any(rule.name in self.rules for rule in task.rules)
        from reconciler.core.plan_model import Status  # noqa: PLC0415 - it imports targets

        # Rules cannot be judged of what cannot be read.
        return task.status is Status.UNREADABLE and task.project in set(self.rules.values())


NO_DIFFERENCE: Final = DeclaredDifference()


@dataclass(frozen=True, slots=True)
class Since:
    """The git revision that manifests are compared with, and what that shows.

    ``revision`` is what the user wrote, ``commit`` the commit that it meant. ``gone`` counts the
    tasks and rules that it declares and that are no longer declared, and ``named`` names the first
    of them, as selectors. ``unread`` counts the files that are the same, and were not read.
    ``difference`` is needed only while planning, and is not saved.
    """

    revision: str
    commit: str
    gone: int = 0
    named: tuple[str, ...] = ()
    unread: int = 0
    difference: DeclaredDifference = field(default=NO_DIFFERENCE, compare=False, repr=False)

    def __str__(self) -> str:
        return f"--since {self.revision} ({self.commit[:_COMMIT_SHOWN]})"

    def holds_unresolved(self, unresolved: UnresolvedKey) -> bool:
        """Tell whether the declarations of a key that names no task differ."""
        return self.difference.holds_key(unresolved.project, unresolved.key)

    def is_same_revision(self, other: Since | None) -> bool:
        """Tell whether another run was compared with the same revision."""
        return other is not None and (self.revision, self.commit) == (other.revision, other.commit)

    def describe_unread(self) -> str:
        """Say which files were not read; empty if all were."""
        return f"all of {count_noun(self.unread, 'unchanged file')}" if self.unread else ""

    def describe_gone(self) -> str:
        """Say what is no longer declared; empty if nothing is."""
        if not self.gone:
            return ""
        shown = self.named[:_SHOWN_MAX]
        more = self.gone - len(shown)
        listed = ", ".join(shown) + (f" and {more:,} more" if more else "")
        return f"No longer declared, and left as on the server: {listed}."


def _normalize(value: object) -> str | int | None:
    """Return a live value as keys are compared; None if it cannot be a key."""
    if type(value) is float and value.is_integer():
        return int(Decimal(repr(value)))
    return value if type(value) is str or type(value) is int else None
