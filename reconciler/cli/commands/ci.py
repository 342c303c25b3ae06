"""``reconciler ci``."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from reconciler.cli.exit_codes import DONE, ERROR, PARTLY
from reconciler.cli.options import take_options
from reconciler.engine.review.ci_files import (
    ANNOTATIONS_FILE,
    DEFAULT_FOLDER,
    FOLDER_VARIABLE,
    is_github,
    list_format_options,
    prepare_folder,
    read_plan_result,
    show_on_github,
)
from reconciler.engine.review.ci_run import CiRun, read_ci_run
from reconciler.engine.review.forge_access import connect_to_forge
from reconciler.engine.review.planned_run import (
    MARKDOWN_FILE,
    REPORT_FILE,
    PlannedRun,
    Reviewed,
    check_digest,
    find_disagreement,
    read_planned,
    read_reviewed,
    write_planned,
    write_reviewed,
)
from reconciler.engine.review.reviewing import comment_on_plan, find_reviewed, tell_drift
from reconciler.engine.settings.redaction_settings import read_digest_key
from reconciler.engine.vocabulary import Scope
from reconciler.errors import Refused
from reconciler.renderers.github import format_error
from reconciler.renderers.wording import escape_invisible

_ARGUMENTS_VARIABLE: Final = "RECONCILER_CI_ARGS"
_PATHS_VARIABLE: Final = "RECONCILER_CI_PATHS"
_SETTINGS: Final = {"ignore_unknown_options": True}
_ONLY_OF_APPLY: Final = {
    "--canary": True,
    "--careful": False,
    "--concurrency": True,
    "--rps": True,
}
"""Options that apply has and plan does not, each with whether it takes a value."""


class _CiCommand(click.Command):
    """Takes options and paths from the environment too, one a line: no shell reads them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = _read_lines(_ARGUMENTS_VARIABLE)
        paths = _read_lines(_PATHS_VARIABLE)
        return super().parse_args(ctx, [*options, *args, *paths])


def _read_lines(variable: str) -> Iterator[str]:
    """Yield the lines of a variable; an option and its value may share one."""
    for line in map(str.strip, os.environ.get(variable, "").splitlines()):
        option, space, value = line.partition(" ")
        if space and option.startswith("--") and "=" not in option:
            yield from (option, value.strip())
        elif line:
            yield line


@dataclass(frozen=True, slots=True)
class _Arguments:
    """What plan takes, options that only apply has, the paths, and what they are about."""

    of_plan: tuple[str, ...]
    only_of_apply: tuple[str, ...]
    paths: tuple[str, ...]
    scope: Scope

    @property
    def of_apply(self) -> tuple[str, ...]:
        """The options and paths for apply, which does not know all options of plan."""
        known = (one for one in self.of_plan if one != "--detailed-exitcode")
        return (*self.only_of_apply, *known)


@dataclass(frozen=True, slots=True)
class ApplyJobOptions:
    """The arguments and options of ``ci apply``."""

    folder: Path
    arguments: tuple[str, ...]
    digest: str | None
    fresh: bool
    limit: str | None

    def read_agreed(self, commit: str) -> Reviewed | None:
        """Return what may be applied; None for anything. Raises SavedFileError."""
        if self.digest:
            return Reviewed(check_digest(self.digest))
        return None if self.fresh else read_reviewed(self.folder, commit)


def _read_arguments(written: Sequence[str]) -> _Arguments:
    """Read arguments as plan would; raises what plan would raise."""
    from reconciler.cli.commands.plan import command as plan_command  # noqa: PLC0415 - a cycle

    of_plan, of_apply = _split_options(written)
    with plan_command.make_context("plan", list(of_plan)) as context:
        environment = context.params.get("env") or os.environ.get("RECONCILER_ENV", "")
        paths = context.params["paths"]
    for one in (environment, *paths):
        if not one.isprintable():
            raise click.UsageError(f"{one!r:.100} has characters that cannot be shown.")
    return _Arguments(of_plan, of_apply, paths, Scope.of(environment, paths))


