"""Members of the objects that forges send; what is missing or null is empty."""

from __future__ import annotations

from reconciler.core.values import Json
from reconciler.errors import ForgeError


def get_object(row: dict[str, Json], name: str) -> dict[str, Json]:
    """Return a member that is an object, or an empty one."""
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def get_text(row: dict[str, Json], name: str) -> str:
    """Return a member that is a text, or an empty one."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def get_number(row: dict[str, Json], name: str) -> int:
    """Return a member that is an integer; raises ForgeError if it is not."""
    value = row.get(name)
    if type(value) is not int:
        raise ForgeError(f"expected a number as {name}, found {value!r:.100}")
    return value
