"""On GitLab, what was reviewed is what is applied, or nothing is, as on GitHub."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from tests.forges.forge_state import Fault, Merging, Reply
from tests.forges.github_world import add_many_tasks, write_manifest
from tests.forges.gitlab_world import BOT, PIPELINE, GitLabWorld, build_gitlab_world

KEY = "a secret of more than sixteen characters"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitLabWorld]:
    """A project on GitLab, and a server that is as its manifest declares."""
    with build_gitlab_world(tmp_path) as world:
        yield world


@pytest.mark.parametrize("how", get_args(Merging))
def test_what_was_reviewed_is_applied_however_it_is_merged(how: Merging, world: GitLabWorld):
    change = world.forge.open_change(write_manifest(t101=2))
    assert world.plan(change).code == 0
    world.forge.push(change, write_manifest(t101=2, t102=3))
    assert world.plan(change).code == 0

    run = world.apply(world.forge.merge(change, how))

    assert run.code == 0, run.output
    assert (world.overlap(101), world.overlap(102), world.patches) == (2, 3, 2)
    assert len(world.forge.bodies(change, BOT)) == 1
    assert [line.partition(" ")[0] for line in world.forge.writes()] == ["POST", "PUT"]


def test_the_plan_of_merged_results_is_of_the_head_of_the_branch(world: GitLabWorld):
    change = world.forge.open_change(write_manifest(t101=2))

    planned = world.plan(change, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=change.head)
    run = world.apply(world.forge.merge(change))

    assert (planned.code, run.code, world.patches) == (0, 0, 1), run.output


def test_a_commit_that_was_pushed_after_the_plan_is_not_applied(world: GitLabWorld):
    change = world.forge.open_change(write_manifest(t101=2))
    world.plan(change)
    world.forge.push(change, write_manifest(t101=3))

    run = world.apply(world.forge.merge(change))

    assert (run.code, world.patches) == (1, 0)
    assert "was merged" in run.output


def test_a_job_that_runs_again_does_not_apply_what_was_taken_back(world: GitLabWorld):
    """The server is as it was before the first merge, so the reviewed plan is the plan again."""
    commits: list[str] = []
    for number, overlap in enumerate((2, 1)):
        change = world.forge.open_change(write_manifest(t101=overlap))
        assert world.plan(change).code == 0
        commits.append(world.forge.merge(change))
        assert world.apply(commits[-1], CI_PIPELINE_ID=str(number)).code == 0
    assert world.overlap(101) == 1

    first = world.apply(commits[0], CI_PIPELINE_ID="0")
    last = world.apply(commits[1], CI_PIPELINE_ID="1")

    assert (first.code, last.code, world.overlap(101)) == (1, 0, 1)
    assert f"runs again, but main is at {commits[1][:12]} now" in first.output


def test_a_plan_that_the_repository_holds_is_not_shown(world: GitLabWorld):
    """A folder in the place of a file keeps the job from deleting the others."""
    told = {"scope": {"paths": ["manifests/"]}, "exit_code": 0, "digest": f"sha256:{'0' * 64}"}
    files = {"plan.json/x": "x", "run.json": json.dumps(told), "plan.md": "All is well."}
    change = world.forge.open_change(
        {**write_manifest(t101=2), **{f".reconciler-ci/{name}": files[name] for name in files}}
    )

    run = world.plan(change)

    assert (run.code, world.forge.comments) == (1, [])
    assert "run.json: this job did not write it for its commit" in run.output


def test_a_push_without_a_merge_request_is_applied_by_hand(world: GitLabWorld):
    commit = world.forge.push_directly(write_manifest(t101=2))

    refused = world.apply(commit)
    digest = refused.output.partition("Digest: ")[2].split()[0]
    by_hand = world.run_job("apply by hand", commit, RECONCILER_CI_DIGEST=digest)

    assert (refused.code, by_hand.code, world.patches) == (1, 0, 1)


def test_a_server_that_changed_since_needs_another_review(world: GitLabWorld):
    change = world.forge.open_change(write_manifest(t101=2))
    world.plan(change)
    world.state.tasks[101].values["overlap"] = 5

    run = world.apply(world.forge.merge(change))

    assert (run.code, world.patches) == (1, 0)
    assert "overlap  5 -> 2" in run.output


@pytest.mark.parametrize("project", ["42", "99"])
@pytest.mark.parametrize("repository", ["mallory/labels", None])
def test_a_fork_is_validated_wherever_its_pipeline_runs(
    repository: str | None, project: str, world: GitLabWorld
):
    change = world.forge.open_change(write_manifest(t101=2), repository=repository)

    run = world.plan(change, CI_PROJECT_ID=project, LABEL_STUDIO_API_KEY="", GITLAB_TOKEN="")
    applied = world.apply(world.forge.merge(change))

    assert run.code == 0, run.output
    assert "the manifests are only validated" in run.output
    assert (world.forge.comments, world.patches, applied.code) == ([], 0, 1)


def test_a_marker_of_somebody_else_is_nothing(world: GitLabWorld):
    change = world.forge.open_change(write_manifest(t101=2))
    world.plan(change)
    world.forge.comments[0].author = "mallory"

    run = world.apply(world.forge.merge(change))

    assert (run.code, world.patches) == (1, 0)


def test_an_edited_note_needs_the_key(world: GitLabWorld):
    world.variables["RECONCILER_DIGEST_KEY"] = KEY
    change = world.forge.open_change(write_manifest(t101=2))
    world.plan(change)
    old = change.head
    world.forge.push(change, write_manifest(t101=2, t102=1))
    note = world.forge.comments[0]
    note.body = note.body.replace(old, change.head)

    run = world.apply(world.forge.merge(change))

    assert (run.code, world.patches) == (1, 0)
    assert "not signed with RECONCILER_DIGEST_KEY" in run.output


def test_a_page_that_lacks_hidden_notes_is_not_the_last(world: GitLabWorld):
    change = world.forge.open_change(write_manifest(t101=2))
    for number in range(120):
        world.forge.post(change.number, "GitLab", f"note {number}").is_hidden = number % 2 == 0
    world.plan(change)
    world.plan(change)

    assert world.apply(world.forge.merge(change)).code == 0
    assert len(world.forge.bodies(change, BOT)) == 1


def test_drift_is_one_issue(world: GitLabWorld):
    assert world.drift().code == 0
    world.state.tasks[101].values["overlap"] = 5
    for _ in range(2):
        assert world.drift().code == 0
    (issue,) = world.forge.open_issues()
    assert "5 -&gt; 1" in issue.body

    world.state.tasks[101].values["overlap"] = 1
    assert world.drift().code == 0
    assert (world.forge.open_issues(), world.patches) == ([], 0)


def test_a_long_plan_fits_a_note(world: GitLabWorld):
    change = world.forge.open_change(add_many_tasks(world.state, 2_500))

    run = world.plan(change)

    (body,) = world.forge.bodies(change, BOT)
    assert run.code == 0
    assert 900_000 < len(body) <= 1_000_000


def test_a_merge_that_gitlab_does_not_know_yet_is_waited_for(world: GitLabWorld):
    change = world.forge.open_change(write_manifest(t101=2))
    world.plan(change)
    world.forge.lag = 1

    assert world.apply(world.forge.merge(change)).code == 0
    assert world.patches == 1


def test_a_plan_after_the_merge_is_not_a_reviewed_one(world: GitLabWorld):
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.forge.merge(change)

    late = world.plan(change)

    assert (late.code, world.forge.comments) == (0, [])
    assert (world.apply(commit).code, world.patches) == (1, 0)


def test_no_line_of_a_note_is_a_quick_action(world: GitLabWorld):
    """GitLab carries out lines that begin with a slash, outside of code."""
    text = json.dumps("/close\n/merge\n\n/assign @ann\n```\n/approve\n~~~\n/close")
    manifest = (
        "version: 1\nproject: 7\n"
        f"rules: [{{name: '/close', where: {{data.text: {text}}}, set: {{overlap: 2}}}}]\n"
        f"allow: [{{kind: empty-data, reason: {text}}}]\n"
        f"tasks: [{{id: 102, data: {{/close: {text}, text: {text}}}}}]\n"
    )
    change = world.forge.open_change({"manifests/tasks.yaml": manifest})

    assert world.plan(change).code == 0

    (body,) = world.forge.bodies(change, BOT)
    assert "/approve" in body
    assert not re.search(r"^\s*/", body, re.MULTILINE)


def test_the_token_of_a_job_is_not_enough(world: GitLabWorld):
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.forge.merge(change)

    missing = world.apply(commit, GITLAB_TOKEN="")
    refused = world.apply(commit, GITLAB_TOKEN="glcbt-of-a-job")

    assert (missing.code, refused.code, world.patches) == (1, 1, 0)
    assert "the token of a job cannot write notes" in missing.output
    assert "401 Unauthorized" in refused.output


def test_a_schedule_never_applies():
    first = PIPELINE["apply"]["rules"][0]
    assert first == {"if": '$CI_PIPELINE_SOURCE == "schedule"', "when": "never"}


@pytest.mark.parametrize("status", [301, 403, 404, 500])
def test_nothing_is_applied_where_the_forge_fails(status: int, world: GitLabWorld):
    change = world.forge.open_change(write_manifest(t101=2))
    world.plan(change)
    world.forge.faults.append(Fault("GET", "/merge_requests", Reply(status, "<html>"), times=9))

    run = world.apply(world.forge.merge(change))

    assert (run.code, world.patches) == (1, 0)
    assert "Traceback" not in run.output
