"""What a run of the bench is told, and where it writes what it needs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.data import Project, write_manifest

YAML_MAX: Final = 100_000
"""Tasks above which only JSON lines are measured: who has more writes no YAML."""

QUICK_SIZES: Final = (1_000, 10_000)
SIZES: Final = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Options:
    """``sizes`` in tasks, ascending; ``runs`` of each figure.

    ``rich`` is how many megabytes of rich tasks are measured. What varies most is measured
    ``times`` times a run, in turn with what stands beside it.
    """

    folder: Path
    sizes: tuple[int, ...] = SIZES
    runs: int = 5
    times: int = 3
    patches: int = 2_000
    rich: int = 100
    concurrencies: tuple[int, ...] = (1, 4, 16, 64)

    @property
    def yaml_sizes(self) -> tuple[int, ...]:
        """The sizes that are measured as YAML too."""
        return tuple(size for size in self.sizes if size <= YAML_MAX)

    @property
    def main(self) -> int:
        """The size that most budgets speak of."""
        return (self.yaml_sizes or self.sizes)[-1]

    def manifest(self, project: Project, suffix: str) -> Path:
        """Give the manifest of a project, written when it is first asked for."""
        name = f"{project.number}-{project.first}-{project.count}{suffix}"
        file = self.folder / name
        return file if file.exists() else write_manifest(project, file)


def tell(what: str) -> None:
    """Say on standard error what is going on."""
    sys.stderr.write(f"bench: {what}\n")
    sys.stderr.flush()
