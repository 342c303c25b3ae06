"""The sandbox: a stand-in for Label Studio, loaded and served on this machine alone."""

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
"""The editions that the sandbox can behave like, the default first."""

RELEASES: Final = NAMES
"""The releases that the sandbox can behave like, in order."""

NEWEST_RELEASE: Final = NEWEST


def load_sandbox(file: Path | None, *, edition: str, release: str) -> State:
    """Load the projects and tasks of a file, or an example where there is none.

    Raises SettingsError for a file that cannot be used, and for a release that the edition lacks.
    """
    return load_state(file, edition, release=release)


def serve_sandbox(state: State, port: int, *, announce: Callable[[str, str], None]) -> NoReturn:
    """Serve a sandbox until interrupted; port 0 takes a free one.

    ``announce`` is given the address and the token once requests can come. Raises SettingsError
    for a port that cannot be listened on.
    """
    serve_forever(state, port, announce=lambda url: announce(url, SANDBOX_TOKEN))
