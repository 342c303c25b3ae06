"""What a change of labelled data does to the annotations of tasks: counts, no values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.core.notation import count_noun


@dataclass(frozen=True, slots=True)
class AnnotationImpact:
    """How many annotations a change concerns, by whom, and how many regions it would misplace.

    ``people`` are the ids of the users who made the annotations, in ascending order. Of the
    ``regions``, ``moved`` would be at other words, ``beyond`` would reach beyond the end of the new
    text, and of ``unknown`` it cannot be told; all others stay where they are. ``unread`` counts
    the tasks whose annotations the server did not show.
    """

    annotations: int = 0
    people: tuple[int, ...] = ()
    regions: int = 0
    moved: int = 0
    beyond: int = 0
    unknown: int = 0
    unread: int = 0

    def __str__(self) -> str:
        """Write ``7 annotations by 3 people; 12 of 40 regions would be at other words``."""
        made = count_noun(self.annotations, "annotation") if self._is_read else ""
        by = f" by {_count_people(len(self.people))}" if self.people else ""
        regions = self._describe_regions() if self.annotations else ""
        unread = (
            f"the annotations of {count_noun(self.unread, 'task')} could not be read"
            if self.unread
            else ""
        )
        return "; ".join(filter(None, (made + by, regions, unread)))

    @property
    def _is_read(self) -> bool:
        return bool(self.annotations or not self.unread)

    def _describe_regions(self) -> str:
        counts = {
            "would be at other words": self.moved,
            "would be beyond the end": self.beyond,
            "cannot be told": self.unknown,
        }
        found = [(count, words) for words, count in counts.items() if count]
        if not self.regions:
            return "no regions"
        if not found:
            return f"{count_noun(self.regions, 'region')} would still fit"
        (first, words), *others = found
        parts = [f"{first:,} of {count_noun(self.regions, 'region')} {words}"]
        parts += [f"{count:,} {words.removeprefix('would be ')}" for count, words in others]
        return ", ".join(parts)


def _count_people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


UNREAD: Final = AnnotationImpact(unread=1)
"""The impact on one task whose annotations the server did not show."""


def add_impacts(impacts: Iterable[AnnotationImpact | None]) -> AnnotationImpact | None:
    """Add up the impact on several tasks, each person counted once; None if none is known."""
    known = [impact for impact in impacts if impact is not None]
    if len(known) < 2:  # noqa: PLR2004 - nothing to add
        return known[0] if known else None
    return AnnotationImpact(
        sum(one.annotations for one in known),
        tuple(sorted({person for one in known for person in one.people})),
        sum(one.regions for one in known),
        sum(one.moved for one in known),
        sum(one.beyond for one in known),
        sum(one.unknown for one in known),
        sum(one.unread for one in known),
    )
