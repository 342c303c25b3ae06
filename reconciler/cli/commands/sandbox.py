"""``reconciler sandbox``."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exit_codes import INTERRUPTED
from reconciler.engine.sandbox import (
    EDITIONS,
    NEWEST_RELEASE,
    RELEASES,
    load_sandbox,
    serve_sandbox,
)


@click.command("sandbox")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port to listen on; 0 for any free one.",
)
@click.option(
    "--edition",
    type=click.Choice(EDITIONS),
    default=EDITIONS[0],
    show_default=True,
    help="The edition to imitate.",
)
@click.option(
    "--release",
    type=click.Choice(RELEASES),
    default=NEWEST_RELEASE,
    show_default=True,
    help="The release to imitate.",
)
@click.option(
    "--tasks",
    "file",
    type=click.Path(path_type=Path),
    help="JSON file of projects and tasks to start with.  [default: one project with 5 tasks]",
)
def command(*, port: int, edition: str, release: str, file: Path | None) -> int:
    """Run a local stand-in for Label Studio, to try things out and for tests.

    It keeps its tasks in memory, and behaves like the real server, traps included.

    \b
    Example:
      reconciler sandbox --port 8080 --tasks examples/sandbox.json
    """
    state = load_sandbox(file, edition=edition, release=release)

    def announce(url: str, token: str) -> None:
        click.echo(f"export LABEL_STUDIO_URL={url}")
        click.echo(f"export LABEL_STUDIO_API_KEY={token}")
        click.echo("Press Ctrl-C to stop the sandbox.", err=True)

    # Ctrl-C is the normal end: nothing is printed about it.
    try:
        serve_sandbox(state, port, announce=announce)
    except KeyboardInterrupt:
        return INTERRUPTED
