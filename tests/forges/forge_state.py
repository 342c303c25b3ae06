"""What a forge holds: a git repository, merge requests, comments and issues."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.git_repositories import GitRepository

REPOSITORY: Final = "acme/labels"
PROJECT: Final = 42
"""The number of the repository, as GitLab names it."""

Merging = Literal["merge", "squash", "rebase"]
Files = dict[str, str | None]


@dataclass(slots=True)
class Change:
    """A pull request or merge request.

    ``repository`` has its branch; it is None once a fork is deleted. ``landed`` are the commits
    that its merge brought to the target.
    """

    number: int
    branch: str
    head: str
    base: str
    target: str = "main"
    author: str = "ann"
    repository: str | None = REPOSITORY
    commits: tuple[str, ...] = ()
    landed: tuple[str, ...] = ()
    state: str = "open"


@dataclass(slots=True)
class Comment:
    """A comment of a change or an issue, by the number of either; GitLab may hide one."""

    number: int
    of: int
    author: str
    body: str
    is_hidden: bool = False


@dataclass(slots=True)
class Issue:
    """An issue."""

    number: int
    author: str
    title: str
    body: str
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """Who a token belongs to, and whether it may write."""

    login: str
    may_write: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """One response: its content is sent as JSON, a text as it is."""

    status: int
    content: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Mapping[str, object]


@dataclass(slots=True)
class Fault:
    """A reply to the next requests that match a method and the end of a path."""

    method: str
    path: str
    reply: Reply
    times: int = 1


@dataclass(slots=True)
class ForgeState:
    """A forge with one repository; ``lag`` counts the answers in which a merge is not known yet.

    ``jobs`` are the pipeline, the number and the name of each job.
    """

    repository: GitRepository
    accounts: dict[str, Account]
    changes: dict[int, Change] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    issues: dict[int, Issue] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    jobs: list[tuple[int, int, str]] = field(default_factory=list)
    lag: int = 0
    _numbers: int = 0

    def number(self) -> int:
        """Take the next number: comments, changes and issues share them here."""
        self._numbers += 1
        return self._numbers

    def open_change(
        self, files: Files, *, author: str = "ann", repository: str | None = REPOSITORY
    ) -> Change:
        """Open a change with one commit."""
        number = self.number()
        branch, base = f"change-{number}", self.repository.git("rev-parse", "main")
        self.repository.git("checkout", "-q", "-b", branch, base)
        head = self.repository.commit(files)
        change = Change(number, branch, head, base, author=author, repository=repository)
        change.commits = (head,)
        self.changes[number] = change
        return change

    def push(self, change: Change, files: Files) -> None:
        """Add a commit to a change."""
        self.repository.git("checkout", "-q", change.branch)
        change.head = self.repository.commit(files)
        change.commits = (*change.commits, change.head)

    def push_directly(self, files: Files) -> str:
        """Add a commit to the default branch, without a change."""
        self.repository.git("checkout", "-q", "main")
        return self.repository.commit(files)

    def check_out_merged(self, change: Change) -> str:
        """Check out what the default branch would be with a change; return the commit."""
        self.repository.git("checkout", "-q", "--detach", "main")
        self.repository.git("merge", "-q", "--no-ff", "-m", f"Merge {change.head}", change.head)
        return self.repository.git("rev-parse", "HEAD")

    def merge(self, change: Change, how: Merging = "merge") -> str:
        """Merge a change; return the commit that the default branch is then at."""
        git = self.repository.git
        git("checkout", "-q", "main")
        before = git("rev-parse", "HEAD")
        if how == "merge":
            git("merge", "-q", "--no-ff", "-m", f"Merge #{change.number}", change.head)
        elif how == "squash":
            git("merge", "-q", "--squash", change.head)
            git("commit", "-q", "--allow-empty", "-m", f"Change (#{change.number})")
        else:
            git("cherry-pick", "-x", "--allow-empty", f"{change.base}..{change.head}")
        change.landed = tuple(git("rev-list", f"{before}..HEAD").split())
        change.state = "merged"
        return git("rev-parse", "HEAD")

    def comments_of(self, number: int) -> list[Comment]:
        """List the comments of a change or an issue."""
        return [comment for comment in self.comments if comment.of == number]

    def bodies(self, change: Change, author: str) -> list[str]:
        """List what an account wrote under a change."""
        return [one.body for one in self.comments_of(change.number) if one.author == author]

    def post(self, of: int, author: str, body: str) -> Comment:
        """Add a comment."""
        comment = Comment(self.number(), of, author, body)
        self.comments.append(comment)
        return comment

    def open_issues(self) -> list[Issue]:
        """List the open issues."""
        return [issue for issue in self.issues.values() if issue.is_open]

    def writes(self) -> list[str]:
        """List the requests that wrote something, except queries of GraphQL."""
        return [
            f"{one.method} {one.path}"
            for one in self.asked
            if one.method != "GET" and not one.path.endswith("/graphql")
        ]

    def take_fault(self, asked: Asked) -> Reply | None:
        """Return the reply of a fault that a request meets."""
        for fault in self.faults:
            hit = fault.method == asked.method and re.search(f"{fault.path}$", asked.path)
            if hit and fault.times:
                fault.times -= 1
                return fault.reply
        return None


def page_rows(asked: Asked, rows: list[object]) -> tuple[list[object], dict[str, str]]:
    """Cut the asked page out of rows, with the header that says whether there is another."""
    size = min(int(asked.query.get("per_page", "30")), 100)
    page = int(asked.query.get("page", "1"))
    goes_on = page * size < len(rows)
    address = f"https://elsewhere.example.org{asked.path}?page={page + 1}"
    link = {"Link": f'<{address}>; rel="next"'} if goes_on else {}
    return rows[(page - 1) * size : page * size], link
