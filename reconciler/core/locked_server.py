"""The lock: what was last read of each server and its projects, for checks without a server.

lock.schema.json describes its document. The same facts always give the same document: it holds no
times, and everything in it is sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from reconciler.core.model import ProjectSettings
from reconciler.core.notation import escape_invisible, list_first, shorten
from reconciler.core.plan_model import ServerIdentity
from reconciler.core.server_address import is_same_server
from reconciler.core.values import Json

FORMAT_VERSION: Final = "1.0"

DEFAULT: Final = "default"
"""The entry of runs without an environment."""

_NAMED_MAX: Final = 4
_SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class LockedProject:
    """A project as it was last read; ``names`` are those that manifests use for it."""

    number: int
    label_config: str
    names: tuple[str, ...] = ()
    maximum_annotations: int | None = None
    overlap_cohort_percentage: int | None = None


@dataclass(frozen=True, slots=True)
class LockedServer:
    """A server as it was last read; what it does not say is None.

    ``honoured`` are the attributes that an update stores.
    """

    address: str
    release: str | None = None
    edition: str | None = None
    honoured: frozenset[str] | None = None
    projects: Mapping[int, LockedProject] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock:
    """The servers by environment."""

    environments: Mapping[str, LockedServer] = field(default_factory=dict)

    def put(self, environment: str, server: LockedServer) -> Lock:
        """Return a lock with another server for one environment; an empty name is `DEFAULT`."""
        return Lock({**self.environments, environment or DEFAULT: server})


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a run has read of a server; ``honoured`` is None if it did not ask, or got no answer."""

    identity: ServerIdentity
    honoured: frozenset[str] | None = None
    projects: Mapping[int, ProjectSettings] = field(default_factory=dict)


def build_lock_document(lock: Lock) -> dict[str, Json]:
    """Build the document of a lock."""
    return {
        "format_version": FORMAT_VERSION,
        "environments": {
            name: _build_server(server) for name, server in sorted(lock.environments.items())
        },
    }


def _build_server(server: LockedServer) -> dict[str, Json]:
    document: dict[str, Json] = {"server": server.address}
    if server.release is not None:
        document["release"] = server.release
    if server.edition is not None:
        document["edition"] = server.edition
    if server.honoured is not None:
        document["honoured"] = [*sorted(server.honoured)]
    document["projects"] = [
        _build_project(project) for _, project in sorted(server.projects.items())
    ]
    return document


def _build_project(project: LockedProject) -> dict[str, Json]:
    document: dict[str, Json] = {"number": project.number}
    if project.names:
        document["names"] = [*sorted(project.names)]
    if project.maximum_annotations is not None:
        document["maximum_annotations"] = project.maximum_annotations
    if project.overlap_cohort_percentage is not None:
        document["overlap_cohort_percentage"] = project.overlap_cohort_percentage
    return {**document, "label_config": project.label_config}


def restore_lock(document: Mapping[str, Any]) -> Lock:
    """Restore a lock from a document that matches the schema."""
    environments = document["environments"]
    return Lock({name: _restore_server(server) for name, server in environments.items()})


def _restore_server(document: Mapping[str, Any]) -> LockedServer:
    honoured = document.get("honoured")
    projects = map(_restore_project, document["projects"])
    return LockedServer(
        document["server"],
        document.get("release"),
        document.get("edition"),
        None if honoured is None else frozenset(honoured),
        {project.number: project for project in projects},
    )


def _restore_project(document: Mapping[str, Any]) -> LockedProject:
    written = document["label_config"]
    return LockedProject(
        int(document["number"]),
        written if isinstance(written, str) else "\n".join(written),
        tuple(document.get("names", ())),
        _get_count(document, "maximum_annotations"),
        _get_count(document, "overlap_cohort_percentage"),
    )


def _get_count(document: Mapping[str, Any], name: str) -> int | None:
    found = document.get(name)
    return None if found is None else int(found)


