"""After an update, the next plan is empty, except for what was named; nothing else was touched."""

from __future__ import annotations

import json
import tempfile
from difflib import SequenceMatcher
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.notation import format_path
from reconciler.core.values import Json
from reconciler.engine.additions import AddOptions
from reconciler.engine.manifest_update import Update, write_update
from reconciler.manifest.editing import excerpts
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.properties.styled_yaml import StyledWriter
from tests.unit.labelstudio.wired import TEXT
from tests.updating import plan, prepare

NAMES = ("a", "b", "c d", "é", "text")
leaves = st.sampled_from(
    [
        None,
        True,
        0,
        7,
        1.5,
        "",
        "x",
        "no",
        "it's",
        "two\nlines\n",
        "a: b #c",
        "é 🎉",
        "a\n\nb",
        " s",
    ]
)
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=4)


@st.composite
def changed(draw: st.DrawFn, value: Json) -> Json:
    """Change a few places of a value."""
    if draw(st.integers(0, 5)) == 0:
        other: Json = draw(values)
        return other
    if isinstance(value, dict):
        kept = {k: draw(changed(v)) for k, v in value.items() if draw(st.integers(0, 5))}
        return {**kept, **(draw(objects) if not draw(st.integers(0, 4)) else {})}
    if isinstance(value, list):
        kept_list = [draw(changed(v)) for v in value if draw(st.integers(0, 5))]
        return kept_list + ([draw(values)] if not draw(st.integers(0, 4)) else [])
    return value


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]], dict[int, Any]]:
    header: dict[str, Any] = {"version": 1, "project": 7}
    if draw(st.booleans()):
        header["defaults"] = {"meta": draw(objects), "overlap": 2}
    if draw(st.booleans()):
        header["policy"] = {"meta": "replace"}
    tasks: list[dict[str, Any]] = []
    live: dict[int, Any] = {}
    for number in range(1, draw(st.integers(1, 4)) + 1):
        task: dict[str, Any] = {"id": number, "data": draw(objects)}
        if draw(st.booleans()):
            task["meta"] = draw(objects)
        if draw(st.booleans()):
            task["absent"] = ["data.gone", "data.x"][: draw(st.integers(1, 2))]
        tasks.append(task)
        data = draw(changed(task["data"]))
        meta = draw(changed(task.get("meta", {})))
        live[number] = {"data": data if isinstance(data, dict) else {}, "meta": meta}
        if draw(st.integers(0, 3)) == 0:
            live[number]["data"]["gone"] = draw(values)
        live[number]["overlap"] = draw(st.integers(1, 2))
    return header, tasks, live


def make_state(live: dict[int, Any]) -> State:
    state = new_state("community")
    project = state.add_project("Project 7", TEXT, number=7)
    for task, attributes in live.items():
        state.add_task(project, attributes, number=task)
    return state


def list_lines(update: Update) -> tuple[list[str], set[int], set[int]]:
    """Return the lines of the file before, those that an update keeps, and those it may touch."""
    (file,) = update.files
    before, after = (raw.decode().splitlines() for raw in (file.before, file.after))
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    kept = {
        number
        for block in matcher.get_matching_blocks()
        for number in range(block.a + 1, block.a + block.size + 1)
    }
    return before, kept, {change.source.line for change in file.changes}


def check(file: Path, raw: bytes, live: dict[int, Any]) -> None:
    file.write_bytes(raw)
    state = make_state(live)
    before = plan([str(file)], state)
    update = write_update(prepare([str(file)], state))
    told = {problem.path for problem in update.left}
    again = plan([str(file)], state)
    changes = [(t.task, format_path(c.path)) for t in again.tasks for c in t.changes]
    assert not update.left, (file.read_text(), update.left)
    assert {path for _, path in changes} <= told
    if not any(task.changes for task in before.tasks):
        assert file.read_bytes() == raw


