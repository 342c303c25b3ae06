"""Output: results go to standard output, and everything else to standard error."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass

import click

from reconciler.renderers.style import Style
from reconciler.renderers.wording import escape_invisible


@dataclass(frozen=True, slots=True)
class Console:
    """How much to print in addition to results."""

    quiet: bool = False
    verbose: bool = False

    def note(self, text: str) -> None:
        """Print a line for the user, unless quiet."""
        if not self.quiet:
            _write_line(text)

    def warn(self, text: str) -> None:
        """Print a line that says why a run is no success, even if quiet."""
        _write_line(text)

    def detail(self, text: str) -> None:
        """Print a line on how the work is done, if verbose."""
        if self.verbose and not self.quiet:
            _write_line(text)


def _write_line(text: str) -> None:
    """Write a line to standard error; if that fails, the results must still be printed."""
    with suppress(OSError):
        click.echo(escape_invisible(text), err=True)


def print_result(text: str) -> None:
    """Print a result."""
    click.echo(text, nl=False, color=True)


def print_outcome(text: str) -> None:
    """Print what was done; a failure to print does not make the run a failure."""
    try:
        print_result(text)
    except OSError:
        abandon_output()


def abandon_output() -> None:
    """Discard the rest of a failed standard output: at exit it would fail with code 120."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def choose_style() -> Style:
    """Use colour on a terminal; NO_COLOR and FORCE_COLOR decide first, as in Python itself."""
    if os.environ.get("NO_COLOR"):
        return Style(color=False)
    if os.environ.get("FORCE_COLOR", "0") not in {"", "0"}:
        return Style(color=True)
    return Style(color=_is_terminal() and os.environ.get("TERM") != "dumb")


def measure_terminal() -> int | None:
    """Return the columns of the terminal; None if standard output is not a terminal."""
    return shutil.get_terminal_size().columns if _is_terminal() else None


def _is_terminal() -> bool:
    # A closed standard output is None.
    return sys.stdout is not None and sys.stdout.isatty()
