"""Which keys of ``data`` the labels of a project show."""

from __future__ import annotations

import html
import re
from typing import Final

_ATTRIBUTE: Final = re.compile(r"""=\s*(?:"([^"]*)"|'([^']*)')""")
_VARIABLE: Final = re.compile(r"\$(\w+)")


def paths_used(label_config: str) -> frozenset[tuple[str, ...]]:
    """Name the paths inside ``data`` that a label config mentions as variables (``$image``).

    A task without them cannot be labelled: creating one is refused with `"text" key is expected
    in task data`, but PATCH takes it. Read generously: every variable in any attribute counts,
    also such as the server itself would not insist on. ``$a.b`` means ``b`` inside ``a``.
    """
    paths: set[tuple[str, ...]] = set()
    for found in _ATTRIBUTE.finditer(label_config):
        value = html.unescape(found[1] or found[2] or "")
        paths.update((name,) for name in _VARIABLE.findall(value))
        if value.startswith("$") and len(value) > 1:
            paths.update({(value[1:],), tuple(value[1:].split("."))})
    return frozenset(paths)
