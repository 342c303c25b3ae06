"""What a forge must be able to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from reconciler.core.forge_model import MergeRequest, Post


class Forge(Protocol):
    """One repository of a forge, seen by one account. Each method raises ForgeError."""

    def find_account(self) -> str:
        """Return the login name of the account that the token belongs to."""

    def read_request(self, number: int) -> MergeRequest:
        """Read a merge request."""

    def find_requests(self, commit: str) -> Sequence[MergeRequest]:
        """Find the merge requests that a commit belongs to."""

    def find_tip(self, branch: str) -> str:
        """Return the SHA of the commit that a branch is at."""

    def is_repeated(self, run: int, attempt: int) -> bool:
        """Tell whether this job of a CI run has run before."""

    def list_comments(self, request: int) -> Iterable[Post]:
        """List the comments of a merge request, the oldest first."""

    def add_comment(self, request: int, body: str) -> None:
        """Add a comment to a merge request."""

    def edit_comment(self, request: int, comment: int, body: str) -> None:
        """Replace the body of a comment."""

    def list_open_issues(self, account: str) -> Iterable[Post]:
        """List the open issues that an account opened."""

    def open_issue(self, title: str, body: str) -> int:
        """Open an issue, and return its number."""

    def edit_issue(self, issue: int, body: str) -> None:
        """Replace the body of an issue."""

    def close_issue(self, issue: int, comment: str) -> None:
        """Comment on an issue, and close it."""