@given(cases(), st.randoms(use_true_random=False), st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(max_examples=150)
def test_yaml_has_the_live_values_after_an_update(
    case: tuple[dict[str, Any], list[dict[str, Any]], dict[int, Any]],
    random: Random,
    line_break: str,
    is_ended: bool,  # noqa: FBT001 - as hypothesis draws it
):
    header, tasks, live = case
    text = StyledWriter(random).write_document(header, tasks)
    if not is_ended:
        text = text.rstrip("\n")
    with tempfile.TemporaryDirectory() as folder:
        raw = text.replace("\n", line_break).encode()
        check(Path(folder) / "tasks.yaml", raw, live)


@given(cases(), st.sampled_from([None, 1, 2, "\t"]), st.booleans(), st.booleans())
@settings(max_examples=50)
def test_json_has_the_live_values_after_an_update(
    case: tuple[dict[str, Any], list[dict[str, Any]], dict[int, Any]],
    indent: int | str | None,
    ascii_only: bool,  # noqa: FBT001 - as hypothesis draws it
    in_lines: bool,  # noqa: FBT001 - as above
):
    header, tasks, live = case
    with tempfile.TemporaryDirectory() as folder:
        if in_lines:
            rows = [header, *tasks]
            text = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
            check(Path(folder) / "tasks.jsonl", text.encode(), live)
            return
        text = json.dumps({**header, "tasks": tasks}, indent=indent, ensure_ascii=ascii_only)
        check(Path(folder) / "tasks.json", text.encode(), live)


WORDS = st.sampled_from(["a", "no", "it's", "a: b #c", "é 🎉", "", "7"])
STYLES = st.sampled_from(['{name}: "{text}"', "{name}:   {flow}  # why", "{name}: {flow}"])


@st.composite
def lines_of_scalars(draw: st.DrawFn) -> tuple[str, dict[int, Any], set[int]]:
    """Draw a manifest with a value on each line, the live tasks, and the lines that differ."""
    lines = ["version: 1", "project: 7", "tasks:"]
    live: dict[int, Any] = {}
    differing: set[int] = set()
    for number in range(1, draw(st.integers(2, 30)) + 1):
        lines += [draw(st.sampled_from(["", "  # - id: 0"])), f"  - id: {number}", "    data:"]
        data: dict[str, Json] = {}
        for name in NAMES[: draw(st.integers(1, 4))]:
            text = draw(WORDS)
            style = draw(STYLES)
            lines.append(
                "      "
                + style.format(name=name, text=text, flow=json.dumps(text, ensure_ascii=False))
            )
            data[name] = text
            if draw(st.integers(0, 9)) == 0:
                data[name] = draw(st.sampled_from(["new", 1.5, None, "two\nlines"]))
                differing.add(len(lines))
        live[number] = {"data": data}
    return "\n".join([*lines, ""]), live, differing


@given(lines_of_scalars(), st.sampled_from([1, 3, 16]))
@settings(max_examples=100)
def test_an_update_touches_only_lines_of_values_that_differ(
    case: tuple[str, dict[int, Any], set[int]], cut_min: int
):
    text, live, differing = case
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(excerpts, "_CUT_MIN", cut_min)
        file = Path(folder) / "tasks.yaml"
        file.write_text(text, encoding="utf-8")
        update = prepare([str(file)], make_state(live))
    assert not update.left
    assert bool(update.files) == bool(differing)
    if differing:
        before, kept, told = list_lines(update)
        assert told == differing
        assert set(range(1, len(before) + 1)) - kept <= differing


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_an_excerpt_is_edited_as_the_whole_file_is(
    case: tuple[dict[str, Any], list[dict[str, Any]], dict[int, Any]], random: Random
):
    header, tasks, live = case
    for number in range(5, 12):
        tasks.insert(random.randrange(len(tasks) + 1), {"id": number, "data": {"text": "x"}})
        live[number] = {"data": {"text": "y" if random.randrange(3) == 0 else "x"}}
    text = StyledWriter(random).write_document(header, tasks)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        file = Path(folder) / "tasks.yaml"
        file.write_text(text, encoding="utf-8")
        found = []
        for cut_min in (1, len(tasks) + 1):
            patch.setattr(excerpts, "_CUT_MIN", cut_min)
            found.append(prepare([str(file)], make_state(live)))
    assert found[0] == found[1]


@given(cases(), st.randoms(use_true_random=False), st.sampled_from(["yaml", "json", "jsonl"]))
@settings(max_examples=60)
def test_added_tasks_have_nothing_to_change(
    case: tuple[dict[str, Any], list[dict[str, Any]], dict[int, Any]], random: Random, suffix: str
):
    header, tasks, live = case
    declared = [task for task in tasks if random.randrange(2)] or tasks[:1]
    text = StyledWriter(random).write_document(header, declared)
    if suffix == "json":
        indent = random.choice([None, 2])
        text = json.dumps({**header, "tasks": declared}, indent=indent)
    elif suffix == "jsonl":
        text = "\n".join(map(json.dumps, [header, *declared]))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"tasks.{suffix}"
        file.write_text(text.rstrip("\n") if random.randrange(2) else text, encoding="utf-8")
        state = make_state(live)
        update = write_update(prepare([str(file)], state, add=AddOptions()))
        assert (update.left, update.left_out) == ((), ())
        assert sum(edited.added for edited in update.files) == len(tasks) - len(declared)
        again = plan([str(file)], state)
    assert again.declared == len(tasks)
    assert not any(task.changes for task in again.tasks)
