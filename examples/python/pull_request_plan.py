"""Plan what a pull request would change, as data for a bot that comments on it.

Run it in a checkout of the pull request's head, and pass its output to the bot::

    export LABEL_STUDIO_URL=https://label-studio.example.org LABEL_STUDIO_API_KEY=...
    python examples/python/pull_request_plan.py manifests/ > summary.json

The server is only read. The exit code is 0 if apply would accept the plan, and 1 if not: the
summary says why, or standard error if no plan could be made.

The comment shows values of tasks to all its readers. Make the token available only to pull requests
from branches of the repository itself, never to those from forks.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from reconciler import ManifestError, Plan, ReconcilerError, Settings, TaskPlan, load, plan, render

COMMENT_MAX = 60_000
"""Characters: GitHub accepts comments of up to 65,536."""


def summarize(paths: Sequence[str], settings: Settings) -> dict[str, Any]:
    """Plan what manifests declare, and summarize it as JSON; raises ServerError."""
    try:
        return summarize_plan(plan(load(paths), settings))
    except ManifestError as error:
        return summarize_problems(error)


def summarize_plan(made: Plan) -> dict[str, Any]:
    """Summarize a plan.

    ``totals`` are tasks by status, and ``paths`` those that apply would change, by path. ``digest``
    identifies the reviewed plan: with ``ApplyOptions(expected_digest=...)``, apply accepts only
    that plan.
    """
    stopped = made.list_unaccepted(frozenset())
    counted = Counter(change.path for task in made.updates for change in task.changes)
    return {
        "applicable": not stopped,
        "server": made.server.url,
        "digest": made.digest,
        "totals": made.summary(),
        "paths": [{"path": [*path], "tasks": tasks} for path, tasks in counted.most_common()],
        "stopped": [describe_stopped(task) for task in stopped],
        "comment": format_comment(render(made)),
    }


def summarize_problems(error: ManifestError) -> dict[str, Any]:
    """Summarize manifests that cannot be planned; each problem names its file, line and column."""
    return {
        "applicable": False,
        "problems": [str(problem) for problem in error.problems],
        "comment": format_comment(render(error)),
    }


def describe_stopped(task: TaskPlan) -> dict[str, Any]:
    """Say why a task blocks the apply; ``kind`` is a value for ``--allow``."""
    return {
        "task": task.task,
        "project": task.project,
        "status": task.status.value,
        "source": str(task.source),
        "reasons": [
            {"kind": problem.kind.value, "message": problem.message, "hint": problem.hint}
            for problem in task.problems
        ],
    }


def format_comment(text: str) -> str:
    """Put text into a code block that nothing in the text can end; cut it if it is too long.

    `render` has already shortened long values, and escaped invisible characters.
    """
    if len(text) > COMMENT_MAX:
        whole_lines = text[:COMMENT_MAX].rpartition("\n")[0]
        text = f"{whole_lines}\n... the rest is too long for a comment\n"
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Plan, print the summary as JSON, and return the exit code."""
    parser = argparse.ArgumentParser(description="Plan what a pull request would change.")
    parser.add_argument("paths", nargs="+", help="files, folders or globs of manifests")
    options = parser.parse_args(arguments)
    try:
        summary = summarize(options.paths, Settings.from_environment())
    except ReconcilerError as error:
        print(f"pull_request_plan: {error}", file=sys.stderr)
        return 1
    print(json.dumps(summary, indent=2))
    return 0 if summary["applicable"] else 1


if __name__ == "__main__":
    sys.exit(main())
