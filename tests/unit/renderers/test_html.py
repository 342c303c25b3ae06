"""The HTML page as text; tests/browser tries it in a browser."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.change_groups import group_changes
from reconciler.core.model import Change
from reconciler.core.plan_model import Plan, Status, TaskPlan
from reconciler.core.values import ABSENT, UNREADABLE, Side
from reconciler.errors import Source
from reconciler.renderers.html import render_plan
from reconciler.renderers.html.page_rows import Entry, build_rows
from reconciler.renderers.html.page_values import encode_inert, encode_sides
from reconciler.renderers.render_options import RenderOptions
from tests.unit.core.building import SERVER

PLACE = Source("a.yaml", 7, 3)


def make_plan(*changes: Change) -> Plan:
    tasks = [
        TaskPlan(number, 1, Status.UPDATE, PLACE, (change,))
        for number, change in enumerate(changes, 1)
    ]
    return Plan(SERVER, tuple(tasks), 0)


def change(before: Side, after: Side, name: str = "text") -> Change:
    return Change(("data", name), before, after, PLACE)


def read_data(page: str) -> dict[str, Any]:
    start = page.index('<script id="data" type="application/json">')
    text = page[page.index("{", start) : page.index("</script>", start)]
    found: dict[str, Any] = json.loads(text)
    return found


def read_sides(changes: list[Change], most: int = 10_000) -> list[tuple[Any, Any]]:
    sides = encode_sides(changes, most)
    return [(json.loads(bytes(before)), json.loads(bytes(after))) for before, after in sides]


def test_the_page_has_every_change():
    page = render_plan(make_plan(change("a", "b"), change(1, ABSENT, "n")), RenderOptions())
    data = read_data(page)

    assert data["rows"]["before"] == ["a", ["1"]]
    assert data["rows"]["after"] == ["b", 0]
    assert data["rows"]["line"] == [7, 7]
    assert data["files"] == ["a.yaml"]
    assert [data["paths"][group["path"]] for group in data["groups"]] == ["data.n", "data.text"]
    assert [group["sign"] for group in data["groups"]] == ["remove", "set"]


def test_the_policy_names_the_script_and_the_style_of_the_page():
    page = render_plan(make_plan(change("a", "b")), RenderOptions())

    for start, end in (("<style>", "</style>"), ("<script>", "</script>")):
        text = page.partition(start)[2].partition(end)[0]
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in page.partition("<style>")[0]


def test_the_page_loads_nothing():
    page = render_plan(make_plan(change("a", "https://x.test/a.png")), RenderOptions())

    for word in ("<link", "<img", "@import", "url(", " src=", " href="):
        assert word not in page


@given(st.text())
def test_no_value_can_end_the_data(text: str):
    written = encode_inert([text, {text: text}])

    assert b"<" not in written
    assert "\u2028" not in written.decode()
    assert json.loads(written) == [text, {text: text}]


def test_half_a_surrogate_pair_can_be_written():
    page = render_plan(make_plan(change("\ud800", "\udfff<b>")), RenderOptions())

    page.encode()
    assert read_data(page)["rows"]["after"] == ["\udfff<b>"]


def test_what_is_no_string_is_its_json_text():
    found = read_sides([change(ABSENT, None), change(UNREADABLE, 10**30), change({"a": 1.0}, "1")])

    assert found == [(0, ["null"]), (1, [str(10**30)]), (['{"a":1.0}'], "1")]


def test_of_long_values_the_parts_that_differ_are_kept():
    before, after = "x" * 5_000 + "OLD" + "y" * 5_000, "x" * 5_000 + "NEW" + "y" * 5_000
    found = read_sides([change(before, after), change("short", "brief")], 5_000)

    (old, new), short = found
    assert "OLD" in old["part"]
    assert "NEW" in new["part"]
    assert old["length"] == 10_003
    assert before[old["start"] : old["end"]] == old["part"]
    assert short == ("short", "brief")


def test_values_never_take_more_than_their_room():
    changes = [change("<" * 5_000, "\u2028" * 5_000) for _ in range(50)]
    tasks = make_plan(*changes).tasks
    entries = [Entry(one.task, "", 0, PLACE, one.changes) for one in tasks]

    built = build_rows(entries, group_changes(tasks), bytes_max=20_000)

    assert len(encode_inert(built)) < 30_000
    assert built["leftOut"].startswith("The list has ")


def test_of_too_many_rows_each_group_keeps_some():
    changes = [*(change(i, -i, "many") for i in range(1, 500)), change("a", "b", "rare")]
    tasks = make_plan(*changes).tasks
    groups = group_changes(tasks)
    entries = [Entry(one.task, "", 0, PLACE, one.changes) for one in tasks]
    entries.append(Entry(None, "a key", 0, PLACE))

    built = build_rows(entries, groups, rows_max=100)

    assert len(built["rows"]["task"]) == 100
    paths = {groups[place].path for place in built["rows"]["group"] if place >= 0}
    assert paths == {("data", "many"), ("data", "rare")}
    assert built["tasks"][-1][1] == "a key"
    assert "100 rows of 501" in built["leftOut"]


def test_numbers_are_counted_before_and_after_in_the_same_bins():
    numbers = [change(i, i + 100, "score") for i in range(10)]
    data = read_data(render_plan(make_plan(*numbers), RenderOptions()))

    histogram = data["totals"][0]["histogram"]
    assert (histogram["low"], histogram["high"]) == ("0", "109")
    assert sum(histogram["before"]) == sum(histogram["after"]) == 10
    assert histogram["before"][-1] == histogram["after"][0] == 0


def test_what_is_not_only_numbers_has_no_histogram():
    for odd in ("text", True, 10**400, None):
        numbers = [*(change(i, i + 100, "score") for i in range(10)), change(odd, 7, "score")]
        data = read_data(render_plan(make_plan(*numbers), RenderOptions()))
        assert "histogram" not in data["totals"][0]
