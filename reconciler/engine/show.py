"""Reading saved plans or reports, and merging them into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.artifacts.saved_file import read_all_saved
from reconciler.contract.openapi import load_contract
from reconciler.core.merge import merge_plans
from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.core.report_history import NamedReport, merge_reports
from reconciler.core.shard import Shard, find_missing_shards
from reconciler.engine.unknowns import Unknowns, find_unknowns
from reconciler.errors import SavedFileError


@dataclass(frozen=True, slots=True)
class SavedFiles:
    """Saved plans or saved reports, each with the name of its file; one of the two is empty."""

    plans: Sequence[tuple[str, Plan]]
    reports: Sequence[NamedReport]


@dataclass(frozen=True, slots=True)
class MergedFiles:
    """Saved files as one plan or one report, and what is missing from it.

    ``missing`` are the shards of the run that no file covers, in order. ``unknowns`` are what
    reports leave open; plans leave nothing open.
    """

    found: Plan | Report
    missing: Sequence[Shard]
    unknowns: Unknowns


def read_saved_files(files: Sequence[str]) -> SavedFiles:
    """Read saved plans, or saved reports; ``-`` is standard input.

    Raises:
        SavedFileError: a file cannot be read, a file is passed twice, or plans and reports are
            mixed.

    """
    saved = read_all_saved(files)
    plans = [(name, found) for name, found in saved if isinstance(found, Plan)]
    reports = [(name, found) for name, found in saved if isinstance(found, Report)]
    if plans and reports:
        message = f"{plans[0][0]} is a plan, but {reports[0][0]} is a report"
        raise SavedFileError(message, hint="show plans and reports separately")
    return SavedFiles(plans, reports)


def merge_saved_files(saved: SavedFiles) -> MergedFiles:
    """Merge saved files; raises SavedFileError if they do not belong together."""
    found: Plan | Report
    if saved.plans:
        found = merge_plans(saved.plans)
    else:
        found = merge_reports(saved.reports, load_contract())
    missing = list(find_missing_shards(found.shards))
    return MergedFiles(found, missing, find_unknowns(saved.reports))