def _split_options(written: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split off the options that apply has and plan does not: the steps of a job share theirs."""
    of_plan, of_apply = list[str](), list[str]()
    rest = iter(written)
    for one in rest:
        option, equals, _ = one.partition("=")
        if option not in _ONLY_OF_APPLY:
            of_plan.append(one)
            continue
        of_apply.append(one)
        if _ONLY_OF_APPLY[option] and not equals:
            of_apply.extend(islice(rest, 1))
    return tuple(of_plan), tuple(of_apply)


_folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=FOLDER_VARIABLE,
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Folder in which the steps of a job leave files for each other.",
)


def _ci_options(command: Callable[..., Any]) -> Callable[..., Any]:
    add_arguments = click.argument(
        "arguments", metavar="[OPTIONS OF PLAN AND APPLY] PATH...", nargs=-1, type=click.UNPROCESSED
    )
    return _folder_option(add_arguments(command))


_limit_option = click.option(
    "--limit",
    envvar="RECONCILER_CI_LIMIT",
    metavar="SIZE",
    help="Longest comment, like --limit of plan.  [default: the most that a comment can hold]",
)


@click.group("ci")
def command() -> None:
    """Plan, review and apply in the jobs of GitHub Actions and GitLab CI.

    The commands of a job leave files for each other, so that no step needs both the token of Label
    Studio and that of the forge. docs/ci.md has complete workflows.
    """


@command.command("validate", cls=_CiCommand, context_settings=_SETTINGS)
@_ci_options
def validate(folder: Path, arguments: tuple[str, ...]) -> int:
    """Check manifests, and write what the forge shows.

    Exit codes: as validate.

    \b
    Example:
      reconciler ci validate manifests/
    """
    run = read_ci_run(os.environ)
    given = _read_arguments(arguments)
    prepare_folder(folder, os.environ)
    planned = _validate(run, given, folder)
    _show(run, planned, folder)
    return planned.exit_code


@command.command("plan", cls=_CiCommand, context_settings=_SETTINGS)
@_limit_option
@_ci_options
def plan(folder: Path, arguments: tuple[str, ...], limit: str | None) -> int:
    """Plan, and write what ci comment and the forge show.

    Takes all options of plan. For commits of forks and bots, which have no secrets, it only
    validates.

    Exit codes: as plan.

    \b
    Example:
      reconciler ci plan --env staging manifests/
    """
    run = read_ci_run(os.environ)
    given = _read_arguments(arguments)
    prepare_folder(folder, os.environ)
    if run.is_untrusted:
        _note("the commits come from a fork or a bot, so the manifests are only validated")
        planned = _validate(run, given, folder)
    else:
        planned = _plan(run, given, folder, limit)
    _show(run, planned, folder)
    return planned.exit_code


def _plan(run: CiRun, given: _Arguments, folder: Path, limit: str | None) -> PlannedRun:
    formats = list_format_options(run.kind, folder, "plan", limit=limit)
    code = _run("plan", *formats, *given.of_plan)
    return read_plan_result(folder, given.scope, code)


def _validate(run: CiRun, given: _Arguments, folder: Path) -> PlannedRun:
    formats = list_format_options(run.kind, folder, "validate")
    env = [f"--env={given.scope.environment}"] if given.scope.environment else []
    code = _run("validate", *formats, *env, "--", *given.paths)
    return PlannedRun(given.scope, code)


def _show(run: CiRun, planned: PlannedRun, folder: Path, refusal: str = "") -> None:
    write_planned(folder, planned, run.commit)
    if not is_github(run):
        return
    if refusal:
        click.echo(format_error(refusal))
    if (annotations := folder / ANNOTATIONS_FILE).exists():
        click.echo(annotations.read_text(encoding="utf-8"), nl=False)
    show_on_github(folder, planned, os.environ, refusal=refusal)


@command.command("comment")
@_folder_option
def comment(folder: Path) -> int:
    """Show the plan in the one comment of the pull request or merge request.

    The token is GITHUB_TOKEN, or GITLAB_TOKEN with a project access token. A run that is older
    than what the comment shows writes nothing.

    \b
    Example:
      reconciler ci comment
    """
    run = read_ci_run(os.environ)
    planned = read_planned(folder, run.commit)
    if run.is_untrusted:
        _note("nothing was written: the commits come from a fork or a bot")
        return DONE
    with connect_to_forge(run, os.environ, warn=_note) as forge:
        text = _read_text(folder)
        _note(comment_on_plan(forge, run, planned, text, read_digest_key(os.environ)))
    return DONE


@command.command("reviewed", cls=_CiCommand, context_settings=_SETTINGS)
@_ci_options
def reviewed(folder: Path, arguments: tuple[str, ...]) -> int:
    """Find the plan that was reviewed before this commit was merged, for ci apply.

    It is the plan in the comment of the one pull request or merge request that brought the commit,
    if it was made for what was merged, for the same files, and for the same environment.

    \b
    Example:
      reconciler ci reviewed --env production manifests/
    """
    run = read_ci_run(os.environ)
    given = _read_arguments(arguments)
    prepare_folder(folder, os.environ)
    with connect_to_forge(run, os.environ, warn=_note) as forge:
        try:
            request, marker = find_reviewed(forge, run, given.scope, read_digest_key(os.environ))
        except Refused as error:
            write_reviewed(folder, Reviewed(refusal=error.message), run.commit)
            _note(str(error))
            return DONE
    write_reviewed(folder, Reviewed(marker.digest, marker.server), run.commit)
    _note(f"{request.name} shows the plan {marker.digest}")
    return DONE


@command.command("apply", cls=_CiCommand, context_settings=_SETTINGS)
@click.option(
    "--digest",
    envvar="RECONCILER_CI_DIGEST",
    help="Apply the plan with this digest, without a review.",
)
@click.option(
    "--fresh",
    is_flag=True,
    envvar="RECONCILER_CI_FRESH",
    help="Apply whatever the plan is now, without a review, if there is no --digest.",
)
@_limit_option
@_ci_options
@take_options(ApplyJobOptions)
def apply(options: ApplyJobOptions) -> int:
    """Plan, and apply the plan only if it is the reviewed one.

    Run ci reviewed first, which finds that one. If the plan is another, or if none was reviewed,
    nothing is applied, and the new plan is shown with its digest.

    Exit codes: as apply.

    \b
    Example:
      reconciler ci apply --env production manifests/
    """
    run = read_ci_run(os.environ)
    if run.is_untrusted or run.request:
        raise Refused(
            "ci apply runs on a branch, not for a pull request or merge request",
            hint="use ci plan there",
        )
    if options.digest and is_github(run) and run.attempt > 1:
        raise Refused(
            "a run with a digest is not repeated: its commit may be an old one",
            hint="start the job by hand again",
        )
    given, folder = _read_arguments(options.arguments), options.folder
    agreed = options.read_agreed(run.commit)
    prepare_folder(folder, os.environ)
    with redirect_stdout(io.StringIO()) as shown:
        planned = _plan(run, given, folder, options.limit)
    refused = find_disagreement(planned, agreed)
    if refused or not planned.is_applicable:
        click.echo(shown.getvalue(), nl=False)
        if refused:
            _show(run, replace(planned, exit_code=ERROR), folder, str(refused))
            raise refused
        _show(run, planned, folder)
        return planned.exit_code
    expected = agreed.digest if agreed else planned.digest
    code = _apply(run, given, expected, options)
    _show(run, replace(planned, exit_code=code), folder)
    if code != ERROR:
        report = folder / REPORT_FILE
        _note(f"the report is {report} (revert needs it: copy it to a private place)")
    if code == PARTLY:
        _note(_describe_rest(is_agreed=agreed is not None))
    return code


def _describe_rest(*, is_agreed: bool) -> str:
    """Say how to go on after some tasks were not changed: a plan of the rest is another one."""
    if not is_agreed:
        return "not all tasks were changed (run the job again to continue)"
    return (
        "not all tasks were changed (run the job again: it shows the plan of the rest; then run it "
        "by hand with the digest of that plan)"
    )


def _apply(run: CiRun, given: _Arguments, expected: str, options: ApplyJobOptions) -> int:
    """Apply the plan with a digest, which shows it again; what it did replaces it in the files.

    The digest is empty only for a plan that is redacted, and applied without a review.
    """
    folder = options.folder
    formats = list_format_options(run.kind, folder, "apply", limit=options.limit)
    digest = [f"--expect-digest={expected}"] if expected or not options.fresh else []
    report = f"--report={folder / REPORT_FILE}"
    return _run("apply", "--yes", report, *formats, *digest, *given.of_apply)


@command.command("drift")
@_folder_option
def drift(folder: Path) -> int:
    """Open, update or close the one issue about what has changed on the server.

    Run ci plan on the default branch first, on a schedule.

    \b
    Example:
      reconciler ci drift
    """
    run = read_ci_run(os.environ)
    planned = read_planned(folder, run.commit)
    with connect_to_forge(run, os.environ, warn=_note) as forge:
        text = _read_text(folder)
        _note(tell_drift(forge, run, planned, text, read_digest_key(os.environ)))
    return DONE


def _run(*arguments: str) -> int:
    """Run another command in this process."""
    from reconciler.cli.main import run as run_command  # noqa: PLC0415 - a cycle

    return run_command(arguments)


def _read_text(folder: Path) -> str:
    file = folder / MARKDOWN_FILE
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return "There is no plan: the log of the job says why.\n"


def _note(message: str) -> None:
    click.echo(f"reconciler: {escape_invisible(message)}", err=True)
