"""The types that callers of the engine pass to it and get from it.

They are defined in `reconciler.core`; callers import them from here, so that the rest of the core
may change.
"""

from __future__ import annotations

from reconciler.core.allowances import (
    Allowances,
    mark_plan,
    parse_allowance,
    parse_denial,
)
from reconciler.core.finding import Checkup
from reconciler.core.limit import Limit
from reconciler.core.plan_model import Plan
from reconciler.core.problems import ALLOWABLE, Allowance, Kind
from reconciler.core.redacted_model import (
    redact_outcomes,
    redact_plan,
    redact_report,
    redact_validation,
)
from reconciler.core.redaction import Redaction
from reconciler.core.report import Report
from reconciler.core.review_marker import Scope
from reconciler.core.shard import Shard
from reconciler.core.shown_digest import DIGEST_KEY_VARIABLE
from reconciler.core.target import Selector, Targets

__all__ = [
    "ALLOWABLE",
    "DIGEST_KEY_VARIABLE",
    "Allowance",
    "Allowances",
    "Checkup",
    "Kind",
    "Limit",
    "Plan",
    "Redaction",
    "Report",
    "Scope",
    "Selector",
    "Shard",
    "Targets",
    "mark_plan",
    "parse_allowance",
    "parse_denial",
    "redact_outcomes",
    "redact_plan",
    "redact_report",
    "redact_validation",
]
