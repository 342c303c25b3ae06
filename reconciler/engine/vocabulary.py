"""The values that callers of the engine hand to it and get from it.

They are defined in `reconciler.core`. Callers take them from here: what else the core holds is no
concern of theirs, and may change without them.
"""

from __future__ import annotations

from reconciler.core.limit import Limit
from reconciler.core.model import ALLOWABLE, Kind, Plan
from reconciler.core.report import Report
from reconciler.core.shard import Shard

__all__ = ["ALLOWABLE", "Kind", "Limit", "Plan", "Report", "Shard"]
