"""What `init` did, as data: files written and left alone, projects seen, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.pull_result import Pulled


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that exists and was left alone; ``advice`` is what it may lack, empty for nothing."""

    path: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class ListedProject:
    """A project of the server; ``tasks`` is None if the server does not count them."""

    number: int
    title: str
    tasks: int | None


@dataclass(frozen=True, slots=True)
class ServerProjects:
    """The first projects of a server, and how many it has."""

    address: str
    projects: Sequence[ListedProject]
    total: int


@dataclass(frozen=True, slots=True)
class StarterResult:
    """What `init` wrote, found and left to do.

    ``problem`` says why the server was not read, empty if it was. ``has_manifests`` tells that
    there were manifests already, so that nothing was pulled. ``steps`` is what to do next.
    """

    written: Sequence[str]
    kept: Sequence[KeptFile]
    server: ServerProjects | None = None
    pulled: Pulled | None = None
    problem: str = ""
    has_manifests: bool = False
    steps: Sequence[str] = ()
