"""On GitHub, what was reviewed is what is applied, or nothing is."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest

from reconciler.core.review_marker import Marker, Scope, read_post, write_post
from reconciler.core.shown_digest import NO_DIGEST_KEY, DigestKey
from reconciler.sandbox.exchange import Response
from tests.forges.forge_state import Change, Fault, Merging, Reply
from tests.forges.github_world import BOT, World, add_many_tasks, write_manifest

KEY = "a secret of more than sixteen characters"
HOWS: tuple[Merging, ...] = get_args(Merging)


def refuse_reason(output: str) -> str:
    """Return why nothing was applied."""
    return output.partition("nothing was applied: ")[2].partition("\n")[0]


def test_a_pull_request_has_one_comment_with_its_newest_plan(world: World):
    change = world.forge.open_change(write_manifest(t101=2))

    first = world.plan(change)
    world.forge.push(change, write_manifest(t101=3))
    second = world.plan(change)

    assert (first.code, second.code, world.patches) == (0, 0, 0)
    assert "1 -&gt; 3" in world.comment(change)
    assert second.outputs["digest"] in world.comment(change)
    assert second.outputs["changes"] == "1"
    assert f"Commit: `{change.head[:12]}`, run: https://github" in world.comment(change)
    assert "Comment on the pull request" in second.names


@pytest.mark.parametrize("how", HOWS)
def test_what_was_reviewed_is_applied_however_it_is_merged(how: Merging, world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    world.forge.push(change, write_manifest(t101=2, t102=3))

    run = world.apply(world.review_and_merge(change, how))

    assert run.code == 0, run.output
    assert (world.overlap(101), world.overlap(102), world.patches) == (2, 3, 2)
    assert len(world.forge.writes()) == 1


@pytest.mark.parametrize("how", HOWS)
def test_pull_requests_that_are_merged_in_a_row_are_applied_one_after_the_other(
    how: Merging, world: World
):
    changes = [
        world.forge.open_change({f"manifests/{task}.yaml": write_one(task)}) for task in (102, 103)
    ]
    for change in changes:
        assert world.plan(change).code == 0

    commits = [world.forge.merge(change, how) for change in changes]
    runs = [world.apply(commit) for commit in commits]

    assert [run.code for run in runs] == [0, 0], runs
    assert (world.overlap(102), world.overlap(103), world.patches) == (2, 2, 2)


def write_one(task: int) -> str:
    return f"version: 1\nproject: 7\ntasks: [{{id: {task}, overlap: 2}}]\n"


def test_a_merge_before_the_one_before_it_is_applied_applies_nothing(world: World):
    """The plan of the second is then of both, which nobody reviewed."""
    one = world.forge.open_change({"manifests/102.yaml": write_one(102)})
    other = world.forge.open_change({"manifests/103.yaml": write_one(103)})
    for change in (one, other):
        assert world.plan(change).code == 0
    world.forge.merge(one)

    run = world.apply(world.forge.merge(other))

    assert (run.code, world.patches) == (1, 0)
    assert run.outputs["changes"] == "2"
    assert "the plan is now" in refuse_reason(run.output)


def test_an_older_run_that_ends_late_does_not_replace_the_newer_plan(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    world.plan(change, run=20)
    newest = world.comment(change)

    late = world.plan(change, run=10, url=world.url + "/")

    assert (late.code, world.comment(change)) == (0, newest)
    assert "a later run has shown its plan" in late.output
    assert '"run":[20,1]' in newest


def test_a_run_of_an_older_commit_does_not_replace_the_newer_plan(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    old = Change(change.number, change.branch, change.head, change.base)
    world.forge.push(change, write_manifest(t101=3))
    world.plan(change, run=10)
    newest = world.comment(change)

    late = world.plan(old, run=20)

    assert (late.code, world.comment(change)) == (0, newest)
    assert "is no longer at commit" in late.output


def test_a_commit_that_was_pushed_after_the_plan_is_not_applied(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    world.plan(change)
    world.forge.push(change, write_manifest(t101=3))

    run = world.apply(world.forge.merge(change))

    assert (run.code, world.patches) == (1, 0)
    assert "was merged" in refuse_reason(run.output)
    assert "overlap  1 -> 3" in run.output


def test_a_plan_after_the_merge_is_not_a_reviewed_one(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.review_and_merge(change)
    world.state.tasks[101].values["overlap"] = 5
    reviewed = world.comment(change)

    again = world.plan(change)
    run = world.apply(commit)

    assert (again.code, world.comment(change)) == (0, reviewed)
    assert "is merged, so this plan was not reviewed" in again.output
    assert (run.code, world.patches) == (1, 0)


def test_a_job_that_runs_again_does_not_apply_what_was_taken_back(world: World):
    """The server is as it was before the first merge, so the reviewed plan is the plan again."""
    commit = world.review_and_merge(world.forge.open_change(write_manifest(t101=2)))
    assert world.apply(commit).code == 0
    back = world.review_and_merge(world.forge.open_change(write_manifest(t101=1)))
    assert world.apply(back).code == 0
    assert world.overlap(101) == 1

    world.attempt = 2
    run = world.apply(commit)

    assert (run.code, world.overlap(101)) == (1, 1)
    assert f"runs again, but main is at {back[:12]} now" in refuse_reason(run.output)


def test_a_run_with_a_digest_is_not_repeated(world: World):
    """It has the commit of then, whose plan may fit again once it was taken back."""
    commit = world.forge.push_directly(write_manifest(t101=2))
    digest = world.apply(commit).outputs["digest"]
    assert world.apply(commit, event="workflow_dispatch", digest=digest).code == 0
    world.state.tasks[101].values["overlap"] = 1

    world.attempt = 2
    run = world.apply(commit, event="workflow_dispatch", digest=digest)

    assert (run.code, world.overlap(101)) == (1, 1)
    assert "start the job by hand again" in run.output


def test_a_job_that_failed_runs_again(world: World):
    commit = world.review_and_merge(world.forge.open_change(write_manifest(t101=2)))
    world.forge.faults.append(Fault("GET", "/pulls", Reply(403), times=1))
    assert world.apply(commit).code == 1

    world.attempt = 2

    assert (world.apply(commit).code, world.patches) == (0, 1)


def test_a_digest_is_compared_even_where_whatever_is_planned_is_applied(world: World):
    commit = world.forge.push_directly(write_manifest(t101=2))

    run = world.apply(commit, event="workflow_dispatch", apply="fresh", digest=f"sha256:{'0' * 64}")

    assert (run.code, world.patches) == (1, 0)
    assert "the plan is now" in refuse_reason(run.output)


def test_a_push_without_a_pull_request_is_applied_by_hand(world: World):
    commit = world.forge.push_directly(write_manifest(t101=2))

    refused = world.apply(commit)
    digest = refused.outputs["digest"]
    by_hand = world.apply(commit, event="workflow_dispatch", digest=f" {digest} ")

    assert (refused.code, by_hand.code, world.patches) == (1, 0, 1)
    assert "without a pull request" in refuse_reason(refused.output)
    assert f"run the job by hand with {digest}" in refused.output
    assert "Find the reviewed plan" not in by_hand.names


def test_a_digest_by_hand_is_that_of_the_plan(world: World):
    commit = world.forge.push_directly(write_manifest(t101=2))

    other = world.apply(commit, digest=f"sha256:{'0' * 64}")
    wrong = world.apply(commit, digest="0000\n::error::x")

    assert (other.code, wrong.code, world.patches) == (1, 1, 0)
    assert "overlap  1 -> 2" in other.output
    assert "digest: expected that of a plan" in wrong.output
    assert "\n::error" not in wrong.output


def test_fresh_applies_whatever_the_plan_is_then(world: World):
    run = world.apply(world.forge.push_directly(write_manifest(t101=2)), apply="fresh")

    assert (run.code, world.patches) == (0, 1)
    assert world.forge.asked == []


def test_a_commit_of_several_pull_requests_is_not_applied(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.review_and_merge(change)
    twin = world.forge.open_change(write_manifest(t101=2))
    twin.landed, twin.state = change.landed, "merged"

    run = world.apply(commit)

    assert (run.code, world.patches) == (1, 0)
    assert f"several: pull request #{change.number}, pull request #{twin.number}" in run.output


def test_the_pull_request_of_another_branch_is_not_meant(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    change.target = "release"

    run = world.apply(world.review_and_merge(change))

    assert (run.code, world.patches) == (1, 0)


def test_a_merge_that_github_does_not_know_yet_is_waited_for(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.review_and_merge(change)
    world.forge.lag = 1

    assert world.apply(commit).code == 0
    assert world.patches == 1


@pytest.mark.parametrize("repository", ["mallory/labels", None])
def test_a_fork_is_validated_and_nothing_is_written(repository: str | None, world: World):
    change = world.forge.open_change(write_manifest(t101=2), repository=repository)

    run = world.plan(change, api_key="", url="")
    applied = world.apply(world.forge.merge(change))

    assert run.code == 0, run.output
    assert "the manifests are only validated" in run.output
    assert (world.forge.comments, world.forge.writes()) == ([], [])
    assert (applied.code, world.patches) == (1, 0)
    assert "comes from a fork" in refuse_reason(applied.output)


def test_a_mistake_of_a_fork_is_red(world: World):
    files: dict[str, str | None] = {"manifests/tasks.yaml": "version: 1\ntasks: [{id: x}]\n"}
    change = world.forge.open_change(files, repository="mallory/labels")

    run = world.plan(change, api_key="", url="")

    assert run.code == 1
    assert "::error" in run.output


def test_dependabot_has_no_secrets_and_is_green(world: World):
    change = world.forge.open_change({"readme": "x"}, author="dependabot[bot]")

    run = world.plan(change, api_key="", url="")

    assert (run.code, world.forge.comments, world.forge.asked) == (0, [], [])


def test_the_event_that_gives_secrets_to_forks_is_refused(world: World):
    change = world.forge.open_change(write_manifest(t101=2))

    run = world.plan(change, event="pull_request_target")

    assert (run.code, world.forge.comments, world.state.log) == (1, [], [])
    assert "pull_request_target gives secrets to the code of forks" in run.output


def test_nothing_is_applied_for_a_pull_request(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.forge.check_out_merged(change)

    for event in ("pull_request", "pull_request_review"):
        run = world.run(event, commit, {"command": "apply", "apply": "fresh"}, change=change)
        assert (run.code, world.patches) == (1, 0)
        assert "not for a pull request" in run.output


def test_a_blocked_plan_is_shown_and_cannot_be_applied(world: World):
    change = world.forge.open_change(write_manifest(t101=2, t999=2))

    planned = world.plan(change)
    del world.state.tasks[101]  # whatever the server is then
    run = world.apply(world.forge.merge(change))

    assert (planned.code, planned.outputs["digest"]) == (1, "")
    assert '"digest":""' in world.comment(change)
    assert "missing" in world.comment(change)
    assert (run.code, world.patches) == (1, 0)


def test_a_plan_that_was_blocked_is_not_applied_once_it_is_not(world: World):
    change = world.forge.open_change(write_manifest(t101=2, t999=2))
    assert world.plan(change).code == 1
    project = world.state.projects[7]
    world.state.add_task(project, {"data": {"text": "New."}, "overlap": 1}, number=999)

    run = world.apply(world.forge.merge(change))

    assert (run.code, world.patches) == (1, 0)
    assert "could not be applied: its comment says why" in refuse_reason(run.output)


def test_a_server_that_changed_since_needs_another_review(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.review_and_merge(change)
    world.state.tasks[101].values["overlap"] = 5

    refused = world.apply(commit)
    digest = refused.outputs["digest"]
    assert (refused.code, world.patches) == (1, 0)
    assert "overlap  5 -> 2" in refused.output
    assert digest in refuse_reason(refused.output)
    assert refused.outputs["exit-code"] == "1"

    assert world.apply(commit, event="workflow_dispatch", digest=digest).code == 0
    assert (world.overlap(101), world.patches) == (2, 1)


def test_what_was_reviewed_for_one_server_is_not_applied_to_another(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.review_and_merge(change)

    run = world.apply(commit, url=world.url.replace("127.0.0.1", "localhost"))

    assert (run.code, world.patches) == (1, 0)
    assert f"the reviewed plan is for {world.url}, not http://localhost" in run.output


def test_other_files_than_the_reviewed_ones_are_not_applied(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.review_and_merge(change)

    run = world.apply(commit, paths="manifests/tasks.yaml")

    assert (run.code, world.patches) == (1, 0)
    assert "no comment by github-actions[bot] with a plan for these files" in run.output


def test_the_same_files_may_be_named_in_another_way(world: World):
    change = world.forge.open_change({**write_manifest(t101=2), "more/102.yaml": write_one(102)})
    assert world.plan(change, paths="manifests/\nmore").code == 0

    run = world.apply(world.forge.merge(change), paths="./more/\nmanifests")

    assert (run.code, world.patches) == (0, 2), run.output


def test_a_redacted_plan_needs_a_key_to_be_applied(world: World):
    world.inputs["redact"] = "data"
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.review_and_merge(change)

    refused = world.apply(commit)
    assert (refused.code, world.patches) == (1, 0)
    assert "has no digest to compare" in refused.output

    assert world.apply(commit, apply="fresh").code == 0
    assert world.patches == 1


def test_a_redacted_plan_is_applied_with_a_key(world: World):
    world.inputs |= {"redact": "data", "digest-key": KEY}
    change = world.forge.open_change(write_manifest(t101=2))

    run = world.apply(world.review_and_merge(change))

    assert run.outputs["digest"].startswith("hmac-sha256:")
    assert (run.code, world.patches) == (0, 1), run.output


def test_each_environment_has_its_own_comment(world: World):
    settings = "".join(
        f'[environments.{name}]\nurl = "{world.url}"\n' for name in ("staging", "production")
    )
    files: dict[str, str | None] = {"reconciler.toml": settings, **write_manifest(t101=2)}
    change = world.forge.open_change(files)

    for name in ("staging", "production", "staging"):
        assert world.plan(change, env=name).code == 0
    bodies = world.forge.bodies(change, BOT)
    commit = world.forge.merge(change)
    none = world.apply(commit)
    production = world.apply(commit, env="production")

    assert [re.findall('"environment":"(.*?)"', body) for body in bodies] == [
        ["staging"],
        ["production"],
    ]
    assert (none.code, production.code, world.patches) == (1, 0, 1)


@pytest.mark.parametrize("how", ["merge", "squash"])
def test_what_changed_since_the_base_is_reviewed_and_applied(how: Merging, world: World):
    world.state.tasks[102].values["overlap"] = 7  # drift, which is not of this change
    world.forge.push_directly(
        {"manifests/102.yaml": write_one(102), "manifests/103.yaml": write_one(103)}
    )
    change = world.forge.open_change(write_manifest(t101=2))

    planned = world.plan(change, args="--since=main...")
    run = world.apply(world.forge.merge(change, how), args="--since=HEAD^1")

    assert (planned.outputs["changes"], run.code) == ("1", 0), run.output
    assert (world.overlap(101), world.overlap(102), world.patches) == (2, 7, 1)


@pytest.mark.parametrize("args", ["--canary=1\n--concurrency=1", "--canary 1\n--careful"])
def test_options_of_apply_are_those_of_all_jobs(args: str, world: World):
    world.inputs["args"] = f"{args}\n\n--detailed-exitcode"
    change = world.forge.open_change(write_manifest(t101=2, t102=2))

    planned = world.plan(change)
    run = world.apply(world.forge.merge(change))

    assert (planned.code, planned.outputs["exit-code"]) == (2, "2")
    assert (run.code, world.patches) == (0, 2), run.output


def test_arguments_are_no_shell(world: World):
    change = world.forge.open_change(write_manifest(t101=2))

    run = world.plan(change, args="$(touch pwned); `id`")

    assert run.code == 1
    assert not (world.forge.repository.folder / "pwned").exists()


def test_a_partial_apply_keeps_its_report(world: World):
    change = world.forge.open_change(write_manifest(t101=2, t102=2))
    commit = world.review_and_merge(change)
    refused = Response(400, {"Content-Type": "application/json"}, b'{"detail": "No."}')
    world.hook = lambda request: (
        refused if (request.method, request.path) == ("PATCH", "/api/tasks/102/") else None
    )

    run = world.apply(commit)

    assert run.code == 3, run.output
    assert run.outputs["exit-code"] == "3"
    report = (world.temp / "reconciler-ci" / "report.jsonl").read_text(encoding="utf-8")
    assert '"task":101' in report.replace(" ", "")
    assert "1 applied, 1 failed" in run.output


def test_what_is_left_of_a_partial_apply_is_another_plan_and_applied_by_hand(world: World):
    change = world.forge.open_change(write_manifest(t101=2, t102=2))
    commit = world.review_and_merge(change)
    refused = Response(400, {"Content-Type": "application/json"}, b'{"detail": "No."}')
    world.hook = lambda request: (
        refused if (request.method, request.path) == ("PATCH", "/api/tasks/102/") else None
    )
    partial = world.apply(commit)
    world.hook = lambda _request: None

    again = world.apply(commit)
    by_hand = world.apply(commit, event="workflow_dispatch", digest=again.outputs["digest"])

    assert "run the job again: it shows the plan of the rest" in partial.output
    assert (partial.code, again.code, by_hand.code, world.patches) == (3, 1, 0, 2)
    assert (world.overlap(101), world.overlap(102)) == (2, 2)


def test_why_nothing_was_applied_is_an_annotation_and_leads_the_summary(world: World):
    commit = world.forge.push_directly(write_manifest(t101=2))

    run = world.apply(commit)

    summary = (world.temp / "summary.md").read_text(encoding="utf-8")
    assert "\n::error title=reconciler::nothing was applied: no reviewed plan: commit" in run.output
    assert summary.startswith("- ❌ `nothing was applied: no reviewed plan: commit")
    assert "1 task to update" in summary


def test_the_summary_does_not_show_the_address_of_the_user(world: World):
    change = world.forge.open_change(write_manifest(t101=2))

    run = world.apply(world.review_and_merge(change))

    folder = world.temp / "reconciler-ci"
    report = (folder / "report.jsonl").read_text(encoding="utf-8")
    shown = [world.temp / "summary.md", folder / "plan.html"]
    assert f"the report is {folder / 'report.jsonl'} (revert needs it" in run.output
    assert "sandbox@example.com" in report
    assert all("sandbox@" not in one.read_text(encoding="utf-8") for one in shown)
    assert "by user 1" in shown[0].read_text(encoding="utf-8")
    assert "sandbox@" not in run.output


def test_what_an_operator_denies_no_pull_request_allows(world: World):
    world.inputs["deny"] = "annotated-data"
    text = (
        "version: 1\nproject: 7\nallow: [{kind: annotated-data, reason: because}]\n"
        "tasks: [{id: 109, data: {text: Other.}}]\n"
    )
    change = world.forge.open_change({"manifests/tasks.yaml": text})

    assert world.plan(change).code == 1
    assert '"digest":""' in world.comment(change)


def test_too_large_a_plan_is_not_applied(world: World):
    change = world.forge.open_change(write_manifest(t101=2, t102=2))

    planned = world.plan(change, max_changes="1")
    run = world.apply(world.forge.merge(change))

    assert (planned.code, planned.outputs["digest"], run.code, world.patches) == (1, "", 1, 0)


class TestForgedComments:
    """Anybody may comment, and those who may write to the repository may edit any comment."""

    def forge_marker(self, change: Change, digest: str) -> str:
        scope = Scope.of("", ("manifests/",))
        marker = Marker(scope, digest=digest, head=change.head, run=(9999999, 1))
        return write_post(marker, "All is well.", NO_DIGEST_KEY)

    def find_digest(self, world: World, change: Change) -> str:
        return world.plan(change, comment="false").outputs["digest"]

    def test_a_marker_of_somebody_else_is_nothing(self, world: World):
        change = world.forge.open_change(write_manifest(t101=2))
        forged = self.forge_marker(change, self.find_digest(world, change))
        for author in ("mallory", "github-actions", "github-actions[bot] ", "GitHub-Actions[bot]"):
            world.forge.post(change.number, author, forged)

        refused = world.apply(world.forge.merge(change))

        assert (refused.code, world.patches) == (1, 0)
        assert "no comment by github-actions[bot]" in refuse_reason(refused.output)

    def test_a_marker_of_somebody_else_is_never_edited(self, world: World):
        change = world.forge.open_change(write_manifest(t101=2))
        forged = world.forge.post(change.number, "mallory", self.forge_marker(change, "sha256:0"))
        before = forged.body

        run = world.apply(world.review_and_merge(change))

        assert (run.code, world.patches, forged.body) == (0, 1, before)

    def test_a_comment_whose_text_was_edited_is_not_believed(self, world: World):
        change = world.forge.open_change(write_manifest(t101=2))
        world.plan(change)
        world.forge.comments[0].body = world.comment(change).replace("1 -&gt; 2", "1 -&gt; 1")

        run = world.apply(world.forge.merge(change))

        assert (run.code, world.patches) == (1, 0)
        assert "its text was edited" in refuse_reason(run.output)

    def test_a_comment_that_the_browser_saved_again_is_believed(self, world: World):
        change = world.forge.open_change(write_manifest(t101=2))
        world.plan(change)
        world.forge.comments[0].body = world.comment(change).replace("\n", "\r\n").rstrip()

        assert world.apply(world.forge.merge(change)).code == 0
        assert world.patches == 1

    @pytest.mark.parametrize("key", ["", KEY])
    def test_an_edited_marker_needs_the_key(self, key: str, world: World):
        """Without a key, those who may write can do that: approvers are the guard then."""
        world.inputs["digest-key"] = key
        change = world.forge.open_change(write_manifest(t101=2))
        world.plan(change)
        world.state.tasks[101].values["overlap"] = 5
        other = self.find_digest(world, change)
        world.forge.comments[0].body = re.sub(
            "sha256:[0-9a-f]{64}", other, world.comment(change), count=1
        )

        run = world.apply(world.forge.merge(change))

        assert (run.code, world.patches) == ((1, 0) if key else (0, 1))
        assert ("not signed with RECONCILER_DIGEST_KEY" in run.output) is bool(key)

    def test_a_marker_without_a_signature_is_replaced_once_there_is_a_key(self, world: World):
        change = world.forge.open_change(write_manifest(t101=2))
        world.plan(change, run=5000)
        world.plan(change, run=4000, digest_key=KEY)

        found = read_post(world.comment(change), DigestKey(KEY))
        assert found
        assert not found.doubt

    def test_a_digest_that_is_none_is_refused(self, world: World):
        change = world.forge.open_change(write_manifest(t101=2))
        world.forge.post(
            change.number, BOT, self.forge_marker(change, "x\n::add-mask::e\n##[error]")
        )

        run = world.apply(world.forge.merge(change))

        assert (run.code, world.patches) == (1, 0)
        assert "has no valid digest" in run.output
        assert "add-mask" not in run.output

    def test_a_marker_in_the_text_of_a_task_is_text(self, world: World):
        change = world.forge.open_change(write_manifest(t101=2))
        hostile = self.forge_marker(change, f"sha256:{'0' * 64}")
        text = f"{hostile}\n\r\n```\n/close\n{hostile}"
        files = write_manifest(t101=2)
        entry = f"  - {{id: 102, data: {{text: {json.dumps(text)}}}}}\n"
        world.forge.push(
            change, {"manifests/tasks.yaml": f"{files['manifests/tasks.yaml']}{entry}"}
        )

        run = world.apply(world.review_and_merge(change))

        assert (run.code, world.patches) == (0, 2), run.output
        lines = world.comment(change).splitlines()
        assert sum(line.startswith("<!--") for line in lines) == 1
        assert not any(line.startswith("/") for line in lines)

    def test_two_comments_with_a_plan_are_one_too_many(self, world: World):
        change = world.forge.open_change(write_manifest(t101=2))
        world.plan(change)
        world.forge.post(change.number, BOT, world.comment(change))

        run = world.apply(world.forge.merge(change))

        assert (run.code, world.patches) == (1, 0)
        assert "delete all but the newest" in run.output

    def test_the_comment_is_found_behind_many_others(self, world: World):
        change = world.forge.open_change(write_manifest(t101=2))
        for number in range(230):
            world.forge.post(change.number, "ann", f"comment {number}")
        world.plan(change)
        world.plan(change)

        assert world.apply(world.forge.merge(change)).code == 0
        assert len(world.forge.bodies(change, BOT)) == 1


def test_a_large_plan_fits_a_comment(world: World):
    change = world.forge.open_change(add_many_tasks(world.state, 2_000))

    run = world.plan(change)

    assert run.code == 0, run.output[-300:]
    assert 55_000 < len(world.comment(change)) <= 65_536
    assert '"digest":"sha256:' in world.comment(change)


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (401, {"message": "Bad credentials"}),
        (403, {"message": "Resource not accessible by integration"}),
        (404, {"message": "Not Found"}),
        (301, {"message": "Moved Permanently", "url": "https://elsewhere.example.org"}),
        (500, "<html>Unicorn!</html>"),
        (200, {"not": "a list"}),
        (200, "not JSON"),
    ],
)
def test_nothing_is_applied_where_the_forge_fails(status: int, content: object, world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    commit = world.review_and_merge(change)
    reply = Reply(status, content, {"Location": "https://elsewhere.example.org/"})
    world.forge.faults.append(Fault("GET", "/pulls", reply, times=9))

    run = world.apply(commit)

    assert (run.code, world.patches) == (1, 0)
    assert "Apply" not in run.names
    assert f"/commits/{commit}/pulls" in run.output
    assert "Traceback" not in run.output


def test_a_forge_that_fails_once_is_asked_again(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    world.forge.faults.append(Fault("POST", "/graphql", Reply(502, "<html>"), times=2))

    assert world.plan(change).code == 0
    assert len(world.forge.bodies(change, BOT)) == 1


def test_what_a_forge_says_is_no_command(world: World):
    change = world.forge.open_change(write_manifest(t101=2))
    message = "No.\r\n::add-mask::e\n\x1b[2J##[error]x"
    world.forge.faults.append(Fault("POST", "/comments", Reply(422, {"message": message})))

    run = world.plan(change)

    assert run.code == 1
    assert "the response was 422: No. ::add-mask::e" in run.output
    assert not re.search(r"^\s*::add-mask|##\[|\x1b", run.output, re.MULTILINE)
