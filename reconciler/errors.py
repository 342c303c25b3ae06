"""Problems as data, and the tree of exceptions that report them.

ReconcilerError
├── ContractError      an unusable API description
├── SettingsError      a wrong address, token or settings file
├── ManifestError      all problems in the manifests of a run
├── UnknownProjectName a project name without a number, also a LookupError
├── SavedFileError     an unusable plan or report
├── ServerError        a request failed
│   ├── Unreachable        no response
│   │   ├── NotSent            the request did not reach the server
│   │   └── TimedOut           no response in time
│   ├── NotLabelStudio     a response that does not come from Label Studio
│   ├── Unauthorised       401 and 403
│   ├── NotFound           404 with Label Studio's own body
│   │   └── NoSuchProject      404 for the tasks of a project
│   ├── Rejected           400 and other 4xx: nothing is stored
│   └── Broken             500 to 599
├── ForgeError         a request to GitHub or GitLab failed
└── Refused            reconciler refuses to do it
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A place in a file: ``line`` and ``column`` count from 1, in characters.

    Both are 0 if the place is the file itself, which cannot be read or does not exist.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem: its place, its path, what is wrong, and what to do about it.

    ``discreet`` is the message without the values of tasks that it quotes beside that at ``path``,
    such as a key; empty if it quotes none.
    """

    source: Source
    path: str
    message: str
    hint: str = ""
    discreet: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        at = f"{self.source}: {self.path}: " if self.path else f"{self.source}: "
        return f"{at}{self.message} ({self.hint})" if self.hint else at + self.message


class ReconcilerError(Exception):
    """Base of all errors that are written for users.

    ``message`` says what was found and expected, ``hint`` what to do. ``discreet`` is the message
    without the values of tasks, empty if ``message`` quotes none. Errors are immutable.
    """

    def __init__(self, message: str, *, hint: str = "", discreet: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.discreet = discreet

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def restate(self, message: str, **attributes: Any) -> Self:  # noqa: ANN401 - as the error has
        """Copy the error with another message and other ``attributes``."""
        error = type(self).__new__(type(self), message)
        error.__dict__.update(self.__dict__, message=message, discreet="", **attributes)
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle all attributes, so that an error of a worker process can be raised in another."""
        return _restore, (type(self), self.args), self.__dict__


def _restore(kind: type[ReconcilerError], args: tuple[object, ...]) -> ReconcilerError:
    return kind.__new__(kind, *args)


class ContractError(ReconcilerError):
    """An API description or a schema is unusable."""


class SettingsError(ReconcilerError):
    """The address, the token or the settings file is missing or wrong."""


class ManifestError(ReconcilerError):
    """The manifests have problems; ``problems`` holds all of them, sorted."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class UnknownProjectName(ReconcilerError, LookupError):
    """A project name in a manifest that stands for no number, or for several."""


class SavedFileError(ReconcilerError):
    """A saved plan or report is unusable, or several do not belong together."""


class ForgeError(ReconcilerError):
    """A request to a forge failed; ``may_pass`` is true if it may succeed when sent again."""

    def __init__(self, message: str, *, hint: str = "", may_pass: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.may_pass = may_pass


class ServerError(ReconcilerError):
    """A request failed; ``status`` is the HTTP status, 0 if there was no response.

    ``retry_after`` is the number of seconds that the server asks to wait, None if it does not ask.
    ``given_up`` is true if the request was not sent, and must not be tried again.
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


class Unreachable(ServerError):
    """No response, or part of one: the server may or may not have acted on the request."""


class NotSent(Unreachable):
    """No connection: the server did not receive the request."""


class TimedOut(Unreachable):
    """No response in time: the server may still be working on the request."""


class NotLabelStudio(ServerError):
    """A response that is not Label Studio's: a page of a proxy, a redirect, another service."""


class Unauthorised(ServerError):
    """401: the token is missing or invalid. 403: its user lacks the permission."""


class NotFound(ServerError):
    """404 with the body that Label Studio sends."""


class NoSuchProject(NotFound):
    """``project`` was not found; ``source`` is where it is declared, if known."""

    def __init__(self, project: int, message: str, *, source: Source | None = None) -> None:
        at = f"{source}: " if source else ""
        super().__init__(
            f"{at}project {project} does not exist, or this token may not see it: {message}",
            hint="correct the project in the manifest, or use a token that may see it",
            status=404,
        )
        self.project = project
        self.detail = message


class Rejected(ServerError):
    """Another 4xx, mostly 400: the server rejected the request and stored nothing."""


class Broken(ServerError):
    """5xx: the server failed; it may have stored the change nevertheless."""


class Refused(ReconcilerError):
    """Reconciler refuses to act, because that would or might destroy something."""
