"""What goes to the terminal: results to standard output, all else to standard error."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass

import click

from reconciler.renderers.style import Style
from reconciler.renderers.wording import escape_invisible


@dataclass(frozen=True, slots=True)
class Console:
    """How much to say beside the results."""

    quiet: bool = False
    verbose: bool = False

    def note(self, text: str) -> None:
        """Say what is done, unless quiet."""
        if not self.quiet:
            _write_line(text)

    def detail(self, text: str) -> None:
        """Say how it is done, if verbose."""
        if self.verbose and not self.quiet:
            _write_line(text)


def _write_line(text: str) -> None:
    """Write a line beside the results; that it cannot be written must not cost the results."""
    with suppress(OSError):
        click.echo(escape_invisible(text), err=True)


def print_result(text: str) -> None:
    """Print a result."""
    click.echo(text, nl=False, color=True)


def print_outcome(text: str) -> None:
    """Print what was done; that nobody can read it does not make it undone."""
    try:
        print_result(text)
    except OSError:
        abandon_output()


def abandon_output() -> None:
    """Let go of a standard output that failed: its rest would fail at exit, with code 120."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def choose_style() -> Style:
    """Choose colour where standard output is a terminal and nobody minds."""
    # A closed standard output is None.
    terminal = sys.stdout is not None and sys.stdout.isatty()
    minds = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Style(color=terminal and not minds)
