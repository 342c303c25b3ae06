"""What to use instead of commands and options that do not exist."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Final

_PLAN: Final = "use reconciler plan, which changes nothing"
_PULL: Final = "use reconciler pull, which writes manifests for the tasks of a project"
_NO_TASKS: Final = "reconciler only updates tasks; it never creates or deletes one"
_TOKEN: Final = "set LABEL_STUDIO_API_KEY or LABEL_STUDIO_API_KEY_FILE"  # noqa: S105 - names
_NO_STATE: Final = (
    "reconciler keeps no state: reconciler plan reads the tasks, and reconciler show shows saved "
    "plans and reports"
)
_WORKSPACES: Final = (
    "environments of reconciler.toml name servers: choose one with --env, as in reconciler plan "
    "--env staging"
)
_NO_FORMATTER: Final = "reconciler has no such step: reconciler validate checks manifests"
_NO_VARIABLES: Final = "manifests have no variables: use --env and environments of reconciler.toml"
_NO_REFRESH: Final = "each plan reads the tasks from the server, so leave it out"
_LOCK: Final = "reconciler doctor PATH --update-lock writes reconciler.lock"
_FORCE: Final = "--yes applies without asking, and --allow accepts a problem"
_APPROVAL: Final = ("--auto-approve", "--approve", "--no-input")
_READS: Final = "only reads and needs no approval, so leave it out"

_COMMANDS: Final = {
    **dict.fromkeys(("import", "export", "fetch", "get", "download"), _PULL),
    **dict.fromkeys(("create", "delete", "destroy", "remove", "add", "new"), _NO_TASKS),
    **dict.fromkeys(("diff", "status", "preview", "dry-run"), _PLAN),
    **dict.fromkeys(("state", "list", "output", "taint", "untaint"), _NO_STATE),
    **dict.fromkeys(("workspace", "workspaces", "env", "environment", "select"), _WORKSPACES),
    **dict.fromkeys(("fmt", "format", "graph", "console", "providers"), _NO_FORMATTER),
    **dict.fromkeys(("login", "logout", "auth", "configure"), _TOKEN),
    "refresh": "use reconciler plan, which reads the tasks from the server each time",
    **dict.fromkeys(("push", "sync", "deploy", "update", "upload"), "use reconciler apply"),
    **dict.fromkeys(("lint", "check", "test", "verify"), "use reconciler validate"),
    **dict.fromkeys(("undo", "rollback", "restore"), "use reconciler revert with a report"),
    **dict.fromkeys(("serve", "server", "mock"), "use reconciler sandbox"),
    **dict.fromkeys(("setup", "scaffold", "bootstrap", "start"), "use reconciler init"),
    **dict.fromkeys(("completions", "autocomplete"), "use reconciler completion"),
    **dict.fromkeys(("diagnose", "checkup", "health", "ping", "whoami"), "use reconciler doctor"),
    "help": "use reconciler --help",
    "version": "use reconciler --version",
}

_OPTIONS: Final = {
    **dict.fromkeys(("--dry-run", "--dryrun", "--check", "--diff", "-n"), _PLAN),
    **dict.fromkeys(("--token", "--api-key", "--api-token"), _TOKEN),
    **dict.fromkeys(("--force", "-f"), _FORCE),
    **dict.fromkeys(_APPROVAL, "use --yes"),
    **dict.fromkeys(
        ("--concurrency", "--parallelism", "--jobs", "--workers", "-j"), "use --concurrency"
    ),
    **dict.fromkeys(("--targets", "-t"), "use --target"),
    **dict.fromkeys(("--server", "--host", "--endpoint"), "use --url or set LABEL_STUDIO_URL"),
    **dict.fromkeys(("--environment", "--stage", "-e"), "use --env"),
    **dict.fromkeys(("--var", "--var-file", "--set", "--values"), _NO_VARIABLES),
    **dict.fromkeys(("--destroy", "--delete", "--prune", "--replace"), _NO_TASKS),
    **dict.fromkeys(("--refresh", "--refresh-only"), _NO_REFRESH),
    **dict.fromkeys(("--lock-timeout", "--state", "--backup"), _NO_STATE),
    "--lock": f"reconciler keeps no state that it could lock; {_LOCK}",
    "--update-lock": _LOCK,
    "--no-lock": "only validate has --no-lock, so leave it out",
    "--json": "use --format json",
    "--no-color": "set NO_COLOR=1",
    "--color": "set FORCE_COLOR=1",
    "--project": "write project in the manifest",
}

_OF_COMMANDS: Final = {
    **{
        (name, word): f"{name} {_READS}"
        for name in ("validate", "plan", "show")
        for word in _APPROVAL
    },
    **dict.fromkeys((("plan", "--force"), ("plan", "-f")), "--allow accepts a problem"),
    ("doctor", "--lock"): "use --update-lock to write reconciler.lock",
    ("doctor", "--update"): "use --update-lock to write reconciler.lock",
    ("validate", "--lock"): f"validate reads reconciler.lock, so leave it out; {_LOCK}",
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
}
"""Suggestions for options of one command, which come before those for all."""

COMMANDS_WITH: Final = {
    "--yes": "apply and revert",
    "--concurrency": "apply and revert",
    "--target": "plan and apply",
    "--url": "plan, apply, revert, init, pull and doctor",
    "--env": "validate, plan, apply, revert, init, pull and doctor",
    "--format": "validate, plan, apply, revert, show, pull and doctor",
}
"""The commands with an option that a suggestion for all commands names."""


def suggest_command(name: str, known: Sequence[str]) -> str:
    """Say what to use instead of a command that does not exist; empty if nothing is likely."""
    if suggestion := _COMMANDS.get(name.lower()):
        return suggestion
    close = get_close_matches(name.lower(), known, n=1)
    return f"did you mean {close[0]}?" if close else ""


def find_written(name: str, arguments: Sequence[str]) -> str:
    """Return an option as it was written: click names only one letter of ``-target``.

    That is its first letter, unless options with this letter exist, as -v of ``-var``.
    """
    if name.startswith("--"):
        return name
    written = [argument.partition("=")[0] for argument in arguments if _has_one_dash(argument)]
    first = (word for word in written if word.startswith(name))
    later = (word for word in written if name[1:] in word)
    return next(first, next(later, name))


def _has_one_dash(argument: str) -> bool:
    return argument.startswith("-") and argument[1:2] != "-" and len(argument) > len("-x")


def suggest_option(
    name: str, command: str | None, alike: Sequence[str], *, known: Collection[str]
) -> str:
    """Say what to use instead of an option that ``command`` lacks; empty if nothing is likely.

    ``known`` are the options of the command, ``alike`` those that look alike, the likeliest first.
    """
    long = name if name.startswith("--") or len(name) == len("-x") else f"-{name}"
    if long in known:
        return f"did you mean {long}?"
    if suggestion := _OF_COMMANDS.get((command or "", long)):
        return suggestion
    if suggestion := _OPTIONS.get(long):
        return _name_known(suggestion, known)
    return f"did you mean {' or '.join(alike)}?" if alike else ""


def _name_known(suggestion: str, known: Collection[str]) -> str:
    """Return the suggestion if the command has the options in it, else the commands that do."""
    for option in re.findall(r"--[a-z-]+", suggestion):
        if option in COMMANDS_WITH and option not in known:
            return f"{COMMANDS_WITH[option]} have {option}"
    return suggestion
