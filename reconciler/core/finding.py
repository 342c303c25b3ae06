"""What `doctor` finds, as data: each finding says what was seen, why it matters and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Level(StrEnum):
    """How a finding was judged; only with a ``PROBLEM`` would an apply not work."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


class Area(StrEnum):
    """What checks are about; findings are grouped by it, in this order."""

    SERVER = "server"
    ACCESS = "access"
    READING = "reading"
    MANIFESTS = "manifests"


class Check(StrEnum):
    """The checks, in the order of their findings."""

    SETTINGS = "settings"
    ADDRESS = "address"
    PROXY = "proxy"
    CONNECTION = "connection"
    VERSION = "version"
    LATENCY = "latency"
    CLOCK = "clock"
    TOKEN = "token"  # noqa: S105 - the name of a check
    USER = "user"
    UPDATES = "updates"
    PAGES = "pages"
    AT_ONCE = "at once"
    STORED_ADDRESSES = "addresses"
    FILES = "files"
    PROJECTS = "projects"
    ATTRIBUTES = "attributes"
    KEYS = "keys"
    OVERLAP = "overlap"


_AREAS: Final[Mapping[Area, tuple[Check, ...]]] = MappingProxyType(
    {
        Area.SERVER: (
            *(Check.SETTINGS, Check.ADDRESS, Check.PROXY, Check.CONNECTION, Check.VERSION),
            *(Check.LATENCY, Check.CLOCK),
        ),
        Area.ACCESS: (Check.TOKEN, Check.USER, Check.UPDATES),
        Area.READING: (Check.PAGES, Check.AT_ONCE, Check.STORED_ADDRESSES),
        Area.MANIFESTS: (
            *(Check.FILES, Check.PROJECTS, Check.ATTRIBUTES, Check.KEYS, Check.OVERLAP),
        ),
    }
)

AREA_OF: Final[Mapping[Check, Area]] = MappingProxyType(
    {check: area for area, checks in _AREAS.items() for check in checks}
)

WHY: Final[Mapping[Check, str]] = MappingProxyType(
    {
        Check.SETTINGS: "no command that needs the server starts with wrong settings",
        Check.ADDRESS: "the token is sent to this address",
        Check.PROXY: "a proxy sees where requests go, and may refuse or delay them",
        Check.CONNECTION: "plan and apply send all requests over such a connection",
        Check.VERSION: "plan and apply refuse a server that is not Label Studio, and releases "
        "differ in what they read and store",
        Check.LATENCY: "an apply sends a request for each changed task",
        Check.CLOCK: "certificates and tokens expire by the clock, and reports hold this "
        "machine's times",
        Check.TOKEN: "the server shows and changes tasks only for a token that it accepts",
        Check.USER: "the server records changes as this user's, and decides by its role what it "
        "may change",
        Check.UPDATES: "the server returns 200 to updates of other attributes, and ignores them",
        Check.PAGES: "plans of whole projects read pages: smaller ones need more requests",
        Check.AT_ONCE: "plan and apply find out themselves how many requests at once are fastest; "
        "this shows what to expect",
        Check.STORED_ADDRESSES: "an address that the server generated must never be written back",
        Check.FILES: "plan and apply refuse manifests with problems",
        Check.PROJECTS: "plan and apply need to see the project of each task",
        Check.ATTRIBUTES: "a task with a declared attribute that the server does not show cannot "
        "be planned, and a change that it does not store is blocked",
        Check.KEYS: "a key must name exactly one task",
        Check.OVERLAP: "a declared overlap that the server resets differs again in the next plan",
    }
)
"""Why each check matters."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: ``what`` was found and, unless all is well, what to do."""

    check: Check
    level: Level
    what: str
    remedy: str = ""

    @property
    def area(self) -> Area:
        """What the check is about."""
        return AREA_OF[self.check]

    @property
    def why(self) -> str:
        """Why the check matters."""
        return WHY[self.check]


@dataclass(frozen=True, slots=True)
class Checkup:
    """All findings of a run, in the order of the checks, and how many requests it took.

    ``unchecked`` names the checks that could not be made. ``address`` is empty if no server is
    set.
    """

    address: str
    findings: tuple[Finding, ...]
    requests: int
    unchecked: tuple[Check, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether nothing was found that would keep an apply from working."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)

    def count(self, level: Level) -> int:
        """Count the findings of a level."""
        return sum(finding.level is level for finding in self.findings)


def ok(check: Check, what: str) -> Finding:
    """Make a finding that all is well."""
    return Finding(check, Level.OK, what)


def note(check: Check, what: str, remedy: str = "") -> Finding:
    """Make a finding that a user may want to know."""
    return Finding(check, Level.NOTE, what, remedy)


def warn(check: Check, what: str, remedy: str) -> Finding:
    """Make a finding of what may cause trouble."""
    return Finding(check, Level.WARNING, what, remedy)


def fail(check: Check, what: str, remedy: str) -> Finding:
    """Make a finding of what would keep an apply from working."""
    return Finding(check, Level.PROBLEM, what, remedy)
