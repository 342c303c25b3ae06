"""The types that callers of the engine pass to it and get from it.

They are defined in `reconciler.core`; callers import them from here, so that the rest of the core
may change.
"""

from __future__ import annotations

from reconciler.core.limit import Limit
from reconciler.core.model import ALLOWABLE, Kind, Plan
from reconciler.core.report import Report
from reconciler.core.shard import Shard

__all__ = ["ALLOWABLE", "Kind", "Limit", "Plan", "Report", "Shard"]
