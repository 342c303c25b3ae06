"""Git repositories in temporary folders, with histories that tests write."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WHO: Final = ("AUTHOR", "COMMITTER")


@dataclass(frozen=True, slots=True)
class GitRepository:
    """A repository; nothing of whoever runs the tests takes part."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> GitRepository:
        """Make an empty repository."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        made.git("init", "-q", "-b", "main")
        return made

    def git(self, *arguments: str) -> str:
        """Run git, and return what it prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        own = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_NAME": "Tester" for who in _WHO},
            **{f"GIT_{who}_EMAIL": "tester@example.org" for who in _WHO},
            **{f"GIT_{who}_DATE": "2026-01-01T00:00:00Z" for who in _WHO},
        }
        done = subprocess.run(  # noqa: S603 - what tests write
            ["git", "-C", str(self.folder), *arguments],  # noqa: S607 - wherever git is installed
            env={**kept, **own},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, files: dict[str, str | None]) -> None:
        """Write files; one without contents is deleted."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="")

    def commit(self, files: dict[str, str | None] | None = None) -> str:
        """Write files, and commit all there is; return the commit."""
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "manifests")
        return self.git("rev-parse", "HEAD")
