"""What a project tells about the tasks it expects."""

from __future__ import annotations

from secrets import token_hex
from typing import Any

import pytest

from reconciler.contract.label_config import UnreadableLabelConfigError, find_used_paths
from reconciler.contract.label_needs import find_needs
from reconciler.engine.connection import connect
from reconciler.engine.project_lookup import ProjectTitles
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import UnknownProjectName
from tests.live.under_test import ServerUnderTest

CONFIG = (
    '<View><Header value="Rate $title"/><Text name="text" value="$text"/>'
    '<Image name="image" value="$image"/><Choices name="mood" toName="text">'
    '<Choice value="good"/><Choice value="bad"/></Choices></View>'
)


def project_of(server: ServerUnderTest, label_config: str) -> dict[str, Any]:
    project = server.make_project(label_config)
    return dict(server.http.get(f"/api/projects/{project}/").json())


def reason(server: ServerUnderTest, label_config: str, data: dict[str, object]) -> str:
    """Give the reason why a task with this data cannot be created, or nothing if it can."""
    project = server.make_project(label_config)
    answer = server.http.post(f"/api/projects/{project}/import", json=[{"data": data}])
    if answer.status_code == 201:
        return ""
    [error] = answer.json()["validation_errors"]["non_field_errors"]
    return str(error)


def test_a_project_tells_its_label_config_as_it_was_written(server: ServerUnderTest):
    assert project_of(server, CONFIG)["label_config"] == CONFIG


def test_a_project_does_not_list_the_keys_that_its_tasks_need(server: ServerUnderTest):
    assert "data_types" not in project_of(server, CONFIG)


def test_the_parsed_config_leaves_out_what_no_control_names(server: ServerUnderTest):
    parsed = project_of(server, CONFIG)["parsed_label_config"]

    assert parsed == {
        "mood": {
            "type": "Choices",
            "to_name": ["text"],
            "inputs": [{"type": "Text", "valueType": None, "value": "text"}],
            "labels": ["good", "bad"],
            "labels_attrs": {"good": {"value": "good"}, "bad": {"value": "bad"}},
        }
    }


@pytest.mark.parametrize("missing", ["text", "image"])
def test_every_named_tag_with_a_variable_needs_its_key(server: ServerUnderTest, missing: str):
    data: dict[str, object] = {"text": "x", "image": "x"}
    del data[missing]

    assert f'"{missing}" key is expected in task data' in reason(server, CONFIG, data)


def test_a_tag_without_a_name_needs_nothing(server: ServerUnderTest):
    assert reason(server, CONFIG, {"text": "x", "image": "x"}) == ""


def test_a_variable_inside_a_value_needs_its_key(server: ServerUnderTest):
    config = '<View><Text name="text" value="Dear $who, $what"/></View>'

    assert '"who" key is expected' in reason(server, config, {})
    assert reason(server, config, {"who": "x"}) == ""


def test_a_variable_with_dots_is_a_path(server: ServerUnderTest):
    config = '<View><Text name="text" value="$a.b"/></View>'

    assert "key is expected" in reason(server, config, {"a": {}})
    assert reason(server, config, {"a": {"b": "x"}}) == ""


@pytest.mark.parametrize(
    "inner",
    [
        '<!-- <Text name="old" value="$old"/> -->',
        "<Style>.a { content: '$old' }</Style>",
        '<Choices name="c" toName="t"><Choice value="$100 or more"/></Choices>',
        '<Header value="$title"/>',
        '<Image name="i" valueList="$pages"/>',
        '<TextArea name="c" toName="t" placeholder="$hint"/>',
        '<TimeSeries name="s" timeColumn="time"><Channel column="v"/></TimeSeries>',
    ],
)
def test_what_the_server_does_not_insist_on(server: ServerUnderTest, inner: str):
    assert reason(server, f'<View><Text name="t" value="x"/>{inner}</View>', {"any": 1}) == ""


@pytest.mark.parametrize(
    ("tag", "key"),
    [
        ('<Text name="t" value="$100 or more"/>', "100 or more"),
        ('<Text name="t" value="Costs $100"/>', "100"),
        ('<Text name="t" value="&#36;ent"/>', "ent"),
        ('<Text name="t" value="$a b"/>', "a b"),
        ('<Text name="t" value="$p[0].url"/>', "p"),
        ('<x:Text xmlns:x="u" name="t" value="$x"/>', "x"),
    ],
)
def test_what_the_server_insists_on_is_protected(server: ServerUnderTest, tag: str, key: str):
    config = f"<View>{tag}</View>"

    assert f'"{key}" key is expected in task data' in reason(server, config, {"any": 1})
    assert (key,) in find_used_paths(config)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("<!DOCTYPE v><View/>", "DTDForbidden(name='v', system_id=None, public_id=None)"),
        (
            '<!DOCTYPE v [<!ENTITY a "$x">]><View>&a;</View>',
            "DTDForbidden(name='v', system_id=None, public_id=None)",
        ),
        ("<View>&nbsp;</View>", "undefined entity: line 1, column 6"),
        ("<View>", "no element found: line 1, column 6"),
        ("", "no element found: line 1, column 0"),
    ],
)
def test_a_label_config_that_is_hostile_or_no_xml_is_refused(
    server: ServerUnderTest, config: str, said: str
):
    body = {"title": "contract", "label_config": config}
    answer = server.http.post("/api/projects/", json=body)

    assert (answer.status_code, answer.json()["validation_errors"]) == (
        400,
        {"label_config": [said]},
    )
    with pytest.raises(UnreadableLabelConfigError):
        find_used_paths(config)


def test_a_project_may_ask_for_nothing(server: ServerUnderTest):
    assert reason(server, "<View></View>", {"anything": 1}) == ""


