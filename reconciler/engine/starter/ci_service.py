"""The CI service of a repository, found from its remotes and files."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Final

_CONFIG_MAX: Final = 100_000
"""Bytes of ``.git/config`` that are read: hundreds of remotes are smaller."""

_REMOTE: Final = re.compile(r"^\s*url\s*=\s*(\S+)", re.MULTILINE)
_HOST: Final = re.compile(r"(?:[a-z+]+://)?(?:[^@/]*@)?([^:/]+)", re.IGNORECASE)


class CiService(Enum):
    """A service that plans pull requests and applies merges."""

    GITHUB = "github"
    GITLAB = "gitlab"


_FILES: Final = {
    CiService.GITHUB: (".github",),
    CiService.GITLAB: (".gitlab-ci.yml", ".gitlab"),
}


def find_ci_service(repository: Path) -> CiService | None:
    """Find the service by the hosts of git's remotes, then by files; None if it is not clear."""
    hosts = " ".join(_list_hosts(repository))
    named = [service for service in CiService if service.value in hosts]
    used = [
        service
        for service, names in _FILES.items()
        if any((repository / name).exists() for name in names)
    ]
    return next((found[0] for found in (named, used) if len(found) == 1), None)


def _list_hosts(repository: Path) -> list[str]:
    """List the hosts of the remotes, in lower case; none if git keeps them elsewhere."""
    try:
        with (repository / ".git" / "config").open("rb") as file:
            text = file.read(_CONFIG_MAX).decode(errors="replace")
    except OSError:
        return []
    found = (_HOST.match(address) for address in _REMOTE.findall(text))
    return [match[1].lower() for match in found if match]
