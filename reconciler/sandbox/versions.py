"""What the server says it is."""

from __future__ import annotations

from reconciler.sandbox.fields import Edition

RELEASES = {Edition.COMMUNITY: "1.23.2", Edition.ENTERPRISE: "2.37.0"}


def version_body(edition: Edition) -> dict[str, object]:
    """Return the answer of ``/api/version``: the release, and the edition with a capital letter."""
    release = RELEASES[edition]
    return {
        "release": release,
        "label-studio-os-package": {
            "version": RELEASES[Edition.COMMUNITY],
            "short_version": RELEASES[Edition.COMMUNITY].rpartition(".")[0],
            "latest_version_from_pypi": None,
            "latest_version_upload_time": None,
            "current_version_is_outdated": False,
        },
        "edition": edition.value.capitalize(),
        "backend": {"commit": "sandbox"},
    }
