"""GitHub: pull requests, their comments, and issues.

https://docs.github.com/en/rest and https://docs.github.com/en/graphql
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import quote

from reconciler.core.forge_model import MergeRequest, Post
from reconciler.core.values import Json
from reconciler.errors import ForgeError
from reconciler.forges.forge_client import ForgeClient
from reconciler.forges.json_rows import get_number, get_object, get_text

API_VERSION: Final = "2022-11-28"


def build_headers(token: str) -> dict[str, str]:
    """Build the headers of each request."""
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": API_VERSION,
    }


class GitHub:
    """A repository, ``owner/name``; ``graphql`` is a client below the address of that API."""

    def __init__(self, client: ForgeClient, graphql: ForgeClient, repository: str) -> None:
        self._client = client
        self._graphql = graphql
        self._repository = repository
        self._path = f"/repos/{repository}"

    def find_account(self) -> str:
        """Ask who the token belongs to: the token of a job may not read /user."""
        answer = self._graphql.query({"query": "query { viewer { login } }"})
        viewer = get_object(get_object(answer, "data"), "viewer")
        if not (login := get_text(viewer, "login")):
            raise ForgeError(
                "GitHub did not say whom the token belongs to",
                hint="pass the token of the job, or of a GitHub App",
            )
        return login

    def read_request(self, number: int) -> MergeRequest:
        """Read a pull request."""
        found = self._client.get(f"{self._path}/pulls/{number}")
        if not isinstance(found, dict):
            raise ForgeError(f"#{number}: expected a pull request")
        return self._read_pull(found)

    def find_requests(self, commit: str) -> Sequence[MergeRequest]:
        """Find the pull requests that a commit belongs to."""
        rows = self._client.get_rows(f"{self._path}/commits/{commit}/pulls")
        return [self._read_pull(row) for row in rows]

    def find_tip(self, branch: str) -> str:
        """Read the commit that a branch is at."""
        found = self._client.get(f"{self._path}/branches/{quote(branch, safe='')}")
        return get_text(get_object(found if isinstance(found, dict) else {}, "commit"), "sha")

    def is_repeated(self, run: int, attempt: int) -> bool:  # noqa: ARG002 - GitLab needs it
        """Tell whether a run is not the first attempt."""
        return attempt > 1

    def list_comments(self, request: int) -> Iterable[Post]:
        """List the comments of a pull request."""
        return map(_read_comment, self._client.get_rows(f"{self._path}/issues/{request}/comments"))

    def add_comment(self, request: int, body: str) -> None:
        """Add a comment to a pull request."""
        self._client.send("POST", f"{self._path}/issues/{request}/comments", {"body": body})

    def edit_comment(self, request: int, comment: int, body: str) -> None:  # noqa: ARG002 - GitLab needs it
        """Replace the body of a comment."""
        self._client.send("PATCH", f"{self._path}/issues/comments/{comment}", {"body": body})

    def list_open_issues(self, account: str) -> Iterator[Post]:
        """List the open issues that an account opened; pull requests are not among them."""
        rows = self._client.get_rows(f"{self._path}/issues", creator=account, state="open")
        for row in rows:
            if "pull_request" not in row:
                yield Post(get_number(row, "number"), _read_author(row), get_text(row, "body"))

    def open_issue(self, title: str, body: str) -> int:
        """Open an issue."""
        answer = self._client.send("POST", f"{self._path}/issues", {"title": title, "body": body})
        return get_number(answer, "number")

    def edit_issue(self, issue: int, body: str) -> None:
        """Replace the body of an issue."""
        self._client.send("PATCH", f"{self._path}/issues/{issue}", {"body": body})

    def close_issue(self, issue: int, comment: str) -> None:
        """Comment on an issue, and close it."""
        self.add_comment(issue, comment)
        self._client.send(
            "PATCH",
            f"{self._path}/issues/{issue}",
            {"state": "closed", "state_reason": "completed"},
        )

    def _read_pull(self, row: dict[str, Json]) -> MergeRequest:
        """Read a row; the repository of the branch is null once a fork is deleted."""
        head = get_object(row, "head")
        repository = get_text(get_object(head, "repo"), "full_name")
        number = get_number(row, "number")
        return MergeRequest(
            number=number,
            name=f"pull request #{number}",
            head=get_text(head, "sha"),
            target=get_text(get_object(row, "base"), "ref"),
            is_merged=bool(row.get("merged_at")),
            is_fork=repository.lower() != self._repository.lower(),
        )


def _read_comment(row: dict[str, Json]) -> Post:
    return Post(get_number(row, "id"), _read_author(row), get_text(row, "body"))


def _read_author(row: dict[str, Json]) -> str:
    return get_text(get_object(row, "user"), "login")
