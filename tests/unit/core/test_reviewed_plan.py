from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.forge_model import MergeRequest, Post
from reconciler.core.review_marker import Marker, Scope, write_post
from reconciler.core.reviewed_plan import choose_merged_request, find_reviewed_plan
from reconciler.core.shown_digest import NO_DIGEST_KEY
from reconciler.errors import Refused

ME = "github-actions[bot]"
SCOPE = Scope("", ("manifests/",))
REQUEST = MergeRequest(5, "pull request #5", "a" * 40, "main", is_merged=True, is_fork=False)
MARKER = Marker(SCOPE, f"sha256:{'1' * 64}", "https://ls.example", REQUEST.head)


def post(marker: Marker = MARKER, author: str = ME) -> Post:
    return Post(1, author, write_post(marker, "A plan.", NO_DIGEST_KEY))


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([], "commit c0ffee reached main without"),
        ([replace(REQUEST, is_merged=False)], "without a pull request or merge request"),
        ([replace(REQUEST, target="release")], "without a pull request or merge request"),
        ([REQUEST, replace(REQUEST, name="pull request #6")], "several: pull request #5, pull"),
        ([replace(REQUEST, is_fork=True)], "comes from a fork"),
    ],
)
def test_a_commit_needs_one_merged_request(requests: list[MergeRequest], message: str):
    with pytest.raises(Refused, match=message):
        choose_merged_request(requests, "c0ffee", "main")


def test_open_requests_of_a_commit_do_not_count():
    open_one = replace(REQUEST, number=6, is_merged=False)
    assert choose_merged_request([open_one, REQUEST], "c0ffee", "main") is REQUEST


def find(*posts: Post) -> Marker:
    return find_reviewed_plan(REQUEST, posts, account=ME, scope=SCOPE, key=NO_DIGEST_KEY)


def test_the_one_post_of_the_account_counts():
    others = [post(author="mallory"), Post(2, ME, "Hello."), post(replace(MARKER, is_drift=True))]
    other_scope = post(replace(MARKER, scope=Scope("staging", ("manifests/",))))
    assert find(*others, post(), other_scope) == MARKER


@pytest.mark.parametrize(
    ("posts", "message"),
    [
        ([], "has no comment by"),
        ([post(author="mallory")], "has no comment by"),
        ([post(), post()], "has 2 comments by"),
        ([replace(post(), body=post().body + "x")], "cannot be trusted: its text was edited"),
        (
            [post(replace(MARKER, head="b" * 40))],
            "was made for commit bbbbbbbbbbbb, but aaaaaaaaaaaa",
        ),
        ([post(replace(MARKER, head=""))], r"was made for commit \(none\)"),
        ([post(replace(MARKER, digest=""))], "could not be applied: its comment says why"),
        ([post(replace(MARKER, digest="sha256:1"))], "has no valid digest"),
        ([post(replace(MARKER, digest=f"{MARKER.digest}\n"))], "has no valid digest"),
    ],
)
def test_anything_else_is_refused(posts: list[Post], message: str):
    with pytest.raises(Refused, match=message) as refused:
        find(*posts)
    assert refused.value.message.startswith("no reviewed plan: ")
