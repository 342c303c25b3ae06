"""The commands of CI jobs, without a forge: their arguments, their files, and what they refuse."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.state import State
from tests.unit.cli.conftest import Command, Manifest


@pytest.fixture
def job(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sandbox: tuple[State, str]
) -> dict[str, str]:
    """A push on GitHub, with a server; returns its variables."""
    monkeypatch.setenv("LABEL_STUDIO_URL", sandbox[1])
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    event = tmp_path / "event.json"
    event.write_text("{}", encoding="utf-8")
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_REF_NAME": "main",
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_REPOSITORY": "acme/labels",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "7",
        "GITHUB_SHA": "c" * 40,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITLAB_CI", raising=False)
    return variables


@pytest.mark.parametrize("name", ["plan", "apply", "validate", "reviewed", "comment", "drift"])
def test_outside_of_a_job_nothing_runs(
    name: str, command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITLAB_CI", raising=False)

    paths = [] if name in {"comment", "drift"} else [manifest()]
    ran = command("ci", name, *paths)

    assert ran.code == 1
    assert "this is not a job of GitHub Actions or GitLab CI" in ran.errors


def test_the_outputs_of_a_step_are_three_lines(
    job: dict[str, str], command: Command, manifest: Manifest
):
    assert command("ci", "plan", manifest()).code == 0

    lines = Path(job["GITHUB_OUTPUT"]).read_text(encoding="utf-8").splitlines()
    assert [line.partition("=")[0] for line in lines] == ["digest", "changes", "exit-code"]
    assert lines[1:] == ["changes=3", "exit-code=0"]


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("name", ["x\ndigest=sha256:0", "x\u2028", "\x1b[2J"])
def test_names_that_cannot_be_shown_are_refused(
    name: str, job: dict[str, str], command: Command, manifest: Manifest
):
    for arguments in ((manifest(), "--env", name), (name,)):
        ran = command("ci", "plan", *arguments)
        assert ran.code == 1
        assert "has characters that cannot be shown" in ran.errors
        assert "\x1b" not in ran.errors
    assert not Path(job["GITHUB_OUTPUT"]).exists()


@pytest.mark.usefixtures("job")
def test_the_values_of_tasks_are_in_no_file_that_stays_behind_for_the_forge(
    sandbox: tuple[State, str], command: Command, manifest: Manifest
):
    assert command("ci", "plan", manifest(), "--redact", "data").code == 0

    folder = Path(".reconciler-ci")
    assert not (folder / "plan.json").exists()
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert sandbox[0].requests("PATCH") == 0


@pytest.mark.usefixtures("job")
def test_what_an_earlier_run_left_is_not_believed(command: Command, manifest: Manifest):
    folder = Path(".reconciler-ci")
    assert command("ci", "plan", manifest()).code == 0
    digest = json.loads((folder / "run.json").read_bytes())["digest"]
    (folder / "reviewed.json").write_text(json.dumps({"digest": digest}), encoding="utf-8")
    assert command("ci", "plan", manifest()).code == 0

    ran = command("ci", "apply", manifest())

    assert ran.code == 1
    assert "reviewed.json: not found (run ci reviewed first" in ran.errors


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("content", ["", "{", "[]", '{"digest": 1}'])
def test_a_damaged_file_is_refused(content: str, command: Command, manifest: Manifest):
    Path(".reconciler-ci").mkdir()
    Path(".reconciler-ci/reviewed.json").write_text(content, encoding="utf-8")

    ran = command("ci", "apply", manifest())

    assert ran.code == 1
    assert "reviewed.json: cannot be read" in ran.errors


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("commit", [{}, {"commit": "d" * 40}])
def test_a_file_of_another_commit_is_refused(
    commit: dict[str, str], command: Command, manifest: Manifest
):
    """A repository may hold the folder."""
    Path(".reconciler-ci").mkdir()
    Path(".reconciler-ci/reviewed.json").write_text(
        json.dumps({"digest": f"sha256:{'0' * 64}", **commit}), encoding="utf-8"
    )

    ran = command("ci", "apply", manifest())

    assert ran.code == 1
    assert "this job did not write it for its commit" in ran.errors


@pytest.mark.usefixtures("job")
def test_a_folder_that_is_a_link_is_refused(command: Command, manifest: Manifest):
    Path("elsewhere").mkdir()
    Path(".reconciler-ci").symlink_to("elsewhere")

    ran = command("ci", "plan", manifest())

    assert (ran.code, list(Path("elsewhere").iterdir())) == (1, [])
    assert ".reconciler-ci: expected a folder, found a link" in ran.errors


@pytest.mark.usefixtures("job")
def test_what_a_link_in_the_folder_leads_to_is_not_written(command: Command, manifest: Manifest):
    Path("kept").write_text("kept", encoding="utf-8")
    Path(".reconciler-ci").mkdir()
    for name in (".gitignore", "plan.md", "run.json"):
        Path(".reconciler-ci", name).symlink_to(Path("kept").absolute())

    assert command("ci", "plan", manifest()).code == 0
    assert Path("kept").read_text(encoding="utf-8") == "kept"


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("options", [(), ("--canary", "1"), ("--rps=9", "--careful")])
def test_options_of_apply_are_taken_where_only_plan_runs(
    options: tuple[str, ...], command: Command, manifest: Manifest
):
    assert command("ci", "plan", *options, manifest()).code == 0
    assert command("ci", "plan", manifest(), *options).code == 0
    assert command("ci", "apply", "--fresh", *options, manifest()).code == 0


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("option", ["--yes", "--expect-digest=x", "--report=x", "--nope"])
def test_options_that_the_job_sets_itself_are_refused(
    option: str, command: Command, manifest: Manifest
):
    ran = command("ci", "apply", "--fresh", option, manifest())
    assert ran.code == 1
    assert "No such option" in ran.errors


@pytest.mark.parametrize("missing", ["GITHUB_RUN_ID", "GITHUB_EVENT_PATH", "GITHUB_SHA"])
def test_a_variable_that_the_runner_did_not_pass_on_is_named(
    missing: str,
    job: dict[str, str],
    command: Command,
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
):
    assert missing in job
    monkeypatch.delenv(missing)

    ran = command("ci", "plan", manifest())

    assert ran.code == 1
    assert missing in ran.errors


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("told", [{"digest": "sha256:0"}, {"refusal": "No."}])
def test_apply_itself_expects_the_reviewed_digest(
    told: dict[str, str],
    sandbox: tuple[State, str],
    command: Command,
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("reconciler.cli.commands.ci.find_disagreement", lambda *_: None)
    Path(".reconciler-ci").mkdir()
    Path(".reconciler-ci/reviewed.json").write_text(
        json.dumps({**told, "commit": os.environ["GITHUB_SHA"]}), encoding="utf-8"
    )

    ran = command("ci", "apply", manifest())

    assert (ran.code, sandbox[0].requests("PATCH")) == (1, 0)
    assert "digest" in ran.errors
