"""What a new entry must declare beside the defaults and the policy of its document; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, cast

from reconciler.contract.attributes import Attributes
from reconciler.core.difference import find_changes
from reconciler.core.model import TaskKey
from reconciler.core.notation import format_path
from reconciler.core.paths import Path, are_nested
from reconciler.core.values import Json
from reconciler.manifest.combination import combine
from reconciler.manifest.declarations import NAMES, Declaration, Header, TaskEntry
from reconciler.manifest.editing.live_entries import (
    ROUNDS,
    Entry,
    detach,
    find_value_problem,
    redeclare,
    settle_entry,
)
from reconciler.manifest.editing.splices import CannotEditError


def complete_entry(
    header: Header,
    task: int,
    entry: Entry,
    *,
    live: Mapping[str, Json],
    attributes: Attributes,
    redact: tuple[Path, ...] = (),
) -> Entry:
    """Return an entry for a task so that nothing it declares, defaults included, differs.

    Its keys are in the order of the contract, after ``data`` and ``meta``. Raises CannotEditError,
    with the reason, if there is no such entry.
    """
    named = entry.get("key")
    key = None
    if header.key is not None and isinstance(named, str | int):
        key = TaskKey(header.key, named)
    empty = TaskEntry({}, (), (), task, None if key is None else key.value, None)
    blank = Declaration(header, -1, task, {}, (), key, empty)
    for _ in range(ROUNDS):
        declared = redeclare(blank, entry)
        changes = find_changes(detach(combine([declared])), live, attributes)
        if not changes:
            return _order(entry, attributes)
        for change in changes:
            _check(change.path, find_value_problem(change.before), live, redact)
            entry = settle_entry(entry, redeclare(blank, entry), change.path, change.before)
    raise CannotEditError(_DISAGREE)


_DISAGREE: Final = "what the file declares for all its tasks does not allow its values"


def _check(path: Path, problem: str, live: Mapping[str, Json], redact: tuple[Path, ...]) -> None:
    """Raise CannotEditError if the live value at a path cannot be declared, or may not be."""
    at = format_path(path)
    if any(are_nested(path, hidden) for hidden in redact):
        raise CannotEditError(f"the file would change {at}, and its live value is redacted")
    if path[0] not in live:
        raise CannotEditError(f"the file declares {at}, which the server does not return")
    if problem:
        raise CannotEditError(f"the file would change {at}: {problem}")


def _order(entry: Entry, attributes: Attributes) -> Entry:
    order: Iterable[str] = dict.fromkeys((*NAMES, "data", "meta", *attributes, "absent"))
    return cast("Entry", {name: entry[name] for name in order if name in entry})
