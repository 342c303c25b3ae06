"""Lines of a file that is written to, replaced or removed between checking and planning."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.model import DesiredTask
from reconciler.core.values import Json
from reconciler.errors import ManifestError
from reconciler.manifest.files import find_manifests
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import load_manifests
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document
from reconciler.manifest.readers.jsonl_reader import BLOCK, LineFile, read_jsonl
from reconciler.progress import NullProgress

HEADER = '{"version": 1, "project": 7}'


def task(number: int, text: str = "A sentence.", **more: Json) -> str:
    return json.dumps({"id": number, "data": {"text": text}, **more})


def write(path: Path, *lines: str, end: str = "\n") -> Path:
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def load(*paths: Path) -> DesiredIndex:
    return load_manifests(find_manifests([str(path) for path in paths]), load_contract())


def texts(desired: DesiredIndex) -> dict[int, Json]:
    return {declared.id: text_of(declared) for declared in desired}


def text_of(declared: DesiredTask) -> Json:
    data = declared.attributes["data"]
    assert isinstance(data, dict)
    return data["text"]


def told(problem: ManifestError) -> tuple[str, int, str]:
    (only,) = problem.problems
    return Path(only.source.file).name, only.source.line, only.message


NOT_WHAT_IT_WAS = "this line changed after it was checked"


def edited(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"Two.", b"Too."))


def replaced(path: Path) -> None:
    new = path.with_name("new")
    new.write_bytes(path.read_bytes().replace(b"Two.", b"Too."))
    os.replace(new, path)  # noqa: PTH105 - what editors and tools do, by its own name


def shifted(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"One.", b"One and a half."))


def truncated(path: Path) -> None:
    os.truncate(path, path.read_bytes().index(b"Two."))


@pytest.mark.parametrize("change", [edited, replaced, shifted, truncated, Path.unlink])
def test_a_line_that_is_not_what_it_was_is_told_with_its_place(
    tmp_path: Path, change: Callable[[Path], None]
):
    file = write(tmp_path / "a.jsonl", HEADER, task(1, "One."), "", task(2, "Two."))
    desired = load(file)
    change(file)
    with pytest.raises(ManifestError) as failed:
        _ = desired[2]
    assert told(failed.value) == ("a.jsonl", 4, NOT_WHAT_IT_WAS)
    assert "run again" in str(failed.value)


def test_lines_before_the_one_that_was_edited_are_still_what_they_were(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", HEADER, task(1, "One."), task(2, "Two."), task(3, "Three."))
    desired = load(file)
    edited(file)
    assert desired[1].attributes["data"] == {"text": "One."}
    assert desired[3].attributes["data"] == {"text": "Three."}


def test_a_file_that_is_replaced_between_two_looks_into_it_is_told(tmp_path: Path):
    long = "x" * BLOCK
    file = write(tmp_path / "a.jsonl", HEADER, task(1, long), task(2, "Two."))
    desired = load(file)
    _ = desired[1]
    replaced(file)
    with pytest.raises(ManifestError) as failed:
        _ = desired[2]
    assert told(failed.value) == ("a.jsonl", 3, NOT_WHAT_IT_WAS)


def test_a_file_that_is_replaced_by_an_equal_one_is_no_problem(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", HEADER, task(1), task(2))
    desired = load(file)
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    assert texts(desired) == {1: "A sentence.", 2: "A sentence."}


def what_is_said(desired: DesiredIndex, number: int) -> Mapping[str, Json] | str:
    """What is declared of a task, or the problem with it."""
    try:
        return desired[number].attributes
    except ManifestError as error:
        return told(error)[2]


def test_every_value_is_the_one_checked_or_an_error_whatever_byte_is_changed(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", HEADER, task(12), task(34))
    content = file.read_bytes()
    checked = {declared.id: declared.attributes for declared in load(file)}
    refused = 0
    for place in range(len(content)):
        file.write_bytes(content)
        desired = load(file)
        file.write_bytes(content[:place] + b"7" + content[place + 1 :])
        for number in (12, 34):
            said = what_is_said(desired, number)
            assert said in (checked[number], NOT_WHAT_IT_WAS)
            refused += said == NOT_WHAT_IT_WAS
    assert refused == len(task(12)) + len(task(34))


class Changing(NullProgress):
    """A listener that changes a file once a line of it has been read."""

    def __init__(self, change: Callable[[], object]) -> None:
        self._change = change

    def advance(self, tasks: int = 1) -> None:  # noqa: ARG002 - as `ProgressListener` has it
        self._change()


def opened(path: Path) -> Document:
    """The document of a file whose header has been read, and nothing else."""
    diagnostics = Diagnostics(str(path))
    (document,) = read_jsonl(LineFile(path), diagnostics)
    assert diagnostics.problems == []
    return document


@pytest.mark.parametrize(
    "header", ["", '{"version": 1, "project": 8}', '{"version": 1, "policy": {"data": "replace"}}']
)
def test_a_header_that_changes_before_its_tasks_are_read_is_not_the_header_of_those(
    tmp_path: Path, header: str
):
    file = write(tmp_path / "a.jsonl", HEADER, task(1))
    document = opened(file)
    write(file, header, task(1)) if header else write(file)
    with pytest.raises(ManifestError) as failed:
        list(document.read_tasks())
    assert told(failed.value) == ("a.jsonl", 1, "the file changed while it was read")


def test_a_file_that_is_removed_before_its_tasks_are_read_is_still_the_one_that_was_opened(
    tmp_path: Path,
):
    file = write(tmp_path / "a.jsonl", HEADER, task(1))
    document = opened(file)
    file.unlink()
    assert [index for index, _, _ in document.read_tasks()] == [0]
    with pytest.raises(ManifestError) as failed:
        document.read_task(0)
    assert told(failed.value) == ("a.jsonl", 2, NOT_WHAT_IT_WAS)


def test_a_file_that_is_replaced_while_it_is_checked_is_told_when_it_is_planned(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", HEADER, task(1, "One."), task(2, "Two."))
    progress = Changing(lambda: replaced(file) if b"Two." in file.read_bytes() else None)
    desired = load_manifests(find_manifests([str(file)]), load_contract(), progress=progress)
    with pytest.raises(ManifestError) as failed:
        _ = desired[2]
    assert told(failed.value) == ("a.jsonl", 3, NOT_WHAT_IT_WAS)


def test_more_files_than_are_kept_open_are_read_in_turns(tmp_path: Path):
    files = [
        write(tmp_path / f"{n:02}.jsonl", HEADER, *(task(100 * k + n, "x" * BLOCK) for k in (1, 2)))
        for n in range(40)
    ]
    desired = load(*files)
    assert len(texts(desired)) == 80
    assert len(texts(desired)) == 80


def test_lines_longer_than_a_block_are_read_again_whole(tmp_path: Path):
    long = {n: str(n) * (BLOCK * n // 2) for n in range(1, 6)}
    lines = [line for n, text in long.items() for line in (task(n, text), task(n + 10))]
    desired = load(write(tmp_path / "a.jsonl", HEADER, *lines))
    for number in (5, 1, 15, 3, 11, 2, 4):
        expected = long.get(number, "A sentence.")
        assert desired[number].attributes["data"] == {"text": expected}


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b"\r\n \t\r\n"])
@pytest.mark.parametrize("last", [b"", b"\r\n"])
def test_ends_of_lines_blank_lines_and_byte_order_marks_are_not_part_of_tasks(
    tmp_path: Path, bom: bytes, end: bytes, last: bytes
):
    lines = [HEADER, task(3, "ü"), task(1, "\N{GRINNING FACE}", overlap=2), task(2)]
    file = tmp_path / "a.jsonl"
    file.write_bytes(bom + end.join(line.encode() for line in lines) + last)
    desired = load(file)
    assert texts(desired) == {1: "\N{GRINNING FACE}", 2: "A sentence.", 3: "ü"}
    assert desired[2].source.line == 1 + 3 * end.count(b"\n")
    assert list(desired.group_by_project()[7]) == [1, 2, 3]


def test_blank_lines_may_stand_before_the_header(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", "", " ", HEADER, "", task(1))
    assert load(file)[1].source.line == 5


def test_tasks_of_any_order_and_of_several_files_are_found_by_id(tmp_path: Path):
    numbers = [(7 * n) % 101 + 1 for n in range(101)]
    one = write(tmp_path / "1.jsonl", HEADER, *(task(n, f"{n}") for n in numbers[:50]))
    two = write(tmp_path / "2.jsonl", HEADER, *(task(n, f"{n}") for n in numbers[50:]))
    desired = load(two, one)
    assert [declared.id for declared in desired] == list(range(1, 102))
    for number in numbers:
        assert desired[number].attributes["data"] == {"text": str(number)}
    for number in (0, 102):
        with pytest.raises(KeyError):
            _ = desired[number]


def test_one_task_in_two_files_is_one_task_with_what_both_declare(tmp_path: Path):
    one = write(tmp_path / "1.jsonl", HEADER, task(5), task(4))
    two = write(tmp_path / "2.jsonl", HEADER, '{"id": 5, "overlap": 3}', task(6))
    desired = load(one, two)
    assert len(desired) == 3
    assert desired[5].attributes.keys() == {"data", "overlap"}
    assert desired[4].attributes.keys() == {"data"}
    # Both were held against each other, and what was seen then is what is planned.
    desired = load(one, two)
    two.write_bytes(two.read_bytes().replace(b'"overlap": 3', b'"overlap": 4'))
    assert desired[5].attributes["overlap"] == 3


def test_one_task_that_two_files_say_the_same_of_names_both_lines(tmp_path: Path):
    one = write(tmp_path / "1.jsonl", HEADER, task(4), task(5))
    two = write(tmp_path / "2.jsonl", HEADER, task(5))
    with pytest.raises(ManifestError) as failed:
        load(one, two)
    said = str(failed.value)
    assert "1.jsonl:3" in said
    assert "2.jsonl:2" in said


def test_a_loaded_task_takes_a_few_bytes_and_not_its_text(tmp_path: Path):
    count = 20_000
    file = write(tmp_path / "a.jsonl", HEADER, *(task(n, "x" * 500) for n in range(1, count + 1)))
    load(write(tmp_path / "b.jsonl", HEADER, task(1)))
    tracemalloc.start()
    try:
        desired = load(file)
        kept, peak = tracemalloc.get_traced_memory()
        assert sum(1 for _ in desired) == count
        _, peak_of_all = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(desired) == count
    assert kept < 60 * count
    assert max(peak, peak_of_all) < 100 * count


def test_a_pipe_that_comes_into_the_place_of_the_file_is_not_waited_for(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", HEADER, task(1))
    desired = load(file)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ManifestError) as failed:
        _ = desired[1]
    assert told(failed.value) == ("a.jsonl", 2, NOT_WHAT_IT_WAS)