def test_a_project_tells_how_many_tasks_it_has(server: ServerUnderTest):
    project, _ = server.make_tasks(3)

    assert server.http.get(f"/api/projects/{project}/").json()["task_number"] == 3


def test_a_project_tells_when_a_read_would_run_a_model(server: ServerUnderTest):
    told = project_of(server, CONFIG)

    assert told["evaluate_predictions_automatically"] is False
    assert told["show_collab_predictions"] is True


def test_an_unknown_project_is_not_found(server: ServerUnderTest):
    answer = server.http.get("/api/projects/999999999/")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "No Project matches the given query."


def test_the_key_of_plain_text_is_stored_under_the_first_key_asked_for(server: ServerUnderTest):
    project = server.make_project(CONFIG)
    data = {"$undefined$": "x", "image": "y"}

    [task] = server.import_tasks(project, [{"data": data}])
    imported = server.read(task)["data"]
    written = server.update(task, {"data": {**data, "text": "lost"}})["data"]

    assert imported == written == {"image": "y", "text": "x"}


# Kinds of values.

KINDS: dict[str, object] = {
    "words": "some words",
    "an address": "s3://bucket/key",
    "a number": 5,
    "a boolean": True,
    "a list": ["x"],
    "an object": {"x": 1},
    "null": None,
}
OBJECTS = [
    "Text",
    "Header",
    "HyperText",
    "Image",
    "Audio",
    "AudioPlus",
    "Video",
    "Pdf",
    "Paragraphs",
    "Chat",
    "Table",
    "TimeSeries",
    "List",
]
CONTROLS = [
    "Ranker",
    "Choices",
    "Labels",
    "PolygonLabels",
    "BrushLabels",
    "EllipseLabels",
    "HyperTextLabels",
    "KeyPointLabels",
    "ParagraphLabels",
    "RectangleLabels",
    "TimeSeriesLabels",
    "Taxonomy",
]
SHOWN_BY_THE_PAGE = {
    **{tag: {"words"} for tag in ("Image", "Audio", "AudioPlus", "Video", "Pdf")},
    "TimeSeries": {"words", "a list", "an object"},
    "List": {"words", "an address"},
}
"""What import takes, and the labelling page cannot show."""


@pytest.mark.parametrize("tag", [*OBJECTS, *CONTROLS])
def test_import_takes_these_kinds_of_values(server: ServerUnderTest, tag: str):
    to_name = ' toName="t"' if tag in CONTROLS else ""
    config = f'<View><Text name="t" value="x"/><{tag} name="a"{to_name} value="$x"/></View>'
    project = server.make_project(config)
    [need] = find_needs(config)
    for kind, value in KINDS.items():
        tasks = [{"data": {"x": value}}]
        answer = server.http.post(f"/api/projects/{project}/import", json=tasks)
        is_shown = kind not in SHOWN_BY_THE_PAGE.get(tag, ())
        assert need.fits(value) == (answer.status_code == 201 and is_shown), kind


def test_import_names_the_kinds_that_it_takes(server: ServerUnderTest):
    said = reason(server, '<View><HyperText name="t" value="$x"/></View>', {"x": 5})

    assert "data['x']=5 is of type 'int', but the object tag HyperText expects" in said
    assert "the following types: ['str']" in said


def test_patch_takes_any_kind(server: ServerUnderTest):
    project = server.make_project('<View><Text name="t" value="$x"/></View>')
    [task] = server.import_tasks(project, [{"data": {"x": "a"}}])

    assert server.update(task, {"data": {"x": {"y": 1}}})["data"] == {"x": {"y": 1}}


# Titles.


def list_projects(server: ServerUnderTest, **query: str | int) -> dict[str, Any]:
    return dict(server.http.get("/api/projects/", params=query).json())


def make_titles(server: ServerUnderTest, *titles: str) -> list[int]:
    return [server.make_project(title=title) for title in titles]


@pytest.mark.every_release
def test_projects_are_listed_by_a_part_of_their_title_in_any_case(server: ServerUnderTest):
    word = token_hex(8)
    made = make_titles(server, word, f"my {word} 2", word.upper(), word)
    listed = list_projects(server, title=word, page=1, page_size=100)
    assert listed["count"] == 4
    assert {row["id"]: row["title"] for row in listed["results"]} == dict(
        zip(made, (word, f"my {word} 2", word.upper(), word), strict=True)
    )
    assert [row["id"] for row in listed["results"]] == made[::-1]


@pytest.mark.every_release
def test_projects_come_in_pages(server: ServerUnderTest):
    word = token_hex(8)
    made = make_titles(server, *[word] * 3)
    pages = [list_projects(server, title=word, page=page, page_size=2) for page in (1, 2)]
    assert [page["count"] for page in pages] == [3, 3]
    assert [row["id"] for page in pages for row in page["results"]] == made[::-1]
    beyond = server.http.get("/api/projects/", params={"title": word, "page": 3, "page_size": 2})
    assert (beyond.status_code, beyond.json()["detail"]) == (404, "Invalid page.")


@pytest.mark.every_release
def test_a_name_is_the_exact_title_of_one_project(server: ServerUnderTest):
    word = token_hex(8)
    one, _, first, second = make_titles(server, word, f"{word} 2", *[f"{word} twice"] * 2)
    with connect(Settings(server.url, server.token)) as connection:
        lookup = ProjectTitles(connection.api)
        assert lookup(word) == one
        with pytest.raises(UnknownProjectName, match="has the title"):
            lookup(word[:-1])
        with pytest.raises(UnknownProjectName, match=f"2 projects on .*: {first}, {second} "):
            lookup(f"{word} twice")
