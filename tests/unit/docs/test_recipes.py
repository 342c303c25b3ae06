"""The recipes of docs/ci.md run, and the page shows what their logs say.

With ACCEPT_CASES in the environment, the logs on the page are written anew.
"""

from __future__ import annotations

import json
import os
import re
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
from tests.unit.docs.pages import ROOT, page
from tests.unit.docs.recipes import INSTALL, Ran, Runner

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
def runner(state: State, tmp_path: Path) -> Iterator[Runner]:
    """A machine with a repository that holds the manifest of the page."""
    manifests = tmp_path / "repository" / "manifests"
    manifests.mkdir(parents=True)
    (text,) = re.findall(_MANIFEST, section("GitHub Actions"))
    (manifests / "sentences.yaml").write_text(text, encoding="utf-8")
    with serve(state) as url:
        yield Runner(tmp_path / "repository", url)


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


def test_the_github_recipe_plans_a_pull_request_and_applies_a_push(runner: Runner, state: State):
    workflow = recipe("github.yml")

    pull = [*runner.run_job(workflow, "validate"), *runner.run_job(workflow, "plan")]
    assert state.requests("PATCH") == 0
    push = runner.run_job(workflow, "apply")

    report = runner.artifacts / "report" / "report.jsonl"
    first = json.loads(report.read_text(encoding="utf-8").partition("\n")[0])
    assert set(codes(pull + push).values()) == {0}
    assert first["commit"] == {"id": runner.commit}
    assert state.requests("PATCH") == 2
    again = runner.run_job(workflow, "plan")[-1].output
    assert "No changes" in again
    check_logs("GitHub Actions", [log(pull, runner.url), log(push[-1:], runner.url)])


def test_the_github_recipe_is_red_where_a_task_is_missing_and_changes_nothing(
    runner: Runner, state: State
):
    state.projects[7].task_ids.remove(102)
    del state.tasks[102]
    workflow = recipe("github.yml")

    planned = runner.run_job(workflow, "plan")
    applied = runner.run_job(workflow, "apply")

    assert [ran.code for ran in planned] == [0, 1]
    assert [ran.code for ran in applied] == [0, 1]
    assert state.requests("PATCH") == 0
    assert not (runner.artifacts / "report").exists()


def test_the_gitlab_recipe_validates_plans_and_applies(runner: Runner, state: State):
    pipeline = recipe("gitlab-ci.yml")

    ran = [one for stage in pipeline["stages"] for one in runner.run_script(pipeline, stage)]

    (report,) = pipeline["apply"]["artifacts"]["paths"]
    assert [one.code for one in ran] == [0] * 6
    assert (runner.repository / report).exists()
    assert state.requests("PATCH") == 2
    assert "No changes" in runner.run_script(pipeline, "plan")[-1].output


def test_the_recipe_in_shards_shows_the_plan_that_one_job_would_show(runner: Runner):
    workflow = recipe("github-shards.yml")
    whole = runner.run_job(recipe("github.yml"), "plan")[-1].output

    for index, shard in enumerate(workflow["jobs"]["plan"]["strategy"]["matrix"]["shard"]):
        values = {"matrix.shard": shard, "strategy.job-index": str(index)}
        assert codes(runner.run_job(workflow, "plan", values))[INSTALL] == 0
    (_, shown) = runner.run_job(workflow, "show")

    assert shown.code == 0
    assert digest(shown.output) == digest(whole)


def test_the_recipe_for_what_changes_plans_only_that(runner: Runner, state: State):
    runner.run("git update-ref refs/remotes/origin/main HEAD")
    manifest = runner.repository / "manifests" / "sentences.yaml"
    text = manifest.read_text(encoding="utf-8")
    first, last = text.index("  - id: 101"), text.index("  - id: 102")
    manifest.write_text(
        f"{text[:first]}  - id: 101\n    overlap: 3\n{text[last:]}", encoding="utf-8"
    )

    ran = runner.run_job(recipe("github-since.yml"), "plan", {"github.base_ref": "main"})

    assert set(codes(ran).values()) == {0}
    assert state.requests("PATCH") == 0
    written = log(ran, runner.url).replace(runner.commit[:12], "3f1c9a7d2b60")
    check_logs("Only what a pull request changes", [written])


def digest(output: str) -> str:
    return output.partition("\nDigest: ")[2].split()[0]


def test_drift_shows_in_the_exit_code(runner: Runner, state: State):
    commands = re.findall(r"^reconciler .+$", section("Drift"), re.MULTILINE)
    runner.run_job(recipe("github.yml"), "apply")
    secrets = {"LABEL_STUDIO_URL": runner.url, "LABEL_STUDIO_API_KEY": SANDBOX_TOKEN}

    before = [runner.run(command, secrets).code for command in commands]
    state.tasks[101].values["overlap"] = 9
    after = [runner.run(command, secrets) for command in commands]

    assert (before, [ran.code for ran in after]) == ([0], [2])
    check_logs("Drift", [log([*after, Ran("echo $?", 0, "2\n")], runner.url)])


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
