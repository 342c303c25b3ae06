"""What `doctor` observed of a server and of manifests, before anything is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.paths import Path
from reconciler.core.plan_model import ServerIdentity


class TokenKind(StrEnum):
    """The kinds of token, by their form."""

    LEGACY = "legacy token"
    PERSONAL = "personal access token"
    ACCESS = "access token"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What a token says of itself; ``expires`` is in seconds since 1970, None if it says nothing.

    Its signature is not verified: only the server can do that.
    """

    kind: TokenKind
    expires: float | None = None


class FailureKind(StrEnum):
    """What a failed request shows."""

    NO_CONNECTION = "no connection"
    """No response, or only a part of one."""
    FOREIGN = "foreign"
    """A response that Label Studio does not give."""
    REFUSED = "refused"
    """401 or 403."""
    NOT_FOUND = "not found"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something could not be observed: the message of an error, and what to do."""

    message: str
    hint: str = ""
    kind: FailureKind = FailureKind.OTHER


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings of the run; ``proxy`` says which one is used and why, empty for none.

    ``failures`` are what is wrong with them, without the token; ``warnings`` stop no run.
    """

    address: str = ""
    named_by: str = ""
    is_plaintext: bool = False
    proxy: str = ""
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The encryption of a connection: its version, and until when the certificate is valid.

    ``expires`` is in seconds since 1970, None if it is not known.
    """

    version: str
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The ``Date`` of a response, and when this machine sent the request and got the response.

    All are in seconds since 1970. The server cuts its date off to whole seconds.
    """

    date: float
    sent: float
    received: float


@dataclass(frozen=True, slots=True)
class Account:
    """The user of the token; what the server does not show is empty."""

    user: str
    organisation: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What the list of projects shows of one; None for what it does not show."""

    number: int
    title: str = ""
    tasks: int | None = None
    maximum_annotations: int | None = None
    overlap_cohort_percentage: int | None = None


@dataclass(frozen=True, slots=True)
class ProjectsSeen:
    """The projects that were asked for, or without manifests some; ``count`` is of all of these.

    ``asked`` are the declared numbers, empty without manifests. ``left_out`` counts the projects
    that were not asked for, as they are too many.
    """

    count: int
    found: Mapping[int, ProjectFacts] = field(default_factory=dict)
    asked: tuple[int, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class PageSeen:
    """The first page of a project: how many tasks were requested, came, and exist."""

    project: int
    requested: int
    rows: int
    total: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """A few tasks, read as a plan reads them.

    ``shown`` are the attributes that all of them have. ``stored`` counts the tasks with a storage
    address in ``data``, and ``resolved`` is an address that the server generated, empty for none.
    """

    tasks: tuple[int, ...]
    shown: frozenset[str]
    stored: int = 0
    resolved: str = ""


@dataclass(frozen=True, slots=True)
class AtOnce:
    """How long one list took, and several of the same at once, in seconds."""

    requests: int
    alone: float
    together: float


@dataclass(frozen=True, slots=True)
class Declared:
    """What manifests declare, as far as it is checked on the server.

    ``read`` are the attributes that a plan needs, ``written`` those that it may change.
    """

    tasks: int = 0
    rules: int = 0
    files: int = 0
    read: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    projects: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class KeysSeen:
    """What the server has of the declared keys of a project: those of ``looked_up`` that fail.

    ``declared`` counts all keys; ``looked_up`` is 0 if filters cannot find them reliably.
    """

    project: int
    path: Path
    declared: int
    looked_up: int = 0
    missing: tuple[str, ...] = ()
    ambiguous: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """Everything that was observed; None for what was not asked.

    ``now`` is the time of this machine, in seconds since 1970. ``round_trips`` are the seconds of
    small requests over an open connection. ``honoured`` are the attributes that an update stores,
    and ``writable`` those that manifests can declare. ``declared`` is None without manifests.
    """

    now: float
    setup: Setup
    token: TokenFacts | Failure
    tls: TlsFacts | None = None
    clock: ClockReading | None = None
    round_trips: tuple[float, ...] = ()
    identity: ServerIdentity | Failure | None = None
    account: Account | Failure | None = None
    projects: ProjectsSeen | Failure | None = None
    page: PageSeen | Failure | None = None
    sample: Sample | Failure | None = None
    honoured: frozenset[str] | Failure | None = None
    writable: frozenset[str] = frozenset()
    at_once: AtOnce | Failure | None = None
    declared: Declared | tuple[Failure, ...] | None = None
    keys: tuple[KeysSeen | Failure, ...] = ()
    requests: int = 0
