"""A command line as a test gives it, and what it gave back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command line gave."""

    code: int
    out: str
    err: str

    def plan(self) -> dict[str, Any]:
        return dict(json.loads(self.out))

    def paths(self) -> dict[int, list[str]]:
        """Give the status and the changed paths of all tasks that are not as declared."""
        return {
            task["task"]: [task["status"], *(".".join(c["path"]) for c in task["changes"])]
            for task in self.plan()["tasks"]
        }


Command = Callable[..., Ran]
