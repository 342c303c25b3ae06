"""Addresses in cloud storage, which read as addresses of the server unless told not to."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from tests.live.under_test import ServerUnderTest

BUCKET = "bucket"


def make_stored(server: ServerUnderTest, data: dict[str, object]) -> tuple[int, int]:
    project = server.make_project()
    server.connect_storage(project, BUCKET)
    item = {"data": {"text": "text", **data}, "meta": {"from": f"s3://{BUCKET}/m.jpg"}}
    return project, server.import_tasks(project, [item])[0]


def resolved(server: ServerUnderTest, task: int, address: str) -> str:
    word = "resolve" if server.release >= (1, 23) else "presign"
    return f"/tasks/{task}/{word}/?fileuri={urlsafe_b64encode(address.encode()).decode()}"


@pytest.mark.since("1.23")
def test_a_task_reads_resolved_unless_told_not_to(server: ServerUnderTest):
    address = f"s3://{BUCKET}/dir/5.jpg"
    _, task = make_stored(server, {"image": address})

    assert server.get(task).json()["data"]["image"] == resolved(server, task, address)
    assert server.read(task)["data"]["image"] == address


def test_the_list_reads_resolved_unless_told_not_to(server: ServerUnderTest):
    address = f"s3://{BUCKET}/dir/5.jpg"
    project, task = make_stored(server, {"image": address})

    [default] = server.page(project).json()["tasks"]
    [stored] = server.listed(project)

    assert default["data"]["image"] == resolved(server, task, address)
    assert stored["data"]["image"] == address


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("{}", [f"s3://{BUCKET}/a.jpg"]),
        ("<img src='{}'/>", [f"s3://{BUCKET}/a.jpg"]),
    ],
    ids=["alone", "quoted"],
)
def test_an_address_is_resolved_inside_a_text(
    server: ServerUnderTest, text: str, addresses: list[str]
):
    _, task = make_stored(server, {"x": text.format(*addresses)})

    expected = text.format(*(resolved(server, task, address) for address in addresses))
    assert server.get(task).json()["data"]["x"] == expected


def test_addresses_are_resolved_deep_inside(server: ServerUnderTest):
    one, two = f"s3://{BUCKET}/1.jpg", f"s3://{BUCKET}/é.jpg"
    _, task = make_stored(server, {"list": [one, {"u": two}, 3], "map": {"k": {"j": two}}})

    data = server.get(task).json()["data"]

    assert data["list"] == [resolved(server, task, one), {"u": resolved(server, task, two)}, 3]
    assert data["map"] == {"k": {"j": resolved(server, task, two)}}


@pytest.mark.parametrize(
    "text",
    ["s3://elsewhere/a.jpg", f"gs://{BUCKET}/a.jpg", f"see s3://{BUCKET}/a.txt", "https://x/a.jpg"],
)
def test_other_texts_read_as_they_are(server: ServerUnderTest, text: str):
    _, task = make_stored(server, {"x": text})

    assert server.get(task).json()["data"]["x"] == text


def test_without_a_storage_nothing_is_resolved(server: ServerUnderTest):
    task = server.make_task({"image": f"s3://{BUCKET}/a.jpg"})

    assert server.get(task).json()["data"]["image"] == f"s3://{BUCKET}/a.jpg"


def test_meta_is_never_resolved(server: ServerUnderTest):
    _, task = make_stored(server, {})

    assert server.get(task).json()["meta"] == {"from": f"s3://{BUCKET}/m.jpg"}


def test_the_answer_to_a_patch_is_never_resolved(server: ServerUnderTest):
    _, task = make_stored(server, {"image": f"s3://{BUCKET}/a.jpg"})

    assert server.update(task, {})["data"]["image"] == f"s3://{BUCKET}/a.jpg"


def test_writing_a_resolved_address_back_destroys_the_stored_one(server: ServerUnderTest):
    project, task = make_stored(server, {"image": f"s3://{BUCKET}/a.jpg"})
    default = server.get(task).json()["data"]

    server.update(task, {"data": default})

    [stored] = server.listed(project)
    assert stored["data"]["image"] == resolved(server, task, f"s3://{BUCKET}/a.jpg")
