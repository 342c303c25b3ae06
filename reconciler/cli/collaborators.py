"""What a command line works with, and tests replace: the network, and the engine's apply."""

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
    """``transport`` replaces the network, and ``apply_plan`` that of `engine.apply`; or nothing."""

    transport: httpx.BaseTransport | None = None
    apply_plan: Callable[..., ApplyResult] | None = None


def get_collaborators() -> Collaborators:
    """Give those that the command line under way was started with."""
    collaborators: Collaborators = click.get_current_context().obj
    return collaborators
