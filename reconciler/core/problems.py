"""The problems of tasks in a plan, by kind, and what accepts them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.paths import Path
from reconciler.errors import Source


class Kind(StrEnum):
    """The kinds of problems and warnings; --allow takes the names of those in `ALLOWABLE`."""

    MISSING = "missing"
    AMBIGUOUS = "ambiguous"
    UNREADABLE = "unreadable"
    OTHER_PROJECT = "other-project"
    PROJECT_MOVE = "project-move"
    EMPTY_DATA = "empty-data"
    LABEL_CONFIG = "label-config"
    ANNOTATED_DATA = "annotated-data"
    ANNOTATED_EXTRA = "annotated-extra"
    REWRITE_UNREADABLE = "rewrite-unreadable"
    IGNORED_ATTRIBUTE = "ignored-attribute"
    RESOLVED_ADDRESS = "resolved-address"
    EDITED_SINCE = "edited-since"
    RULE_CONFLICT = "rule-conflict"
    RULE = "rule"
    COMPUTED = "computed"
    OVERLAP_COHORT = "overlap-cohort"
    FLAT_KEY = "flat-key"
    TYPE_CHANGE = "type-change"
    LIST_ELEMENT = "list-element"
    RULE_UNUSED = "rule-unused"


WARNINGS = frozenset(
    {
        Kind.COMPUTED,
        Kind.OVERLAP_COHORT,
        Kind.FLAT_KEY,
        Kind.TYPE_CHANGE,
        Kind.LIST_ELEMENT,
        Kind.RULE_UNUSED,
    }
)
"""Kinds that are only reported, and block nothing."""


NEVER = frozenset({Kind.RESOLVED_ADDRESS, Kind.RULE_CONFLICT, Kind.RULE})
"""Kinds that cannot be allowed: such a change is never intended, or not known."""


ALLOWABLE = frozenset(Kind) - WARNINGS - NEVER
"""Kinds that can be allowed."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """One kind of problem that somebody accepts.

    ``paths`` are where it is accepted, with everything inside; empty for everywhere. ``by`` names
    the option, or the file and line, that allows it, and ``reason`` says why; empty if unknown.
    ``source`` is its place if a manifest allows it: then it accepts only changes that this file
    declares.
    """

    kind: Kind
    paths: tuple[Path, ...] = ()
    by: str = ""
    reason: str = ""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class TaskProblem:
    """A problem of one task in a plan, or a warning.

    ``allowed`` is all that accepts it; empty if nothing does, or if a plan of an earlier release
    does not record it. ``paths`` are what it is about; empty if it is about the whole task.
    ``may_be`` is another kind that it may be of, as nothing tells which; a denial of either holds.
    """

    kind: Kind
    message: str = field(repr=False)
    hint: str = field(default="", repr=False)
    allowed: tuple[Allowance, ...] = field(default=(), repr=False)
    paths: tuple[Path, ...] = field(default=(), compare=False, repr=False)
    may_be: Kind | None = field(default=None, compare=False)

    @property
    def is_warning(self) -> bool:
        """Whether the problem is only reported, and blocks nothing."""
        return self.kind in WARNINGS
