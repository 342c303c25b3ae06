"""The initial state of a sandbox: from a JSON file, or a few example tasks."""

from __future__ import annotations

import json
from pathlib import Path

from reconciler.errors import SettingsError
from reconciler.sandbox.access import SANDBOX_REFRESH_TOKEN, SANDBOX_TOKEN
from reconciler.sandbox.controls import EMPTY, parse_config
from reconciler.sandbox.exchange import Refusal
from reconciler.sandbox.fields import Edition, Field
from reconciler.sandbox.releases import NEWEST, find_release
from reconciler.sandbox.state import Project, State, Storage
from reconciler.sandbox.stored_values import InvalidValue, coerce

_OVERLAPS = ("maximum_annotations", "overlap_cohort_percentage")
_PROJECT_KEYS = frozenset({"id", "title", "label_config", "storage", *_OVERLAPS})
_EXAMPLE: dict[str, object] = {
    "projects": [
        {
            "id": 1,
            "title": "Sandbox",
            "label_config": (
                '<View><Text name="text" value="$text"/>'
                '<Choices name="mood" toName="text"><Choice value="good"/><Choice value="bad"/>'
                "</Choices></View>"
            ),
        }
    ],
    "tasks": [
        {
            "id": number,
            "project": 1,
            "data": {"text": f"Sentence {number}.", "external_id": f"x-{number:06}"},
            "meta": {"source": "example"},
        }
        for number in range(1, 6)
    ],
}


def load_state(
    path: Path | str | None, edition: Edition | str = Edition.COMMUNITY, *, release: str = NEWEST
) -> State:
    """Return the state that a file describes, or the example if ``path`` is None.

    The file holds ``{"projects": [{id, title?, label_config?, storage?, maximum_annotations?,
    overlap_cohort_percentage?}], "tasks": [{id?, project, data, annotations?, ...}]}``; a task may
    have any attribute that the edition stores, and ``annotations`` are its annotations as they are
    sent: ``{result, completed_by?, was_cancelled?, lead_time?}``. ``storage`` is true, the name of
    the connected bucket, or ``{bucket, presign}``. ``release`` is one of `releases.NAMES`. Raises
    SettingsError, which names the file and the place in it.
    """
    description = _EXAMPLE if path is None else _read_file(Path(path))
    return _Loader(str(path), new_state(edition, release=release)).load(description)


def new_state(edition: Edition | str = Edition.COMMUNITY, *, release: str = NEWEST) -> State:
    """Return a state with tokens and nothing else."""
    return State(
        edition=Edition(edition),
        release=find_release(Edition(edition), release),
        tokens={SANDBOX_TOKEN},
        refresh_tokens={SANDBOX_REFRESH_TOKEN},
    )


def _read_file(path: Path) -> dict[str, object]:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise SettingsError(f"{path}: {problem.strerror}") from problem
    except (ValueError, RecursionError) as problem:
        raise SettingsError(f"{path}: not JSON: {problem}") from problem
    if not isinstance(description, dict):
        raise SettingsError(f"{path}: expected an object with projects and tasks")
    return description


class _Loader:
    """Builds the state piece by piece; ``file`` is for messages."""

    def __init__(self, file: str, state: State) -> None:
        self.file = file
        self.state = state
        self.fields = {row.name: row for row in state.fields if not row.read_only}

    def load(self, description: dict[str, object]) -> State:
        """Return the state that the description gives."""
        unknown = sorted(description.keys() - {"projects", "tasks"})
        if unknown:
            raise self._make_error("top level", f"unknown key {unknown[0]!r}")
        for place, item in self._read_items(description, "projects"):
            self._add_project(place, item)
        for place, item in self._read_items(description, "tasks"):
            self._add_task(place, item)
        return self.state

    def _read_items(
        self, description: dict[str, object], key: str, around: str = ""
    ) -> list[tuple[str, dict[str, object]]]:
        items = description.get(key, [])
        if not isinstance(items, list):
            raise self._make_error(f"{around}{key}", "expected a list")
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                raise self._make_error(f"{around}{key}[{index}]", "expected an object")
        return [(f"{key}[{index}]", item) for index, item in enumerate(items)]

    def _add_project(self, place: str, item: dict[str, object]) -> None:
        unknown = sorted(item.keys() - _PROJECT_KEYS)
        if unknown:
            raise self._make_error(f"{place}.{unknown[0]}", "unknown key")
        number = self._read_number(place, item, taken=self.state.projects)
        config = str(item.get("label_config", EMPTY))
        try:
            parse_config(config)
        except Refusal as refusal:
            raise self._make_error(
                f"{place}.label_config", f"not XML: {refusal.errors}"
            ) from refusal
        title = str(item.get("title", f"Project {number}"))
        project = self.state.add_project(title, config, number=number)
        project.storage = self._read_storage(place, item)
        for name in _OVERLAPS:
            value = item.get(name, getattr(project, name))
            if type(value) is not int:
                raise self._make_error(f"{place}.{name}", "expected an integer")
            setattr(project, name, value)

    def _read_storage(self, place: str, item: dict[str, object]) -> Storage | None:
        value = item.get("storage", False)
        match value:
            case bool():
                return Storage() if value else None
            case str():
                return Storage(bucket=value)
            case {"bucket": str(bucket), "presign": bool(presign), **rest} if not rest:
                return Storage(bucket, presign=presign)
            case _:
                expected = "expected true, false, the name of a bucket, or {bucket, presign}"
                raise self._make_error(f"{place}.storage", expected)

    def _add_task(self, place: str, item: dict[str, object]) -> None:
        number = self._read_number(place, item, taken=self.state.tasks) if "id" in item else None
        project = self._find_project(place, item)
        if not isinstance(item.get("data"), dict):
            raise self._make_error(f"{place}.data", "expected an object")
        values = {
            name: self._check_value(f"{place}.{name}", name, value)
            for name, value in item.items()
            if name not in {"id", "project", "annotations"}
        }
        made = [body for _, body in self._read_items(item, "annotations", f"{place}.")]
        skipped = sum(bool(body.get("was_cancelled")) for body in made)
        counts = {"total_annotations": len(made) - skipped, "cancelled_annotations": skipped}
        task = self.state.add_task(project, {**counts, **values}, number=number)
        for body in made:
            self.state.add_annotation(task, body)

    def _find_project(self, place: str, item: dict[str, object]) -> Project:
        number = item.get("project")
        if not isinstance(number, int) or number not in self.state.projects:
            raise self._make_error(f"{place}.project", f"this file has no project {number}")
        return self.state.projects[number]

    def _check_value(self, place: str, name: str, value: object) -> object:
        field: Field | None = self.fields.get(name)
        if field is None:
            edition = self.state.edition
            raise self._make_error(place, f"the {edition} edition stores no such attribute")
        try:
            return coerce(field, value, edition=self.state.edition)
        except InvalidValue as problem:
            raise self._make_error(place, str(problem)) from problem

    def _read_number(self, place: str, item: dict[str, object], *, taken: object) -> int:
        number = item.get("id")
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise self._make_error(f"{place}.id", "expected a positive integer")
        if isinstance(taken, dict) and number in taken:
            raise self._make_error(f"{place}.id", f"duplicate id {number}")
        return number

    def _make_error(self, place: str, message: str) -> SettingsError:
        return SettingsError(f"{self.file}: {place}: {message}")
