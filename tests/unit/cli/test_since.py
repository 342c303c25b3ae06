"""``--since`` of plan and apply, in real git repositories."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Final

import pytest

from tests.git_repositories import GitRepository
from tests.unit.cli.conftest import Command, Ran
from tests.unit.labelstudio.wired import Hooked

HEADER: Final = "version: 1\nproject: 7\n"
ONE: Final = "  - {id: 1, overlap: 2}\n"
TWO: Final = "  - {id: 2, overlap: 2}\n"
THREE: Final = "  - {id: 3, overlap: 2}\n"
TASKS: Final = f"{HEADER}tasks:\n"
KEYED: Final = f"key: data.text\n{TASKS}"
ALL: Final = f"{TASKS}{ONE}{TWO}{THREE}"


def declare_keys(*declared: str) -> str:
    """Declare tasks by their texts: ``1: 2`` is an overlap of 2 for the text ``Sentence 1.``."""
    pairs = (one.split(": ") for one in declared)
    return KEYED + "".join(f"  - {{key: Sentence {n}., overlap: {o}}}\n" for n, o in pairs)


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    return GitRepository.create(tmp_path)


def planned(ran: Ran) -> list[int]:
    """Return the tasks that a plan in JSON would change."""
    assert ran.code == 0, ran.errors
    return [task["task"] for task in json.loads(ran.output)["tasks"]]


def plan(command: Command, *options: str, since: str = "HEAD", paths: str = "m") -> Ran:
    return command("plan", paths, "--format", "json", "--since", since, *options)


CASES: Final[dict[str, tuple[dict[str, str], dict[str, str | None], list[int]]]] = {
    "nothing": ({"m/a.yaml": ALL}, {}, []),
    "an edit": (
        {"m/a.yaml": ALL},
        {"m/a.yaml": ALL.replace("1, overlap: 2", "1, overlap: 3")},
        [1],
    ),
    "a new task": ({"m/a.yaml": TASKS + ONE}, {"m/a.yaml": ALL}, [2, 3]),
    "another order": ({"m/a.yaml": ALL}, {"m/a.yaml": f"{TASKS}{THREE}\n# moved\n{ONE}{TWO}"}, []),
    "another file": (
        {"m/a.yaml": ALL},
        {"m/a.yaml": f"{TASKS}{ONE}", "m/b.yaml": f"{TASKS}{TWO}{THREE}"},
        [],
    ),
    "a renamed file": ({"m/a.yaml": ALL}, {"m/a.yaml": None, "m/b.yaml": ALL}, []),
    "a file renamed and edited": (
        {"m/a.yaml": ALL},
        {
            "m/a.yaml": None,
            "m/b.yaml": f"{TASKS}{ONE}{TWO}" + THREE.replace("overlap: 2", "overlap: 3"),
        },
        [3],
    ),
    "a folder renamed": (
        {"old/a.yaml": ALL},
        {"old/a.yaml": None, "m/b.yaml": ALL.replace("1, overlap: 2", "1, overlap: 3")},
        [1],
    ),
    "a draft that becomes a manifest": (
        {"drafts/a.yaml": ALL, "m/x.yaml": TASKS + "  - {id: 9}\n"},
        {"drafts/a.yaml": None, "m/a.yaml": ALL},
        [1, 2, 3],
    ),
    "a draft that becomes a manifest, edited": (
        {"drafts/a.yaml": ALL, "m/x.yaml": TASKS + "  - {id: 9}\n"},
        {"drafts/a.yaml": None, "m/b.yaml": ALL.replace("1, overlap: 2", "1, overlap: 3")},
        [1, 2, 3],
    ),
    "another format": (
        {"m/a.yaml": ALL},
        {
            "m/a.yaml": None,
            "m/a.json": json.dumps(
                {
                    "version": 1,
                    "project": 7,
                    "tasks": [{"id": 1, "overlap": 2.0}, {"id": 2, "overlap": 3}],
                }
            ),
            "m/b.jsonl": '{"version": 1, "project": 7}\n{"id": 3, "overlap": 2}\n',
        },
        [2],
    ),
    "a line of JSON lines": (
        {
            "m/a.jsonl": '{"version": 1, "project": 7}\n{"id": 3, "overlap": 2}\n'
            '{"id": 2, "overlap": 2}\n'
        },
        {
            "m/a.jsonl": '{"version": 1, "project": 7}\n{"id": 2, "overlap": 2}\n'
            '{"id": 3, "overlap": 3}\n'
        },
        [3],
    ),
    "defaults": (
        {"m/a.yaml": HEADER + "defaults: {overlap: 2}\ntasks: [{id: 1}, {id: 2, overlap: 3}]\n"},
        {"m/a.yaml": HEADER + "defaults: {overlap: 4}\ntasks: [{id: 1}, {id: 2, overlap: 3}]\n"},
        [1],
    ),
    "a default that tasks had": (
        {"m/a.yaml": ALL},
        {"m/a.yaml": HEADER + "defaults: {overlap: 2}\ntasks: [{id: 1}, {id: 2}, {id: 3}]\n"},
        [],
    ),
    "the header": ({"m/a.yaml": ALL}, {"m/a.yaml": "policy: {data: replace}\n" + ALL}, []),
    "the policy of what is declared": (
        {"m/a.yaml": TASKS + "  - {id: 1, meta: {a: 1}}\n  - {id: 2, overlap: 2}\n"},
        {
            "m/a.yaml": "policy: {meta: replace}\n"
            + TASKS
            + "  - {id: 1, meta: {a: 1}}\n  - {id: 2, overlap: 2}\n"
        },
        [1],
    ),
    "one of several documents": (
        {"m/a.yaml": f"{TASKS}{ONE}---\n{TASKS}{TWO}"},
        {"m/a.yaml": f"{TASKS}{TWO}---\n{TASKS}{ONE.replace('2}', '3}')}"},
        [1],
    ),
    "a task in two places, now in one": (
        {"m/a.yaml": TASKS + "  - {id: 1, overlap: 2}\n  - {id: 1, meta: {a: 1}}\n" + TWO},
        {"m/a.yaml": TASKS + "  - {id: 1, overlap: 2, meta: {a: 1}}\n" + TWO},
        [],
    ),
    "a conflict resolved": (
        {"m/a.yaml": TASKS + "  - {id: 1, overlap: 2}\n  - {id: 1, overlap: 3}\n" + TWO},
        {"m/a.yaml": TASKS + "  - {id: 1, overlap: 3}\n" + TWO},
        [1],
    ),
    "a mistake corrected": (
        {"m/a.yaml": ALL.replace("1, overlap: 2", "1, overlap: two")},
        {"m/a.yaml": ALL},
        [1, 2, 3],
    ),
    "ids": (
        {"m/a.yaml": TASKS + "  - {ids: [1-3], overlap: 2}\n"},
        {"m/a.yaml": TASKS + "  - {ids: [1, 3], overlap: 2}\n  - {id: 2, overlap: 3}\n"},
        [2],
    ),
    "a key": (
        {"m/a.yaml": declare_keys("1: 2", "2: 2")},
        {"m/a.yaml": declare_keys("2: 3", "1: 2")},
        [2],
    ),
    "a task named by its key in place of its id": (
        {"m/a.yaml": ALL},
        {
            "m/a.yaml": f"{TASKS}{ONE}{TWO}",
            "m/b.yaml": declare_keys("3: 2"),
        },
        [3],
    ),
    "line ends": ({"m/a.yaml": ALL}, {"m/a.yaml": ALL.replace("\n", "\r\n")}, []),
}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(("before", "now", "expected"), CASES.values(), ids=CASES)
def test_what_is_declared_differently_is_planned(
    before: dict[str, str],
    now: dict[str, str | None],
    expected: list[int],
    repository: GitRepository,
    command: Command,
):
    repository.commit({**before})
    repository.write(now)
    assert planned(plan(command)) == expected


def rule(name: str, overlap: int, where: str = "{}") -> str:
    return f"  - {{name: {name}, where: {where}, set: {{overlap: {overlap}}}}}\n"


SECOND: Final = '{data.text: "Sentence 2."}'
THIRD: Final = '{data.text: "Sentence 3."}'
RULES: Final = HEADER + "rules:\n"

RULED: Final[dict[str, tuple[dict[str, str], dict[str, str | None], list[int]]]] = {
    "no rule": (
        {"m/a.yaml": RULES + rule("two", 2, SECOND), "m/b.yaml": TASKS + ONE},
        {"m/b.yaml": TASKS + ONE.replace("overlap: 2", "overlap: 3")},
        [1],
    ),
    "a rule": (
        {
            "m/a.yaml": RULES + rule("two", 2, SECOND) + rule("three", 2, THIRD),
            "m/b.yaml": TASKS + ONE,
        },
        {"m/a.yaml": RULES + rule("three", 2, THIRD) + rule("two", 3, SECOND)},
        [2],
    ),
    "the condition of a rule": (
        {"m/a.yaml": RULES + rule("two", 2, SECOND)},
        {"m/a.yaml": RULES + rule("two", 2, THIRD)},
        [3],
    ),
    "an added rule": (
        {"m/a.yaml": RULES + rule("two", 2, SECOND)},
        {"m/b.yaml": RULES + rule("three", 2, THIRD)},
        [3],
    ),
    "a rule where tasks win": (
        {"m/a.yaml": TASKS + ONE.replace("overlap: 2", "overlap: 1")},
        {"m/b.yaml": RULES + rule("all", 2)},
        [2, 3],
    ),
    "a moved rule": (
        {"m/a.yaml": RULES + rule("two", 2, SECOND), "m/b.yaml": TASKS + ONE},
        {"m/a.yaml": f"{TASKS}{ONE}", "m/b.yaml": f"{RULES}\n{rule('two', 2, SECOND)}"},
        [],
    ),
    "a task that a rule now governs": (
        {
            "m/a.yaml": TASKS + ONE.replace("overlap: 2", "overlap: 1") + TWO,
            "m/b.yaml": RULES + rule("all", 2),
        },
        {"m/a.yaml": TASKS + TWO},
        [1],
    ),
    "a task named by its key that a rule now governs": (
        {
            "m/a.yaml": declare_keys("1: 1", "2: 1"),
            "m/b.yaml": RULES + rule("all", 2),
        },
        {"m/a.yaml": declare_keys("1: 1")},
        [2],
    ),
}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(("before", "now", "expected"), RULED.values(), ids=RULED)
def test_what_a_rule_that_differs_governs_is_planned(
    before: dict[str, str],
    now: dict[str, str | None],
    expected: list[int],
    repository: GitRepository,
    command: Command,
):
    repository.commit({**before})
    repository.write(now)
    assert planned(plan(command)) == expected


STAGING: Final = "[environments.staging]\nurl = '{url}'\nprojects = {{reviews = {number}}}\n"


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"number": 7}, {"number": 7}, []),
        ({"number": 8}, {"number": 7}, [1, 2, 3]),
        ({"number": 7, "url": "https://old.example.org"}, {"number": 7}, [1, 2, 3]),
    ],
    ids=["as before", "another number", "another server"],
)
@pytest.mark.usefixtures("server")
def test_all_that_a_changed_environment_governs_is_planned(
    before: dict[str, object],
    now: dict[str, object],
    expected: list[int],
    repository: GitRepository,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
):
    url = {"url": os.environ["LABEL_STUDIO_URL"]}
    monkeypatch.setenv("LABEL_STUDIO_API_KEY_STAGING", os.environ["LABEL_STUDIO_API_KEY"])
    repository.commit(
        {
            "m/a.yaml": ALL.replace("project: 7", "project: reviews"),
            "reconciler.toml": STAGING.format(**{**url, **before}),
        }
    )
    repository.write({"reconciler.toml": "# same\n" + STAGING.format(**{**url, **now})})
    assert planned(plan(command, "--env", "staging")) == expected


def test_what_is_no_longer_declared_is_named_and_left_alone(
    repository: GitRepository, command: Command, server: Hooked
):
    keyed = f"key: data.text\n{HEADER}tasks:\n"
    repository.commit(
        {
            "m/a.yaml": ALL,
            "m/b.yaml": keyed + "  - {key: gone one, overlap: 2}\n",
            "m/c.yaml": TASKS + "  - {id: 9}\n",
            "elsewhere/d.yaml": TASKS + "  - {id: 8}\n",
        }
    )
    repository.write({"m/a.yaml": TASKS + ONE, "m/b.yaml": None, "elsewhere/d.yaml": None})
    ran = command("apply", "m", "--since", "main", "--yes")
    assert (ran.code, [task.values["overlap"] for task in server.state.tasks.values()]) == (
        0,
        [1, 1, 1],
    )
    assert re.search(
        r"Targets: --since main \([0-9a-f]{12}\)\. Left out: 1 task and all of 1 unchanged file\. "
        r"No longer declared, and left as on the server: 2, 3, key:gone one\.",
        ran.output,
    ), ran.output


def test_unchanged_files_are_not_parsed_and_conflicts_are_left_to_validate(
    repository: GitRepository, command: Command, server: Hooked
):
    repository.commit({"m/a.yaml": "this is no manifest", "m/b.yaml": TASKS + ONE})
    repository.write({"m/b.yaml": TASKS + ONE + TWO})
    server.requests.clear()
    assert planned(plan(command)) == [2]
    repository.write({"m/c.yaml": RULES + rule("all", 2)})
    assert "m/a.yaml:1:1" in plan(command).errors


@pytest.mark.usefixtures("server")
def test_a_percentage_means_all_tasks(repository: GitRepository, command: Command):
    repository.commit({"m/a.yaml": TASKS + ONE, "m/b.yaml": TASKS + TWO})
    repository.write({"m/c.yaml": TASKS + THREE})
    assert plan(command, "--max-changes", "40%").code == 0
    ran = plan(command, "--max-changes", "30%")
    assert (ran.code, "would change 1 of 3 tasks" in ran.errors) == (1, True)


@pytest.mark.usefixtures("server")
def test_it_combines_with_targets_and_shards(repository: GitRepository, command: Command):
    repository.commit({"m/a.yaml": TASKS + ONE, "m/b.yaml": "version: 1\nproject: 7\ntasks: []\n"})
    repository.write({"m/b.yaml": TASKS + TWO + THREE})
    assert planned(plan(command, "--target", "1-2")) == [2]
    assert planned(plan(command, "--exclude", "2")) == [3]
    assert planned(plan(command, "--shard", "1/2")) == [2]
    ran = plan(command, "--target", "77")
    assert (ran.code, "--target 77: no declared task or rule fits" in ran.errors) == (1, True)


@pytest.mark.usefixtures("server")
def test_saved_plans_and_reports_keep_the_revision(repository: GitRepository, command: Command):
    commit = repository.commit({"m/a.yaml": TASKS + ONE + TWO})
    repository.write({"m/a.yaml": TASKS + ONE.replace("overlap: 2", "overlap: 3")})
    first = command("plan", "m", "--since", "HEAD", "--out", "plan.json")
    shown = command("show", "plan.json")
    assert shown.output == first.output
    saved = json.loads(Path("plan.json").read_text(encoding="utf-8"))
    assert saved["targets"]["since"] == {
        "revision": "HEAD",
        "commit": commit,
        "no_longer_declared": {"count": 1, "named": ["2"]},
        "unread_files": 0,
    }
    refused = command("apply", "plan.json", "--since", "HEAD")
    assert (refused.code, "--since cannot be used with a saved plan" in refused.errors) == (1, True)
    assert command("apply", "plan.json", "--yes", "--report", "report.jsonl").code == 0
    assert f"--since HEAD ({commit[:12]})" in command("show", "report.jsonl").output


@pytest.mark.usefixtures("server")
def test_three_dots_mean_the_merge_base(repository: GitRepository, command: Command):
    repository.commit({"m/a.yaml": TASKS + ONE})
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit({"m/b.yaml": TASKS + TWO})
    repository.git("checkout", "-q", "main")
    repository.commit({"m/a.yaml": TASKS + ONE.replace("2}", "3}")})
    repository.git("checkout", "-q", "feature")
    assert planned(plan(command, since="main...")) == [2]
    assert planned(plan(command, since="main")) == [1, 2]


@pytest.mark.usefixtures("server")
def test_ignored_and_untracked_files_count_as_new(repository: GitRepository, command: Command):
    repository.commit({".gitignore": "m/secret.yaml\n", "m/a.yaml": TASKS + ONE})
    repository.write({"m/secret.yaml": TASKS + TWO, "m/new.yaml": TASKS + THREE})
    assert planned(plan(command)) == [2, 3]


@pytest.mark.usefixtures("server")
def lead(link: str, target: str) -> None:
    Path(link).unlink(missing_ok=True)
    Path(link).parent.mkdir(exist_ok=True)
    Path(link).symlink_to(target)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("link", "before", "now"),
    [
        ("m/a.yaml", "../x/one.yaml", "../x/two.yaml"),
        ("m/a.yaml", None, "../x/two.yaml"),
        ("m", "x/none", "x/folder"),
        ("m/folder", "../x/none", "../x/folder"),
        ("m/a.yaml", "../x/link.yaml", "../x/two.yaml"),
        ("x/link.yaml", "one.yaml", "two.yaml"),
    ],
)
def test_what_a_link_leads_to_only_now_is_new(
    link: str, before: str | None, now: str, repository: GitRepository, command: Command
):
    repository.write(
        {"x/one.yaml": TASKS + ONE, "x/two.yaml": TASKS + TWO, "x/folder/two.yaml": TASKS + TWO}
    )
    if link == "x/link.yaml":
        lead("m/a.yaml", "../x/link.yaml")
    repository.write({"x/none/none.yaml": TASKS + "  - {id: 3}\n"})
    lead("x/link.yaml", "one.yaml")
    if before:
        lead(link, before)
    repository.commit()
    if before:
        assert planned(plan(command)) == []
    lead(link, now)
    assert planned(plan(command)) == [2]


@pytest.mark.usefixtures("server")
def test_a_file_that_is_read_in_another_way_is_read_again(
    repository: GitRepository, command: Command
):
    repository.commit({"m/a.yaml": ALL})
    repository.write({"m/a.yaml": None, "m/a.jsonl": ALL})
    ran = plan(command)
    assert ran.code == 1
    assert "m/a.jsonl:1:1" in ran.errors


@pytest.mark.usefixtures("server")
def test_a_run_that_is_compared_with_files_from_elsewhere_says_so(
    repository: GitRepository, command: Command
):
    repository.commit({"drafts/a.yaml": ALL, "drafts/b.yaml": TASKS + "  - {id: 9}\n"})
    repository.write({"drafts/a.yaml": None, "drafts/b.yaml": None, "m/a.yaml": ALL})
    ran = plan(command)
    assert planned(ran) == []
    assert "from elsewhere that are gone now: drafts/a.yaml and 1 more file" in ran.errors


@pytest.mark.usefixtures("server")
def test_globs_files_and_links_are_followed(repository: GitRepository, command: Command):
    repository.commit(
        {"m/a.yaml": TASKS + ONE, "m/deep/b.yaml": TASKS + TWO, "shared/c.yaml": TASKS + THREE}
    )
    (repository.folder / "m" / "link.yaml").symlink_to("../shared/c.yaml")
    repository.commit({})
    assert planned(plan(command)) == []
    assert planned(plan(command, paths="m/**/*.yaml")) == []
    repository.write({"m/deep/b.yaml": TASKS + TWO.replace("2}", "3}"), "m/a.yaml": None})
    ran = plan(command, paths="m/**/*.yaml")
    assert planned(ran) == [2]
    assert json.loads(ran.output)["targets"]["since"]["no_longer_declared"]["named"] == ["1"]
    assert planned(plan(command, paths="m/link.yaml")) == []
    assert planned(plan(command, paths="./m/../m")) == [2]


def test_standard_input_and_other_mistakes_are_refused(
    repository: GitRepository, command: Command, server: Hooked, tmp_path: Path
):
    """Each refusal says what to do, before any request."""
    repository.commit({"m/a.yaml": ALL})
    server.requests.clear()
    mistakes = {
        ("-", "HEAD"): "--since cannot be used with standard input",
        ("m", "nowhere"): 'has no revision "nowhere" (correct it, or fetch it',
        ("m", "nowhere..."): 'has no revision "nowhere" (correct it, or fetch it',
        ("m", ""): 'expected a git revision, found ""',
        ("m", "..."): "expected a git revision, found",
        ("m", "--output=x"): "expected a git revision, found",
        ("m", "HEAD:m/a.yaml"): "has no revision",
        ("m", "HEAD~1..HEAD"): "expected one revision, found",
        ("m", "a\nb"): "expected a git revision, found",
        ("m", "HEAD\x00"): "expected a git revision, found",
    }
    for (path, revision), message in mistakes.items():
        ran = command("plan", path, f"--since={revision}")
        assert (ran.code, message in ran.errors) == (1, True), (revision, ran.errors)
    assert not server.requests
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "m"]


@pytest.mark.usefixtures("server")
def test_a_folder_without_git_is_refused(tmp_path: Path, command: Command):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "a.yaml").write_text(ALL, encoding="utf-8")
    ran = plan(command)
    assert (ran.code, "m/a.yaml is not in a git repository" in ran.errors) == (1, True)


@pytest.mark.usefixtures("server")
def test_git_is_needed(
    repository: GitRepository, command: Command, monkeypatch: pytest.MonkeyPatch
):
    repository.commit({"m/a.yaml": ALL})
    monkeypatch.setenv("PATH", "/nowhere")
    ran = plan(command)
    assert (ran.code, "--since needs git, which is not installed (install git)" in ran.errors) == (
        1,
        True,
    )


@pytest.mark.usefixtures("server")
def test_a_repository_without_commits_is_refused(repository: GitRepository, command: Command):
    repository.write({"m/a.yaml": ALL})
    ran = plan(command)
    assert (ran.code, 'has no revision "HEAD"' in ran.errors) == (1, True)


@pytest.mark.usefixtures("server")
def test_a_submodule_is_a_repository_of_its_own(tmp_path: Path, command: Command):
    outer = GitRepository.create(tmp_path)
    outer.commit({"m/a.yaml": TASKS + ONE})
    inner = GitRepository.create(tmp_path / "m" / "inner")
    inner.commit({"b.yaml": TASKS + TWO})
    ran = plan(command)
    assert (ran.code, "a submodule is a repository of its own" in ran.errors) == (1, True)
    inner.write({"b.yaml": TASKS + TWO.replace("2}", "3}")})
    assert planned(plan(command, paths="m/inner")) == [2]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("since", ["main~1", "main~1..."])
def test_a_shallow_clone_is_named_with_what_to_do(since: str, tmp_path: Path, command: Command):
    origin = GitRepository.create(tmp_path / "origin")
    origin.commit({"m/a.yaml": TASKS + ONE})
    origin.commit({"m/a.yaml": ALL})
    origin.git("clone", "-q", "--depth", "1", f"file://{tmp_path}/origin", str(tmp_path / "clone"))
    ran = plan(command, since=since, paths="clone/m")
    assert ran.code == 1
    assert "this clone is shallow, and has no revision" in ran.errors
    assert "fetch-depth: 0" in ran.errors


@pytest.mark.usefixtures("server")
def test_a_shallow_clone_without_the_merge_base_is_named(tmp_path: Path, command: Command):
    origin = GitRepository.create(tmp_path / "origin")
    origin.commit({"m/a.yaml": TASKS + ONE})
    origin.git("checkout", "-q", "-b", "feature")
    origin.commit({"m/a.yaml": ALL})
    origin.git("checkout", "-q", "main")
    origin.commit({"m/b.yaml": TASKS})
    address = f"file://{tmp_path}/origin"
    origin.git(
        "clone", "-q", "--depth", "1", "--no-single-branch", address, str(tmp_path / "clone")
    )
    ran = plan(command, since="origin/feature...", paths="clone/m")
    assert ran.code == 1
    assert 'this clone is shallow, and lacks where HEAD left "origin/feature"' in ran.errors
    assert "fetch-depth: 0" in ran.errors


@pytest.mark.usefixtures("server")
def test_a_clone_without_contents_is_named(tmp_path: Path, command: Command):
    origin = GitRepository.create(tmp_path / "origin")
    origin.git("config", "uploadpack.allowFilter", "true")
    origin.commit({"m/a.yaml": TASKS + ONE})
    origin.commit({"m/a.yaml": ALL})
    clone = ["clone", "-q", "--filter=blob:none", f"file://{tmp_path}/origin"]
    origin.git(*clone, str(tmp_path / "clone"))
    ran = plan(command, since="HEAD~1", paths="clone/m")
    assert (ran.code, "lacks the contents of m/a.yaml" in ran.errors) == (1, True), ran.errors


@pytest.mark.usefixtures("server")
def test_nothing_that_a_repository_configures_is_run(
    repository: GitRepository, command: Command, tmp_path: Path
):
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n", encoding="utf-8")
    trap.chmod(0o755)
    repository.commit(
        {"m/a.yaml": ALL, ".gitattributes": "*.yaml diff=evil filter=evil merge=evil\n"}
    )
    settings = {
        "core.fsmonitor": trap,
        "core.pager": trap,
        "core.editor": trap,
        "core.sshCommand": trap,
        "core.alternateRefsCommand": trap,
        "diff.external": trap,
        "diff.evil.command": trap,
        "diff.evil.textconv": trap,
        "filter.evil.clean": trap,
        "filter.evil.smudge": trap,
        "filter.evil.process": trap,
        "alias.ls-tree": f"!{trap}",
        "alias.cat-file": f"!{trap}",
        "extensions.partialClone": "origin",
        "remote.origin.url": f"ext::{trap}",
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": trap,
        "protocol.ext.allow": "always",
        "credential.helper": f"!{trap}",
    }
    for name, value in settings.items():
        repository.git("config", name, str(value))
    hooks = repository.folder / ".git" / "hooks"
    for hook in ("post-checkout", "post-index-change", "fsmonitor-watchman", "pre-auto-gc"):
        (hooks / hook).write_bytes(trap.read_bytes())
        (hooks / hook).chmod(0o755)
    repository.write({"m/a.yaml": ALL.replace("1, overlap: 2", "1, overlap: 3")})
    for since in ("HEAD", "HEAD...", "main@{upstream}", "0" * 40):
        plan(command, since=since)
    assert planned(plan(command)) == [1]
    # Even where an object is missing, and git would fetch it.
    blob = repository.git("rev-parse", "HEAD:m/a.yaml")
    (repository.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert "lacks the contents of m/a.yaml" in plan(command).errors
    assert not (tmp_path / "sprung").exists()


@pytest.mark.usefixtures("server")
def test_variables_and_settings_of_a_user_do_not_count(
    repository: GitRepository, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    repository.commit({"m/a.yaml": ALL})
    other = GitRepository.create(tmp_path / "other")
    other.commit({"m/a.yaml": TASKS})
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n", encoding="utf-8")
    trap.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f"[core]\nfsmonitor = {trap}\npager = {trap}\n", encoding="utf-8"
    )
    for name, value in {
        "HOME": str(home),
        "GIT_DIR": str(tmp_path / "other" / ".git"),
        "GIT_WORK_TREE": str(tmp_path / "other"),
        "GIT_EXTERNAL_DIFF": str(trap),
        "GIT_SSH_COMMAND": str(trap),
        "GIT_PAGER": str(trap),
    }.items():
        monkeypatch.setenv(name, value)
    assert planned(plan(command)) == []
    assert not (tmp_path / "sprung").exists()


@pytest.mark.usefixtures("server")
def test_names_of_files_are_no_options_and_no_patterns(repository: GitRepository, command: Command):
    names = ["--output=x.yaml", "m[1].yaml", "ü ñ.yaml", ":(exclude)a.yaml", "a\nb.yaml"]
    files = {f"m/{name}": f"{TASKS}  - {{id: {n}}}\n" for n, name in enumerate(names, start=4)}
    repository.commit({**files, "m/z.yaml": TASKS + ONE})
    repository.write({"m/z.yaml": TASKS + ONE.replace("2}", "3}")})
    ran = plan(command)
    assert (planned(ran), json.loads(ran.output)["targets"]["since"]["unread_files"]) == ([1], 5)


@pytest.mark.usefixtures("server")
def test_an_earlier_file_that_cannot_be_read_is_named(repository: GitRepository, command: Command):
    commit = repository.commit({"m/a.yaml": ALL + "  - {id: 1\n"})
    repository.write({"m/a.yaml": ALL})
    ran = plan(command)
    assert planned(ran) == [1, 2, 3]
    assert f"warning: all of this file counts as changed: {commit[:12]}:m/a.yaml:" in ran.errors


@pytest.mark.usefixtures("server")
def test_of_a_renamed_file_what_is_no_longer_declared_is_named(
    repository: GitRepository, command: Command
):
    """Of other files that are gone, the run does not speak."""
    repository.commit({"old.yaml": ALL, "other.yaml": TASKS + "  - {id: 9}\n"})
    repository.write({"old.yaml": None, "other.yaml": None, "m/new.yaml": TASKS + TWO + THREE})
    ran = plan(command)
    assert planned(ran) == []
    assert json.loads(ran.output)["targets"]["since"]["no_longer_declared"]["named"] == ["1"]
