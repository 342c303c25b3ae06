"""How CI gets this package: from where it was installed here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Final

PACKAGE: Final = "label-studio-reconciler"

_SAFE_URL: Final = re.compile(r"https://[A-Za-z0-9.-]+(?::\d+)?/[A-Za-z0-9._~/-]+")
_ON_GITHUB: Final = re.compile(r"https://github\.com/([A-Za-z0-9-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?")
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True)
class PackageSource:
    """Where CI gets this version: by a command, or as an action of GitHub.

    Both are of a submodule in the folder ``reconciler`` if nothing else is known, such as for a
    clone. The action is in no package index.
    """

    install: str = "pip install ./reconciler"
    action: str = "./reconciler # a submodule of this repository"


SUBMODULE: Final = PackageSource()


def find_package_source() -> PackageSource:
    """Find it by what is installed here; an address with a token in it is never returned."""
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        return SUBMODULE
    return choose_package_source(package)


def choose_package_source(package: Distribution) -> PackageSource:
    """Choose it by what pip recorded when it installed the package (PEP 610)."""
    recorded = package.read_text("direct_url.json")
    if recorded is None:
        return PackageSource(install=f"pip install {PACKAGE}=={package.version}")
    try:
        source = json.loads(recorded)
        url, commit = str(source["url"]), str(source["vcs_info"]["commit_id"])
    except (ValueError, LookupError, TypeError):
        return SUBMODULE
    if not (_SAFE_URL.fullmatch(url) and _COMMIT.fullmatch(commit)):
        return SUBMODULE
    install = f'pip install "{PACKAGE} @ git+{url}@{commit}"'
    if repository := _ON_GITHUB.fullmatch(url):
        return PackageSource(install, action=f"{repository[1]}@{commit}")
    return PackageSource(install)
