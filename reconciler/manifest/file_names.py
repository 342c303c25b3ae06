"""Which files are manifests, by their names alone."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

SUFFIXES: Final = (".yaml", ".yml", ".json", ".jsonl")

_LOOKS_LIKE_ONE: Final = re.compile(
    r"\.(?:ya?ml|jsonl?)(?![a-z0-9])|\.(?:ndjson|jsonlines|ldjson|json5|jsonc|hjson)$"
)


def is_manifest(path: str) -> bool:
    """Tell whether a file is read: by its suffix, in capitals too."""
    return path.endswith(SUFFIXES) or path.lower().endswith(SUFFIXES)


def looks_like_manifest(name: str) -> bool:
    """Tell whether somebody may take a file for a manifest: ``a.yaml.bak``, ``a.ndjson``."""
    return _LOOKS_LIKE_ONE.search(name.lower()) is not None


def may_be_folder(name: str) -> bool:
    """Tell whether a link that leads nowhere may have been meant for a folder."""
    return not PurePath(name).suffix


def is_json_lines(path: str) -> bool:
    """Tell whether a file holds a task a line."""
    return path.lower().endswith(".jsonl")


def is_json(path: str) -> bool:
    """Tell whether a file holds one JSON document."""
    return path.lower().endswith(".json")
