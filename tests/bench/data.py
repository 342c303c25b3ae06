"""Projects of any size, the same on every machine: what manifests declare, and what is live.

A task is 376 bytes of YAML with the keys id, data, meta, overlap and inner_id. One task in a
hundred is declared to be something else than what is live.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

CHANGED_EVERY: Final = 100
LABEL_CONFIG: Final = (
    '<View><Text name="text" value="$text"/><Choices name="mood" toName="text">'
    '<Choice value="good"/><Choice value="bad"/></Choices></View>'
)
_WORDS: Final = re.findall(
    r"\w+",
    "the quick brown fox jumps over a lazy dog while seven wizards boil magic stew "
    "under pale moon light and nobody asks them why",
)
_LETTERS_MAX: Final = 148

Declared = dict[str, Any]


def _sentence(number: int) -> str:
    """Put words together; the number decides which, prime steps keep them apart."""
    text = " ".join(_WORDS[(number * 7 + place * place * 11) % len(_WORDS)] for place in range(60))
    return text[:_LETTERS_MAX].strip()


_SENTENCES: Final = tuple(map(_sentence, range(97)))


@dataclass(frozen=True, slots=True)
class Project:
    """``count`` tasks of one project, with the ids from ``first`` on."""

    count: int
    number: int = 1
    first: int = 1

    @property
    def ids(self) -> range:
        """The ids of its tasks."""
        return range(self.first, self.first + self.count)

    @property
    def changed(self) -> range:
        """The ids of the tasks that are declared to be something else than they are."""
        return self.ids[CHANGED_EVERY - 1 :: CHANGED_EVERY]

    @property
    def ruled(self) -> range:
        """The ids of the tasks that the rules change."""
        return self.ids[: self.count // CHANGED_EVERY]

    def position(self, task: int) -> int:
        """Tell which task of the project this is, counted from 1."""
        return task - self.first + 1

    def declared(self, task: int) -> Declared:
        """Give what a manifest declares of a task: half of the changed have another text, and
        the other half another overlap, which is one change that many share.
        """
        place = self.position(task)
        rest, changed = divmod(place, CHANGED_EVERY)
        new_text = not changed and rest % 2 == 1
        return {
            "id": task,
            "data": {
                "text": text_of(place) + (" Indeed." if new_text else ""),
                "image": f"s3://bucket/images/{place:08d}.jpg",
                "source": {"crawl": "2026-10", "batch": place // 100},
            },
            "meta": {"priority": place % 5, "lang": "en"},
            "overlap": 2 if not changed and rest % 2 == 0 else 1,
            "inner_id": place,
        }

    def keyed(self, task: int) -> Declared:
        """Give the same, with the key of the task in place of its id."""
        declared = self.declared(task)
        del declared["id"]
        return {"key": self.live_data(task)["external_id"], **declared}

    def rules(self, count: int = 5) -> list[dict[str, Any]]:
        """Give rules of each form; the first sets something on one task in a hundred."""
        rules: list[dict[str, Any]] = [
            {
                "name": "raise the priority of the first",
                "where": {"inner_id": {"lte": len(self.ruled)}},
                "set": {"overlap": 1, "meta": {"priority": 9}},
                "absent": ["data.old_flag"],
            },
            {
                "name": "label some twice, as they are",
                "where": {"meta.priority": 3, "data.source.crawl": "2026-10"},
                "set": {"overlap": 1},
            },
            {
                "name": "normalise the language",
                "where": {"meta.lang": ["en", "nl"]},
                "set": {"meta": {"lang": "en"}},
            },
            {"name": "drop the score", "absent": ["data.old_score"]},
            {
                "name": "pictures live in the new bucket",
                "where": {"data.image": {"prefix": "s3://old/"}},
                "rewrite": {"data.image": {"prefix": "s3://old/", "to": "s3://new/"}},
            },
        ]
        return rules[:count]

    def live_data(self, task: int) -> dict[str, Any]:
        """Give the whole ``data`` of a live task: what is declared, and a key that is not."""
        place = self.position(task)
        return {
            "text": text_of(place),
            "image": f"s3://bucket/images/{place:08d}.jpg",
            "source": {"crawl": "2026-10", "batch": place // 100},
            "external_id": f"x-{place:08d}",
        }

    def live_meta(self, task: int) -> dict[str, Any]:
        """Give the whole ``meta`` of a live task."""
        return {"priority": self.position(task) % 5, "lang": "en", "imported": "2026-10-01"}


def text_of(place: int) -> str:
    """Give the text of the task at a place: no two are alike."""
    return f"{place:07d} {_SENTENCES[place % len(_SENTENCES)]}"


def write_manifest(project: Project, file: Path) -> Path:
    """Write the manifest of a whole project, as YAML or as JSON lines by the file's suffix."""
    return write_tasks(project, map(project.declared, project.ids), file)


def write_keyed(project: Project, file: Path) -> Path:
    """Write the manifest of a whole project by keys, as JSON lines."""
    return write_tasks(project, map(project.keyed, project.ids), file, key="data.external_id")


def write_rules(project: Project, file: Path, count: int = 5) -> Path:
    """Write a manifest of rules alone, as JSON."""
    manifest = {"version": 1, "project": project.number, "rules": project.rules(count)}
    file.write_text(json.dumps(manifest), encoding="utf-8")
    return file


def write_tasks(project: Project, tasks: Iterable[Declared], file: Path, **header: str) -> Path:
    """Write these tasks piece by piece: the process that measures stays small.

    ``header`` is what JSON lines begin with beside the version and the project.
    """
    as_lines = file.suffix == ".jsonl"
    with file.open("w", encoding="utf-8") as output:
        if as_lines:
            output.write(json.dumps({"version": 1, "project": project.number, **header}) + "\n")
        else:
            output.write(f"version: 1\nproject: {project.number}\ntasks:\n")
        output.writelines(map(_line if as_lines else _yaml, tasks))
    return file


def _line(task: Declared) -> str:
    return json.dumps(task) + "\n"


def _yaml(task: Declared) -> str:
    data, meta = task["data"], task["meta"]
    return (
        f"  - id: {task['id']}\n"
        f"    data:\n"
        f"      text: {json.dumps(data['text'])}\n"
        f"      image: {json.dumps(data['image'])}\n"
        f"      source:\n"
        f'        crawl: "{data["source"]["crawl"]}"\n'
        f"        batch: {data['source']['batch']}\n"
        f"    meta:\n"
        f"      priority: {meta['priority']}\n"
        f"      lang: {meta['lang']}\n"
        f"    overlap: {task['overlap']}\n"
        f"    inner_id: {task['inner_id']}\n"
    )


def sandbox_description(project: Project) -> dict[str, Any]:
    """Describe the project as the sandbox is told of it."""
    tasks = [
        {
            "id": task,
            "project": project.number,
            "data": project.live_data(task),
            "meta": project.live_meta(task),
            "overlap": 1,
            "inner_id": project.position(task),
        }
        for task in project.ids
    ]
    known = {"id": project.number, "title": "Bench", "label_config": LABEL_CONFIG}
    return {"projects": [known], "tasks": tasks}


def in_chunks(ids: range, size: int) -> Iterator[range]:
    """Cut a range of ids into ranges of at most ``size``."""
    starts = islice(count(0, size), -(-len(ids) // size))
    return (ids[start : start + size] for start in starts)
