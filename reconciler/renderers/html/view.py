"""What a page shows: its first words, and the data of all else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.core.change_groups import ChangeGroup
from reconciler.core.plan_model import PlannedRule
from reconciler.core.problem_groups import ProblemGroup
from reconciler.core.shard import Shard, format_shards
from reconciler.renderers.group_lines import format_groups, format_problem_groups, format_totals
from reconciler.renderers.render_options import RenderOptions


@dataclass(frozen=True, slots=True)
class View:
    """``subject`` says what it is about, ``headline`` what will happen, ``lead`` the rest of it.

    ``data`` is for the script, and ``text`` is shown if scripts are off.
    """

    subject: str
    headline: str
    lead: str
    data: dict[str, Any]
    text: str = ""


@dataclass(frozen=True, slots=True)
class StatusList:
    """The statuses of a page, in the order of first use, with their colours."""

    numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def find_number(self, label: str, tone: str) -> int:
        """Return the number of a status."""
        return self.numbers.setdefault((label, tone), len(self.numbers))

    def build(self, entries: Iterable[int], unchanged: int = 0) -> dict[str, Any]:
        """Build the statuses, and a tile with the number of entries of each."""
        counts = dict.fromkeys(self.numbers.values(), 0)
        for status in entries:
            counts[status] += 1
        tiles: list[dict[str, Any]] = [
            {"label": label, "tone": tone, "count": counts[number], "status": number}
            for (label, tone), number in self.numbers.items()
            if counts[number]
        ]
        if unchanged:
            tiles.append({"label": "unchanged", "tone": "", "count": unchanged, "status": -1})
        return {
            "statuses": [{"label": label, "tone": tone} for label, tone in self.numbers],
            "tiles": tiles,
        }


def write_text(
    groups: Sequence[ChangeGroup],
    rules: Sequence[PlannedRule] = (),
    problems: Sequence[ProblemGroup] = (),
) -> str:
    """Write what the page shows, in short, for readers whose browser runs no scripts."""
    options = RenderOptions()
    parts = (
        format_totals(groups, options.style),
        format_groups(groups, rules, options),
        format_problem_groups(problems, options),
    )
    return "\n\n".join(filter(None, ("\n".join(part) for part in parts)))


def describe_shards(shards: Sequence[Shard]) -> str:
    """Say which shards are looked at; empty for all."""
    noun = "shard" if len(shards) == 1 else "shards"
    return f"Only tasks of {noun} {format_shards(tuple(shards))}." if shards else ""
