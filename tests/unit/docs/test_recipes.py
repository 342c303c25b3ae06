"""The recipes of docs/ci.md run, and the page shows what their logs say.

With ACCEPT_CASES in the environment, the logs on the page are written anew.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state, new_state
from tests.forges import gitlab_api
from tests.forges.forge_server import serve_forge
from tests.forges.forge_state import Account, Change, ForgeState
from tests.forges.github_world import World, build_world
from tests.git_repositories import GitRepository
from tests.unit.docs.gitlab_jobs import BOT_TOKEN, run_gitlab
from tests.unit.docs.pages import ROOT, page
from tests.unit.docs.recipes import INSTALL, Ran, Runner
from tests.unit.docs.workflow_jobs import Job, list_events, show_log

PAGE: Final = ROOT / "docs" / "ci.md"
ADDRESS: Final = "https://label-studio.example.org"
_LOG: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MANIFEST: Final = re.compile(
    r"^```yaml\n(# manifests/sentences\.yaml\n.*?)^```$", re.MULTILINE | re.DOTALL
)


@pytest.fixture
def state() -> State:
    return load_state(ROOT / "examples" / "sandbox.json")


@pytest.fixture
def manifest() -> str:
    """Return the manifest of the page."""
    (text,) = re.findall(_MANIFEST, section("In a pull request"))
    return str(text)


@pytest.fixture
def runner(state: State, manifest: str, tmp_path: Path) -> Iterator[Runner]:
    """A machine with a repository that holds the manifest of the page."""
    manifests = tmp_path / "repository" / "manifests"
    manifests.mkdir(parents=True)
    (manifests / "sentences.yaml").write_text(manifest, encoding="utf-8")
    with serve(state) as url:
        yield Runner(tmp_path / "repository", url)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with build_world(tmp_path) as world:
        yield world


@pytest.fixture
def change(world: World, manifest: str) -> Change:
    """Open a pull request that adds the manifest of the page."""
    files = {"manifests/tasks.yaml": None, "manifests/sentences.yaml": manifest}
    return world.forge.open_change(files)


def recipe(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(page(f"examples/ci/{name}"))
    return content


def codes(ran: list[Ran]) -> dict[str, int]:
    return {command: code for command, code, _ in ran}


def log(ran: list[Ran], url: str) -> str:
    """Write what a job printed, without its installation, as the page shows it."""
    shown = [f"$ {command}\n{output}" for command, _, output in ran if command != INSTALL]
    return "".join(shown).replace(url, ADDRESS)


def section(heading: str) -> str:
    return page("docs/ci.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def check_logs(heading: str, logs: list[str]) -> None:
    """Compare logs with those in a section of the page, or write them there."""
    text = section(heading)
    if "ACCEPT_CASES" in os.environ:
        rest = iter(logs)
        written = _LOG.sub(lambda _found: f"```console\n{next(rest)}```", text)
        PAGE.write_text(page("docs/ci.md").replace(text, written), encoding="utf-8")
    else:
        assert _LOG.findall(text) == logs


def test_the_github_recipe_plans_a_pull_request_and_applies_it(world: World, change: Change):
    workflow = recipe("github.yml")

    planned = Job(workflow, "plan", change=change).run(world)
    assert world.patches == 0
    applied = Job(workflow, "apply", world.forge.merge(change)).run(world)

    assert (planned.code, applied.code, world.patches) == (0, 0, 2)
    assert "Apply: 2 applied." in applied.output
    check_logs("In a pull request", [show_log(planned).replace(world.url, ADDRESS)])


def test_the_github_recipe_applies_nothing_else_until_it_is_started_by_hand(
    world: World, change: Change
):
    workflow = recipe("github.yml")
    Job(workflow, "plan", change=change).run(world)
    commit = world.forge.merge(change)
    world.state.tasks[101].values["overlap"] = 9

    refused = Job(workflow, "apply", commit).run(world)
    assert (refused.code, world.patches) == (1, 0)
    (digest,) = set(re.findall(r"by hand with (sha256:\w+)", refused.output))
    by_hand = Job(workflow, "apply", commit, values={"inputs": {"digest": digest}}).run(world)

    assert (by_hand.code, world.patches) == (0, 2)
    check_logs("After the merge", [show_log(refused).replace(world.url, ADDRESS)])


def test_the_github_recipe_is_red_where_a_task_is_missing(world: World, change: Change):
    world.state.projects[7].task_ids.remove(102)
    del world.state.tasks[102]
    workflow = recipe("github.yml")

    planned = Job(workflow, "plan", change=change).run(world)
    applied = Job(workflow, "apply", world.forge.merge(change)).run(world)

    assert (planned.code, applied.code, world.patches) == (1, 1, 0)


def test_the_recipe_for_drift_opens_an_issue_and_closes_it(world: World):
    workflow = recipe("github-drift.yml")
    commit = world.forge.repository.git("rev-parse", "main")
    (job,) = workflow["jobs"].values()
    assert list_events(workflow) == ["schedule", "workflow_dispatch"]
    names = ("command", "paths")
    inputs = {name: job["steps"][1]["with"][name] for name in names}

    world.state.tasks[101].values["overlap"] = 9
    drifted = world.run("schedule", commit, inputs)
    (issue,) = world.forge.open_issues()
    world.state.tasks[101].values["overlap"] = 1
    corrected = world.run("schedule", commit, inputs)

    assert (drifted.code, corrected.code) == (0, 0)
    assert "9 -&gt; 1" in issue.body
    assert world.forge.open_issues() == []


def test_the_recipe_for_what_changes_plans_and_applies_only_that(world: World, manifest: str):
    git = world.forge.repository.git
    before = world.forge.push_directly(
        {"manifests/tasks.yaml": None, "manifests/sentences.yaml": manifest}
    )
    git("update-ref", "refs/remotes/origin/main", before)
    text = manifest.replace("  - id: 101\n", "  - id: 101\n    overlap: 3\n")
    change = world.forge.open_change({"manifests/sentences.yaml": text})
    workflow = recipe("github-since.yml")

    planned = Job(workflow, "plan", change=change).run(world)
    commit = world.forge.merge(change)
    git("update-ref", "refs/remotes/origin/main", commit)
    event = {"event": {"before": before}}
    applied = Job(workflow, "apply", commit, values=event).run(world)

    assert (planned.code, applied.code, world.patches) == (0, 0, 1), applied.output
    assert world.overlap(101) == 3
    shown = show_log(planned).replace(world.url, ADDRESS).replace(before[:12], "3f1c9a7d2b60")
    check_logs("Only what a pull request changes", [shown])


def test_the_recipe_for_what_changes_plans_everything_when_started_by_hand(
    world: World, manifest: str
):
    """A merge may bring several commits, so the one before the last says nothing."""
    world.forge.push_directly({"manifests/tasks.yaml": None, "manifests/sentences.yaml": manifest})
    text = manifest.replace("  - id: 101\n", "  - id: 101\n    overlap: 3\n")
    world.forge.push_directly({"manifests/sentences.yaml": text})
    commit = world.forge.push_directly({"README.md": "Labels\n"})
    workflow = recipe("github-since.yml")

    drift = world.drift()
    by_hand = {"inputs": {"digest": drift.outputs["digest"]}}
    applied = Job(workflow, "apply", commit, values=by_hand).run(world)

    assert (drift.code, applied.code) == (0, 0), applied.output
    assert "--since" not in applied.output
    assert world.overlap(101) == 3


class GitLab:
    """A machine of GitLab, and the project that its jobs are of."""

    def __init__(self, runner: Runner, api: str, forge: ForgeState) -> None:
        self.forge = forge
        self._runner = runner
        self._api = api

    def run(self, name: str, change: Change | None = None, **variables: str) -> list[Ran]:
        """Run a job, for a merge request if there is one."""
        pipeline = recipe("gitlab-ci.yml")
        return run_gitlab(self._runner, pipeline, name, self._api, change, **variables)


@pytest.fixture
def gitlab(runner: Runner) -> Iterator[GitLab]:
    repository = GitRepository(runner.repository)
    repository.git("checkout", "-q", "-B", "main")
    forge = ForgeState(repository, {BOT_TOKEN: Account("project_42_bot")})
    with serve_forge(forge, gitlab_api.handle) as api:
        yield GitLab(runner, api, forge)


def test_the_gitlab_recipe_plans_a_merge_request_and_applies_it(gitlab: GitLab, state: State):
    change = gitlab.forge.open_change({"README.md": "Labels\n"})

    planned = gitlab.run("plan", change)
    assert [one.code for one in planned] == [0, 0], planned
    assert state.requests("PATCH") == 0
    gitlab.forge.merge(change)
    applied = gitlab.run("apply")

    assert [one.code for one in applied] == [0, 0, 0], applied
    assert state.requests("PATCH") == 2


def test_the_gitlab_recipe_applies_nothing_else_until_it_is_started_by_hand(
    gitlab: GitLab, state: State
):
    change = gitlab.forge.open_change({"README.md": "Labels\n"})
    gitlab.run("plan", change)
    gitlab.forge.merge(change)
    state.tasks[101].values["overlap"] = 9

    refused = gitlab.run("apply")[-1]
    assert (refused.code, state.requests("PATCH")) == (1, 0)
    (digest,) = set(re.findall(r"by hand with (sha256:\w+)", refused.output))

    by_hand = gitlab.run("apply by hand", source="web", RECONCILER_CI_DIGEST=digest)

    assert by_hand[-1].code == 0, by_hand
    assert state.requests("PATCH") == 2


def test_the_gitlab_recipe_keeps_an_issue_about_drift(gitlab: GitLab, state: State):
    drifted = gitlab.run("drift", source="schedule")

    assert [one.code for one in drifted] == [0, 0], drifted
    assert len(gitlab.forge.open_issues()) == 1
    assert state.requests("PATCH") == 0


def test_on_gitlab_no_job_that_applies_runs_on_a_schedule_or_for_a_merge_request():
    pipeline = recipe("gitlab-ci.yml")

    for name in ("apply", "apply by hand"):
        (*_, rule) = pipeline[name]["rules"]
        assert re.match(r'\$CI_PIPELINE_SOURCE == "(push|web)" && ', rule["if"])
        assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"]
        assert pipeline[name]["resource_group"] == pipeline["apply"]["resource_group"]
    assert pipeline["plan"]["artifacts"]["access"] == "developer"
    assert "expire_in" in pipeline["plan"]["artifacts"]


def test_the_recipe_in_shards_shows_the_plan_that_one_job_would_show(runner: Runner):
    workflow = recipe("github-shards.yml")
    secrets = {"LABEL_STUDIO_URL": runner.url, "LABEL_STUDIO_API_KEY": SANDBOX_TOKEN}
    whole = runner.run("reconciler plan manifests/", secrets).output

    for index, shard in enumerate(workflow["jobs"]["plan"]["strategy"]["matrix"]["shard"]):
        values = {"matrix.shard": shard, "strategy.job-index": str(index)}
        assert codes(runner.run_job(workflow, "plan", values))[INSTALL] == 0
    (_, shown) = runner.run_job(workflow, "show")

    assert shown.code == 0
    assert digest(shown.output) == digest(whole)


def digest(output: str) -> str:
    return output.partition("\nDigest: ")[2].split()[0]


def test_drift_shows_in_the_exit_code(runner: Runner, state: State):
    commands = re.findall(r"^reconciler .+$", section("Other CI systems"), re.MULTILINE)
    secrets = {"LABEL_STUDIO_URL": runner.url, "LABEL_STUDIO_API_KEY": SANDBOX_TOKEN}
    assert runner.run("reconciler apply manifests/ --yes", secrets).code == 0

    before = [runner.run(command, secrets).code for command in commands]
    state.tasks[101].values["overlap"] = 9
    after = [runner.run(command, secrets) for command in commands]

    assert (before, [ran.code for ran in after]) == ([0], [2])
    check_logs("Other CI systems", [log([*after, Ran("echo $?", 0, "2\n")], runner.url)])


@pytest.mark.parametrize(
    ("heading", "workflow"),
    [("Set up GitHub", ".github/workflows/tasks.yml"), ("Set up GitLab", ".gitlab-ci.yml")],
)
def test_a_repository_is_set_up_by_copy_and_paste(
    heading: str, workflow: str, runner: Runner, tmp_path: Path
):
    blocks = re.findall(r"^```sh\n(.*?)^```$", section(heading), re.MULTILINE | re.DOTALL)
    script = "".join(blocks)
    for name in ("remote", "package"):
        runner.run(f"git init --quiet --bare --initial-branch main {tmp_path / name}.git")
    package = shlex.quote(str(tmp_path / "package.git"))
    runner.run(f"git push --quiet {package} HEAD:main")
    (tmp_path / ".gitconfig").write_text(
        '[user]\n\tname = Ann\n\temail = ann@example.org\n[protocol "file"]\n\tallow = always\n',
        encoding="utf-8",
    )
    values = {
        "ADDRESS-OF-YOUR-REPOSITORY": str(tmp_path / "remote.git"),
        "ADDRESS-OF-RECONCILER": package,
        ADDRESS: runner.url,
        "API_KEY=...": f"API_KEY={SANDBOX_TOKEN}",
    }
    for name, value in values.items():
        assert name in script
        script = script.replace(name, value)

    ran = runner.run(f"unset CI; {script}")
    pushed = runner.run(f"git -C {tmp_path / 'remote.git'} ls-tree -r --name-only main").output

    assert ran.code == 0, ran.output
    assert re.search(r"No changes: \d+ tasks as declared", ran.output)
    assert {workflow, "reconciler.toml", "reconciler.lock", "reconciler"} <= set(pushed.split())


def test_fragments_on_the_page_are_parts_of_the_recipes():
    inputs = yaml.safe_load(page("action.yml"))["inputs"]
    template = page("reconciler/engine/starter/templates/github-environments.yml")
    whole = yaml.safe_load(
        template.replace("@ENVIRONMENTS@", "[staging, production]").replace("@", "")
    )
    limits, *_ = find_blocks("Limits")
    since = find_blocks("Only what a pull request changes")
    *_, environments = find_blocks("Environments")

    assert set(yaml.safe_load(limits)) <= set(inputs)
    assert all(fragment in page("examples/ci/github-since.yml") for fragment in since)
    part = yaml.safe_load(environments)["jobs"]["apply"]
    assert part.items() <= whole["jobs"]["apply"].items()


def find_blocks(heading: str) -> list[str]:
    """Return the YAML blocks of a section."""
    return re.findall(r"^```yaml\n(.*?)^```$", section(heading), re.MULTILINE | re.DOTALL)


def test_a_report_is_kept_by_the_step_of_the_page(runner: Runner, tmp_path: Path):
    (block,) = find_blocks("Keep the report")
    (step,) = yaml.safe_load(block)
    aws = tmp_path / "tools" / "aws"
    aws.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    aws.chmod(0o700)
    known = {"GITHUB_RUN_ID": "12", "GITHUB_RUN_ATTEMPT": "1", "BUCKET": "private"}

    ran = runner.run(step["run"], {**known, "RUNNER_TEMP": "/temp"})

    assert ran.output.splitlines() == [
        *("s3", "cp", "/temp/reconciler-ci", "s3://private/12-1", "--recursive"),
        *("--exclude", "*", "--include", "report.jsonl*"),
    ]


def test_the_environments_are_two_servers_with_the_same_keys(tmp_path: Path):
    text = section("Environments")
    ((settings,), (manifest, *_)) = [
        re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for kind in ("toml", "yaml")
    ]
    servers = {name: new_state() for name in ("staging", "production")}
    repository = tmp_path / "repository"
    (repository / "manifests").mkdir(parents=True)
    (repository / "manifests" / "reviews.yaml").write_text(manifest, encoding="utf-8")
    with ExitStack() as stack:
        for (name, state), number in zip(servers.items(), (12, 7), strict=True):
            project = state.add_project("Reviews", number=number)
            state.add_task(project, {"data": {"external_id": "x-000102"}}, number=number * 10)
            settings = re.sub(
                rf'(environments\.{name}\]\nurl = )".*"',
                rf'\1"{stack.enter_context(serve(state))}"',
                settings,
            )
        (repository / "reconciler.toml").write_text(settings, encoding="utf-8")
        ran = run_environments(Runner(repository, ""), text, settings)

    assert [one.code for one in ran] == [0, 0, 0], ran
    assert servers["staging"].tasks[120].values["overlap"] == 1
    assert servers["production"].tasks[70].values["overlap"] == 3


def run_environments(runner: Runner, text: str, settings: str) -> list[Ran]:
    """Run the commands of the page; the last would ask. CI names the address itself."""
    ran = []
    for command in re.findall(r"^reconciler .+$", text, re.MULTILINE):
        name = command.partition("--env ")[2].split()[0]
        url = re.findall(rf'{name}\]\nurl = "(.*)"', settings)[0]
        secrets = {"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": SANDBOX_TOKEN}
        answer = " --yes" if " apply " in command else ""
        ran.append(runner.run(command + answer, secrets))
    return ran
