"""The releases that the sandbox can simulate, and how each one differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.errors import SettingsError
from reconciler.sandbox.fields import Edition


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release, and how it differs from the newest one; see docs/server-facts.md.

    ``stored_too`` names attributes that this release stores in any edition, and shows in every
    response, whatever ``include`` says. ``single_reads_resolve`` is true if the read of one task
    ignores ``resolve_uri``. ``resolves_to`` is the last part of the address that replaces a storage
    address. ``embeds`` is true if the object itself replaces it when the storage does not presign.
    ``fails_on_lost`` is true if requests for a task without a project return 500.
    """

    version: str
    open_source: str
    stored_too: frozenset[str] = frozenset()
    single_reads_resolve: bool = False
    resolves_to: str = "resolve"
    embeds: bool = False
    fails_on_lost: bool = False


NEWEST: Final = "1.23"
_COMMUNITY: Final[Mapping[str, Release]] = {
    # With the feature flag of the storage proxy off; 1.23 no longer has the flag.
    "1.22": Release(
        version="1.22.0",
        open_source="1.22.0",
        stored_too=frozenset({"allow_skip"}),
        single_reads_resolve=True,
        resolves_to="presign",
        embeds=True,
        fails_on_lost=True,
    ),
    NEWEST: Release(version="1.23.2", open_source="1.23.2"),
}
_ENTERPRISE: Final = Release(version="2.37.0", open_source="1.23.2")
NAMES: Final = tuple(_COMMUNITY)


def find_release(edition: Edition, name: str = NEWEST) -> Release:
    """Return a release by its name; raises SettingsError if the edition has no such release."""
    known = _COMMUNITY if edition is Edition.COMMUNITY else {NEWEST: _ENTERPRISE}
    if name not in known:
        raise SettingsError(
            f"the sandbox does not know release {name} of the {edition} edition",
            hint=f"choose one of: {', '.join(known)}",
        )
    return known[name]


def build_version_body(edition: Edition, release: Release) -> dict[str, object]:
    """Build the body of ``/api/version``."""
    return {
        "release": release.version,
        "label-studio-os-package": {
            "version": release.open_source,
            "short_version": release.open_source.rpartition(".")[0],
            "latest_version_from_pypi": None,
            "latest_version_upload_time": None,
            "current_version_is_outdated": False,
        },
        "edition": edition.value.capitalize(),
        "backend": {"commit": "sandbox"},
    }
