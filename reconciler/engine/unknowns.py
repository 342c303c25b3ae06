"""What reports leave open, which a user who reads or reverts them should know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.report_history import NamedReport, describe_given_order


@dataclass(frozen=True, slots=True)
class Unknowns:
    """What some reports leave open.

    ``cut_off`` names the reports whose end is missing. ``order`` says that reports are used in the
    given order; empty if their order is known or does not matter.
    """

    cut_off: tuple[str, ...]
    order: str


def find_unknowns(reports: Sequence[NamedReport]) -> Unknowns:
    """Find what reports, each with the name of its file, leave open."""
    cut_off = tuple(name for name, report in reports if not report.complete)
    return Unknowns(cut_off, describe_given_order(reports))
