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
