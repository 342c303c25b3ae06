"""What `doctor` found as a JSON document; see checkup.schema.json."""

from __future__ import annotations

from reconciler.core.finding import Checkup, Finding
from reconciler.core.plan_document import FORMAT_VERSION
from reconciler.core.values import Json


def build_checkup_document(checkup: Checkup) -> dict[str, Json]:
    """Build the document of a checkup."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "checkup",
        "ready": checkup.is_ready,
        "server": checkup.address or None,
        "requests": checkup.requests,
        "findings": [_build_finding(finding) for finding in checkup.findings],
        "unchecked": [check.value for check in checkup.unchecked],
    }


def _build_finding(finding: Finding) -> Json:
    return {
        "area": finding.area.value,
        "check": finding.check.value,
        "level": finding.level.value,
        "what": finding.what,
        "why": finding.why,
        "what_to_do": finding.remedy,
    }
