"""The command `reconciler`: runs the subcommand, and turns every error into one clear line."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

import click

from reconciler.cli.collaborators import Collaborators
from reconciler.cli.console import abandon_output
from reconciler.cli.exit_codes import ERROR, INTERRUPTED
from reconciler.cli.garbage_collection import freeze_gc, relax_gc
from reconciler.cli.signals import SIGNALS, print_interrupted
from reconciler.errors import ManifestError, ReconcilerError
from reconciler.renderers.wording import count_noun, escape_invisible

_COMMANDS: Final = {
    "validate": "Check manifests, offline.",
    "plan": "Show what would change on the server.",
    "apply": "Change it.",
    "revert": "Undo what an apply changed.",
    "show": "Show saved plans and reports.",
    "schema": "Build and check the manifest schema.",
    "sandbox": "Run a stand-in for Label Studio, to try and test with.",
}
"""The commands and what they do; the module of a command is imported only when it is called."""

_SWITCH_SECONDS: Final = 0.001
"""How long a thread that computes keeps the GIL from one that has a request to send.

With it 2 ms pass between a page and the request for the next one; with Python's 5 ms, 5 to 6.
"""


class _Commands(click.Group):
    """Imports the module of a command only when it is called: `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"reconciler.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


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

    Manifests in git say what tasks should be; plan shows what would change on the server, and
    apply changes only that.

    \b
    LABEL_STUDIO_URL           address of the server
    LABEL_STUDIO_API_KEY       token, of either kind
    LABEL_STUDIO_API_KEY_FILE  file that holds the token
    RECONCILER_HEADER_<NAME>   header for a gateway before the server

    \b
    Example:
      reconciler plan manifests/
    """


def main() -> None:
    """Run the command line and exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A value that the terminal's encoding cannot express is escaped; it must not end a run.
        sys.stdout.reconfigure(errors="backslashreplace")
    relax_gc()
    sys.setswitchinterval(_SWITCH_SECONDS)
    code = run(sys.argv[1:])
    freeze_gc()
    sys.exit(code)


def run(arguments: Sequence[str], *, collaborators: Collaborators = Collaborators()) -> int:  # noqa: B008 - it is frozen
    """Run a command line and return its exit code; only a bug ends in a traceback."""
    try:
        result = program.main(
            list(arguments), prog_name="reconciler", standalone_mode=False, obj=collaborators
        )
    except (click.Abort, KeyboardInterrupt):
        print_interrupted()
        return INTERRUPTED
    except Exception as error:
        # An interrupt may come out as an error of whatever it interrupted.
        if SIGNALS.interrupted:
            print_interrupted()
            return INTERRUPTED
        if not _print_error(error):
            raise
        return ERROR
    return result if isinstance(result, int) else 0


def _print_error(error: Exception) -> bool:
    """Print what went wrong; returns False for a bug."""
    match error:
        case ManifestError():
            for problem in error.problems:
                click.echo(escape_invisible(str(problem)), err=True)
            click.echo(f"{count_noun(len(error.problems), 'problem')} in the manifests", err=True)
        case ReconcilerError():
            lines = str(error).split("\n")
            click.echo("reconciler: " + "\n".join(map(escape_invisible, lines)), err=True)
        case click.ClickException():
            error.show()
        case OSError():
            abandon_output()
            click.echo(f"reconciler: {escape_invisible(str(error))}", err=True)
        case _:
            return False
    return True
