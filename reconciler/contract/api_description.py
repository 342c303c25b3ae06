"""API descriptions: JSON or YAML documents that hold one object, read from bytes or a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import ContractError

BYTES_MAX: Final = 20_000_000
"""The most that a description may have; the largest known, a server's own, has 0.8 MB."""

_KINDS: Final = {list: "a list", str: "a string", type(None): "nothing"}


@dataclass(frozen=True, slots=True)
class ApiDescription:
    """A description, and its name in messages: a file name or an address."""

    name: str
    document: Mapping[str, object]


def read_document(path: Path) -> Mapping[str, object]:
    """Read a JSON or YAML file that holds one object.

    Raises:
        ContractError: it cannot be read, is too large, or holds something else.

    """
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ContractError(f"{path}: cannot be read: {reason}") from error
    return parse_document(content, name=str(path))


def parse_document(
    content: bytes, *, name: str, bytes_max: int = BYTES_MAX
) -> Mapping[str, object]:
    """Parse JSON, or else YAML, which takes a hundred times as long.

    Raises:
        ContractError: as ``read_document``; ``name`` begins the message.

    """
    if len(content) > bytes_max:
        raise ContractError(f"{name}: larger than {bytes_max // 1_000_000} MB")
    try:
        document = _parse_json_or_yaml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ContractError(f"{name}: not UTF-8") from error
    except RecursionError as error:
        raise ContractError(f"{name}: objects and lists are nested too deep") from error
    except ValueError as error:
        raise ContractError(f"{name}: neither JSON nor YAML: {error}") from error
    if not isinstance(document, Mapping):
        raise ContractError(
            f"{name}: expected an object, found {_KINDS.get(type(document), 'a single value')}"
        )
    return document


def _parse_json_or_yaml(text: str) -> object:
    if text.lstrip().startswith(("{", "[")):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            pass  # flow style YAML begins alike
    import yaml  # noqa: PLC0415 - slow to import

    # libyaml's parser is ten times as fast; it is missing only from builds without it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, loader)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f"the mistake is at line {mark.line + 1}" if mark else "it has forbidden characters"
        raise ValueError(at) from error
