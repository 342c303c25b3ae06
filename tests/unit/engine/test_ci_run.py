"""Which run of which forge this is, as their documentation says of the variables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.review.ci_run import CiRun, ForgeKind, read_ci_run
from reconciler.errors import Refused, SettingsError

PULL: dict[str, Any] = {
    "number": 5,
    "user": {"login": "ann"},
    "head": {"sha": "h", "repo": {"full_name": "Acme/Labels"}},
    "base": {"sha": "b"},
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://gitlab.test/api/v4",
    "CI_COMMIT_SHA": "c",
    "CI_JOB_ID": "71",
    "CI_JOB_URL": "https://gitlab.test/jobs/71",
    "CI_PIPELINE_ID": "7",
    "CI_PROJECT_ID": "42",
}
MERGE_REQUEST = GITLAB | {
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": "b",
    "CI_MERGE_REQUEST_IID": "5",
    "CI_MERGE_REQUEST_PROJECT_ID": "42",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
}


def build_github(folder: Path, event: str, payload: object, **more: str) -> dict[str, str]:
    file = folder / "event.json"
    file.write_text(payload if isinstance(payload, str) else json.dumps(payload), encoding="utf-8")
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": "ann",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_REF_NAME": "main",
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_REPOSITORY": "acme/labels",
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_RUN_ID": "7",
        "GITHUB_SERVER_URL": "https://github.test",
        "GITHUB_SHA": "c",
        **more,
    }


def test_a_pull_request(tmp_path: Path):
    run = read_ci_run(build_github(tmp_path, "pull_request", {"pull_request": PULL}))
    assert run == CiRun(
        ForgeKind.GITHUB,
        "acme/labels",
        "c",
        request=5,
        head="h",
        base="b",
        number=7,
        attempt=2,
        page="https://github.test/acme/labels/actions/runs/7",
    )


def test_a_push_is_to_a_branch_and_a_tag_is_none(tmp_path: Path):
    push = read_ci_run(build_github(tmp_path, "push", {}))
    tag = read_ci_run(build_github(tmp_path, "push", {}, GITHUB_REF_TYPE="tag"))
    assert (push.branch, push.request, tag.branch) == ("main", 0, "")


@pytest.mark.parametrize(
    "pull",
    [
        PULL | {"head": {"sha": "h", "repo": {"full_name": "mallory/labels"}}},
        PULL | {"head": {"sha": "h", "repo": None}},
        PULL | {"head": None},
        PULL | {"user": {"login": "dependabot[bot]"}},
    ],
)
def test_the_code_of_forks_and_bots_is_not_trusted(pull: dict[str, Any], tmp_path: Path):
    for event in ("pull_request", "pull_request_review"):
        assert read_ci_run(build_github(tmp_path, event, {"pull_request": pull})).is_untrusted


def test_a_run_that_dependabot_caused_is_not_trusted(tmp_path: Path):
    more = {"GITHUB_ACTOR": "dependabot[bot]"}
    assert read_ci_run(
        build_github(tmp_path, "pull_request", {"pull_request": PULL}, **more)
    ).is_untrusted


def test_the_event_with_secrets_for_forks_is_refused(tmp_path: Path):
    with pytest.raises(Refused, match="pull_request_target"):
        read_ci_run(build_github(tmp_path, "pull_request_target", {"pull_request": PULL}))


@pytest.mark.parametrize("payload", ["", "{", "[]", "[" * 99_999])
def test_an_event_that_is_none_is_refused(payload: str, tmp_path: Path):
    with pytest.raises(SettingsError, match="GITHUB_EVENT_PATH"):
        read_ci_run(build_github(tmp_path, "push", payload))


@pytest.mark.parametrize("value", ["", "x", "-1", "\uff11", "1" * 99])
def test_a_run_has_a_number(value: str, tmp_path: Path):
    with pytest.raises(SettingsError, match="GITHUB_RUN_ID"):
        read_ci_run(build_github(tmp_path, "push", {}, GITHUB_RUN_ID=value))


def test_a_merge_request():
    run = read_ci_run(MERGE_REQUEST)
    assert run == CiRun(
        ForgeKind.GITLAB,
        "42",
        "c",
        request=5,
        head="c",
        base="b",
        number=7,
        attempt=71,
        page="https://gitlab.test/jobs/71",
    )


def test_merged_results_are_of_the_head_of_the_branch():
    run = read_ci_run(MERGE_REQUEST | {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "h"})
    assert (run.commit, run.head) == ("c", "h")


def test_a_pipeline_of_a_branch():
    run = read_ci_run(GITLAB | {"CI_COMMIT_BRANCH": "main"})
    assert (run.branch, run.request, run.is_untrusted) == ("main", 0, False)


@pytest.mark.parametrize(
    "more",
    [
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "99"},  # it runs in the project
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "99", "CI_PROJECT_ID": "99"},  # it runs in the fork
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": ""},  # the fork was deleted
    ],
)
def test_the_merge_request_of_a_fork_is_not_trusted(more: dict[str, str]):
    assert read_ci_run(MERGE_REQUEST | more).is_untrusted
