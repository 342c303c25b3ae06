"""GitLab: merge requests, their notes, and issues.

https://docs.gitlab.com/api/rest/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from reconciler.core.forge_model import MergeRequest, Post
from reconciler.core.values import Json
from reconciler.errors import ForgeError
from reconciler.forges.forge_client import ForgeClient
from reconciler.forges.json_rows import get_number, get_object, get_text


def build_headers(token: str) -> dict[str, str]:
    """Build the headers of each request: the token of a project or a person, not of a job."""
    return {"PRIVATE-TOKEN": token}


class GitLab:
    """A project, by its number or path."""

    def __init__(self, client: ForgeClient, project: str) -> None:
        self._client = client
        self._path = f"/projects/{quote(project, safe='')}"

    def find_account(self) -> str:
        """Ask who the token belongs to."""
        user = self._client.get("/user")
        if not isinstance(user, dict) or not (name := get_text(user, "username")):
            raise ForgeError("GitLab did not say whom the token belongs to")
        return name

    def read_request(self, number: int) -> MergeRequest:
        """Read a merge request."""
        found = self._client.get(f"{self._path}/merge_requests/{number}")
        if not isinstance(found, dict):
            raise ForgeError(f"!{number}: expected a merge request")
        return _read_request(found)

    def find_requests(self, commit: str) -> Sequence[MergeRequest]:
        """Find the merge requests that a commit belongs to."""
        rows = self._client.get_rows(f"{self._path}/repository/commits/{commit}/merge_requests")
        return [_read_request(row) for row in rows]

    def find_tip(self, branch: str) -> str:
        """Read the commit that a branch is at."""
        found = self._client.get(f"{self._path}/repository/branches/{quote(branch, safe='')}")
        return get_text(get_object(found if isinstance(found, dict) else {}, "commit"), "id")

    def is_repeated(self, run: int, attempt: int) -> bool:
        """Tell whether a pipeline has an earlier job of the same name; true if it lacks this one.

        ``attempt`` is the number of the job: a retried one gets another.
        """
        rows = self._client.get_rows(f"{self._path}/pipelines/{run}/jobs", include_retried="true")
        jobs = {get_number(row, "id"): get_text(row, "name") for row in rows}
        own = jobs.get(attempt)
        return own is None or any(job < attempt and name == own for job, name in jobs.items())

    def list_comments(self, request: int) -> Iterable[Post]:
        """List the notes of a merge request that people or tokens wrote."""
        rows = self._client.get_rows(
            f"{self._path}/merge_requests/{request}/notes", sort="asc", order_by="created_at"
        )
        return (_read_note(row) for row in rows if row.get("system") is not True)

    def add_comment(self, request: int, body: str) -> None:
        """Add a note to a merge request."""
        self._client.send("POST", f"{self._path}/merge_requests/{request}/notes", {"body": body})

    def edit_comment(self, request: int, comment: int, body: str) -> None:
        """Replace the body of a note."""
        path = f"{self._path}/merge_requests/{request}/notes/{comment}"
        self._client.send("PUT", path, {"body": body})

    def list_open_issues(self, account: str) -> Iterator[Post]:
        """List the open issues that an account opened."""
        rows = self._client.get_rows(
            f"{self._path}/issues", author_username=account, state="opened", scope="all"
        )
        for row in rows:
            yield Post(get_number(row, "iid"), _read_author(row), get_text(row, "description"))

    def open_issue(self, title: str, body: str) -> int:
        """Open an issue."""
        answer = self._client.send(
            "POST", f"{self._path}/issues", {"title": title, "description": body}
        )
        return get_number(answer, "iid")

    def edit_issue(self, issue: int, body: str) -> None:
        """Replace the description of an issue."""
        self._client.send("PUT", f"{self._path}/issues/{issue}", {"description": body})

    def close_issue(self, issue: int, comment: str) -> None:
        """Comment on an issue, and close it."""
        self._client.send("POST", f"{self._path}/issues/{issue}/notes", {"body": comment})
        self._client.send("PUT", f"{self._path}/issues/{issue}", {"state_event": "close"})


def _read_request(row: dict[str, Json]) -> MergeRequest:
    number = get_number(row, "iid")
    return MergeRequest(
        number=number,
        name=f"merge request !{number}",
        head=get_text(row, "sha"),
        target=get_text(row, "target_branch"),
        is_merged=get_text(row, "state") == "merged",
        is_fork=row.get("source_project_id") != row.get("target_project_id"),
    )


def _read_note(row: dict[str, Json]) -> Post:
    return Post(get_number(row, "id"), _read_author(row), get_text(row, "body"))


def _read_author(row: dict[str, Json]) -> str:
    return get_text(get_object(row, "author"), "username")
