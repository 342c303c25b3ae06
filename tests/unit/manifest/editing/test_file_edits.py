from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.engine.update import write_update
from reconciler.manifest.editing.file_edits import TaskEdit, edit_file
from reconciler.manifest.editing.splices import CannotEditError, Splice, apply_splices
from tests.unit.labelstudio.wired import sandbox_with
from tests.updating import prepare

TEXT = "version: 1\nproject: 7\ntasks:\n  - {id: 1, overlap: 2}\n"


def test_splices_are_applied_at_their_places():
    splices = [Splice(4, 5, "E"), Splice(0, 1, "A"), Splice(2, 2, "x"), Splice(2, 2, "y")]
    assert apply_splices("abcde", splices) == "AbxycdE"


def test_splices_that_overlap_are_refused():
    with pytest.raises(CannotEditError, match="overlap"):
        apply_splices("abcde", [Splice(0, 3, ""), Splice(2, 4, "")])


def test_a_file_that_is_not_the_one_that_was_read_is_refused():
    edit = TaskEdit(0, 0, {"id": 1, "overlap": 3}, {"id": 1, "overlap": 1})
    for name in ("a.yaml", "a.jsonl"):
        with pytest.raises(CannotEditError, match="changed while"):
            edit_file(name, TEXT.encode(), [edit])


def test_an_anchor_moves_to_the_alias_that_needs_it_even_to_a_key():
    text = "version: 1\ntasks:\n  - id: 1\n    data: {a: &a x}\n  - id: 2\n    data: {*a : 1}\n"
    edit = TaskEdit(0, 0, {"id": 1, "data": {"a": "x"}}, {"id": 1, "data": {"a": "z"}})
    edited = edit_file("a.yaml", text.encode(), [edit])
    assert edited.raw.decode() == text.replace("&a x", "z").replace("*a ", "&a x ")


def test_a_file_that_changes_meanwhile_is_not_overwritten(tmp_path: Path):
    file = tmp_path / "tasks.yaml"
    file.write_text(TEXT)
    update = prepare([str(file)], sandbox_with(1))
    file.write_text(TEXT + "# by somebody else\n")

    written = write_update(update)

    assert written.files == ()
    assert "changed while the command ran" in written.left[0].message
    assert file.read_text() == TEXT + "# by somebody else\n"
    assert list(tmp_path.iterdir()) == [file]
