"""The CI run that this process is a part of, read from the environment of GitHub or GitLab.

https://docs.github.com/en/actions/reference/workflows-and-actions/variables and
https://docs.gitlab.com/ci/variables/predefined_variables/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from reconciler.core.values import Json
from reconciler.errors import Refused, SettingsError
from reconciler.forges.json_rows import get_number, get_object, get_text

_DEPENDABOT: Final = "dependabot[bot]"
_EVENT_MAX: Final = 32 * 1024 * 1024
_DIGITS_MAX: Final = 18


class ForgeKind(StrEnum):
    """The forges whose CI is understood."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True)
class CiRun:
    """One run of a job.

    ``request`` is the number of the merge request that the run is for, 0 if it is for none;
    ``head`` and ``base`` are the SHAs of its commits. ``commit`` is what was checked out, on
    ``branch``, which is empty for a merge request. ``number`` and ``attempt`` grow from run to run.
    ``is_untrusted`` is true if the commits come from a fork or from a bot: then no secret is there.
    ``page`` is the address of the run.
    """

    kind: ForgeKind
    repository: str
    commit: str
    branch: str = ""
    request: int = 0
    head: str = ""
    base: str = ""
    number: int = 0
    attempt: int = 0
    is_untrusted: bool = False
    page: str = ""


def read_ci_run(environment: Mapping[str, str]) -> CiRun:
    """Read what run this is.

    Raises:
        SettingsError: it is none of GitHub's or GitLab's, or a variable is missing.
        Refused: GitHub runs it for an event in which the code of forks would have secrets.

    """
    if environment.get("GITHUB_ACTIONS") == "true":
        return _read_github(environment)
    if environment.get("GITLAB_CI") == "true":
        return _read_gitlab(environment)
    raise SettingsError(
        "this is not a job of GitHub Actions or GitLab CI",
        hint="GITHUB_ACTIONS or GITLAB_CI is true in these; elsewhere, use plan and apply",
    )


def _read_github(environment: Mapping[str, str]) -> CiRun:
    event = environment.get("GITHUB_EVENT_NAME", "")
    if event == "pull_request_target":
        raise Refused(
            "the event pull_request_target gives secrets to the code of forks",
            hint="use pull_request",
        )
    payload = _read_event(environment.get("GITHUB_EVENT_PATH", ""))
    pull = get_object(payload, "pull_request") if event.startswith("pull_request") else {}
    head = get_object(pull, "head")
    repository = _get(environment, "GITHUB_REPOSITORY")
    from_fork = bool(pull) and (
        get_text(get_object(head, "repo"), "full_name").lower() != repository.lower()
    )
    authors = {environment.get("GITHUB_ACTOR"), get_text(get_object(pull, "user"), "login")}
    is_branch = environment.get("GITHUB_REF_TYPE") == "branch"
    page = f"{environment.get('GITHUB_SERVER_URL', '')}/{repository}/actions/runs/"
    return CiRun(
        kind=ForgeKind.GITHUB,
        repository=repository,
        commit=_get(environment, "GITHUB_SHA"),
        branch=environment.get("GITHUB_REF_NAME", "") if is_branch and not pull else "",
        request=get_number(pull, "number") if pull else 0,
        head=get_text(head, "sha"),
        base=get_text(get_object(pull, "base"), "sha"),
        number=_get_number(environment, "GITHUB_RUN_ID"),
        attempt=_get_number(environment, "GITHUB_RUN_ATTEMPT"),
        is_untrusted=from_fork or (bool(pull) and _DEPENDABOT in authors),
        page=page + environment.get("GITHUB_RUN_ID", ""),
    )


def _read_gitlab(environment: Mapping[str, str]) -> CiRun:
    request = environment.get("CI_MERGE_REQUEST_IID", "")
    project = _get(environment, "CI_PROJECT_ID")
    # The merge request of a fork may run in the fork, whose number CI_PROJECT_ID then is.
    source = environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
    target = environment.get("CI_MERGE_REQUEST_PROJECT_ID")
    commit = _get(environment, "CI_COMMIT_SHA")
    # In a pipeline of merged results, what is checked out is not the head of the branch.
    head = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or commit
    return CiRun(
        kind=ForgeKind.GITLAB,
        repository=project,
        commit=commit,
        branch=environment.get("CI_COMMIT_BRANCH", ""),
        request=_get_number(environment, "CI_MERGE_REQUEST_IID") if request else 0,
        head=head if request else "",
        base=environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
        number=_get_number(environment, "CI_PIPELINE_ID"),
        attempt=_get_number(environment, "CI_JOB_ID"),
        is_untrusted=bool(request) and not source == target == project,
        page=environment.get("CI_JOB_URL", ""),
    )


def _read_event(name: str) -> dict[str, Json]:
    """Read the event that GitHub wrote to a file; raises SettingsError."""
    expected = "expected the JSON object that GitHub writes"
    try:
        with Path(name).open("rb") as file:
            payload = json.loads(file.read(_EVENT_MAX))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"GITHUB_EVENT_PATH: {name or '(not set)'}: {expected}") from error
    if not isinstance(payload, dict):
        raise SettingsError(f"GITHUB_EVENT_PATH: {name}: {expected}")
    return payload


def _get(environment: Mapping[str, str], name: str) -> str:
    if value := environment.get(name, ""):
        return value
    raise SettingsError(f"{name} is not set", hint="the runner sets it; is it passed on?")


def _get_number(environment: Mapping[str, str], name: str) -> int:
    value = _get(environment, name)
    if value.isascii() and value.isdecimal() and len(value) <= _DIGITS_MAX:
        return int(value)
    raise SettingsError(f"{name}: expected a number, found {value!r:.50}")
