"""How a CI job installs this package: from where it was installed here."""

from __future__ import annotations

import json
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Final

PACKAGE: Final = "label-studio-reconciler"
SUBMODULE: Final = "pip install ./reconciler"
"""From a submodule in the folder ``reconciler``, if a clone was installed."""

_SAFE_URL: Final = re.compile(r"https://[A-Za-z0-9.-]+(?::\d+)?/[A-Za-z0-9._~/-]+")
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")


def find_install_command() -> str:
    """Return the command that installs this version: from git, the package index or a submodule.

    An address with a user name or a token in it is never returned.
    """
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        return SUBMODULE
    return choose_install_command(package)


def choose_install_command(package: Distribution) -> str:
    """Choose it by what pip recorded when it installed the package (PEP 610)."""
    recorded = package.read_text("direct_url.json")
    if recorded is None:
        return f"pip install {PACKAGE}=={package.version}"
    try:
        source = json.loads(recorded)
        url, commit = str(source["url"]), str(source["vcs_info"]["commit_id"])
    except (ValueError, LookupError, TypeError):
        return SUBMODULE
    if _SAFE_URL.fullmatch(url) and _COMMIT.fullmatch(commit):
        return f'pip install "{PACKAGE} @ git+{url}@{commit}"'
    return SUBMODULE