def lock_facts(
    facts: ServerFacts,
    names: Mapping[int, Iterable[str]],
    *,
    before: LockedServer | None = None,
) -> LockedServer:
    """Lock what was read; of the same server, keep what was locked ``before`` and not read now.

    ``names`` are those that manifests use for projects.
    """
    identity = facts.identity
    old = before if before and is_same_server(before.address, identity.url) else None
    kept = {} if old is None else dict(old.projects)
    for number, settings in facts.projects.items():
        if settings.label_config is not None:
            known = {*names.get(number, ()), *(kept[number].names if number in kept else ())}
            kept[number] = _lock_project(number, settings, tuple(sorted(known)))
    honoured = facts.honoured
    if honoured is None and old is not None and old.release == identity.version:
        honoured = old.honoured
    edition = identity.edition
    return LockedServer(identity.url, identity.version, edition, honoured, kept)


def _lock_project(number: int, settings: ProjectSettings, names: tuple[str, ...]) -> LockedProject:
    return LockedProject(
        number,
        settings.label_config or "",
        names,
        settings.maximum_annotations,
        settings.overlap_cohort_percentage,
    )


def compare_facts(locked: LockedServer, facts: ServerFacts) -> Iterator[str]:
    """Say what has changed since the lock was written, as far as the run has read it."""
    identity = facts.identity
    if not is_same_server(locked.address, identity.url):
        yield f"it is of {_show(locked.address)}, and this run uses {identity.url}"
        return
    if locked.release != identity.version:
        found, now = _show(locked.release), _show(identity.version)
        yield f"the server was Label Studio {found}, and is {now}"
    if locked.edition != identity.edition:
        found, now = _show(locked.edition), _show(identity.edition)
        yield f"the edition of the server was {found}, and is {now}"
    yield from _compare_honoured(locked.honoured, facts.honoured)
    for number, settings in sorted(facts.projects.items()):
        yield from _compare_project(locked.projects.get(number), number, settings)


def _compare_honoured(before: frozenset[str] | None, now: frozenset[str] | None) -> Iterator[str]:
    if before is None or now is None:
        return
    if before - now:
        yield f"the server no longer stores {_list(before - now)}"
    if now - before:
        yield f"the server now stores {_list(now - before)}"


def _compare_project(
    before: LockedProject | None, number: int, settings: ProjectSettings
) -> Iterator[str]:
    if settings.label_config is None:
        return
    if before is None:
        yield f"project {number} is not in it"
        return
    now = _lock_project(number, settings, before.names)
    if now.label_config != before.label_config:
        yield f"project {number}: its label config has changed since"
    if replace(now, label_config="") != replace(before, label_config=""):
        yield f"project {number}: its overlap settings have changed since"


def describe_update(before: LockedServer | None, now: LockedServer) -> Iterator[str]:
    """Say what an update of a lock changes in one environment; nothing if it changes nothing."""
    if before is None:
        yield f"added {now.address}, Label Studio {_show(now.release)}"
    elif before.address != now.address:
        yield f"the server was {_show(before.address)}, and is {now.address}"
    elif before.release != now.release or before.edition != now.edition:
        yield f"the server was Label Studio {_show(before.release)}, and is {_show(now.release)}"
    if before is not None:
        if before.honoured != now.honoured and None in {before.honoured, now.honoured}:
            yield "what the server says about the attributes that it stores has changed"
        yield from _compare_honoured(before.honoured, now.honoured)
    old = before.projects if before else {}
    for number in sorted({*old, *now.projects}):
        if number not in now.projects:
            yield f"project {number}: removed"
        elif number not in old:
            yield f"project {number}: added"
        elif old[number] != now.projects[number]:
            yield f"project {number}: {_describe_difference(old[number], now.projects[number])}"


def _describe_difference(before: LockedProject, now: LockedProject) -> str:
    if before.label_config != now.label_config:
        return "its label config has changed"
    return "its names have changed" if before.names != now.names else "its settings have changed"


def _list(names: Iterable[str]) -> str:
    return list_first([*map(_show, sorted(names))], _NAMED_MAX)


def _show(text: str | None) -> str:
    if text is None:
        return "unknown"
    return escape_invisible(shorten(text, _SHOWN_MAX))
