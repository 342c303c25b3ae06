"""What to use instead of commands and options that do not exist."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Final

_PLAN: Final = "use reconciler plan, which changes nothing"
_PULL: Final = "use reconciler pull, which writes manifests for the tasks of a project"
_NO_TASKS: Final = "reconciler only updates tasks; it never creates or deletes one"
_TOKEN: Final = "set LABEL_STUDIO_API_KEY or LABEL_STUDIO_API_KEY_FILE"  # noqa: S105 - names
_FORCE: Final = "--yes applies without asking, and --allow accepts a problem"
_CONCURRENCY: Final = "use --concurrency"

_COMMANDS: Final = {
    **dict.fromkeys(("import", "export", "fetch", "get", "init", "download"), _PULL),
    **dict.fromkeys(("create", "delete", "destroy", "remove", "add", "new"), _NO_TASKS),
    **dict.fromkeys(("diff", "status", "preview", "dry-run"), _PLAN),
    "refresh": "use reconciler plan, which reads the tasks from the server each time",
    **dict.fromkeys(("push", "sync", "deploy", "update", "upload"), "use reconciler apply"),
    **dict.fromkeys(("lint", "check", "test", "verify"), "use reconciler validate"),
    **dict.fromkeys(("undo", "rollback", "restore"), "use reconciler revert with a report"),
    **dict.fromkeys(("serve", "server", "mock"), "use reconciler sandbox"),
    "help": "use reconciler --help",
    "version": "use reconciler --version",
}

_OPTIONS: Final = {
    **dict.fromkeys(("--dry-run", "--dryrun", "--check", "--diff", "-n"), _PLAN),
    **dict.fromkeys(("--token", "--api-key", "--api-token"), _TOKEN),
    **dict.fromkeys(("--force", "-f"), _FORCE),
    **dict.fromkeys(("--auto-approve", "--approve", "--no-input"), "use --yes"),
    **dict.fromkeys(("--parallelism", "--jobs", "--workers", "-j"), _CONCURRENCY),
    **dict.fromkeys(("--targets", "-t"), "use --target"),
    **dict.fromkeys(("--server", "--host", "--endpoint"), "use --url or set LABEL_STUDIO_URL"),
    **dict.fromkeys(("--environment", "--stage", "-e"), "use --env"),
    "--json": "use --format json",
    "--no-color": "set NO_COLOR=1",
    "--color": "set FORCE_COLOR=1",
    "--project": "write project in the manifest",
}

_OF_COMMANDS: Final = {
    ("plan", "--dry-run"): "plan changes nothing, so leave it out",
    ("validate", "--dry-run"): "validate changes nothing, so leave it out",
    ("revert", "--dry-run"): "revert shows the plan and asks first: answer no",
    ("plan", "--report"): "plan has --out; apply and revert have --report",
    ("plan", "--yes"): "plan changes nothing, so leave it out",
    ("plan", "-y"): "plan changes nothing, so leave it out",
    ("plan", "--output"): "use --out FILE",
    ("plan", "-o"): "use --out FILE",
    ("apply", "--out"): "plan has --out; use --report FILE to record what apply does",
    ("apply", "--output"): "use --report FILE to record what apply does",
    ("apply", "-o"): "use --report FILE to record what apply does",
    ("apply", "--format"): "use plan --format json before, show --format json REPORT after apply",
    ("apply", "--json"): "use plan --format json before, show --format json REPORT after apply",
}
"""Suggestions for options of one command, which come before those for all."""


def suggest_command(name: str, known: Sequence[str]) -> str:
    """Say what to use instead of a command that does not exist; empty if nothing is likely."""
    if suggestion := _COMMANDS.get(name.lower()):
        return suggestion
    close = get_close_matches(name.lower(), known, n=1)
    return f"did you mean {close[0]}?" if close else ""


def find_written(name: str, arguments: Sequence[str]) -> str:
    """Return an option as it was written: click names only the first letter of ``-target``."""
    written = (argument.partition("=")[0] for argument in arguments if argument.startswith(name))
    words = (word for word in written if len(word) > len("-x"))
    return name if name.startswith("--") else next(words, name)


def suggest_option(
    name: str, command: str | None, alike: Sequence[str], *, known: Collection[str]
) -> str:
    """Say what to use instead of an option that ``command`` lacks; empty if nothing is likely.

    ``known`` are the options of the command, ``alike`` those that look alike, the likeliest first.
    """
    long = name if name.startswith("--") or len(name) == len("-x") else f"-{name}"
    if long in known:
        return f"did you mean {long}?"
    suggestion = _OF_COMMANDS.get((command or "", long)) or _OPTIONS.get(long)
    if suggestion == _CONCURRENCY and "--concurrency" not in known:
        return "apply and revert have --concurrency"
    return suggestion or (f"did you mean {' or '.join(alike)}?" if alike else "")
