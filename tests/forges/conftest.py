from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forges.github_world import World, build_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A repository on GitHub, and a server that is as its manifest declares."""
    with build_world(tmp_path) as world:
        yield world
