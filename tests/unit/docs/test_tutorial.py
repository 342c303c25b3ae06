"""The tutorial happens: each of its blocks is executed, in order, in one repository.

Two sandboxes are the servers, and a forge of the tests is GitHub. A block ``sh`` runs in a shell
that goes on; of a ``console``, each command runs and what it prints is compared; ``# job NAME
ENVIRONMENT`` runs a job of the workflow. A ``yaml`` or ``toml`` block names the file that it is the
content of, and a ``diff`` is applied.
With ACCEPT_CASES in the environment, what is printed is written into the page.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state
from tests.forges import github_api
from tests.forges.forge_server import serve_forge
from tests.forges.forge_state import Account, Change, ForgeState
from tests.forges.github_world import BOT, JOB_TOKEN, World
from tests.git_repositories import GitRepository
from tests.unit.docs.pages import ROOT
from tests.unit.docs.recipes import INSTALL
from tests.unit.docs.workflow_jobs import Job, show_log

PAGE: Final = ROOT / "docs" / "tutorial.md"
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SERVERS: Final = {
    "production": "https://label-studio.example.org",
    "staging": "https://staging.example.org",
}
_WORKFLOW: Final = ".github/workflows/tasks.yml"
_REMOTE: Final = "git@github.com:acme/labels.git"


class GitHub:
    """The repository on GitHub: what was pushed to it, and its pull requests."""

    def __init__(self, repository: Path, api: str, forge: ForgeState) -> None:
        self.api = api
        self.forge = forge
        self.event: dict[str, Any] = {}
        self._repository = repository

    def read_workflow(self, branch: str) -> dict[str, Any]:
        """Fetch a branch, and read its workflow; a push to main merges its pull request."""
        git = self.forge.repository.git
        if not git("remote"):
            git("symbolic-ref", "HEAD", "refs/heads/nothing")
            git("remote", "add", "origin", str(self._repository))
        git("fetch", "-q", "origin", f"+{branch}:pushed", "+main:main")
        head, base = git("rev-parse", "pushed"), git("rev-parse", "main")
        if branch == "main":
            for change in self.forge.changes.values():
                if change.head == head:
                    change.state, change.landed = "merged", (head,)
            self.event = {"commit": head}
        else:
            self.event = {"change": self._open(branch, head, base)}
        workflow: dict[str, Any] = yaml.safe_load(git("show", f"{head}:{_WORKFLOW}"))
        return workflow

    def _open(self, branch: str, head: str, base: str) -> Change:
        found = [one for one in self.forge.changes.values() if one.branch == branch]
        change = found[0] if found else Change(self.forge.number(), branch, head, base)
        self.forge.changes[change.number] = change
        change.head, change.commits = head, (head,)
        return change


class Tutorial:
    """A reader's machine, with two servers, a repository on GitHub and its CI."""

    def __init__(
        self, folder: Path, servers: Mapping[str, State], urls: Mapping[str, str], github: GitHub
    ) -> None:
        self._servers = servers
        self._urls = urls
        self._github = github
        self._home = folder
        self._state = folder / "state.sh"
        self._work = folder / "labels"
        self._make_tools()
        for name in ("remote", "package"):
            self._git("init", "--quiet", "--bare", "--initial-branch", "main", f"{name}.git")
        self._git("clone", "--quiet", "package.git", "package")
        (folder / "package" / "README.md").write_text("reconciler\n", encoding="utf-8")
        self._git("-C", "package", "add", "-A")
        self._git("-C", "package", "commit", "--quiet", "--message", "First")
        self._git("-C", "package", "push", "--quiet", "origin", "HEAD:main")
        self._state.write_text(f"cd {shlex.quote(str(folder))}\n", encoding="utf-8")

    def _make_tools(self) -> None:
        tools = self._home / "bin"
        tools.mkdir()
        pip = f'test "$*" = "{INSTALL.removeprefix("pip ")}" && test -f reconciler/README.md'
        for name, line in (
            ("pip", pip),
            ("reconciler", f'exec "{sys.executable}" -m reconciler "$@"'),
        ):
            (tools / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            (tools / name).chmod(0o700)
        (self._home / ".gitconfig").write_text(
            '[user]\n\tname = Ann\n\temail = ann@example.org\n[protocol "file"]\n\tallow = always\n'
            f'[url "{self._home / "remote.git"}"]\n\tinsteadOf = {_REMOTE}\n',
            encoding="utf-8",
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self._home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self._home),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - commands of this test
            ["git", *arguments],  # noqa: S607 - as it is installed
            cwd=self._home,
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def run_block(self, kind: str, text: str) -> str:
        """Execute a block, and return it with what it prints now."""
        if kind == "console":
            mark = "# job" if text.startswith("# job") else r"\$"
            return "".join(map(self._print_again, re.findall(rf"^{mark} .+$", text, re.MULTILINE)))
        if kind == "sh":
            if "reconciler sandbox" not in text:
                self.run(text)
        elif kind == "diff":
            return self._apply(text)
        else:
            name = text.partition("\n")[0].removeprefix("# ")
            (self._work / name).write_text(self._enter(text), encoding="utf-8")
        return text

    def run(self, script: str) -> str:
        """Run commands in the shell of the reader, which must succeed."""
        token = f"API_KEY\\1={SANDBOX_TOKEN}"
        script = re.sub(r"API_KEY(\w*)=\.\.\.", token, self._enter(script))
        script = script.replace("ADDRESS", str(self._home / "package.git"))
        script += '\n{ echo "cd $(printf %q "$PWD")"; export -p; } > "$HOME/state.sh"\n'
        script = f". {shlex.quote(str(self._state))}\nunset OLDPWD\n{script}"
        done = subprocess.run(  # noqa: S603 - the commands of the page
            ["bash", "-e", "-c", script],  # noqa: S607 - as it is installed
            cwd=self._home,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, (script, done.stdout)
        return done.stdout

    def _print_again(self, line: str) -> str:
        if line.startswith("# job "):
            return f"{line}\n{self._run_job(*line.split()[2:])}"
        return f"{line}\n{self._leave(self.run(line.removeprefix('$ ')))}"

    def _run_job(self, name: str, environment: str = "") -> str:
        """Run a job on what was pushed, in each environment, and return the log of one."""
        branch = self._git("-C", str(self._work), "branch", "--show-current").strip()
        workflow = self._github.read_workflow(branch)
        matrix = workflow["jobs"][name].get("strategy", {}).get("matrix", {"env": [""]})
        assert environment in matrix["env"]
        chosen = matrix["env"] if name == "plan" else [environment]
        logs = {env: self._run_in(env, Job(workflow, name, **self._github.event)) for env in chosen}
        return self._leave(logs[environment])

    def _run_in(self, environment: str, job: Job) -> str:
        server = environment or "production"
        temp = self._home / f"temp-{len(list(self._home.iterdir()))}"
        temp.mkdir()
        github = self._github
        world = World(github.forge, self._servers[server], github.api, self._urls[server], temp)
        ran = replace(job, values={"matrix": {"env": environment}}).run(world)
        assert ran.code == 0, ran.output
        return show_log(ran)

    def _apply(self, diff: str) -> str:
        """Apply a change of one line of a file, and return it as git shows it."""
        name = re.findall(r"^\+\+\+ b/(.+)$", diff, re.MULTILINE)[0]
        file = self._work / name
        (old, new) = (
            re.findall(rf"^{sign}(?!{sign}{sign}).*?(\w.*)$", diff, re.MULTILINE)[-1]
            for sign in ("-", r"\+")
        )
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1
        file.write_text(text.replace(old, new), encoding="utf-8")
        shown = self._git("-C", str(self._work), "diff", "--unified=1", "--", name)
        return shown.split("\n", 2)[2]

    def _enter(self, text: str) -> str:
        for name, address in _SERVERS.items():
            text = text.replace(address, self._urls[name])
        return text

    def _leave(self, text: str) -> str:
        for name, address in _SERVERS.items():
            text = text.replace(self._urls[name], address)
        return text


@pytest.fixture
def servers() -> dict[str, State]:
    return {name: load_state(ROOT / "examples" / "tutorial" / f"{name}.json") for name in _SERVERS}


@pytest.fixture
def tutorial(servers: Mapping[str, State], tmp_path: Path) -> Iterator[Tutorial]:
    with ExitStack() as stack:
        urls = {name: stack.enter_context(serve(state)) for name, state in servers.items()}
        forge = ForgeState(GitRepository.create(tmp_path / "checkout"), {JOB_TOKEN: Account(BOT)})
        api = stack.enter_context(serve_forge(forge, github_api.handle))
        github = GitHub(tmp_path / "remote.git", api, forge)
        yield Tutorial(tmp_path, servers, urls, github)


def test_every_block_does_what_the_page_shows(tutorial: Tutorial, servers: Mapping[str, State]):
    text = PAGE.read_text(encoding="utf-8")
    shown = _BLOCK.findall(text)

    printed = [(kind, tutorial.run_block(kind, block)) for kind, block in shown]

    for state in servers.values():
        tasks = [task.values for task in state.tasks.values()]
        data: list[Any] = [task["data"] for task in tasks]
        texts = [values["text"] for values in data]
        assert (texts[2], [task["overlap"] for task in tasks]) == (
            "Works as promised.",
            [1, 2, 1, 2, 1, 2],
        )
    if "ACCEPT_CASES" in os.environ:
        rest = iter(printed)
        written = _BLOCK.sub(lambda _: "```{}\n{}```".format(*next(rest)), text)
        PAGE.write_text(written, encoding="utf-8")
    else:
        assert printed == shown
