"""Manifests in, desired tasks out, with a word about it where it takes long."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.cli.output import Talk
from reconciler.cli.progress import Progress
from reconciler.contract.attributes import Attributes
from reconciler.manifest.desired import Desired
from reconciler.manifest.loader import load_manifests
from reconciler.plan.shard import Shard


def loaded(
    paths: Sequence[str],
    attributes: Attributes,
    shard: Shard | None = None,
    *,
    talk: Talk,
    compared: bool = True,
) -> Desired:
    """Read and check all manifests, and give the tasks of a shard; raises ManifestError.

    ``compared`` is as `load_manifests` has it.
    """
    with Progress(talk) as progress:
        desired = load_manifests(paths, attributes, watch=progress, compared=compared)
    return desired if shard is None else desired.part(shard.holds)
