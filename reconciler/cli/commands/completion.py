"""``reconciler completion``."""

from __future__ import annotations

import click

from reconciler.cli.console import print_result
from reconciler.cli.exit_codes import DONE
from reconciler.cli.shells import SHELLS, build_script


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
def command(shell: str) -> int:
    """Print the completion script of a shell: bash (4.4 or later), zsh or fish.

    It completes commands, options, formats, kinds of problems, environments of the nearest
    reconciler.toml, and the rules and manifests of --target.

    \b
    Example:
      reconciler completion bash > ~/.local/share/bash-completion/completions/reconciler
      reconciler completion zsh > ~/.zfunc/_reconciler
      reconciler completion fish > ~/.config/fish/completions/reconciler.fish
    """
    print_result(f"{build_script(shell).strip()}\n")
    return DONE
