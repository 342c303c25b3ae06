"""Drift is one issue: opened, updated, closed."""

from __future__ import annotations

import pytest

from reconciler.core.review_marker import Marker, Scope, write_post
from reconciler.core.shown_digest import NO_DIGEST_KEY
from reconciler.sandbox.exchange import Response
from tests.forges.forge_state import Fault, Issue, Reply
from tests.forges.github_world import BOT, World, write_manifest


def test_drift_is_one_issue_that_is_opened_updated_and_closed(world: World):
    nothing = world.drift()
    assert (nothing.code, world.forge.issues) == (0, {})

    world.state.tasks[101].values["overlap"] = 5
    opened = world.drift()
    (issue,) = world.forge.open_issues()
    assert (opened.code, issue.author) == (0, BOT)
    assert issue.title == "Label Studio tasks are not as declared"
    assert "5 -&gt; 1" in issue.body
    assert "/actions/runs/1002\n" in issue.body
    assert "run the apply by hand with the digest below" in issue.body

    world.state.tasks[101].values["overlap"] = 6
    assert world.drift().code == 0
    assert world.forge.open_issues() == [issue]
    assert "6 -&gt; 1" in issue.body

    world.state.tasks[101].values["overlap"] = 1
    assert world.drift().code == 0
    assert world.forge.open_issues() == []
    (comment,) = world.forge.comments_of(issue.number)
    assert "https://github.example.org/acme/labels/actions/runs/1004" in comment.body
    assert world.drift().code == 0
    assert len(world.forge.comments) == 1
    assert world.patches == 0


def test_the_exit_code_for_changes_is_drift_and_not_a_failure_of_the_step(world: World):
    world.state.tasks[101].values["overlap"] = 5

    run = world.drift(args="--detailed-exitcode")

    assert (run.code, len(world.forge.open_issues())) == (2, 1)


def test_a_task_that_is_missing_is_drift(world: World):
    world.state.projects[7].task_ids.remove(101)
    del world.state.tasks[101]

    run = world.drift()

    (issue,) = world.forge.open_issues()
    assert (run.code, "missing" in issue.body) == (1, True)
    assert "cannot be applied as it is" in issue.body


def test_a_server_that_is_down_leaves_the_issue_as_it_is(world: World):
    world.state.tasks[101].values["overlap"] = 5
    world.drift()
    (issue,) = world.forge.open_issues()
    before = issue.body
    world.hook = lambda _request: Response(404, {"Content-Type": "text/html"}, b"<html>Down")

    run = world.drift()

    assert (run.code, issue.is_open, issue.body) == (1, True, before)
    assert "there is no plan, so drift is unknown" in run.output
    assert len(world.forge.writes()) == 1


def test_the_issues_of_others_are_not_touched(world: World):
    marker = Marker(Scope.of("", ("manifests/",)), is_drift=True)
    body = write_post(marker, "Mine.", NO_DIGEST_KEY)
    world.forge.issues[50] = Issue(50, "mallory", "Label Studio tasks are not as declared", body)
    world.forge.issues[51] = Issue(51, BOT, "Another robot's", "No marker.")

    assert world.drift().code == 0
    assert [issue.number for issue in world.forge.open_issues()] == [50, 51]

    world.state.tasks[101].values["overlap"] = 5
    assert world.drift().code == 0
    assert len(world.forge.open_issues()) == 3
    assert world.forge.issues[50].body == body


def test_a_pull_request_is_no_issue_and_a_comment_no_drift(world: World):
    change = world.forge.open_change(write_manifest(t101=2), author=BOT)
    world.plan(change)
    shown = world.comment(change)
    world.forge.issues[50] = Issue(50, BOT, "A copy of a comment", shown)

    assert world.drift().code == 0

    assert world.forge.issues[50].is_open
    assert world.comment(change) == shown


@pytest.mark.parametrize("event", ["pull_request", "pull_request_review"])
def test_what_a_pull_request_declares_is_no_drift(event: str, world: World):
    change = world.forge.open_change(write_manifest(t101=2))

    commit = world.forge.check_out_merged(change)
    run = world.run(event, commit, {"command": "drift"}, change=change)

    assert (run.code, world.forge.issues) == (1, {})
    assert "is not drift" in run.output


def test_a_token_that_may_not_write_says_so(world: World):
    world.state.tasks[101].values["overlap"] = 5
    refused = Reply(403, {"message": "Resource not accessible by integration"})
    world.forge.faults.append(Fault("POST", "/issues", refused))

    run = world.drift()

    assert run.code == 1
    assert "the response was 403: Resource not accessible by integration" in run.output
