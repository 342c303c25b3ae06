"""Writing a file as a whole, or not at all; only its owner can read it."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from reconciler.errors import Refused

_ENCODING: Final = "utf-8"


def write_output(text: str, file: Path, what: str) -> None:
    """Write what a format rendered, called ``what`` in messages; raises Refused."""
    try:
        write_whole_file(text, file)
    except (OSError, ValueError) as error:
        message = getattr(error, "strerror", None) or str(error)
        raise Refused(
            f"cannot write the {what} output to {file}: {message}",
            hint="pass another file to --format",
        ) from error


def write_whole_file(text: str, file: Path) -> None:
    """Replace a file by one with this text; raises OSError.

    Devices and pipes are written directly: a new file must not replace them.
    """
    if file.exists() and not file.is_file():
        # Opening a pipe without a reader must fail, not wait.
        descriptor = os.open(file, os.O_WRONLY | os.O_NONBLOCK)
        os.set_blocking(descriptor, True)
        with os.fdopen(descriptor, "w", encoding=_ENCODING, errors="backslashreplace") as out:
            out.write(text)
    else:
        _replace_file(file, text)


def _replace_file(file: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding=_ENCODING, errors="backslashreplace") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
