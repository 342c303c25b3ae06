"""The settings files of a run: found above its manifests, checked, and compared."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from reconciler.contract.location import locate_schema
from reconciler.core.limit import Limit
from reconciler.core.notation import STANDARD_INPUT, format_value, shorten
from reconciler.core.server_address import is_same_server, normalize_address
from reconciler.errors import SettingsError
from reconciler.manifest.files import Place

if TYPE_CHECKING:
    from jsonschema import Draft7Validator

FILE: Final = "reconciler.toml"

_NAMED_MAX: Final = 5
"""How many different values of a setting an error lists: more do not help."""


class SettingsFile:
    """One settings file, checked."""

    def __init__(self, path: str) -> None:
        """Read ``path``; raises SettingsError."""
        self.path = path
        try:
            self._text = Path(path).read_text(encoding="utf-8-sig")
            self.values = tomllib.loads(self._text)
        except (OSError, ValueError, RecursionError) as error:
            raise SettingsError(f"{path}: cannot be read: {error}") from error
        self._check()

    def locate(self, key: str) -> str:
        """Return the file and line of a setting, or the file alone if it is not set."""
        return f"{self.path}:{self._find_line(key)}" if key in self.values else self.path

    def _check(self) -> None:
        known, schema = _load_known_settings()
        wrong = dict.fromkeys(self.values.keys() - set(known), "unknown setting")
        for error in schema.iter_errors(self.values):
            wrong[str(error.absolute_path[0])] = error.message
        if wrong:
            text = sorted((self._find_line(name), name, message) for name, message in wrong.items())
            lines = (f"{self.path}:{line}: {name}: {message}" for line, name, message in text)
            raise SettingsError("\n".join(lines), hint=f"the settings are {', '.join(known)}")

    def _find_line(self, key: str) -> int:
        found = re.search(rf"^\s*\[?\"?{re.escape(key)}\b", self._text, re.MULTILINE)
        return self._text.count("\n", 0, found.end()) + 1 if found else 1


@cache
def _load_known_settings() -> tuple[list[str], Draft7Validator]:
    from jsonschema import Draft7Validator  # noqa: PLC0415 - 150 ms, needed only for a file

    schema = json.loads(locate_schema("config.schema.json").read_text(encoding="utf-8"))
    known = schema["properties"]
    return list(known), Draft7Validator({"properties": known})


class _NearestFile(NamedTuple):
    """The settings file nearest to a manifest; None if there is none."""

    file: SettingsFile | None
    manifest: str

    def value(self, key: str, default: object = None) -> Any:  # noqa: ANN401 - as the schema says
        return self.file.values.get(key, default) if self.file else default

    def describe(self, key: str) -> str:
        value = self.value(key)
        message = "is not set" if value is None else f"is {_format(key, value)}"
        if self.file is None:
            return f"no {FILE} above {self.manifest}: {key} {message}"
        return f"{self.file.locate(key)}: {key} {message}, for {self.manifest}"


@dataclass(frozen=True, slots=True)
class SettingsFiles:
    """The settings files nearest to the manifests of a run; there may be none."""

    _uses: tuple[_NearestFile, ...]

    @classmethod
    def of(cls, file: str | Path) -> SettingsFiles:
        """Read one settings file; raises SettingsError."""
        return cls((_NearestFile(SettingsFile(str(file)), "all manifests"),))

    @classmethod
    def find_above(cls, places: Mapping[Place, str]) -> SettingsFiles:
        """Read the settings files nearest to ``places``; raises SettingsError.

        Each folder is searched once, however many manifests it holds.
        """
        files: dict[str | None, SettingsFile | None] = {None: None}
        uses: dict[str | None, _NearestFile] = {}
        wrong: list[SettingsError] = []
        for path, manifest in _find_nearest(places):
            real = path and os.path.realpath(path)
            try:
                if real not in files:
                    files[real] = SettingsFile(str(path))
                uses.setdefault(real, _NearestFile(files[real], manifest))
            except SettingsError as error:
                files[real] = None
                wrong.append(error)
        if wrong:
            hint = next((error.hint for error in wrong if error.hint), "")
            raise SettingsError("\n".join(error.message for error in wrong), hint=hint)
        return cls(tuple(uses.values()))

    def find_agreed(self, keys: Collection[str], defaults: Mapping[str, object]) -> dict[str, Any]:
        """Return the values of those ``keys`` that are set; raises SettingsError if files differ.

        A setting that is not set counts as its default.
        """
        differing = {
            key: uses
            for key in keys
            if len(uses := self._list_distinct(key, defaults.get(key))) > 1
        }
        if differing:
            lines = [
                line for key, uses in differing.items() for line in _describe_differences(key, uses)
            ]
            over = [f"{name_variable(key)} or {name_option(key)}" for key in differing]
            raise SettingsError(
                "\n".join(["all manifests of one run need the same settings", *lines]),
                hint=f"run them separately, or set {', and '.join(over)} for all of them",
            )
        values = ((key, use.value(key)) for use in self._uses for key in keys)
        return {key: value for key, value in values if value is not None}

    def locate(self, key: str) -> str:
        """Return the place where a setting is set."""
        files = (use.file for use in self._uses if use.value(key) is not None)
        return next((file.locate(key) for file in files if file), FILE)

    def _list_distinct(self, key: str, default: object) -> list[_NearestFile]:
        """List one file for each distinct value of a setting."""
        found: list[_NearestFile] = []
        for use in self._uses:
            value = use.value(key, default)
            if not any(_is_same(key, value, other.value(key, default)) for other in found):
                found.append(use)
        return found


def name_variable(key: str) -> str:
    """Return the variable that overrides a setting."""
    return "LABEL_STUDIO_URL" if key == "url" else f"RECONCILER_{key.upper()}"


def name_option(key: str) -> str:
    """Return the option that overrides a setting."""
    return f"--{key.replace('_', '-')}"


def _find_nearest(places: Mapping[Place, str]) -> Iterator[tuple[str | None, str]]:
    """Yield the settings file nearest to each place, or None, with a manifest from there.

    If a place was reached through a link, the file nearest to its target is yielded as well,
    unless it is also above the link: it may have other settings for the same manifests.
    """
    above = _FilesAbove()
    for place, example in places.items():
        manifest = "standard input" if example == STANDARD_INPUT else example
        reached = _make_absolute(place.reached)
        files = above.list_files(reached)
        yield (files[0] if files else None), manifest
        if reached != place.real:
            others = above.list_files(place.real)[:1]
            known = {os.path.realpath(file) for file in files} if others else set()
            for file in others:
                if os.path.realpath(file) not in known:
                    yield file, f"{manifest}, reached through a link"


class _FilesAbove:
    """The settings files in a folder and above it, nearest first."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def list_files(self, folder: str) -> tuple[str, ...]:
        """List them for an absolute path; each folder is searched once."""
        unknown: list[str] = []
        while folder not in self._known and folder not in unknown[-1:]:
            unknown.append(folder)
            folder = os.path.dirname(folder)  # noqa: PTH120 - once a folder of thousands
        files = self._known.get(folder, ())
        for below in reversed(unknown):
            file = os.path.join(below, FILE)  # noqa: PTH118 - as above
            # A broken link counts too: skipping it would silently use another file.
            files = (file, *files) if os.path.lexists(file) else files
            self._known[below] = files
        return files


