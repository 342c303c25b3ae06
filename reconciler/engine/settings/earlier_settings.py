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
        tables = _to_table(values.get("environments"))
        maps_projects |= any("projects" in _to_table(table) for table in tables.values())
        chosen = _to_table(tables.get(environment))
        url = chosen.get("url") if environment else values.get("url")
        urls[str(url or "")] = None
        for name, number in _to_table(chosen.get("projects")).items():
            if type(number) is not int or projects.setdefault(name, number) != number:
                disputed.add(name)
    known = {name: number for name, number in projects.items() if name not in disputed}
    return ServerSettings("\n".join(urls), known if maps_projects else None, frozenset(disputed))


def _parse(text: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text.decode("utf-8-sig").replace("\r\n", "\n"))
    except (ValueError, RecursionError):
        return {}


def _to_table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
