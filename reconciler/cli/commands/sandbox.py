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
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option(
    "--edition",
    type=click.Choice(EDITIONS),
    default=EDITIONS[0],
    show_default=True,
    help="Which edition to behave like.",
)
@click.option(
    "--release",
    type=click.Choice(RELEASES),
    default=NEWEST_RELEASE,
    show_default=True,
    help="Which release to behave like.",
)
@click.option(
    "--tasks",
    "file",
    type=click.Path(path_type=Path),
    help="JSON file with projects and tasks to begin with.",
)
def command(*, port: int, edition: str, release: str, file: Path | None) -> int:
    """Run a stand-in for Label Studio on loopback, to try and test with.

    It keeps tasks in memory, and has the traps of the real one.

    \b
    Example:
      reconciler sandbox --port 8080 --tasks examples/sandbox.json
    """
    state = load_sandbox(file, edition=edition, release=release)

    def announce(url: str, token: str) -> None:
        click.echo(f"export LABEL_STUDIO_URL={url}")
        click.echo(f"export LABEL_STUDIO_API_KEY={token}")
        click.echo("Ctrl-C stops it.", err=True)

    # Being stopped is how it ends: there is nothing to be said about it.
    try:
        serve_sandbox(state, port, announce=announce)
    except KeyboardInterrupt:
        return INTERRUPTED
