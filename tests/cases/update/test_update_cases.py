"""Each folder is a case: a manifest, the live tasks, and what the update makes of the manifest.

    manifest.*   before
    after.*      afterwards; not there if nothing changes
    live.json    the live attributes of each task of project 7, by id
    left.txt     what is left as declared or out, and why; not there for nothing
    options.json the options: "add" with what `AddOptions` has, and paths to "redact"
    diff.txt     the diff of a dry run, where it matters

With ACCEPT_CASES in the environment what comes is written in place of what must come.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from reconciler.core.notation import format_path, parse_path
from reconciler.engine.additions import AddOptions
from reconciler.engine.manifest_update import write_update
from reconciler.renderers.pulled import format_remarks
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.unit.labelstudio.wired import TEXT
from tests.updating import plan, prepare

HERE = Path(__file__).parent
ACCEPTS = "ACCEPT_CASES" in os.environ
CASES = sorted(entry.parent for entry in HERE.glob("*/live.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_manifest_is_brought_to_the_live_values(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (source,) = case.glob("manifest.*")
    file = Path(source.name)
    file.write_bytes(source.read_bytes())
    state = load_live(case)

    options = case / "options.json"
    given = json.loads(options.read_text(encoding="utf-8")) if options.exists() else {}
    chosen = given.get("add", {})
    chosen |= {"fields": tuple(map(tuple, chosen.get("fields", ())))}
    add = AddOptions(**chosen) if "add" in given else None
    redact = tuple(map(parse_path, given.get("redact", ())))

    update = prepare([file.name], state, add=add, redact=redact)
    shown = "".join(edited.format_diff() for edited in update.files)
    update = write_update(update)

    after = case / f"after{file.suffix}"
    expect(after, file.read_bytes(), otherwise=source.read_bytes())
    remarks = format_remarks(
        undeclared=update.undeclared, by_id=update.by_id, left_out=update.left_out
    )
    left = "".join(f"{problem}\n" for problem in update.left) + remarks
    expect(case / "left.txt", left.encode(), otherwise=b"")
    if (case / "diff.txt").exists():
        expect(case / "diff.txt", shown.encode(), otherwise=b"")
    told = {problem.path for problem in update.left}
    again = plan([file.name], state)
    assert {format_path(c.path) for task in again.tasks for c in task.changes} <= told
    assert prepare([file.name], state, add=add, redact=redact).files == ()


def load_live(case: Path) -> State:
    state = new_state("community")
    project = state.add_project("Project 7", TEXT, number=7)
    live = json.loads((case / "live.json").read_text(encoding="utf-8"))
    for task, attributes in live.items():
        state.add_task(project, attributes, number=int(task))
    return state


def expect(file: Path, found: bytes, *, otherwise: bytes) -> None:
    """Compare with a file of the case, which may not be there if nothing differs."""
    if ACCEPTS and found != otherwise:
        file.write_bytes(found)
    elif ACCEPTS:
        file.unlink(missing_ok=True)
    assert found == (file.read_bytes() if file.exists() else otherwise)
