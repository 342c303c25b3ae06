"""Everything that can be reported, as data, and the one tree of exceptions that carries it.

ReconcilerError
├── ContractError      an API description that cannot be read as one
├── SettingsError      address, token or settings file
├── ManifestError      problems in manifests, all of a run at once
├── SavedFileError     a plan or report that cannot be read as one
├── ServerError        the server did not do what was asked
│   ├── Unreachable        no answer at all
│   │   ├── NotSent            it was not even asked
│   │   └── TimedOut           none within the time that was given
│   ├── NotLabelStudio     an answer that no Label Studio gives
│   ├── Unauthorised       401 and 403
│   ├── NotFound           404 with Label Studio's own body
│   │   └── NoSuchProject      of the tasks of a project
│   ├── Rejected           400 and other 4xx: refused, nothing of it is stored
│   └── Broken             500 to 599
└── Refused            this tool will not do it
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A place in a file: ``line`` and ``column`` count from 1, in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong: where, at which path, what, and what to do about it."""

    source: Source
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        at = f"{self.source}: {self.path}: " if self.path else f"{self.source}: "
        return f"{at}{self.message} ({self.hint})" if self.hint else at + self.message


class ReconcilerError(Exception):
    """Base of all errors that a person is meant to read.

    ``message`` says what was found and expected, ``hint`` what to do. An error is never changed
    after it is made.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what it holds, so that an error of a worker process can be raised in another."""
        return _restore, (type(self), self.args), self.__dict__


def _restore(kind: type[ReconcilerError], args: tuple[object, ...]) -> ReconcilerError:
    return kind.__new__(kind, *args)


class ContractError(ReconcilerError):
    """An API description or a schema cannot be used."""


class SettingsError(ReconcilerError):
    """Address, token or settings file are missing or wrong."""


class ManifestError(ReconcilerError):
    """The manifests have problems; ``problems`` holds all of them, sorted."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class SavedFileError(ReconcilerError):
    """A saved plan or report cannot be read as one, or several do not belong together."""


class ServerError(ReconcilerError):
    """The server did not do what was asked; ``status`` is the HTTP status, 0 for none.

    ``retry_after`` is how many seconds the server asks to wait; None where it does not.
    ``given_up`` tells of a request that was not sent, as what it needs failed for good.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status: int = 0,
        retry_after: float | None = None,
        given_up: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.retry_after = retry_after
        self.given_up = given_up

    def restate(self, message: str, *, given_up: bool | None = None) -> Self:
        """Make the same error in other words, as of another request that it keeps from success."""
        error = type(self).__new__(type(self), message)
        error.__dict__.update(self.__dict__, message=message)
        if given_up is not None:
            error.given_up = given_up
        return error


class Unreachable(ServerError):
    """No answer, or half of one: whether the server acted on the request is not known."""


class NotSent(Unreachable):
    """No connection: the server knows nothing of the request."""


class TimedOut(Unreachable):
    """No answer in time: the server may still be working on it."""


class NotLabelStudio(ServerError):
    """An answer that no Label Studio gives: a proxy's page, a redirect, another service."""


class Unauthorised(ServerError):
    """401: the token is missing or not valid. 403: its user may not do this."""


class NotFound(ServerError):
    """404 in Label Studio's own words."""


class NoSuchProject(NotFound):
    """The tasks of ``project`` cannot be listed; ``source`` is where it is declared, if known."""

    def __init__(self, project: int, message: str, *, source: Source | None = None) -> None:
        at = f"{source}: " if source else ""
        super().__init__(
            f"{at}project {project}: there is none, or none that this token may see: {message}",
            hint="correct the project of the manifest, or use a token that may see it",
            status=404,
        )
        self.project = project
        self.detail = message


class Rejected(ServerError):
    """Another 4xx, mostly 400: the server refused the request and stored none of it."""


class Broken(ServerError):
    """5xx: the server failed; it may have stored the request all the same."""


class Refused(ReconcilerError):
    """What was asked is not done, because it would or might destroy something."""
