"""Figures beside their floors: ratios, and whether they keep to their budgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

_SHOWN: Final[dict[str, Callable[[float], str]]] = {
    "s": lambda value: f"{_digits(value)} s",
    "ms": lambda value: f"{_digits(value)} ms",
    "us": lambda value: f"{value:,.0f} us",
    "x": lambda value: f"{value:.2f}x",
    "MB": lambda value: f"{value:,.0f} MB",
}
HEADINGS: Final = ("Figure", "Ours", "Beside", "Ratio", "Budget", "Holds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a figure may be: the ratio to what stands beside it, or the figure itself.

    ``faster`` is the least number of times that we must be faster than what stands beside.
    ``aim`` is what to strive for; it is shown and not judged.
    """

    ratio: float | None = None
    value: float | None = None
    faster: float | None = None
    aim: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of the table.

    ``ours`` and ``beside`` are values in ``unit``; where they are as many, they were measured
    in turn, and each is held against its neighbour. What stands beside a row with ``peer`` is
    no floor but somebody else: the ratio says how many times faster we are. ``note`` is for
    those who read it.
    """

    figure: str
    unit: str
    ours: Sequence[float]
    beside: Sequence[float] = ()
    of: str = ""
    peer: bool = False
    budget: Budget | None = None
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """How many times what stands beside we take; beside a peer, the inverse."""
        if not self.beside:
            return []
        alike = len(self.ours) == len(self.beside)
        others = self.beside if alike else [median(self.beside)] * len(self.ours)
        pairs = [(o, b) for o, b in zip(self.ours, others, strict=True) if o > 0 and b > 0]
        return [b / o if self.peer else o / b for o, b in pairs]

    @property
    def holds(self) -> bool | None:
        """Tell whether the worst run keeps to the budget; None where there is none."""
        return self._kept(self._worst)

    @property
    def median_holds(self) -> bool | None:
        """Tell whether the run in the middle keeps to the budget."""
        return self._kept(median)

    def _worst(self, values: Sequence[float]) -> float:
        return min(values) if self.peer and values is not self.ours else max(values)

    def _kept(self, choose: Callable[[Sequence[float]], float]) -> bool | None:
        if self.budget is None:
            return None
        kept = []
        if self.budget.value is not None:
            kept.append(choose(self.ours) <= self.budget.value)
        if self.budget.ratio is not None:
            kept.append(choose(self.ratios) <= self.budget.ratio)
        if self.budget.faster is not None:
            kept.append(choose(self.ratios) >= self.budget.faster)
        return all(kept)

    def cells(self) -> tuple[str, ...]:
        """Write the row as it is shown, in the order of `HEADINGS`."""
        beside = f"{self.of}: {self._values(self.beside)}" if self.beside else self.of
        return (
            self.figure,
            f"{self._values(self.ours)} (n = {len(self.ours)})",
            beside,
            self._ratio(),
            self._budget(),
            self._verdict(),
        )

    def _values(self, values: Sequence[float]) -> str:
        show = _SHOWN[self.unit]
        middle = show(median(values))
        return f"{middle}, worst {show(max(values))}" if len(values) > 1 else middle

    def _ratio(self) -> str:
        ratios = self.ratios
        if not ratios:
            return ""
        middle, worst = median(ratios), self._worst(ratios)
        spread = f", worst {_times(worst)}" if len(ratios) > 1 else ""
        return f"{_times(middle)}{spread}{' faster' if self.peer else ''}"

    def _budget(self) -> str:
        if self.budget is None:
            return ""
        show = _SHOWN[self.unit]
        parts = []
        if self.budget.ratio is not None:
            parts.append(f"at most {self.budget.ratio:.3g}x")
        if self.budget.value is not None:
            parts.append(f"at most {show(self.budget.value)}")
        if self.budget.faster is not None:
            parts.append(f"at least {self.budget.faster:g}x faster")
        if self.budget.aim is not None:
            parts.append(f"aim {show(self.budget.aim)}")
        return ", ".join(parts)

    def _verdict(self) -> str:
        if self.holds is None:
            return ""
        if self.holds:
            return "yes"
        return "median only" if self.median_holds else "**NO**"


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that belong together; ``said`` is what a reader must know about them."""

    title: str
    said: str
    rows: Sequence[Row]


def _digits(value: float) -> str:
    """Write a number with three digits that mean something, or all before the point."""
    before = len(f"{value:.0f}") if value >= 1 else 0
    return f"{value:,.{max(0, 3 - before)}f}"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.2f}x"


def markdown(rows: Sequence[Row]) -> str:
    """Write rows as a table that reads well as plain text too."""
    cells = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "| " + " | ".join(padded) + " |"


def broken(sections: Sequence[Section]) -> list[Row]:
    """List the rows that do not keep to their budgets."""
    return [row for section in sections for row in section.rows if row.holds is False]
