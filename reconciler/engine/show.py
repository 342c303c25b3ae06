"""Saved plans or reports as one: read, put together, and held against the whole of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.artifacts.saved_file import read_all_saved
from reconciler.contract.openapi import load_contract
from reconciler.core.merge import merge_plans
from reconciler.core.model import Plan
from reconciler.core.report import Report
from reconciler.core.report_history import NamedReport, merge_reports
from reconciler.core.shard import Shard, find_missing_shards
from reconciler.engine.unknowns import Unknowns, find_unknowns
from reconciler.errors import SavedFileError


@dataclass(frozen=True, slots=True)
class SavedFiles:
    """Saved plans or saved reports, each after the name of its file; one of the two is empty."""

    plans: Sequence[tuple[str, Plan]]
    reports: Sequence[NamedReport]


@dataclass(frozen=True, slots=True)
class MergedFiles:
    """Saved files as one plan, or as one report, and what keeps these from being the whole.

    ``missing`` are the shards of the run that no file is of, in order. ``unknowns`` are what
    reports leave open; plans leave open nothing.
    """

    found: Plan | Report
    missing: Sequence[Shard]
    unknowns: Unknowns


def read_saved_files(files: Sequence[str]) -> SavedFiles:
    """Read saved plans, or saved reports; ``-`` is standard input.

    Raises:
        SavedFileError: a file cannot be read or is given twice, or there are plans and reports.

    """
    saved = read_all_saved(files)
    plans = [(name, found) for name, found in saved if isinstance(found, Plan)]
    reports = [(name, found) for name, found in saved if isinstance(found, Report)]
    if plans and reports:
        message = f"{plans[0][0]} is a plan, and {reports[0][0]} a report"
        raise SavedFileError(message, hint="show plans apart from reports")
    return SavedFiles(plans, reports)


def merge_saved_files(saved: SavedFiles) -> MergedFiles:
    """Put saved files together; raises SavedFileError where they do not belong together."""
    found: Plan | Report
    if saved.plans:
        found = merge_plans(saved.plans)
    else:
        found = merge_reports(saved.reports, load_contract())
    missing = list(find_missing_shards(found.shards))
    return MergedFiles(found, missing, find_unknowns(saved.reports))