def _make_absolute(folder: str) -> str:
    """Return the absolute path by which a folder was reached, with its links if possible."""
    if ".." in folder.split("/"):
        return os.path.realpath(folder)
    return os.path.abspath(folder)  # noqa: PTH100 - Path.absolute() keeps dots


def _is_same(key: str, one: Any, other: Any) -> bool:  # noqa: ANN401 - what the schema lets pass
    if one is None or other is None:
        return one is other
    if key == "max_changes":
        return Limit.parse(str(one)) == Limit.parse(str(other))
    if key == "url":
        try:
            return is_same_server(one, other)
        except SettingsError:
            return bool(one == other)
    return bool(one == other)


def _describe_differences(key: str, uses: list[_NearestFile]) -> Iterator[str]:
    yield from (use.describe(key) for use in uses[:_NAMED_MAX])
    if len(uses) > _NAMED_MAX:
        yield f"{key} has {len(uses) - _NAMED_MAX:,} more values for other manifests"


def _format(key: str, value: Any) -> str:  # noqa: ANN401 - what the schema lets pass
    """Format a value; an address that is not valid is hidden, as it may hold a password."""
    if key == "url":
        try:
            normalize_address(value)
        except SettingsError:
            return "not a valid address"
    return shorten(format_value(value), 200)
