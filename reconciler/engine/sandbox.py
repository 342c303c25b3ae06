"""The sandbox: a simulated Label Studio, served only on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.fields import Edition
from reconciler.sandbox.loopback_server import serve_forever
from reconciler.sandbox.releases import NAMES, NEWEST
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state

EDITIONS: Final = tuple(edition.value for edition in Edition)
"""The editions that the sandbox can simulate, the default first."""

RELEASES: Final = NAMES
"""The releases that the sandbox can simulate, in order."""

NEWEST_RELEASE: Final = NEWEST


def load_sandbox(file: Path | None, *, edition: str, release: str) -> State:
    """Load the projects and tasks of a file, or an example if ``file`` is None.

    Raises SettingsError if the file cannot be used or the edition has no such release.
    """
    return load_state(file, edition, release=release)


def serve_sandbox(state: State, port: int, *, announce: Callable[[str, str], None]) -> NoReturn:
    """Serve a sandbox until interrupted; port 0 chooses a free one.

    ``announce`` receives the address and the token once the sandbox accepts requests. Raises
    SettingsError if the port cannot be used.
    """
    serve_forever(state, port, announce=lambda url: announce(url, SANDBOX_TOKEN))
