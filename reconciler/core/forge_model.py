"""What forges such as GitHub and GitLab know of a review: merge requests and what is posted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """A pull request of GitHub or a merge request of GitLab.

    ``name`` is what the forge calls it, ``pull request #12``. ``head`` is the SHA of the last
    commit of its branch, and ``target`` the branch that it is for. ``is_fork`` is true if its
    branch is in another repository.
    """

    number: int
    name: str
    head: str
    target: str
    is_merged: bool
    is_fork: bool


@dataclass(frozen=True, slots=True)
class Post:
    """A comment or an issue: ``author`` is the login name of the account that created it."""

    number: int
    author: str
    body: str
