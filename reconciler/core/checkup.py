"""All checks of `doctor`, over what was observed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from reconciler.core import manifest_findings, server_findings
from reconciler.core.finding import AREA_OF, Area, Check, Checkup, Finding
from reconciler.core.observations import Observations

CheckFunction: TypeAlias = Callable[[Observations], Iterator[Finding]]

CHECKS: Final[tuple[tuple[Check, CheckFunction], ...]] = (
    (Check.SETTINGS, server_findings.check_settings),
    (Check.ADDRESS, server_findings.check_address),
    (Check.PROXY, server_findings.check_proxy),
    (Check.CONNECTION, server_findings.check_connection),
    (Check.VERSION, server_findings.check_version),
    (Check.LATENCY, server_findings.check_latency),
    (Check.CLOCK, server_findings.check_clock),
    (Check.TOKEN, server_findings.check_token),
    (Check.USER, server_findings.check_user),
    (Check.UPDATES, server_findings.check_updates),
    (Check.PAGES, server_findings.check_pages),
    (Check.AT_ONCE, server_findings.check_at_once),
    (Check.STORED_ADDRESSES, server_findings.check_stored_addresses),
    (Check.FILES, manifest_findings.check_files),
    (Check.PROJECTS, manifest_findings.check_projects),
    (Check.ATTRIBUTES, manifest_findings.check_attributes),
    (Check.KEYS, manifest_findings.check_keys),
    (Check.OVERLAP, manifest_findings.check_overlap),
)
"""The checks, in the order of their findings."""

_SILENT: Final = frozenset({Check.SETTINGS, Check.KEYS, Check.OVERLAP})
"""Checks that find nothing if there is nothing to check."""


def judge(seen: Observations) -> Checkup:
    """Make every check, whatever the others find."""
    findings = {check: tuple(find(seen)) for check, find in CHECKS}
    unchecked = tuple(
        check
        for check, found in findings.items()
        if not found and check not in _SILENT and _is_due(check, seen)
    )
    listed = tuple(finding for found in findings.values() for finding in found)
    return Checkup(seen.setup.address, listed, seen.requests, unchecked)


def _is_due(check: Check, seen: Observations) -> bool:
    """Tell whether a check would have been made if everything else had been well."""
    needs_manifests = AREA_OF[check] is Area.MANIFESTS and check is not Check.PROJECTS
    return seen.declared is not None or not needs_manifests
