"""The parts of a command line that tests replace: the network, and the engine's apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import httpx

    from reconciler.engine.apply import ApplyResult


@dataclass(frozen=True, slots=True)
class Collaborators:
    """``transport`` replaces the network, ``apply_plan`` the one of `engine.apply`.

    None replaces nothing.
    """

    transport: httpx.BaseTransport | None = None
    apply_plan: Callable[..., ApplyResult] | None = None


def get_collaborators() -> Collaborators:
    """Return the collaborators of the command line that is running."""
    collaborators: Collaborators = click.get_current_context().obj
    return collaborators
