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
ALL: Final = f"{TASKS}{ONE}{TWO}{THREE}"


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
    "a file renamed from elsewhere": (
        {"old/a.yaml": ALL, "m/x.yaml": TASKS + "  - {id: 9}\n"},
        {"old/a.yaml": None, "m/b.yaml": ALL.replace("1, overlap: 2", "1, overlap: 3")},
        [1],
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
            "m/a.jsonl": '{"version": 1, "project": 7}\n{"id": 3, "overlap": 2}\n{"id": 2, "overlap": 2}\n'
        },
        {
            "m/a.jsonl": '{"version": 1, "project": 7}\n{"id": 2, "overlap": 2}\n{"id": 3, "overlap": 3}\n'
        },
        [3],
    ),
    "defaults": (
        {
            "m/a.yaml": f"{HEADER}defaults: {{overlap: 2}}\ntasks:\n  - {{id: 1}}\n  - {{id: 2, overlap: 3}}\n"
        },
        {
            "m/a.yaml": f"{HEADER}defaults: {{overlap: 4}}\ntasks:\n  - {{id: 1}}\n  - {{id: 2, overlap: 3}}\n"
        },
        [1],
    ),
    "a default that tasks had": (
        {"m/a.yaml": ALL},
        {
            "m/a.yaml": f"{HEADER}defaults: {{overlap: 2}}\ntasks: [{{id: 1}}, {{id: 2}}, {{id: 3}}]\n"
        },
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
        {
            "m/a.yaml": f"key: data.text\n{HEADER}tasks:\n  - {{key: Sentence 1., overlap: 2}}\n  - {{key: Sentence 2., overlap: 2}}\n"
        },
        {
            "m/a.yaml": f"key: data.text\n{HEADER}tasks:\n  - {{key: Sentence 2., overlap: 3}}\n  - {{key: Sentence 1., overlap: 2}}\n"
        },
        [2],
    ),
    "a task named by its key in place of its id": (
        {"m/a.yaml": ALL},
        {
            "m/a.yaml": f"{TASKS}{ONE}{TWO}",
            "m/b.yaml": f"key: data.text\n{HEADER}tasks:\n  - {{key: Sentence 3., overlap: 2}}\n",
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
            "m/a.yaml": f"key: data.text\n{HEADER}tasks:\n  - {{key: Sentence 1., overlap: 1}}\n  - {{key: Sentence 2., overlap: 1}}\n",
            "m/b.yaml": RULES + rule("all", 2),
        },
        {"m/a.yaml": f"key: data.text\n{HEADER}tasks:\n  - {{key: Sentence 1., overlap: 1}}\n"},
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
