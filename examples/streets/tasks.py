#!/usr/bin/env python3
"""Print a project of 2,400 photos of streets as a file for ``reconciler sandbox --tasks``.

The manifests beside this file change most of them; the pictures in the README show that plan::

    python examples/streets/tasks.py > streets.json
    reconciler sandbox --port 8080 --tasks streets.json
    reconciler plan examples/streets/manifests
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

_CITIES: Final = ("utrecht", "delft", "leiden", "zwolle")
_PHOTOS: Final = 600
"""Photos of each city."""

_CAPTIONS: Final = {
    "utrecht-0017": "Two bicycle at the station",
    "utrecht-0241": "A car in front of the bakery",
    "delft-0104": "A bicycle, half hiden by a tram",
}
_LABEL_CONFIG: Final = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image">'
    '<Label value="bicycle"/></RectangleLabels></View>'
)


def describe_project() -> dict[str, list[dict[str, Any]]]:
    """Return the project and its tasks, the same ones each time."""
    project = {
        "id": 12,
        "title": "Bicycles in the street",
        "label_config": _LABEL_CONFIG,
        "storage": "photos",
    }
    photos = [(city, number) for city in _CITIES for number in range(1, _PHOTOS + 1)]
    tasks = [_describe_task(5001 + n, city, number) for n, (city, number) in enumerate(photos)]
    return {"projects": [project], "tasks": tasks}


def _describe_task(task: int, city: str, number: int) -> dict[str, Any]:
    """Return one task: a fifth is for validation, half has a score, a third has annotations."""
    photo = f"{city}-{number:04}"
    caption = _CAPTIONS.get(photo, f"A street in {city.capitalize()}")
    return {
        "id": task,
        "project": 12,
        "data": {
            "image": f"s3://old-photos/{city}/{number:04}.jpg",
            "photo": photo,
            "caption": caption,
            "split": "val" if number % 5 == 0 else "train",
        },
        "meta": {"score": _score(task)} if number % 2 else {},
        "total_annotations": 3 if number % 3 == 0 else 0,
    }


def _score(task: int) -> float:
    """Return a number from 0 to 1, mostly in the middle."""
    return round(sum(task * factor % 101 for factor in (37, 61, 83)) / 300, 2)


def write_tasks() -> str:
    """Return the file, with a task on each line."""
    described = describe_project()
    lists = (
        f'"{name}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]"
        for name, rows in described.items()
    )
    return "{" + ",\n".join(lists) + "}\n"


if __name__ == "__main__":
    sys.stdout.write(write_tasks())
