"""Groups of changes for the page: in words, counted by path, and numbers as histograms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.core.change_groups import (
    ChangeGroup,
    Effect,
    count_blocked,
    count_paths,
    describe_blocked,
)
from reconciler.core.model import Change
from reconciler.core.named_task import format_task
from reconciler.core.notation import escape_invisible, format_value, shorten
from reconciler.core.paths import Path
from reconciler.core.plan_model import PlannedRule
from reconciler.core.values import ABSENT, Side
from reconciler.errors import Source
from reconciler.renderers.effect_parts import ARROW, Part, describe_effect, describe_sides
from reconciler.renderers.html.page_rows import NumberedTexts, format_short_path

_DESCRIBED_MAX: Final = 500
"""Groups that are described; the others are counted by path."""

_PATHS_MAX: Final = 200
_PLACE_MAX: Final = 120
_BINS: Final = 24
_NUMBERS_MIN: Final = 5
"""Fewer different numbers are no picture."""


def build_groups(
    groups: Sequence[ChangeGroup],
    rules: Iterable[PlannedRule],
    changes: Iterable[Change],
) -> dict[str, Any]:
    """Build the groups, and the totals of the paths with most changes."""
    paths, names = NumberedTexts(), NumberedTexts()
    places = {planned.rule.name: planned.rule.source for planned in rules}
    built = []
    for number, group in enumerate(groups):
        path = paths.find_number(format_short_path(group.path))
        rule = names.find_number(group.rule) if group.rule else -1
        words = _describe_group(group, places) if number < _DESCRIBED_MAX else {}
        sign = group.simple_effect.value
        built.append({"path": path, "sign": sign, "rule": rule, "count": len(group), **words})
        if group.blocked:
            built[-1]["blocked"] = describe_blocked(group.blocked, len(group))
    totals = dict(list(count_paths(groups).items())[:_PATHS_MAX])
    histograms = _count_numbers(changes, totals)
    blocked = count_blocked(groups)
    return {
        "groups": built,
        "totals": [
            {
                "path": paths.find_number(format_short_path(path)),
                **{effect.value: count for effect, count in counts.items()},
                "blocked": describe_blocked(blocked[path], sum(counts.values())),
                **({"histogram": histograms[path]} if path in histograms else {}),
            }
            for path, counts in totals.items()
        ],
        "paths": list(paths.numbers),
        "rules": [escape_invisible(shorten(name, _PLACE_MAX)) for name in names.numbers],
    }


def _describe_group(group: ChangeGroup, places: Mapping[str, Source]) -> dict[str, Any]:
    examples = group.examples if group.effect is Effect.VARY else ()
    return {
        "parts": _describe_effect(group),
        "who": _describe_source(group, places),
        "examples": [
            (
                format_task(one.task, one.key),
                _point(describe_sides(one.change.before, one.change.after)),
            )
            for one in examples
        ],
    }


def _describe_source(group: ChangeGroup, places: Mapping[str, Source]) -> str:
    """Write which rule makes the changes, or where they are declared."""
    if group.rule:
        source = places.get(group.rule, group.source)
        place = f"rule {format_value(group.rule)}, {source.file}:{source.line}"
    else:
        more = f" and {group.sources - 1:,} more places" if group.sources > 1 else ""
        place = f"{shorten(str(group.source), _PLACE_MAX)}{more}"
    return shorten(place, 2 * _PLACE_MAX)


def _describe_effect(group: ChangeGroup) -> list[Part]:
    leads = {Effect.REMOVE: "removed, ", Effect.ADD: "added: ", Effect.VARY: "added, "}
    is_told = group.effect is Effect.VARY and group.before.first is not ABSENT
    lead = "" if is_told else leads.get(group.effect, "")
    return [*([("", lead)] if lead else []), *_point(describe_effect(group))]


def _point(parts: Iterable[Part]) -> list[Part]:
    """Write arrows as the page does."""
    return [("", " → ") if part == ARROW else part for part in parts]


def _count_numbers(changes: Iterable[Change], paths: Iterable[Path]) -> dict[Path, dict[str, Any]]:
    """Count numbers before and after in the same bins, for paths that hold nothing else."""
    found: dict[Path, tuple[list[float], list[float]] | None] = {path: ([], []) for path in paths}
    for change in changes:
        numbers = found.get(change.path)
        if numbers is None:
            continue
        for side, known in zip((change.before, change.after), numbers, strict=True):
            number = _read_number(side)
            if number is not None:
                known.append(number)
            elif side is not ABSENT:
                found[change.path] = None
    return {
        path: histogram
        for path, numbers in found.items()
        if numbers and (histogram := _make_histogram(*numbers))
    }


def _read_number(side: Side) -> float | None:
    if isinstance(side, bool) or not isinstance(side, int | float):
        return None
    try:
        return float(side)
    except OverflowError:
        return None


def _make_histogram(before: list[float], after: list[float]) -> dict[str, Any] | None:
    every = before + after
    if len(set(every)) < _NUMBERS_MIN:
        return None
    low, high = min(every), max(every)
    width = (high - low) / _BINS
    if not (width > 0 and math.isfinite(width)):
        return None

    def count(numbers: Iterable[float]) -> list[int]:
        bins = [0] * _BINS
        for number in numbers:
            bins[min(int((number - low) / width), _BINS - 1)] += 1
        return bins

    return {
        "low": f"{low:g}",
        "high": f"{high:g}",
        "before": count(before) if before else [],
        "after": count(after) if after else [],
    }
