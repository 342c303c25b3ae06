"""Running the jobs of pipelines, on a GitLab of the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.forges.forge_state import PROJECT, Change
from tests.unit.docs.recipes import Ran, Runner

BOT_TOKEN = "token"


def run_gitlab(
    runner: Runner,
    pipeline: Mapping[str, Any],
    name: str,
    api: str,
    change: Change | None = None,
    *,
    source: str = "push",
    **variables: str,
) -> list[Ran]:
    """Run the commands of a job until one fails, then those after it.

    It is for a merge request, or of what is checked out on main, for the event ``source``.
    """
    checked_out = runner.run("git rev-parse HEAD").output.strip()
    known = {
        "GITLAB_CI": "true",
        "GITLAB_TOKEN": BOT_TOKEN,
        "CI_API_V4_URL": f"{api}/api/v4",
        "CI_COMMIT_SHA": change.head if change else checked_out,
        "CI_PROJECT_ID": str(PROJECT),
        "CI_PIPELINE_ID": "1",
        "CI_JOB_ID": "1",
        **(_list_variables(change) if change else {"CI_COMMIT_BRANCH": "main"}),
        "CI_PIPELINE_SOURCE": "merge_request_event" if change else source,
        **variables,
    }
    return runner.run_script(pipeline, name, known)


def _list_variables(change: Change) -> dict[str, str]:
    return {
        "CI_MERGE_REQUEST_IID": str(change.number),
        "CI_MERGE_REQUEST_PROJECT_ID": str(PROJECT),
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(PROJECT),
    }
