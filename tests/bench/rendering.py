"""Rendering a plan of changes that all differ, in a process of its own.

``python -m tests.bench.rendering FORMAT COUNT`` prints what it took, as JSON: ``cpu`` and ``wall``
in seconds, without making the plan, and ``length``, how many characters were written.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from reconciler.cli.garbage_collection import relax_gc
from reconciler.core.plan_model import Plan
from reconciler.renderers.registry import Subject, render
from reconciler.renderers.render_options import RenderOptions
from tests.unit.renderers.plans import make_distinct_changes


def measure(form: str, plan: Plan) -> dict[str, Any]:
    """Render a plan, and tell what that took."""
    cpu, wall = time.process_time(), time.perf_counter()
    text = render(Subject.PLAN, plan, form, RenderOptions())
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "length": len(text),
    }


if __name__ == "__main__":
    relax_gc()  # As the command does.
    sys.stdout.write(json.dumps(measure(sys.argv[1], make_distinct_changes(int(sys.argv[2])))))
