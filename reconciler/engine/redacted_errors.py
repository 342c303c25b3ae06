"""Errors without the redacted values that their messages may quote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.core.redaction import Redaction
from reconciler.errors import ManifestError, ReconcilerError, SettingsError

_SEE = "run it without redaction, where nobody else sees the output, to read more"


@contextmanager
def redact_errors(read: Callable[[], Redaction]) -> Iterator[None]:
    """Raise errors of the block without redacted values; ``read`` is called if there is one.

    An error of ``read`` itself is raised instead: then nobody knows what is redacted.
    """
    try:
        yield
    except SettingsError:
        raise
    except ReconcilerError as error:
        redaction = read()
        if not redaction:
            raise
        # Not from the error: a traceback would show what it quotes.
        raise _redact_error(error, redaction) from None


def _redact_error(error: ReconcilerError, redaction: Redaction) -> ReconcilerError:
    """Return an error as it may be shown. What servers say, they quote only without redaction."""
    if isinstance(error, ManifestError):
        from reconciler.core.redacted_model import redact_problems  # noqa: PLC0415 - rarely needed

        return ManifestError(redact_problems(error.problems, redaction))
    if not error.discreet:
        return error
    return error.restate(error.discreet, hint=error.hint or _SEE)
