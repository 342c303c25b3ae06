"""Writing what formats rendered to files."""

from __future__ import annotations

from reconciler.artifacts.whole_file import write_output

__all__ = ["write_output"]
