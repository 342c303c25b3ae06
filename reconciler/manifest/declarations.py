"""What one document declares about one task, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from reconciler.core.notation import Path, parse_path
from reconciler.core.values import Json
from reconciler.errors import Source
from reconciler.manifest.readers.document import Document
from reconciler.manifest.readers.source_map import Steps

MERGEABLE: Final = ("data", "meta")
"""The attributes that hold objects, and that have a policy."""

NOT_ATTRIBUTES: Final = frozenset({"id", "absent"})
"""The keys of a task that are not attributes."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a document declares for all its tasks."""

    document: Document
    project: int | None
    replaced: frozenset[str]
    defaults: Mapping[str, Json]

    def source_of(self, key: str) -> Source:
        """Return the place of ``key``, which must be there."""
        return self.document.locate_key((key,))

    def add_defaults(self, own: Mapping[str, Json], absent: tuple[Path, ...]) -> Mapping[str, Json]:
        """Merge the defaults under a task's own values, without the paths in ``absent``."""
        return _lay_below(self.defaults, own, absent, ()) if self.defaults else own

    def read_declaration(self, index: int) -> Declaration:
        """Read the declaration of one task again; raises ManifestError if its file has changed."""
        # It was checked, and no other code holds it: what is not an attribute can be popped.
        own = cast("dict[str, Any]", self.document.read_task(index))
        absent = tuple(map(parse_absent_path, own.pop("absent", ())))
        return Declaration(self, index, int(own.pop("id")), own, absent)


class Declaration(NamedTuple):
    """One entry of a document's ``tasks``, with the places of its paths."""

    header: Header
    position: int
    id: int
    own: Mapping[str, Json]
    absent: tuple[Path, ...]

    @property
    def source(self) -> Source:
        """Where the entry begins."""
        document = self.header.document
        return document.locate_value(("tasks", self.position))

    def build_attributes(self) -> Mapping[str, Json]:
        """Return the declared attributes, defaults included."""
        return self.header.add_defaults(self.own, self.absent)

    def source_of(self, path: Path) -> Source:
        """Return the place of ``path``, or else of its nearest declared parent."""
        document = self.header.document
        if path in self.absent:
            steps: Steps = ("tasks", self.position, "absent", self.absent.index(path))
            return document.locate_value(steps)
        places: tuple[Steps, Steps] = (("tasks", self.position, *path), ("defaults", *path))
        for end in range(len(path), 0, -1):
            for place in places:
                steps = place[: len(place) - len(path) + end]
                try:
                    return document.locate_key(steps)
                except LookupError:
                    continue
        return self.source

    def iterate_leaves(self) -> Iterator[Path]:
        """List the paths that this declaration manages."""
        for name, value in self.build_attributes().items():
            yield from _iterate_leaves((name,), value, whole=name in self.header.replaced)
        yield from self.absent


def read_header(document: Document, accepted: Mapping[str, Any]) -> Header:
    """Build a header from the keys of a document that the schema accepts."""
    policy = accepted.get("policy", {})
    project = accepted.get("project")
    return Header(
        document,
        None if project is None else int(project),
        frozenset(name for name in MERGEABLE if policy.get(name) == "replace"),
        accepted.get("defaults", {}),
    )


def parse_absent_path(written: str | list[str]) -> Path:
    """Read an element of ``absent``; raises ValueError."""
    return tuple(written) if isinstance(written, list) else parse_path(written)


def _lay_below(
    defaults: Mapping[str, Json], own: Mapping[str, Json], absent: tuple[Path, ...], at: Path
) -> dict[str, Json]:
    result = dict(own)
    for key, default in defaults.items():
        path = (*at, key)
        if path in absent:
            continue
        value = own.get(key)
        if isinstance(default, dict) and (key not in own or isinstance(value, dict)):
            result[key] = _lay_below(
                default, value if isinstance(value, dict) else {}, absent, path
            )
        elif key not in own:
            result[key] = default
    return result


def _iterate_leaves(path: Path, value: Json, *, whole: bool) -> Iterator[Path]:
    if isinstance(value, dict) and value and not whole:
        for key, inner in value.items():
            yield from _iterate_leaves((*path, key), inner, whole=False)
    else:
        yield path
