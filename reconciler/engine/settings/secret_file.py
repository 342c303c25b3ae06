"""Files that hold secrets: read whole, and told of where others could read them as well."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from reconciler.errors import SettingsError

SIZE_MAX: Final = 65_536
"""Bytes: no secret is so long, and nothing else is to be read by mistake."""

SECRET_MOUNTS: Final = (Path("/run/secrets"), Path("/var/run/secrets"))
"""Where Docker and Kubernetes mount secrets, readable by all users of the container."""

_OTHERS: Final = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP


def read_secret(path: Path, variable: str, *, holding: str, warn: Callable[[str], None]) -> str:
    """Read a file that ``variable`` names, ``holding`` what; raises SettingsError.

    ``warn`` is told where other users could read or change the file. It is read all the same:
    how a secret is mounted is often not for its user to decide.
    """
    try:
        # A pipe that nobody writes to is empty, and not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(descriptor, True)
        with os.fdopen(descriptor, "rb") as file:
            check_permissions(path, variable, os.fstat(file.fileno()), warn)
            raw = file.read(SIZE_MAX + 1)
    except (OSError, ValueError) as error:
        message = getattr(error, "strerror", None) or "no name that a file can have"
        raise SettingsError(
            f"{path}, named by {variable}, cannot be read: {message}", hint=f"put {holding} into it"
        ) from error
    if len(raw) > SIZE_MAX:
        raise SettingsError(
            f"{path}, named by {variable}, is larger than {SIZE_MAX:,} bytes",
            hint=f"put {holding} into it",
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
    """Tell where other users of a machine could read or change a file.

    Inside a container there are none who should not: what is mounted there as a secret is 0444 or
    0644 by default, and cannot be changed.
    """
    if not stat.S_ISREG(status.st_mode) or not status.st_mode & _OTHERS:
        return
    real = path.resolve()
    in_mount = any(real.is_relative_to(mount) for mount in mounts)
    # Kubernetes lets each file of a secret be a link into `..data`, a link to `..2026_10_01...`.
    if in_mount or any(part.startswith("..") for part in real.parts):
        return
    warn(
        f"{path}, named by {variable}, can be read or changed by other users of this machine "
        f"(chmod 600 {path})"
    )
