"""Checks of a manifest that the schema cannot express and that need no server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.contract.attributes import Attributes
from reconciler.core.addresses import RESOLVED_PART, find_resolved_address
from reconciler.core.notation import format_path, format_value, shorten
from reconciler.core.paths import Path, PathIndex, are_nested
from reconciler.core.server_address import ChosenServer, is_same_server, normalize_address
from reconciler.core.values import Json
from reconciler.errors import Problem, SettingsError
from reconciler.manifest.declarations import MERGEABLE, Declaration, parse_absent_path
from reconciler.manifest.path_mistakes import (
    explain_no_path,
    explain_wildcard,
    suggest_spelling,
)
from reconciler.manifest.readers.document import MAX_DEPTH, Document, Entry
from reconciler.manifest.readers.source_map import Steps
from reconciler.manifest.wrong_values import NO_VARIABLES, is_variable

UNDEFINED: Final = "$undefined$"
"""A key whose value the server moves to the first key of the label config, overwriting it."""


def check_server(
    document: Document, header: Mapping[str, Any], chosen: ChosenServer | None
) -> Iterator[Problem]:
    """Check the server that a document declares: a valid address, and that of the run.

    ``chosen`` is the server of the run; None if the run needs no server.
    """
    declared = header.get("server")
    if declared is None:
        return
    try:
        address = normalize_address(declared)
    except SettingsError as error:
        hint = NO_VARIABLES if is_variable(declared) else error.hint
        yield _make_problem_at(document, ("server",), shorten(error.message, 200), hint)
        return
    if chosen and not is_same_server(address, chosen.address):
        yield _make_problem_at(
            document,
            ("server",),
            f"the manifest declares {shorten(address, 200)}, but this run uses "
            f"{chosen.address}, from {chosen.named_by}",
            "run against the declared server, or correct the manifest",
        )


def check_defaults(
    document: Document,
    header: Mapping[str, Any],
    *,
    attributes: Attributes,
    project: int | None = None,
) -> Iterator[Problem]:
    """Check the defaults of a document; ``header`` holds the keys that the schema accepts.

    ``project`` is the number of the project, negative if it is not known.
    """
    defaults = header.get("defaults", {})
    yield from check_attributes_at(document, ("defaults",), defaults, project)
    yield from check_absent(document, ("defaults",), defaults, attributes=attributes)


def check_key_path(
    document: Document, header: Mapping[str, Any], *, attributes: Attributes
) -> Iterator[Problem]:
    """Check the path of the keys that tasks are named by."""
    if "key" not in header:
        return
    problem = _explain_written_path(header["key"], "a key", attributes)
    if problem:
        yield _make_problem_at(document, ("key",), *problem)


def check_allowances(
    document: Document, header: Mapping[str, Any], *, attributes: Attributes
) -> Iterator[Problem]:
    """Check what a document allows: each kind of problem is one of ``data``."""
    for number, allowance in enumerate(header.get("allow", ())):
        paths = allowance.get("paths", ())
        for place, written in enumerate(paths):
            problem = _explain_written_path(written, "allowed", attributes)
            if problem is None and parse_absent_path(written)[0] != "data":
                problem = (
                    "expected a path inside data",
                    "only changes of data are blocked like this",
                )
            if problem is None and allowance["kind"] == "empty-data":
                problem = "empty-data is about data as a whole", "remove paths"
            if problem:
                yield _make_problem_at(document, ("allow", number, "paths", place), *problem)


def may_write_key(declared: Mapping[str, Any], key: Path) -> bool:
    """Tell, at once for most tasks, whether `check_key_is_kept` can find anything."""
    value = declared.get(key[0])
    is_around = type(value) is dict and key[1] not in value
    return "absent" in declared or (key[0] in declared and not is_around)


def check_key_is_kept(
    document: Document, steps: Steps, declared: Mapping[str, Any], key: Path
) -> Iterator[Problem]:
    """Check that a task, or the defaults, do not write the path of the keys.

    ``declared`` are the keys that the schema and `check_absent` accept.
    """
    shown = format_path(key)
    value: Json = dict(declared)
    for depth, part in enumerate(key):
        if not isinstance(value, dict):
            message = f"the key of the task is at {shown}, and a value without keys would remove it"
            yield _make_problem_at(document, (*steps, *key[:depth]), message, "remove it")
            break
        if part not in value:
            break
        value = value[part]
    else:
        message = "the key of the task is here, and cannot be declared"
        yield _make_problem_at(document, (*steps, *key), message, "remove it")
    for number, written in enumerate(declared.get("absent", ())):
        if are_nested(parse_absent_path(written), key):
            message = f"the key of the task is at {shown}, and cannot be removed"
            yield _make_problem_at(document, (*steps, "absent", number), message, "remove it")


def check_attributes(
    document: Document, entry: Entry, task: Mapping[str, Any], *, project: int | None
) -> Iterable[Problem]:
    """Check the keys of a task that the schema accepts, except ``absent``."""
    index, _, text = entry
    data = task.get("data")
    odd = isinstance(data, dict) and UNDEFINED in data
    elsewhere = _is_elsewhere(task, project)
    if not (odd or elsewhere or RESOLVED_PART.encode() in text):
        return ()  # as of most tasks
    return check_attributes_at(document, ("tasks", index), task, project)


def check_absent(
    document: Document, steps: Steps, task: Mapping[str, Any], *, attributes: Attributes
) -> Iterator[Problem]:
    """Check the paths in ``absent`` of a task, the defaults, or a rule at ``steps``."""
    seen = PathIndex()
    for number, written in enumerate(task.get("absent", ())):
        problem = _check_absent_path(written, task, attributes=attributes, seen=seen)
        if problem:
            yield _make_problem_at(document, (*steps, "absent", number), *problem)
            continue
        seen.add(parse_absent_path(written))


def find_emptied_data(declaration: Declaration) -> Iterator[Problem]:
    """Report a task that would lose every key of its data; defaults count as its own."""
    if "data" in declaration.header.replaced and declaration.build_attributes().get("data") == {}:
        yield Problem(
            declaration.source_of(("data",)),
            format_path(("tasks", declaration.position, "data")),
            "policy replace would remove every key of data here",
            "declare the keys to keep, or use policy merge: a task without data cannot be labelled",
        )


def check_attributes_at(
    document: Document, steps: Steps, attributes: Mapping[str, Json], project: int | None
) -> Iterator[Problem]:
    """Check the values of attributes at ``steps``, which the schema accepts."""
    yield from _check_addresses(document, steps, attributes)
    yield from _check_undefined(document, steps, attributes)
    yield from _check_project(document, steps, attributes, project)


def _check_addresses(
    document: Document, steps: Steps, attributes: Mapping[str, Json]
) -> Iterator[Problem]:
    for name in MERGEABLE:
        for at, address in _find_resolved(attributes.get(name), (*steps, name)):
            yield _make_problem_at(
                document,
                at,
                f"{shorten(format_value(address))} is an address that the server generated",
                "declare the stored address, such as s3://bucket/key",
            )


def _check_undefined(
    document: Document, steps: Steps, attributes: Mapping[str, Json]
) -> Iterator[Problem]:
    data = attributes.get("data")
    if isinstance(data, dict) and UNDEFINED in data:
        yield _make_problem_at(
            document,
            (*steps, "data", UNDEFINED),
            f"the server does not keep the key {UNDEFINED}, but stores its value under another key",
            "declare the key that the label config of the project uses",
        )


def _check_project(
    document: Document, steps: Steps, attributes: Mapping[str, Json], project: int | None
) -> Iterator[Problem]:
    if _is_elsewhere(attributes, project):
        yield _make_problem_at(
            document,
            (*steps, "project"),
            f"project {attributes['project']} here, but {project} at the top of the manifest",
            "correct one of the two: tasks are never moved",
        )


def _is_elsewhere(attributes: Mapping[str, Json], project: int | None) -> bool:
    """Tell whether another project than that of the document is declared.

    A negative number stands for a name, and is never known to differ.
    """
    return project is not None and project >= 0 and attributes.get("project", project) != project


def explain_inner_path(path: Path, verb: str, attributes: Attributes) -> tuple[str, str] | None:
    """Find what is wrong with a path that must be inside ``data`` or ``meta``.

    Returns a message, which says that it cannot be ``verb``, and a hint; None if it is there.
    """
    if path[0] not in MERGEABLE or len(path) == 1:
        return f"{format_path(path)} cannot be {verb}", _suggest_path(path, attributes, verb)
    if len(path) > MAX_DEPTH:
        message = f"{shorten(format_path(path[:MAX_DEPTH]))} is more than {MAX_DEPTH} keys deep"
        return message, "shorten the path"
    return None


def _explain_written_path(
    written: str | list[str], verb: str, attributes: Attributes
) -> tuple[str, str] | None:
    try:
        path = parse_absent_path(written)
    except ValueError:
        return explain_no_path(str(written), verb)
    if isinstance(written, str) and (problem := explain_wildcard(written, path)):
        return problem
    return explain_inner_path(path, verb, attributes)


def _check_absent_path(
    written: str | list[str],
    task: Mapping[str, Json],
    *,
    attributes: Attributes,
    seen: PathIndex,
) -> tuple[str, str] | None:
    """Find what is wrong with one element of ``absent``: a message and a hint, or None.

    ``seen`` are the paths before it.
    """
    problem = _explain_written_path(written, "absent", attributes)
    if problem:
        return problem
    path = parse_absent_path(written)
    other = seen.find_overlapping(path)
    if other == path:
        return f"duplicate path {format_path(path)}", "keep one of the two"
    if other is not None:
        return (
            f"one of {format_path(path)} and {format_path(other)} contains the other",
            "keep the shorter one",
        )
    return _find_contradiction(path, task)


def _suggest_path(path: Path, attributes: Attributes, verb: str) -> str:
    """Suggest what to write instead of a path outside of ``data`` and ``meta``."""
    if path[0] in MERGEABLE:
        if verb == "absent":
            return f"name the keys to remove, such as {path[0]}.old_key"
        return f"name a key inside it, such as {path[0]}.source"
    if suggestion := suggest_spelling(path):
        return suggestion
    if path[0] in attributes:
        return _ONLY_INSIDE.get(verb, "only keys inside data and meta can be")
    return f"did you mean {shorten(format_path(('data', *path)), 200)}?"


_ONLY_INSIDE: Final = {
    "absent": "only keys inside data and meta can be removed",
    "rewritten": "only strings inside data and meta can be rewritten",
    "a key": "only strings and integers inside data and meta can be keys",
    "allowed": "only changes inside data are blocked like this",
}


def _find_contradiction(path: Path, task: Mapping[str, Json]) -> tuple[str, str] | None:
    value: Json = dict(task)
    for depth, key in enumerate(path):
        if not isinstance(value, dict):
            parent = format_path(path[:depth])
            return (
                f"{parent} is declared with a value that has no keys",
                "remove this path, or that value",
            )
        if key not in value:
            return None
        value = value[key]
    return f"{format_path(path)} is declared, and also listed in absent", "remove one of the two"


def _find_resolved(value: Json, steps: Steps) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, str):
        address = find_resolved_address(value)
        if address is not None:
            yield steps, address
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _find_resolved(inner, (*steps, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _find_resolved(inner, (*steps, index))


def _make_problem_at(document: Document, steps: Steps, message: str, hint: str) -> Problem:
    source = document.locate_value(steps)
    return Problem(source, format_path(steps), message, hint)
