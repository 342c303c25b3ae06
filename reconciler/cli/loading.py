"""Manifests in, desired tasks out, with a word about it where it takes long."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.cli.output import Talk
from reconciler.cli.progress import Progress
from reconciler.contract.attributes import Attributes
from reconciler.manifest.desired import Desired
from reconciler.manifest.loader import load_manifests


def loaded(paths: Sequence[str], attributes: Attributes, *, talk: Talk) -> Desired:
    """Read and check the manifests; raises ManifestError."""
    with Progress(talk) as progress:
        return load_manifests(paths, attributes, watch=progress)
