"""The published SDK reading tasks, run by the Python of the environment that holds it.

``python sdk_peer.py URL TOKEN list PROJECT COUNT`` walks the SDK's task list with its defaults,
up to COUNT tasks; ``get FIRST COUNT`` asks for tasks one by one. Prints JSON: seconds, and how
many tasks came.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from itertools import islice

from label_studio_sdk import LabelStudio


def main(url: str, token: str, way: str, start: str, count: str) -> None:
    client = LabelStudio(base_url=url, api_key=token)
    started = time.perf_counter()
    if way == "list":
        tasks = sum(1 for _ in islice(client.tasks.list(project=int(start)), int(count)))
    else:
        ids = range(int(start), int(start) + int(count))
        tasks = sum(client.tasks.get(id=str(task)).id == task for task in ids)
    wall = time.perf_counter() - started
    said = {"wall": wall, "tasks": tasks, "version": version("label-studio-sdk")}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
