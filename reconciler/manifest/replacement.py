"""Replacing a manifest: as a whole or not at all, and only if no other program changed it."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def replace_manifest(file: str, raw: bytes, *, expected: bytes) -> str:
    """Replace the bytes ``expected`` of a file, or of the target of a link; the mode is kept.

    Returns why that is impossible, or nothing.
    """
    try:
        target = Path(file).resolve(strict=True)
        mode = target.stat().st_mode
        if not mode & _WRITABLE or not os.access(target, os.W_OK):
            return "the file is read-only"
        return _replace(target, raw, expected, mode)
    except OSError as error:
        return f"cannot be written: {error.strerror or error}"


def _replace(target: Path, raw: bytes, expected: bytes, mode: int) -> str:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(raw)
            out.flush()
            os.fchmod(out.fileno(), stat.S_IMODE(mode))
            os.fsync(out.fileno())
        if target.read_bytes() == expected:
            Path(name).replace(target)
            return ""
        return "the file changed while the command ran"
    finally:
        with suppress(OSError):
            Path(name).unlink()
