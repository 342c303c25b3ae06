"""Keys whose name contains dots, beside a declared path that is spelled the same.

`data.llm.inputs.ctx` means nested objects. A task may hold the key `llm.inputs.ctx` instead, and a
manifest that means this key must write `data["llm.inputs.ctx"]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.core.model import Change, DesiredTask
from reconciler.core.notation import format_path
from reconciler.core.paths import Path, get_value, iterate_leaves
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.values import ABSENT, Side


def find_flat_keys(
    desired: DesiredTask, changes: tuple[Change, ...], live: Mapping[str, Side]
) -> tuple[TaskProblem, ...]:
    """Warn of declared paths that do not exist on the server while a flat key of that name does."""
    absent = (path for path in desired.absent if get_value(live, path) is ABSENT)
    added = (
        path
        for change in changes
        if change.before is ABSENT
        for path, _ in iterate_leaves(change.path, change.after)
    )
    return (*_warn_of_absent(absent, live), *_warn_of_added(added, live))


def _warn_of_absent(paths: Iterator[Path], live: Mapping[str, Side]) -> Iterator[TaskProblem]:
    for path, flat in _find_all(paths, live):
        yield TaskProblem(
            Kind.FLAT_KEY,
            f"{format_path(path)} does not exist, but {format_path(flat)} does",
            f"if you mean that key, write '{format_path(flat)}' under absent",
        )


def _warn_of_added(paths: Iterator[Path], live: Mapping[str, Side]) -> Iterator[TaskProblem]:
    for path, flat in _find_all(paths, live):
        yield TaskProblem(
            Kind.FLAT_KEY,
            f"would add {format_path(path)} and leave {format_path(flat)} unchanged",
            "if you mean that key, declare it as one key, with the dots in its name",
        )


def _find_all(paths: Iterator[Path], live: Mapping[str, Side]) -> Iterator[tuple[Path, Path]]:
    for path in paths:
        flat = find_flat_key(live, path)
        if flat:
            yield path, flat


def find_flat_key(live: Mapping[str, Side], path: Path) -> Path:
    """Return the path of a live value that is spelled like ``path`` with fewer, dotted keys.

    ``path`` itself must not exist. Returns an empty path if there is none.
    """
    name, *keys = path
    found = _find_spelling(live.get(name, ABSENT), tuple(keys)) if len(keys) > 1 else ()
    return (name, *found) if found else ()


def _find_spelling(value: Side, keys: Path) -> Path:
    if not isinstance(value, dict):
        return ()
    for end in range(len(keys), 0, -1):
        key = ".".join(keys[:end])
        if key in value:
            if end == len(keys):
                return (key,)
            if rest := _find_spelling(value[key], keys[end:]):
                return (key, *rest)
    return ()
