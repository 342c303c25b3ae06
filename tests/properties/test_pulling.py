"""A plan right after a pull is empty, and shows each change of what was pulled."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.notation import parse_path
from reconciler.core.paths import iterate_leaves, set_value
from reconciler.core.plan_model import Plan
from reconciler.engine.connection import Connection, connect
from reconciler.engine.load import find_files, load_desired
from reconciler.engine.plan import build_plan
from reconciler.engine.project_lookup import ProjectTitles
from reconciler.engine.pull import pull_tasks
from reconciler.engine.pull_options import Format, PullOptions
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import Refused
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.properties.documents import MANY, parts, texts

SOME = settings(MANY, max_examples=100)
SETTINGS = Settings("https://label-studio.test", SANDBOX_TOKEN)
KEYS = st.sampled_from(["a", "b", "a.b", "key", "$undefined$", "A", " ", "n"]) | texts
ODD = st.sampled_from(
    [
        *(
            "a\0b",
            "\ud800",
            "/tasks/7/resolve/?fileuri=czM6Ly9h",
            "s3://b/c",
            "no",
            "1e3",
            "a\nb\n",
        ),
        *("/x/tasks/7/presign/?fileuri=a and more", 10**4299, {}, [], [{}]),
    ]
)
VALUES = parts | ODD | st.lists(ODD, max_size=2) | st.dictionaries(KEYS, ODD, max_size=3)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)
TASKS = st.fixed_dictionaries(
    {
        "data": OBJECTS,
        "meta": st.just({}) | st.none() | OBJECTS | VALUES,
        "overlap": st.integers(-1, 3),
    }
)
PATHS = st.sampled_from(['data["a.b"]', "data.a", "data.a.b", "data.key", "meta", "data", "meta.a"])
RULES = """\
version: 1
project: 1
rules:
- {name: one, where: {data.a: {exists: true}}, set: {data: {b: {c: 1}}}}
- {name: two, absent: [meta.n]}
"""


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    """Draw options of a pull, by the names that they have."""
    chosen: dict[str, Any] = {
        "form": draw(st.sampled_from(Format)),
        "hoist": draw(st.booleans()),
        "fields": tuple(map(parse_path, draw(st.lists(PATHS, max_size=2)))),
        "redact": tuple(map(parse_path, draw(st.lists(PATHS, max_size=1)))),
        "key": draw(st.none() | st.just(("data", "key"))),
    }
    how = draw(st.sampled_from(["one", "split", "size"]))
    if how == "split":
        chosen["split_by"] = parse_path(draw(PATHS))
    elif how == "size":
        chosen["per_file"] = draw(st.integers(1, 3))
    return chosen


@contextmanager
def pulled(tasks: list[dict[str, Any]], rules: str, chosen: dict[str, Any]) -> Iterator[Any]:
    """Pull a project of these tasks; gives the state, a connection and the folder."""
    state = new_state()
    project = state.add_project("reviews")
    for task in tasks:
        state.add_task(project, deepcopy(task))
    with (
        connect(SETTINGS, transport=SandboxTransport(state)) as connection,
        tempfile.TemporaryDirectory() as folder,
    ):
        out = Path(folder, "out")
        if rules:
            out.mkdir()
            (out / "rules.yaml").write_text(rules)
        pull_tasks(PullOptions(1, out, **chosen), SETTINGS, connection)
        yield state, connection, out


def plan(connection: Connection, out: Path) -> Plan:
    files = find_files([str(out)])
    desired = load_desired(files, projects=ProjectTitles(connection.api))
    return build_plan(desired, connection)


def changes(made: Plan) -> list[Any]:
    """List what a plan shows, except what rules change."""
    return [c for task in made.tasks for c in task.changes if not c.rule] + list(made.unresolved)


REFUSALS = re.compile(
    "redacted|none of the tasks to pull has .*, which --(key|split-by|fields|redact) names"
)


@SOME
@given(st.lists(TASKS, min_size=1, max_size=5), st.sampled_from(["", RULES]), options())
def test_a_plan_after_a_pull_is_empty(
    tasks: list[dict[str, Any]], rules: str, chosen: dict[str, Any]
) -> None:
    try:
        with pulled(tasks, rules, chosen) as (_, connection, out):
            if any(out.iterdir()):
                made = plan(connection, out)
                assert changes(made) == []
                assert not any(rule.overruled for rule in made.rules)
    except Refused as refused:
        assert REFUSALS.search(str(refused))  # noqa: PT017 - the only refusals that may come


@SOME
@given(st.lists(TASKS, min_size=1, max_size=3), options(), st.data())
def test_a_plan_shows_each_change_of_what_was_pulled(
    tasks: list[dict[str, Any]], chosen: dict[str, Any], data: st.DataObject
) -> None:
    try:
        with pulled(tasks, "", chosen) as (state, connection, out):
            if any(out.iterdir()):
                _change_one(state, connection, out, data)
    except Refused as refused:
        assert REFUSALS.search(str(refused))  # noqa: PT017 - the only refusals that may come


def _change_one(state: State, connection: Connection, out: Path, data: st.DataObject) -> None:
    desired = load_desired(find_files([str(out)]))
    by_id = list(desired)
    if not by_id:
        return
    task = data.draw(st.sampled_from(by_id))
    leaves = [
        path
        for name, value in task.attributes.items()
        for path, _ in iterate_leaves((name,), value)
    ]
    path = data.draw(st.sampled_from(leaves))
    values = state.tasks[task.id].values
    changed: Any = 9 if path == ("overlap",) else {"other": [1.5]}
    if path == ("data",):
        return
    put = set_value(values[path[0]], path[1:], changed)  # type: ignore[call-overload] # JSON
    values[path[0]] = put
    shown = [change.path for planned in plan(connection, out).tasks for change in planned.changes]
    declared: Any = task.attributes
    for step in path:
        declared = declared[step]
    assert path in shown or declared == {}
