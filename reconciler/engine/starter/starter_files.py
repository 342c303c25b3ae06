"""The files that `init` writes: templates filled in, and written where nothing exists yet."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reconciler.core.starter_result import KeptFile
from reconciler.engine.schema import build_schema
from reconciler.engine.settings.settings_file import FILE as SETTINGS_FILE
from reconciler.engine.starter.ci_service import CiService
from reconciler.engine.starter.package_source import PackageSource
from reconciler.errors import Refused

TEMPLATES: Final = Path(__file__).parent / "templates"
MANIFESTS: Final = "manifests"
FIRST: Final = f"{MANIFESTS}/first.yaml"

# A number that is made up would be looked up on the server.
_UNKNOWN_PROJECT: Final = "# project: 7"

_FOLDER: Final = re.compile(r"(?:[A-Za-z0-9_.][A-Za-z0-9_.-]*/)*")
_PLACEHOLDER: Final = re.compile(r"@([A-Z_]+)@")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the files go: ``folder`` has the manifests, ``root`` is the top of the repository."""

    folder: Path
    root: Path

    @property
    def prefix(self) -> str:
        """The path of the folder in the repository, with a slash at its end; empty for the root."""
        relative = os.path.relpath(self.folder.resolve(), self.root.resolve())
        return "" if relative == "." else f"{Path(relative).as_posix()}/"

    def check(self) -> None:
        """Raise Refused for a folder whose path cannot stand in commands and patterns."""
        if self.folder.exists() and not self.folder.is_dir():
            raise Refused(f"nothing was written: {self.folder} is not a folder")
        if not _FOLDER.fullmatch(self.prefix):
            raise Refused(
                f"nothing was written: {self.prefix!r}: expected a path in the repository of "
                "letters, digits, dots, underscores and hyphens",
                hint="rename the folder, or choose another one",
            )


@dataclass(frozen=True, slots=True)
class Filling:
    """What templates are filled with.

    ``url`` is empty if it is not known, ``environment`` for none. ``environments`` are those of the
    settings, ``projects`` the numbers of projects in the one, ``project`` the number of a project
    that is to be pulled.
    """

    source: PackageSource
    url: str = ""
    environment: str = ""
    environments: Sequence[str] = ()
    projects: Mapping[str, int] = field(default_factory=dict)
    project: int | str | None = None


@dataclass(frozen=True, slots=True)
class StarterFile:
    """A file to write at ``path``; ``advice`` is for the user if another file is there."""

    path: Path
    text: str
    advice: str = ""


def list_files(layout: Layout, filling: Filling, ci: CiService | None) -> list[StarterFile]:
    """List the files of a folder, without manifests."""
    values = _list_values(layout, filling)
    folder = layout.folder
    files = [
        StarterFile(folder / SETTINGS_FILE, build_settings(filling)),
        StarterFile(
            folder / "schemas" / "manifest.schema.json",
            build_schema(None, {}),
            "reconciler schema check compares it with this version",
        ),
        StarterFile(
            folder / ".vscode" / "settings.json",
            _fill("vscode.json", values),
            'to check manifests in the editor, add "yaml.schemas": '
            '{"./schemas/manifest.schema.json": "manifests/**/*.yaml"}',
        ),
        StarterFile(
            folder / ".gitignore",
            _fill("gitignore", values),
            "add /plan*.json, /report*.jsonl* and .env",
        ),
        StarterFile(
            layout.root / ".pre-commit-config.yaml",
            _fill("pre-commit.yaml", values),
            f"add a hook that runs reconciler validate {layout.prefix}{MANIFESTS}/",
        ),
    ]
    return files if ci is None else [*files, _build_workflow(layout, filling, ci)]


def build_first_manifest(layout: Layout, filling: Filling) -> StarterFile:
    """Build a manifest that declares nothing, and explains what could be declared."""
    text = _fill("first.yaml", _list_values(layout, filling))
    return StarterFile(layout.folder / FIRST, text)


def build_settings(filling: Filling) -> str:
    """Build the text of ``reconciler.toml``; it is the only file that depends on the server."""
    example = json.dumps(filling.url or "https://label-studio.example.org")
    lines = [f"url = {example}" if filling.url else f"# url = {example}"]
    if filling.environment:
        named = ", ".join(f"{json.dumps(name)} = {n}" for name, n in filling.projects.items())
        lines = [f"[environments.{_quote_key(filling.environment)}]", f"url = {example}"]
        lines += [f"projects = {{{named}}}"] if named else []
    text = _fill(SETTINGS_FILE, {"SERVER": "\n".join(lines)})
    tomllib.loads(text)
    return text


def _quote_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _build_workflow(layout: Layout, filling: Filling, ci: CiService) -> StarterFile:
    suffix = "-environments" if filling.environments else ""
    text = _fill(f"{ci.value}{suffix}.yml", _list_values(layout, filling))
    names = {CiService.GITHUB: ".github/workflows/tasks.yml", CiService.GITLAB: ".gitlab-ci.yml"}
    return StarterFile(
        layout.root / names[ci], text, "to see the new one, move it away and run init again"
    )


def _list_values(layout: Layout, filling: Filling) -> dict[str, str]:
    project = filling.project
    return {
        "INSTALL": filling.source.install,
        "ACTION": filling.source.action,
        "FOLDER": layout.prefix,
        "FOLDER_PATTERN": re.escape(layout.prefix),
        "MANIFESTS": f"{MANIFESTS}/",
        "ENVIRONMENTS": json.dumps(list(filling.environments)),
        "PROJECT": _UNKNOWN_PROJECT if project is None else f"project: {json.dumps(project)}",
    }


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Fill in a template; raises KeyError for an unknown placeholder, which is a bug."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def write_files(files: Sequence[StarterFile]) -> tuple[list[Path], list[KeptFile]]:
    """Write those files that do not exist; returns them, and the others.

    Raises Refused if a file cannot be written; running it again then continues.
    """
    written: list[Path] = []
    kept: list[KeptFile] = []
    for file in files:
        if write_new(file):
            written.append(file.path)
        else:
            kept.append(KeptFile(str(file.path), "" if _is_same(file) else file.advice))
    return written, kept


def write_new(file: StarterFile) -> bool:
    """Write a file unless something is there; tells whether it did. Raises Refused."""
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        with file.path.open("x", encoding="utf-8", newline="\n") as out:
            out.write(file.text)
    except FileExistsError:
        if os.path.lexists(file.path):
            return False
        raise Refused(f"cannot write {file.path}: a file is in place of its folder") from None
    except OSError as error:
        raise Refused(
            f"cannot write {file.path}: {error.strerror}", hint="then run init again"
        ) from error
    return True


def _is_same(file: StarterFile) -> bool:
    wanted = file.text.encode()
    try:
        with file.path.open("rb") as found:
            return found.read(len(wanted) + 1) == wanted
    except OSError:
        return False


def has_manifests(folder: Path) -> bool:
    """Tell whether anything but the first manifest is in the folder of the manifests."""
    place = folder / MANIFESTS
    if not place.is_dir():
        return os.path.lexists(place)
    names = {name for name in os.listdir(place) if not name.startswith(".")}  # noqa: PTH208 - names are wanted
    return bool(names - {Path(FIRST).name})
