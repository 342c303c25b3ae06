"""`init` writes files that work as they are, leaves alone what exists, and tells what is next."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.tasks_file import new_state
from tests.unit.cli.conftest import Command, Wire
from tests.unit.labelstudio.wired import ADDRESS, Hooked

FILES: Final = {
    *(".gitignore", ".pre-commit-config.yaml", ".vscode/settings.json"),
    *("reconciler.toml", "schemas/manifest.schema.json"),
}
"""What is written in any case."""


def list_files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def make_repository(folder: Path, remote: str = "") -> None:
    settings = f'[remote "origin"]\n\turl = {remote}\n' if remote else ""
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text(settings, encoding="utf-8")


def test_without_a_server_there_is_a_first_manifest_that_validates(command: Command):
    made = command("init", "labels")

    assert made.code == 0
    assert list_files(Path("labels")) == {*FILES, "manifests/first.yaml"}
    assert "no server is set" in made.output
    assert "reconciler pull --project NUMBER --out labels/manifests/\n" in made.output
    assert command("validate", "labels/manifests/").code == 0


def test_the_first_manifest_changes_nothing(command: Command, server: Hooked):
    command("init", "--project", "8")

    planned = command("plan", "manifests/")

    assert (planned.code, "No changes" in planned.output) == (0, True)
    assert {request.method for request in server.requests} == {"GET"}


@pytest.mark.usefixtures("server")
def test_the_only_project_is_pulled_and_the_plan_is_empty(command: Command):
    made = command("init")

    assert made.code == 0
    assert list_files(Path()) == {*FILES, "reconciler.lock", "manifests/project-7.yaml"}
    assert f"Projects of {ADDRESS}:\n  7  " in made.output
    assert "Pulled 3 tasks of project 7.\nNext:\n  1. reconciler plan manifests/\n" in made.output
    assert not Path("manifests/first.yaml").exists()
    assert command("validate", "manifests/").code == 0
    assert "No changes: 3 tasks as declared." in command("plan", "manifests/").output


@pytest.mark.usefixtures("server")
def test_a_damaged_lock_is_left_alone_and_does_not_hide_what_was_pulled(command: Command):
    Path("reconciler.lock").write_text("not a lock", encoding="utf-8")

    made = command("init", "--project", "7")

    assert made.code == 0
    assert "Pulled 3 tasks of project 7.\n" in made.output
    assert "reconciler.lock (reconciler.lock:1:1: " in made.output
    assert list_files(Path()) == {*FILES, "reconciler.lock", "manifests/project-7.yaml"}
    assert Path("reconciler.lock").read_text(encoding="utf-8") == "not a lock"


def test_the_first_manifest_names_no_project_that_may_not_exist(command: Command, server: Hooked):
    add_project(server, "Reviews")
    command("init")
    pulled = command("pull", "--project", "7", "--out", "manifests/")

    checked = command("doctor", "manifests/")
    updated = command("pull", "manifests/", "--update", "--add")

    assert Path("manifests/first.yaml").exists()
    assert (pulled.code, checked.code, updated.code) == (0, 0, 0), checked.output


def test_the_submodule_that_ci_installs_is_added_before_the_commit(command: Command):
    made = command("init", "labels", "--ci", "github")

    steps = [line.partition(". ")[2] for line in made.output.splitlines() if ". git" in line]
    assert steps == [
        "git init --initial-branch main labels",
        "git -C labels submodule add ADDRESS reconciler (CI installs reconciler from there)",
        "git -C labels add -A && git -C labels commit -m Manifests",
    ]


def test_steps_for_another_folder_name_it(command: Command):
    made = command("init", "labels")

    assert "git init --initial-branch main labels\n" in made.output
    assert "for CI: reconciler init labels --ci github, or --ci gitlab\n" in made.output


def add_project(server: Hooked, title: str, tasks: int = 1) -> int:
    project = server.state.add_project(title)
    for _ in range(tasks):
        server.state.add_task(project, {"data": {"text": "a"}})
    return project.id


def test_of_several_projects_the_one_that_is_named_is_pulled(command: Command, server: Hooked):
    number = add_project(server, "Reviews", 2)

    listed, pulled = command("init"), command("init", "--project", "Reviews")

    assert "pulled" not in listed.output.lower()
    assert f"  {number}  Reviews  2 tasks\n" in listed.output
    assert "1. reconciler pull --project NUMBER --out manifests/\n" in listed.output
    assert f"Pulled 2 tasks of project {number}." in pulled.output
    assert "project: Reviews" in Path("manifests/reviews.yaml").read_text(encoding="utf-8")


def test_at_most_twenty_projects_are_shown(command: Command, server: Hooked):
    for number in range(30):
        add_project(server, f"Project {number}")

    made = command("init")

    assert made.output.count(" 1 task\n") == 20
    assert "  and 11 more\n" in made.output


def test_a_project_that_cannot_be_pulled_is_told_with_all_the_rest(
    command: Command, server: Hooked
):
    made = command("init", "--project", "Nothing like that")

    assert made.code == 1
    assert "No task was pulled:\n  no project on" in made.output
    assert 'has the title "Nothing like that"' in made.output
    assert "  1. reconciler pull --project NUMBER" in made.output
    assert list_files(Path()) == {*FILES, "manifests/first.yaml"}
    assert server.state.requests("PATCH") == 0


def test_what_exists_is_left_alone_and_named(command: Command, server: Hooked):
    add_project(server, "Reviews")
    theirs = {
        ".gitignore": "*.pyc\n",
        ".vscode/settings.json": "{}",
        "reconciler.toml": "rps = 1\n",
    }
    for name, text in theirs.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")

    made = command("init")

    assert {name: Path(name).read_text(encoding="utf-8") for name in theirs} == theirs
    assert "Left alone, because they exist:\n  reconciler.toml\n" in made.output
    assert "  .gitignore (add /plan*.json, /report*.jsonl* and .env)\n" in made.output


@pytest.mark.usefixtures("server")
def test_running_it_again_changes_nothing(command: Command):
    command("init")
    before = {name: Path(name).read_bytes() for name in list_files(Path())}

    again = command("init")

    assert {name: Path(name).read_bytes() for name in list_files(Path())} == before
    assert "Written:" not in again.output
    assert "pull --project" not in again.output


@pytest.mark.usefixtures("server")
def test_the_token_is_written_nowhere(command: Command, tmp_path: Path):
    made = command("init", "--ci", "github", "--env", "staging", "--verbose")

    texts = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()]
    assert all(SANDBOX_TOKEN not in text for text in (*texts, made.output, made.errors))
    assert any(ADDRESS in text for text in texts)


@pytest.mark.usefixtures("server")
def test_an_environment_names_its_project(command: Command):
    command("init", "--env", "staging", "--project", "7", "--ci", "github")

    settings = Path("reconciler.toml").read_text(encoding="utf-8")
    assert f'[environments.staging]\nurl = "{ADDRESS}"\nprojects = {{' in settings
    assert "No changes" in command("plan", "manifests/", "--env", "staging").output
    workflow = yaml.safe_load(Path(".github/workflows/tasks.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["plan"]["strategy"]["matrix"] == {"env": ["staging"]}


@pytest.mark.usefixtures("server")
def test_the_address_may_be_in_the_settings_alone(
    command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LABEL_STUDIO_URL")
    settings = f'[environments.staging]\nurl = "{ADDRESS}"\nprojects = {{reviews = 7}}\n'
    Path("reconciler.toml").write_text(settings, encoding="utf-8")

    made = command("init", "--env", "staging")
    pulled = command("pull", "--project", "reviews", "--env", "staging", "--out", "other")

    assert (made.code, pulled.code) == (0, 0)
    assert "project: reviews" in Path("manifests/reviews.yaml").read_text(encoding="utf-8")
    assert "project: reviews" in Path("other/reviews.yaml").read_text(encoding="utf-8")


def test_an_environment_needs_an_address(command: Command):
    made = command("init", "--env", "staging")

    assert made.code == 1
    assert made.errors == (
        "reconciler: environment staging needs the address of its server (pass --url or set "
        "LABEL_STUDIO_URL)\n"
    )
    assert list_files(Path()) == set()


def test_the_workflow_has_the_environments_of_the_settings(command: Command):
    Path("reconciler.toml").write_text(
        '[environments.staging]\nurl = "https://s.example"\n'
        '[environments."1.0"]\nurl = "https://p.example"\n',
        encoding="utf-8",
    )

    made = command("init", "--ci", "gitlab")

    pipeline = yaml.safe_load(Path(".gitlab-ci.yml").read_text(encoding="utf-8"))
    matrix = [{"RECONCILER_ENV": ["staging", "1.0"]}]
    jobs = ("plan", "apply", "drift")
    assert [pipeline[name]["parallel"]["matrix"] for name in jobs] == [matrix] * 3
    assert "once in the scope of each environment (staging*, 1.0*)" in made.output


@pytest.mark.parametrize(
    ("ci", "settings", "expected"),
    [
        ("github", "", ["LABEL_STUDIO_URL", "LABEL_STUDIO_READ_KEY", "environment label-studio:"]),
        ("github", "staging", ["environments staging-plan;", "environments staging;"]),
        ("gitlab", "", ["LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY", "GITLAB_TOKEN", "Reporter"]),
        ("gitlab", "staging", ["(staging*)", "GITLAB_TOKEN"]),
    ],
)
def test_steps_name_what_ci_must_have(
    ci: str, settings: str, expected: list[str], command: Command
):
    if settings:
        text = f'[environments.{settings}]\nurl = "https://s.example"\n'
        Path("reconciler.toml").write_text(text, encoding="utf-8")

    made = command("init", "--ci", ci)

    steps = made.output.partition("Next:\n")[2]
    assert [name for name in expected if name not in steps] == []


@pytest.mark.parametrize(
    ("remote", "folders", "expected"),
    [
        ("git@github.com:ann/labels.git", [], ".github/workflows/tasks.yml"),
        ("https://gitlab.example.org/ann/labels.git", [], ".gitlab-ci.yml"),
        ("https://gitlab.example.org/ann/labels.git", [".github"], ".gitlab-ci.yml"),
        ("ssh://git@gitlab.com:22/github/labels.git", [], ".gitlab-ci.yml"),
        ("", [".github"], ".github/workflows/tasks.yml"),
        ("", [".gitlab"], ".gitlab-ci.yml"),
        ("https://git.example.org/ann/labels.git", [".gitlab"], ".gitlab-ci.yml"),
        ("", [".github", ".gitlab"], ""),
        ("https://git.example.org/github", [], ""),
    ],
)
def test_the_ci_service_is_found_from_the_repository(
    remote: str, folders: list[str], expected: str, command: Command
):
    make_repository(Path("labels"), remote)
    for folder in folders:
        Path("labels", folder).mkdir()

    made = command("init", "labels")

    written = list_files(Path("labels")) - FILES - {"manifests/first.yaml"}
    assert written == ({expected} if expected else set())
    assert ("for CI: reconciler init labels --ci github" in made.output) != bool(expected)


def test_in_a_folder_of_a_repository_ci_goes_to_its_top(command: Command):
    make_repository(Path(), "https://github.com/ann/data.git")

    command("init", "team/labels.v1")

    assert list_files(Path()) == {
        *(".pre-commit-config.yaml", ".github/workflows/tasks.yml"),
        *(f"team/labels.v1/{name}" for name in FILES - {".pre-commit-config.yaml"}),
        "team/labels.v1/manifests/first.yaml",
    }
    workflow = Path(".github/workflows/tasks.yml").read_text(encoding="utf-8")
    assert workflow.count("paths: team/labels.v1/manifests/\n") == len(("plan", "apply"))
    (repository,) = yaml.safe_load(Path(".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert (
        repository["hooks"][0]["files"] == r"^team/labels\.v1/(manifests/|reconciler\.(toml|lock)$)"
    )


def test_settings_above_the_folder_count(command: Command):
    make_repository(Path())
    Path("reconciler.toml").write_text("rps = 1\n", encoding="utf-8")

    made = command("init", "labels")

    assert not Path("labels/reconciler.toml").exists()
    assert "reconciler.toml (it counts for this folder too)\n" in made.output


@pytest.mark.parametrize("name", ["a b", "a;rm", "$(x)", "-x", "a'b", "ä"])
def test_a_folder_whose_path_cannot_stand_in_commands_is_refused(name: str, command: Command):
    make_repository(Path())

    made = command("init", "--ci", "github", "--", name)

    assert made.code == 1
    assert "expected a path in the repository of letters" in made.errors
    assert list_files(Path()) == set()


def test_a_file_is_no_folder(command: Command):
    Path("labels").touch()
    Path(".vscode").touch()

    assert command("init", "labels").errors == (
        "reconciler: nothing was written: labels is not a folder\n"
    )
    assert command("init").errors == (
        "reconciler: cannot write .vscode/settings.json: a file is in place of its folder\n"
    )


def test_links_are_not_followed(command: Command, tmp_path: Path):
    outside = tmp_path / "outside"
    Path("labels").mkdir()
    Path("labels/.gitignore").symlink_to(outside)

    command("init", "labels")

    assert not outside.exists()


@pytest.mark.parametrize("url", ["https://ann:secret@x.example", "x.example", "https://x/?t=1"])
def test_an_address_that_is_not_valid_is_never_written(url: str, command: Command):
    made = command("init", "--url", url)

    assert made.code == 1
    assert "secret" not in made.errors
    assert list_files(Path()) == set()


def test_a_title_of_the_server_cannot_control_the_terminal_or_the_settings(
    command: Command, wire: Wire, server: Hooked
):
    state = new_state()
    state.add_project('x" = 1}\n[a]\x1b[31m', number=7)
    wire.transport = Hooked(state)

    made = command("init", "--env", "staging")

    assert "\x1b" not in made.output
    assert 'projects = {"x-1-a-31m" = 7}' in Path("reconciler.toml").read_text(encoding="utf-8")
    assert server.state.requests("PATCH") == 0


def git(*arguments: str, folder: Path) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    done = subprocess.run(  # noqa: S603 - the commands that init names
        ["git", *who, *arguments],  # noqa: S607 - as it is installed
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_result_can_be_committed(command: Command, tmp_path: Path):
    folder = tmp_path / "labels"
    command("init", "labels", "--ci", "github")
    (folder / "report-1.jsonl").touch()
    (folder / "report.jsonl.1").touch()  # the earlier one, which apply --report keeps
    (folder / "plan.json").touch()

    git("init", "--quiet", folder=folder)
    git("add", "-A", folder=folder)
    git("commit", "--quiet", "--message", "Manifests", folder=folder)

    files = {*FILES, "manifests/first.yaml", ".github/workflows/tasks.yml"}
    assert set(git("ls-files", folder=folder).split()) == files


def test_the_files_are_of_the_kinds_that_programs_read(command: Command):
    command("init")

    editor = json.loads(Path(".vscode/settings.json").read_text(encoding="utf-8"))
    (schema,) = editor["yaml.schemas"]
    assert Path(schema).is_file()
    assert command("schema", "check", "schemas/manifest.schema.json").code == 0
