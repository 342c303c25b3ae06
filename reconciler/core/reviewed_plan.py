"""Which plan was reviewed for a commit on the default branch: it alone may be applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.core.forge_model import MergeRequest, Post
from reconciler.core.notation import shorten
from reconciler.core.review_marker import MarkedPost, Marker, Scope, is_of_scope, read_post
from reconciler.core.shown_digest import DigestKey, is_digest
from reconciler.errors import Refused


def check_repeated(commit: str, branch: str, tip: str) -> None:
    """Check that a job that runs again is not for a commit that a later one may have taken back.

    ``tip`` is the commit that the branch is at. A job that runs for the first time may be behind
    it: several merges in a row wait for each other. Raises Refused.
    """
    if commit != tip:
        raise _refuse(
            f"the job of commit {commit[:12]} runs again, but {branch} is at {tip[:12]} now, which "
            "may have taken it back"
        )


def choose_merged_request(
    requests: Iterable[MergeRequest], commit: str, branch: str
) -> MergeRequest:
    """Return the one merge request that brought a commit to a branch; raises Refused."""
    merged = [one for one in requests if one.is_merged and one.target == branch]
    if not merged:
        raise _refuse(
            f"commit {commit[:12]} reached {branch} without a pull request or merge request"
        )
    if len(merged) > 1:
        names = ", ".join(one.name for one in merged)
        raise _refuse(f"commit {commit[:12]} belongs to several: {names}")
    (request,) = merged
    if request.is_fork:
        raise _refuse(f"{request.name} comes from a fork, and nothing is planned for forks")
    return request


def find_reviewed_plan(
    request: MergeRequest, posts: Iterable[Post], *, account: str, scope: Scope, key: DigestKey
) -> Marker:
    """Return the marker of the plan that the comments of a merge request show; raises Refused.

    Only posts of ``account`` count: anybody may post what looks like a marker.
    """
    found = find_own_posts(posts, account=account, scope=scope, key=key)
    name = request.name
    if not found:
        what = f" in environment {scope.environment}" if scope.environment else ""
        raise _refuse(f"{name} has no comment by {account} with a plan for these files{what}")
    if len(found) > 1:
        raise _refuse(
            f"{name} has {len(found)} comments by {account} with a plan for these files: delete "
            "all but the newest"
        )
    marked = found[0][1]
    if marked.doubt:
        raise _refuse(f"the comment with the plan of {name} cannot be trusted: {marked.doubt}")
    marker = marked.marker
    if marker.digest and not is_digest(marker.digest):
        raise _refuse(f"the comment with the plan of {name} has no valid digest")
    if marker.head != request.head:
        raise _refuse(
            f"the plan of {name} was made for commit "
            f"{shorten(marker.head[:12], 12) or '(none)'}, but {request.head[:12]} was merged"
        )
    if not marker.digest:
        raise _refuse(f"the plan of {name} could not be applied: its comment says why")
    return marker


def find_own_posts(
    posts: Iterable[Post], *, account: str, scope: Scope, key: DigestKey, is_drift: bool = False
) -> Sequence[tuple[Post, MarkedPost]]:
    """Find the posts of an account that are about a scope, whatever else they say."""
    own = [(post, read_post(post.body, key)) for post in posts if post.author == account]
    return [
        (post, marked)
        for post, marked in own
        if marked and is_of_scope(marked.marker, scope) and marked.marker.is_drift is is_drift
    ]


def _refuse(message: str) -> Refused:
    return Refused(
        f"no reviewed plan: {message}",
        hint="read the plan of this run; if it is what you want, run the job by hand with its "
        "digest",
    )
