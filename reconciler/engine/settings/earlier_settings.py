"""What a settings file says about the server of a run, read from text it had at another time."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The address and the numbers of projects in an environment.

    ``projects`` is None if no environment gives projects numbers. A name to which several files
    give different numbers is not in it, and is in ``disputed``.
    """

    url: str = ""
    projects: Mapping[str, int] | None = None
    disputed: frozenset[str] = field(default=frozenset())


def read_server_settings(texts: Iterable[bytes], environment: str) -> ServerSettings:
    """Read settings files leniently: what is not valid counts as not set."""
    urls: dict[str, None] = {}
    projects: dict[str, int] = {}
    disputed: set[str] = set()
    maps_projects = False
    for text in texts:
        values = _parse(text)
        tables = values.get("environments")
        tables = tables if isinstance(tables, dict) else {}
        maps_projects |= any("projects" in table for table in tables.values() if _is_table(table))
        table = tables.get(environment)
        chosen: Mapping[str, Any] = table if _is_table(table) else {}
        url = chosen.get("url") if environment else values.get("url")
        urls[str(url or "")] = None
        numbers = chosen.get("projects")
        for name, number in (numbers if _is_table(numbers) else {}).items():
            if type(number) is not int or projects.setdefault(name, number) != number:
                disputed.add(name)
    known = {name: number for name, number in projects.items() if name not in disputed}
    return ServerSettings("\n".join(urls), known if maps_projects else None, frozenset(disputed))


def _parse(text: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text.decode("utf-8-sig").replace("\r\n", "\n"))
    except (ValueError, RecursionError):
        return {}


def _is_table(value: object) -> bool:
    return isinstance(value, dict)
