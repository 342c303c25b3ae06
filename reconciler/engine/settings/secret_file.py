"""Reading files that hold secrets, with a warning if other users could read them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from reconciler.errors import SettingsError

SIZE_MAX: Final = 65_536
"""Bytes: no secret is longer, so a longer file was named by mistake."""

SECRET_MOUNTS: Final = (Path("/run/secrets"), Path("/var/run/secrets"))
"""Where Docker and Kubernetes mount secrets, readable by all users of the container."""

_OTHERS: Final = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP


def read_secret(path: Path, variable: str, *, holding: str, warn: Callable[[str], None]) -> str:
    """Read a file that ``variable`` names; raises SettingsError.

    ``holding`` says what the file should hold. ``warn`` receives a message if other users could
    read or change the file; it is read all the same, because the user often cannot change how a
    secret is mounted.
    """
    try:
        # A pipe without a writer must read as empty, not wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(descriptor, True)
        with os.fdopen(descriptor, "rb") as file:
            check_permissions(path, variable, os.fstat(file.fileno()), warn)
            raw = file.read(SIZE_MAX + 1)
    except (OSError, ValueError) as error:
        message = getattr(error, "strerror", None) or "not a valid file name"
        raise SettingsError(
            f"{variable}: cannot read {path}: {message}",
            hint=f"set it to a file that holds {holding}",
        ) from error
    if len(raw) > SIZE_MAX:
        raise SettingsError(
            f"{variable}: {path} is larger than {SIZE_MAX:,} bytes",
            hint=f"set it to a file that holds {holding}",
        )
    return raw.decode("utf-8-sig", "replace")


def check_permissions(
    path: Path,
    variable: str,
    status: os.stat_result,
    warn: Callable[[str], None],
    *,
    mounts: Sequence[Path] = SECRET_MOUNTS,
) -> None:
    """Warn if other users of the machine could read or change a file.

    Secrets that are mounted in a container are exempt: they are 0444 or 0644 by default, and the
    user cannot change that.
    """
    if not stat.S_ISREG(status.st_mode) or not status.st_mode & _OTHERS:
        return
    real = path.resolve()
    in_mount = any(real.is_relative_to(mount) for mount in mounts)
    # Kubernetes lets each file of a secret be a link into `..data`, a link to `..2026_10_01...`.
    if in_mount or any(part.startswith("..") for part in real.parts):
        return
    warn(f"{variable}: other users of this machine can read or change {path} (chmod 600 {path})")
