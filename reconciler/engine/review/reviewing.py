"""What a CI run does on the forge: comment on its plan, find the reviewed one, tell drift."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from reconciler.core.forge_model import MergeRequest, Post
from reconciler.core.review_marker import MarkedPost, Marker, Scope, write_post
from reconciler.core.reviewed_plan import (
    check_repeated,
    choose_merged_request,
    find_own_posts,
    find_reviewed_plan,
)
from reconciler.core.shown_digest import DigestKey
from reconciler.engine.review.ci_run import CiRun
from reconciler.engine.review.planned_run import PlannedRun
from reconciler.errors import Refused
from reconciler.forges.forge import Forge

_PAGE_MAX: Final = 500
_PAUSES: Final = (0, 2, 5, 10)
"""Seconds: a forge may need a moment to know which merge request a new commit belongs to."""


def comment_on_plan(
    forge: Forge, run: CiRun, planned: PlannedRun, text: str, key: DigestKey
) -> str:
    """Show the plan of a run in the one comment of its merge request, and tell what was done.

    What a later run or a later commit says is never replaced.
    """
    if not run.request:
        raise Refused(
            "this run is not for a pull request or merge request",
            hint="run ci comment only in jobs of pull requests and merge requests",
        )
    if run.is_untrusted:
        return "nothing was written: the commits come from a fork or a bot"
    request = forge.read_request(run.request)
    if request.is_merged:
        return f"nothing was written: {request.name} is merged, so this plan was not reviewed"
    if request.head != run.head:
        return f"nothing was written: {request.name} is no longer at commit {run.head[:12]}"
    marker = _build_marker(run, planned)
    account = forge.find_account()
    own = find_own_posts(
        forge.list_comments(run.request), account=account, scope=planned.scope, key=key
    )
    newer = [marked for _, marked in own if _is_newer(marked, marker)]
    if newer:
        return "nothing was written: a later run has shown its plan"
    body = write_post(marker, f"{text}\n{_name_source(run)}\n", key)
    if not own:
        forge.add_comment(run.request, body)
        return f"added a comment to {request.name}"
    forge.edit_comment(run.request, own[0][0].number, body)
    return f"updated the comment of {request.name}"


def _is_newer(marked: MarkedPost, ours: Marker) -> bool:
    """Tell whether a post is of a later run of the same commit, as far as it can be believed."""
    theirs = marked.marker
    return not marked.doubt and theirs.head == ours.head and theirs.run > ours.run


def _build_marker(run: CiRun, planned: PlannedRun, *, is_drift: bool = False) -> Marker:
    return Marker(
        planned.scope,
        digest=planned.digest,
        server=planned.server,
        head=run.head or run.commit,
        base=run.base,
        run=(run.number, run.attempt),
        is_drift=is_drift,
    )


def find_reviewed(
    forge: Forge,
    run: CiRun,
    scope: Scope,
    key: DigestKey,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[MergeRequest, Marker]:
    """Find the merge request of a commit on a branch, and the plan that was reviewed there.

    Raises Refused if there is no such plan, or if more than one could be meant.
    """
    if not run.branch:
        raise Refused(
            "no reviewed plan: this run is not for a branch", hint="apply on the default branch"
        )
    if forge.is_repeated(run.number, run.attempt):
        check_repeated(run.commit, run.branch, forge.find_tip(run.branch))
    requests = _find_merged(forge, run, sleep)
    request = choose_merged_request(requests, run.commit, run.branch)
    marker = find_reviewed_plan(
        request,
        forge.list_comments(request.number),
        account=forge.find_account(),
        scope=scope,
        key=key,
    )
    return request, marker


def _find_merged(
    forge: Forge, run: CiRun, sleep: Callable[[float], None]
) -> Sequence[MergeRequest]:
    found: Sequence[MergeRequest] = ()
    for pause in _PAUSES:
        sleep(pause)
        found = forge.find_requests(run.commit)
        if any(one.is_merged for one in found):
            break
    return found


def tell_drift(forge: Forge, run: CiRun, planned: PlannedRun, text: str, key: DigestKey) -> str:
    """Open, update or close the one issue about drift, and tell what was done."""
    if not run.branch:
        raise Refused(
            "what a pull request or a tag declares is not drift", hint="run ci drift on a branch"
        )
    if planned.changes is None:
        raise Refused("there is no plan, so drift is unknown", hint="read the log of the plan")
    account = forge.find_account()
    own = find_own_posts(
        forge.list_open_issues(account),
        account=account,
        scope=planned.scope,
        key=key,
        is_drift=True,
    )
    if not planned.has_drift:
        return _close(forge, run, [post for post, _ in own])
    lead = _describe_drift(run, planned)
    body = write_post(_build_marker(run, planned, is_drift=True), f"{lead}\n\n{text}", key)
    if not own:
        number = forge.open_issue(_name_issue(planned.scope), body)
        return f"opened issue #{number}"
    number = own[0][0].number
    forge.edit_issue(number, body)
    return f"updated issue #{number}"


def _describe_drift(run: CiRun, planned: PlannedRun) -> str:
    """Say what an issue is about, and what to do; in less than 1,000 characters."""
    by_hand = (
        "If the manifests are right, run the apply by hand with the digest below."
        if planned.digest
        else "The plan below cannot be applied as it is, and says why."
    )
    what = (
        "Tasks on the server are not as the manifests declare. If the server is right, write its "
        "values into the manifests with `reconciler pull --update`."
    )
    return f"{what} {by_hand}\n\n{_name_source(run)}"


def _name_source(run: CiRun) -> str:
    """Name the commit and the run that a post is of."""
    where = f", run: {run.page}" if 0 < len(run.page) <= _PAGE_MAX else ""
    return f"Commit: `{(run.head or run.commit)[:12]}`{where}"


def _close(forge: Forge, run: CiRun, issues: Sequence[Post]) -> str:
    for issue in issues:
        forge.close_issue(
            issue.number, f"The server is as declared again: {run.page or 'no drift'}"
        )
    numbers = ", ".join(f"#{issue.number}" for issue in issues)
    return f"closed issue {numbers}" if issues else "no drift, and no open issue"


def _name_issue(scope: Scope) -> str:
    where = f" in {scope.environment}" if scope.environment else ""
    return f"Label Studio tasks are not as declared{where}"
