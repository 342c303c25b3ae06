from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.engine.additions import AddOptions
from reconciler.engine.manifest_update import write_update
from reconciler.manifest.editing import text_edits
from reconciler.manifest.editing.file_edits import edit_file
from reconciler.manifest.editing.nodes import Node
from reconciler.manifest.editing.splices import CannotEditError, Splice, apply_splices
from reconciler.manifest.editing.task_edits import Failure, TaskChange, TaskEdit, edit_task
from reconciler.manifest.editing.value_edits import ValueEdits
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document
from reconciler.manifest.readers.manifest_file import parse_documents
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


def test_a_file_whose_bytes_changed_is_refused_even_if_its_values_did_not():
    edit = TaskEdit(0, 0, {"id": 1, "overlap": 2}, {"id": 1, "overlap": 1})
    documents = parse_documents("a.yaml", TEXT.encode(), Diagnostics("a.yaml"))
    assert not edit_file("a.yaml", TEXT.encode(), [edit], documents=documents).failed
    with pytest.raises(CannotEditError, match="changed while"):
        edit_file("a.yaml", f"# new\n{TEXT}".encode(), [edit], documents=documents)


def test_an_unsafe_edit_leaves_only_its_own_task(monkeypatch: pytest.MonkeyPatch):
    count = 40
    tasks = [{"id": number, "overlap": 2} for number in range(1, count + 1)]
    text = "tasks:\n" + "".join(f"  - {{id: {t['id']}, overlap: 2}}\n" for t in tasks)
    changes: list[TaskChange] = [
        TaskEdit(0, number, {**task}, {**task, "overlap": 1}) for number, task in enumerate(tasks)
    ]
    spoil_edits(monkeypatch, (7, 31))

    edited = edit_file("a.yaml", text.encode(), changes)

    expected = text.replace("overlap: 2", "overlap: 1")
    for spoilt in (7, 31):
        expected = expected.replace(f"id: {spoilt}, overlap: 1", f"id: {spoilt}, overlap: 2")
    assert edited.raw.decode() == expected
    assert {(change, reason) for change, reason in map(read_failure, edited.failed)} == {
        (7, "the edited text would not declare what it should"),
        (31, "the edited text would not declare what it should"),
    }


def spoil_edits(monkeypatch: pytest.MonkeyPatch, spoilt: tuple[int, ...]) -> None:
    """Let the edits of some tasks write another value than they should."""

    def edit_wrongly(collected: ValueEdits, node: Node, edit: TaskEdit) -> str:
        wrong = {**edit.new, "overlap": 9} if edit.new["id"] in spoilt else edit.new
        return edit_task(collected, node, edit._replace(new=wrong))

    monkeypatch.setattr(text_edits, "edit_task", edit_wrongly)


def read_failure(failure: Failure) -> tuple[object, str]:
    change, reason = failure
    assert isinstance(change, TaskEdit)
    return change.old["id"], reason


def test_only_the_lines_around_an_edit_are_read_again(monkeypatch: pytest.MonkeyPatch):
    lines = [f"  - {{id: {number}, overlap: 2}}" for number in range(1, 1001)]
    raw = "\n".join(["version: 1", "tasks:", *lines, ""]).encode()
    documents = parse_documents("a.yaml", raw, Diagnostics("a.yaml"))
    read: list[int] = []

    def parse(file: str, part: bytes, diagnostics: Diagnostics) -> Sequence[Document]:
        read.append(part.count(b"\n"))
        return parse_documents(file, part, diagnostics)

    monkeypatch.setattr(text_edits, "parse_documents", parse)
    edit = TaskEdit(0, 499, {"id": 500, "overlap": 2}, {"id": 500, "overlap": 1})

    edited = edit_file("a.yaml", raw, [edit], documents=documents)

    assert edited.raw == raw.replace(b"500, overlap: 2", b"500, overlap: 1")
    assert read == [5, 5]


def test_an_anchor_moves_to_the_alias_that_needs_it_even_to_a_key():
    text = "version: 1\ntasks:\n  - id: 1\n    data: {a: &a x}\n  - id: 2\n    data: {*a : 1}\n"
    edit = TaskEdit(0, 0, {"id": 1, "data": {"a": "x"}}, {"id": 1, "data": {"a": "z"}})
    edited = edit_file("a.yaml", text.encode(), [edit])
    assert edited.raw.decode() == text.replace("&a x", "z").replace("*a ", "&a x ")


def test_a_server_that_changes_while_an_update_is_made_shows_in_the_next_one(tmp_path: Path):
    file = tmp_path / "tasks.yaml"
    file.write_text(TEXT)
    state = sandbox_with(2)
    update = prepare([str(file)], state, add=AddOptions())
    state.tasks[1].values["overlap"] = 3
    state.tasks[2].values["data"] = {"text": "new"}

    assert write_update(update).files[0].added == 1
    again = write_update(prepare([str(file)], state, add=AddOptions()))

    assert [change.before for change in again.files[0].changes] == [3, "new"]
    assert again.files[0].added == 0


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
