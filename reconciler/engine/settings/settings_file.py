"""The settings files of a run: found above its manifests, checked, and compared."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from reconciler.contract.location import locate_schema
from reconciler.core.limit import Limit
from reconciler.core.notation import STANDARD_INPUT, format_value, shorten
from reconciler.core.server_address import is_same_server, normalize_address
from reconciler.engine.settings.environments import (
    OWN,
    find_unusable_names,
    suggest_nearest,
)
from reconciler.engine.settings.setting_values import (
    describe_value,
    explain_secret,
    explain_toml,
    is_secret_name,
)
from reconciler.engine.settings.toml_lines import KeyLines, TomlPath
from reconciler.errors import SettingsError
from reconciler.manifest.files import Place
from reconciler.manifest.files_above import FilesAbove, make_absolute

if TYPE_CHECKING:
    from jsonschema import Draft7Validator

FILE: Final = "reconciler.toml"

_ENVIRONMENTS: Final = "environments"
_REDACT: Final = "redact"

_UNKNOWN: Final = "unknown setting"

_SIZE_MAX: Final = 100_000
"""Bytes: hundreds of environments are smaller."""

_PROBLEMS_MAX: Final = 100
"""How many problems of one file an error lists."""

_NAMED_MAX: Final = 5
"""How many different values of a setting an error lists: more do not help."""


class SettingsFile:
    """One settings file, checked."""

    def __init__(self, path: str) -> None:
        """Read ``path``; raises SettingsError."""
        self.path = path
        try:
            text = _read_text(path)
            self._values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            message, hint = explain_toml(path, str(error))
            raise SettingsError(message, hint=hint) from error
        except (OSError, ValueError, RecursionError) as error:
            raise SettingsError(f"{path}: cannot be read: {error}") from error
        self._lines = KeyLines(text)
        self._check()

    @property
    def environments(self) -> Mapping[str, Mapping[str, Any]]:
        """The tables of the environments, by their names."""
        found: Mapping[str, Mapping[str, Any]] = self._values.get(_ENVIRONMENTS, {})
        return found

    def get(self, key: str, environment: str = "") -> Any:  # noqa: ANN401 - as the schema says
        """Return a setting of an environment, or of the top of the file; None if it is not set."""
        place = self._find(key, environment)
        return _look_up(self._values, place) if place else None

    def list_redacted(self, environment: str = "") -> list[tuple[str, str]]:
        """List the paths to redact, each with its place: those of the top and an environment.

        Without an environment, those of all environments.
        """
        chosen = [environment] if environment else [*self.environments]
        places: list[TomlPath] = [(_REDACT,), *((_ENVIRONMENTS, name, _REDACT) for name in chosen)]
        return [
            (self._format_place(place), text)
            for place in places
            for text in _look_up(self._values, place) or ()
        ]

    def locate(self, key: str, environment: str = "") -> str:
        """Return the file and line of a setting; if it is not set, of where it would be."""
        place = self._find(key, environment)
        if place or environment:
            return self._format_place(place or (_ENVIRONMENTS, environment))
        return self.path

    def locate_environments(self) -> str:
        """Return the file and line of the first environment."""
        return self._format_place((_ENVIRONMENTS, *list(self.environments)[:1]))

    def _find(self, key: str, environment: str) -> TomlPath | None:
        """Find where a setting is set: what an environment sets overrides the top of the file."""
        places: list[TomlPath] = [(_ENVIRONMENTS, environment, key)] if environment else []
        if not (environment and key in OWN):
            places.append((key,))
        return next((place for place in places if _look_up(self._values, place) is not None), None)

    def _format_place(self, place: TomlPath) -> str:
        return f"{self.path}:{self._lines.find(place)}"

    def _check(self) -> None:
        wrong = dict(islice(_find_problems(self._values), _PROBLEMS_MAX + 1))
        if wrong:
            found = sorted((self._lines.find(place), place, told) for place, told in wrong.items())
            lines = [f"{self.path}:{n}: {_join(place)}: {told}" for n, place, told in found]
            if len(lines) > _PROBLEMS_MAX:
                lines[_PROBLEMS_MAX:] = [f"{self.path}: more problems are not listed"]
            raise SettingsError("\n".join(lines), hint=_list_settings(wrong))


def _read_text(path: str) -> str:
    """Read a file; raises ValueError if it is too large for settings, which would take long."""
    with Path(path).open("rb") as file:
        raw = file.read(_SIZE_MAX + 1)
    if len(raw) > _SIZE_MAX:
        raise ValueError(f"it is larger than {_SIZE_MAX:,} bytes")
    return raw.decode("utf-8-sig").replace("\r\n", "\n")


def _look_up(values: Mapping[str, Any], place: TomlPath) -> Any:  # noqa: ANN401 - as the schema says
    """Return the value at a place; None if there is none."""
    found: Any = values
    for key in place:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _join(place: TomlPath) -> str:
    return ".".join(shorten(key, 200) for key in place)


def _find_problems(values: Mapping[str, Any]) -> Iterator[tuple[TomlPath, str]]:
    """Yield each wrong key of a settings file, and what is wrong with it."""
    for error in _load_schema().iter_errors(values):
        place = tuple(map(str, error.absolute_path))
        if "propertyNames" in error.absolute_schema_path:
            if place != (_ENVIRONMENTS,):
                yield (*place, str(error.instance)), "expected a name of 1 to 200 characters"
        elif error.validator == "additionalProperties":
            known = error.schema["properties"]
            for key in error.instance.keys() - known.keys():
                yield (*place, key), _describe_unknown(key, known, at_top=not place)
        elif error.validator == "required":
            yield place, "url is missing: name the server of the environment"
        else:
            yield place, describe_value(place, error.instance)
    environments = values.get(_ENVIRONMENTS)
    if isinstance(environments, dict):
        for name, told in find_unusable_names(environments):
            yield (_ENVIRONMENTS, name), told


def _describe_unknown(key: str, known: Collection[str], *, at_top: bool) -> str:
    if at_top and key == "projects":
        return f"only an environment has projects: set them in [{_ENVIRONMENTS}.NAME]"
    if is_secret_name(key):
        return explain_secret()
    suggestion = suggest_nearest(key, known)
    return f"{_UNKNOWN}{suggestion and f': {suggestion}'}"


def _list_settings(problems: Mapping[TomlPath, str]) -> str:
    """List the settings that exist, if one that does not was found."""
    wrong = [
        place
        for place, told in problems.items()
        if told.startswith(_UNKNOWN) and not is_secret_name(place[-1])
    ]
    schema: Any = _load_schema().schema
    top, environment = schema["properties"], schema["definitions"]["environment"]["properties"]
    hints = [f"the settings are {', '.join(top)}"] if any(len(w) == 1 for w in wrong) else []
    if any(len(place) > 1 for place in wrong):
        hints.append(f"the settings of an environment are {', '.join(environment)}")
    return "; ".join(hints)


@cache
def _load_schema() -> Draft7Validator:
    from jsonschema import Draft7Validator  # noqa: PLC0415 - 150 ms, needed only for a file

    return Draft7Validator(
        json.loads(locate_schema("config.schema.json").read_text(encoding="utf-8"))
    )


class _NearestFile(NamedTuple):
    """The settings file nearest to a manifest, None if there is none, and the environment."""

    file: SettingsFile | None
    manifest: str
    environment: str = ""

    def value(self, key: str, default: object = None) -> Any:  # noqa: ANN401 - as the schema says
        found = self.file.get(key, self.environment) if self.file else None
        return default if found is None else found

    def describe(self, key: str) -> str:
        value = self.value(key)
        message = "is not set" if value is None else f"is {_format(key, value)}"
        if self.file is None:
            return f"no {FILE} above {self.manifest}: {key} {message}"
        return f"{self.file.locate(key, self.environment)}: {key} {message}, for {self.manifest}"

    def describe_lacking(self, environment: str) -> str:
        """Say that there is no such environment; empty if there is."""
        shown = shorten(format_value(environment), 200)
        message = f"environment {shown} does not exist"
        if self.file is None:
            return f"no {FILE} above {self.manifest}, so it has no environment {shown}"
        if environment in self.file.environments:
            return ""
        return f"{self.file.locate_environments()}: {message}, for {self.manifest}"


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

    def choose(self, environment: str) -> SettingsFiles:
        """Choose an environment, or none if it is empty, in all files.

        Raises SettingsError if it does not exist in one of them.
        """
        if not environment:
            return self
        uses = self._uses or (_NearestFile(None, "the manifests"),)
        lacking = [line for use in uses if (line := use.describe_lacking(environment))]
        if lacking:
            more = len(lacking) - _NAMED_MAX
            lines = lacking[:_NAMED_MAX] + ([f"and in {more:,} more places"] if more > 0 else [])
            raise SettingsError("\n".join(lines), hint=self._advise(environment))
        return SettingsFiles(tuple(use._replace(environment=environment) for use in uses))

    def _advise(self, environment: str) -> str:
        known = self.list_environments()
        if not known:
            return f"define it in {FILE} as [{_ENVIRONMENTS}.{shorten(environment, 200)}]"
        if environment in known:
            return (
                f"define it in each {FILE}, put one {FILE} above all manifests of the run, or run "
                "them separately"
            )
        suggestion = suggest_nearest(environment, known)
        listed = f"the environments are {', '.join(known)}"
        return f"{suggestion} {listed}" if suggestion else listed

    def list_environments(self) -> list[str]:
        """List the environments of all files, each once."""
        return list(
            dict.fromkeys(name for use in self._uses if use.file for name in use.file.environments)
        )

    def locate_environments(self) -> str:
        """Return the place of the environments in the first file that has some."""
        files = (use.file for use in self._uses if use.file and use.file.environments)
        return next((file.locate_environments() for file in files), FILE)

    def map_projects(self) -> bool:
        """Tell whether any environment of any file gives projects numbers."""
        tables = (
            table for use in self._uses if use.file for table in use.file.environments.values()
        )
        return any("projects" in table for table in tables)

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
            raise SettingsError(
                "\n".join(["all manifests of one run need the same settings", *lines]),
                hint=self._advise_on_differences(differing),
            )
        values = ((key, use.value(key)) for use in self._uses for key in keys)
        return {key: value for key, value in values if value is not None}

    def _advise_on_differences(self, keys: Collection[str]) -> str:
        chosen = any(use.environment for use in self._uses)
        over = [
            f"{name_variable(key)} or {name_option(key)}"
            for key in keys
            if not (chosen and key in OWN)
        ]
        if len(over) < len(keys):
            return "run them separately, or correct the environment in one of the files"
        return f"run them separately, or set {', and '.join(over)} for all of them"

    def list_redacted(self, environment: str) -> list[tuple[str, str]]:
        """List the paths to redact of all files, each with its place; they add up."""
        return [
            one for use in self._uses if use.file for one in use.file.list_redacted(environment)
        ]

    def locate(self, key: str) -> str:
        """Return the place where a setting is set, or would be."""
        uses = [use for use in self._uses if use.value(key) is not None] or [*self._uses]
        places = (use.file.locate(key, use.environment) for use in uses if use.file)
        return next(places, FILE)

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
    above = FilesAbove(FILE)
    for place, example in places.items():
        manifest = "standard input" if example == STANDARD_INPUT else example
        reached = make_absolute(place.reached)
        files = above.list_files(reached)
        yield (files[0] if files else None), manifest
        if reached != place.real:
            others = above.list_files(place.real)[:1]
            known = {os.path.realpath(file) for file in files} if others else set()
            for file in others:
                if os.path.realpath(file) not in known:
                    yield file, f"{manifest}, reached through a link"


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
