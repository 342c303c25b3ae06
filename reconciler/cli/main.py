"""The command `reconciler`: runs a subcommand, and prints every error as a message."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.collaborators import Collaborators
from reconciler.cli.console import abandon_output
from reconciler.cli.exit_codes import ERROR, INTERRUPTED
from reconciler.cli.garbage_collection import freeze_gc, relax_gc
from reconciler.cli.signals import SIGNALS, print_interrupted
from reconciler.errors import ManifestError, ReconcilerError
from reconciler.renderers.wording import escape_invisible

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS: Final = {
    "init": "Make a folder with settings, a first manifest and CI.",
    "pull": "Write manifests for the tasks of a project.",
    "validate": "Check manifests without a server.",
    "plan": "Show what would change on the server.",
    "apply": "Show what would change, ask, and change it.",
    "revert": "Undo what an apply changed.",
    "show": "Show saved plans and reports.",
    "doctor": "Check the server, the token and manifests.",
    "ci": "Plan, review and apply in CI jobs.",
    "schema": "Build and check the manifest schema.",
    "sandbox": "Run a local stand-in for Label Studio.",
    "completion": "Print the completion script of a shell.",
}
"""The commands, each with its line in the help."""

_SWITCH_SECONDS: Final = 0.001
"""How long a computing thread may keep the GIL while another one has a request to send.

Then 2 ms pass between a page and the request for the next one; with Python's default of 5 ms, 5
to 6.
"""


class _Commands(click.Group):
    """Imports the module of a command only when it runs, to keep `--help` fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"reconciler.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_unknown = args[0] not in _COMMANDS and not args[0].startswith("-")
        if is_unknown and not ctx.resilient_parsing:
            from reconciler.cli.suggestions import suggest_command  # noqa: PLC0415 - rarely needed

            suggestion = suggest_command(args[0], list(_COMMANDS))
            ctx.fail(f"No such command {args[0]!r}{suggestion and f' ({suggestion})'}.")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands without importing their modules, and options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - rarely needed

        found = [
            CompletionItem(name, help=line)
            for name, line in _COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


COMPLETION_VARIABLE: Final = "_RECONCILER_COMPLETE"
"""Set by the completion scripts of shells; click reads it."""


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - as click calls it
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version  # noqa: PLC0415 - 20 ms that only this needs

        click.echo(f"reconciler {version('label-studio-reconciler')}")
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def program() -> None:
    """Label Studio tasks as code.

    Manifests in git declare what tasks should be; plan shows what would change on the server, and
    apply changes only that.

    \b
    Environment:
      LABEL_STUDIO_URL           address of the server
      LABEL_STUDIO_API_KEY       access token, personal or legacy
      LABEL_STUDIO_API_KEY_FILE  file that holds the token
      RECONCILER_ENV             environment of reconciler.toml, as --env
      RECONCILER_HEADER_<NAME>   header for a gateway in front of the server

    \b
    Exit codes:
      0    success
      1    error, wrong usage, or a blocked task; nothing was changed
      2    there are changes (plan --detailed-exitcode)
      3    partially applied; run the command again, or plan again if tasks are stale
      130  interrupted

    \b
    Example:
      reconciler plan manifests/
    """


def main() -> None:
    """Run the command line and exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Escape what the encoding of the terminal cannot express, instead of ending the run.
        sys.stdout.reconfigure(errors="backslashreplace")
    relax_gc()
    sys.setswitchinterval(_SWITCH_SECONDS)
    code = run(sys.argv[1:])
    freeze_gc()
    sys.exit(code)


def run(arguments: Sequence[str], *, collaborators: Collaborators = Collaborators()) -> int:  # noqa: B008 - it is frozen
    """Run a command line and return its exit code; only a bug raises an exception."""
    if COMPLETION_VARIABLE in os.environ:
        from reconciler.cli.shells import add_shells  # noqa: PLC0415 - only for completion

        add_shells()
    try:
        result = program.main(
            list(arguments), prog_name="reconciler", standalone_mode=False, obj=collaborators
        )
    except (click.Abort, KeyboardInterrupt):
        print_interrupted()
        return INTERRUPTED
    except Exception as error:
        # What was interrupted may have turned the interrupt into an error of its own.
        if SIGNALS.interrupted:
            print_interrupted()
            return INTERRUPTED
        if not _print_error(error, arguments):
            raise
        return ERROR
    return result if isinstance(result, int) else 0


def _print_error(error: Exception, arguments: Sequence[str]) -> bool:
    """Print what went wrong; returns False for a bug."""
    match error:
        case ManifestError():
            from reconciler.renderers.problem_lines import format_problems  # noqa: PLC0415 - as above

            for line in format_problems(error.problems, full="--full" in arguments):
                click.echo(line, err=True)
        case ReconcilerError():
            for note in getattr(error, "__notes__", ()):
                click.echo(f"reconciler: {escape_invisible(note)}", err=True)
            lines = str(error).split("\n")
            click.echo("reconciler: " + "\n".join(map(escape_invisible, lines)), err=True)
        case click.NoSuchOption():
            _print_no_such_option(error, arguments)
        case click.ClickException():
            error.show()
        case OSError():
            abandon_output()
            click.echo(f"reconciler: {escape_invisible(_describe_os_error(error))}", err=True)
        case _:
            return False
    return True


def _print_no_such_option(error: click.NoSuchOption, arguments: Sequence[str]) -> None:
    from reconciler.cli.suggestions import find_written, suggest_option  # noqa: PLC0415 - as above

    name = find_written(error.option_name, arguments)
    command = error.ctx.command if error.ctx else program
    known = {option for parameter in command.params for option in parameter.opts}
    suggestion = suggest_option(name, command.name, error.possibilities or (), known=known)
    hint = suggestion and f" ({suggestion})"
    click.UsageError(f"No such option {name!r}{hint}.", error.ctx).show()


def _describe_os_error(error: OSError) -> str:
    """Write an error of the operating system without its number."""
    if error.filename is None and isinstance(error, FileNotFoundError):
        try:
            Path.cwd()
        except FileNotFoundError:
            return "the current folder no longer exists (change to one that does)"
    message = error.strerror or str(error)
    return message if error.filename is None else f"{error.filename}: {message}"
