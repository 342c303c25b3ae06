"""What callers from Python pass to redact values, and errors that do not quote these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from reconciler.core.redaction import Redaction, RedactionSettings, parse_redacted_path
from reconciler.engine.redacted_errors import redact_errors
from reconciler.engine.settings.run_settings import Settings

Redacting: TypeAlias = Settings | Iterable[str]
"""What to redact: settings that say so, or paths such as ``["data.patient"]``."""


def read_redacting(redact: Redacting) -> RedactionSettings:
    """Read what a caller passed; raises ValueError."""
    if isinstance(redact, Settings):
        return redact.hidden
    paths = [redact] if isinstance(redact, str) else redact
    return RedactionSettings(Redaction(tuple(map(parse_redacted_path, paths))))


@contextmanager
def redacting(hidden: RedactionSettings) -> Iterator[None]:
    """Raise errors of the block without what is hidden."""
    with redact_errors(lambda: hidden.redaction):
        yield
