"""What the command line, or its variables, say in the place of a settings file."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.limit import Limit


@dataclass(frozen=True, slots=True)
class CliOverrides:
    """What was given as options, or by their variables; None for what was not."""

    url: str | None = None
    timeout: float | None = None
    concurrency: int | None = None
    rps: float | None = None
    max_changes: Limit | None = None
    allow_plain_http: bool = False
