"""Rules as data: what a manifest declares for all tasks of a project that match a condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.core.conditions import Condition, list_attributes
from reconciler.core.paths import Path, are_nested
from reconciler.core.problems import Allowance
from reconciler.core.values import Json
from reconciler.errors import Source


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The beginning of a string at ``path`` to replace: ``prefix`` becomes ``to``."""

    path: Path
    prefix: str
    to: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """How many tasks a rule may match, in its whole project; None for no bound."""

    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class RuleRef:
    """What plans and saved plans keep of a rule: its name, its place, and whom it is for."""

    name: str = field(repr=False)
    project: int
    source: Source
    where: tuple[Condition, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a manifest.

    ``values`` are the leaves that it sets, by path: an object is a leaf only if it is empty, as
    objects merge. ``sources`` hold the place of each path that it sets, removes or rewrites.
    ``allow`` is what its document allows for its changes.
    """

    ref: RuleRef
    values: Mapping[Path, Json] = field(default_factory=dict)
    absent: tuple[Path, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    expect: Expectation = Expectation()
    sources: Mapping[Path, Source] = field(default_factory=dict)
    allow: tuple[Allowance, ...] = ()

    @property
    def name(self) -> str:
        """The name, unique in a run."""
        return self.ref.name

    def list_paths(self) -> tuple[Path, ...]:
        """List the paths that the rule writes."""
        return (*self.values, *self.absent, *(rewrite.path for rewrite in self.rewrites))

    @property
    def uses_itself_up(self) -> bool:
        """Whether the rule writes a path that its own condition or rewrite reads.

        Once it was applied, it may match no task.
        """
        read = [condition.path for condition in self.ref.where]
        written = (*self.values, *self.absent)
        return bool(self.rewrites) or any(
            are_nested(one, other) for one in read for other in written
        )

    def names(self) -> set[str]:
        """Name the attributes that must be read to judge the rule and compare its results."""
        return list_attributes(self.ref.where) | {path[0] for path in self.list_paths()}
