"""What to pull, and how to write it: the options of `pull`, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any, Final

from reconciler.contract.attributes import Attributes
from reconciler.core.conditions import Condition
from reconciler.core.notation import format_path, shorten
from reconciler.core.paths import Path, are_nested
from reconciler.core.values import Json
from reconciler.errors import Refused
from reconciler.manifest.checks import explain_inner_path
from reconciler.manifest.rule_declarations import read_conditions
from reconciler.manifest.writers.manifest_text import Format

__all__ = ["Format", "PullOptions", "check_options"]

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json", ".jsonl", ".csv"})


@dataclass(frozen=True, slots=True)
class PullOptions:
    """What to pull, and how to write it.

    ``project`` is a number or a name, ``ids`` are the wanted tasks, in ascending ranges that do not
    overlap, None for all. ``fields`` are the paths to declare; empty for ``data``, ``meta`` and
    what differs from a new task. ``key`` is the path of the keys that name tasks. ``split_by``
    makes a file for each value at that path. ``per_file`` is the most tasks of a file.
    """

    project: int | str
    out: FilePath
    ids: tuple[range, ...] | None = None
    where: Mapping[str, Json] = field(default_factory=dict)
    fields: tuple[Path, ...] = ()
    key: Path | None = None
    split_by: Path | None = None
    per_file: int | None = None
    form: Format = Format.YAML
    hoist: bool = False
    redact: tuple[Path, ...] = ()
    force: bool = False


def check_options(options: PullOptions, attributes: Attributes) -> tuple[Condition, ...]:
    """Check options against the contract, and return the conditions of ``where``.

    Raises Refused, and ManifestError for conditions.
    """
    if options.split_by and options.per_file is not None:
        raise Refused(
            "nothing was pulled: --split-by and --per-file exclude each other",
            hint="pass one of the two",
        )
    _check_folder(options.out)
    for path in options.fields:
        _check_field(path, attributes)
    _check_key(options, attributes)
    if options.split_by:
        _check_known("--split-by", options.split_by, attributes)
    for path in options.redact:
        _check_known("--redact", path, attributes)
    for option, shown in (("--key", options.key), ("--split-by", options.split_by)):
        if shown and any(are_nested(shown, redacted) for redacted in options.redact):
            raise Refused(
                f"nothing was pulled: {option} {format_path(shown)} is redacted, and the files "
                "would show it",
                hint="choose another path",
            )
    return read_conditions(options.where, attributes, name="--where") if options.where else ()


def _check_folder(out: FilePath) -> None:
    """Refuse a new folder with the name of a manifest: a file was meant."""
    if out.suffix.lower() in _SUFFIXES and not out.is_dir():
        raise Refused(
            f"nothing was pulled: --out {shorten(str(out), 200)} has the name of a file, and pull "
            "writes into a folder",
            hint=f"pass the folder: --out {shorten(str(out.parent), 200)}; the name of the project "
            "becomes that of the file",
        )


def _check_field(path: Path, attributes: Attributes) -> None:
    _check_known("--fields", path, attributes)
    name = path[0]
    attribute = attributes[name]
    if name == "project":
        raise Refused(
            "nothing was pulled: --fields project: the top of each manifest declares it",
            hint="leave it out",
        )
    if not attribute.writable:
        raise Refused(
            f"nothing was pulled: --fields {name}: the attribute is read-only", hint="leave it out"
        )
    if len(path) > 1 and name not in {"data", "meta"}:
        raise Refused(
            f"nothing was pulled: --fields {format_path(path)}: {name} has no keys",
            hint=f"write {name}",
        )


def _check_known(option: str, path: Path, attributes: Mapping[str, Any]) -> None:
    if path[0] in attributes:
        return
    near = get_close_matches(path[0], list(attributes), n=1)
    meant = near[0] if near else format_path(("data", *path))
    raise Refused(
        f"nothing was pulled: {option} {shorten(format_path(path), 200)}: unknown attribute",
        hint=f"did you mean {shorten(meant, 200)}?",
    )


def _check_key(options: PullOptions, attributes: Attributes) -> None:
    if options.key is None:
        return
    problem = explain_inner_path(options.key, "a key", attributes)
    if problem:
        raise Refused(f"nothing was pulled: --key: {problem[0]}", hint=problem[1])
