"""Wording and escaping for the lines that the command line prints itself.

They come from `reconciler.core`, which the command line does not import itself.
"""

from __future__ import annotations

from reconciler.core.allowances import describe_accepted
from reconciler.core.notation import count_noun, escape_invisible

__all__ = ["count_noun", "describe_accepted", "describe_declared", "escape_invisible"]


def describe_declared(tasks: int, rules: int | None) -> str:
    """Say what manifests declare, as in ``2 tasks and 3 rules``; rules only if there are any."""
    declared = count_noun(tasks, "task")
    return f"{declared} and {count_noun(rules, 'rule')}" if rules else declared
