"""What an editor makes of the manifest schema: driven through the language server it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.contract.location import locate_schema
from tests.unit.editor.language_server import LanguageServer, expand, install

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "manifests").glob("*.yaml"))
HEADER = "version: 1\nproject: 7\ntasks:\n"
TASK = f"{HEADER}  - id: 101\n"

RULE = "version: 1\nproject: 7\nrules:\n  - name: a rule\n"
ALLOW = "version: 1\ntasks: []\nallow:\n  - reason: a reason\n"
FORMS = """\
version: 1
project: reviews
key: data.external_id
defaults: {absent: [data.junk]}
allow:
  - {kind: annotated-data, paths: [data.image], reason: "the bucket moved"}
rules:
  - name: label the validation split twice
    where: {data.split: val, data.lang: [en, nl], data.score: {gt: 0.5}, overlap: 1}
    set: {overlap: 2}
    absent: [data.old_score]
    rewrite: {data.image: {prefix: "s3://a/", to: "s3://b/"}}
    expect: {max: 5}
tasks:
  - key: x-000102
  - ids: [105, 107-120]
  - keys: [1, a]
"""


@pytest.fixture(scope="module")
def editor(request: pytest.FixtureRequest) -> Iterator[LanguageServer]:
    program = install(request.config.cache.mkdir("yaml-language-server"))
    with LanguageServer(program, locate_schema("manifest.schema.json")) as server:
        yield server


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.name)
def test_an_example_is_not_underlined(editor: LanguageServer, example: Path) -> None:
    assert editor.diagnose(example.read_text(encoding="utf-8")) == []


def test_mistakes_are_underlined_where_they_are(editor: LanguageServer) -> None:
    found = editor.diagnose(f"{TASK}    overlap: two\n    absent: [old]\n    text: A sentence.\n")

    assert sorted(found) == [
        '5:14: Incorrect type. Expected "integer".',
        "6:14: Write a path inside data or meta, such as data.old_key.",
        "7:5: Property text is not allowed.",
    ]


def test_every_form_is_valid(editor: LanguageServer) -> None:
    assert editor.diagnose(FORMS) == []


def test_mistakes_in_rules_are_underlined(editor: LanguageServer) -> None:
    found = editor.diagnose(f"{RULE}    where: {{data.x: {{foo: 1}}, title: 1}}\n    when: 5\n")

    assert sorted(found) == [
        "5:22: Property foo is not allowed.",
        "5:31: Write a path of an attribute, such as data.split.",
        "6:5: Property when is not allowed.",
    ]


def test_computed_attributes_come_after_those_that_people_declare(editor: LanguageServer) -> None:
    offered = editor.complete(f"{TASK}    |")
    computed = ["Computed by the server" in str(item.get("documentation")) for item in offered]
    names = [item["label"] for item in offered]

    assert names[:6] == ["key", "ids", "keys", "absent", "project", "inner_id"]
    assert computed == sorted(computed)
    assert computed.count(True) > 10


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (f"{TASK}    data: |", ["a text", "an image"]),
        (f"{TASK}    meta: |", ["a source"]),
        (f"{TASK}    absent: |", ['["data.old_key"]', r'["data[\"a.b\"]"]']),
        (f"{TASK}    overlap: |", ["2"]),
        (f"{TASK}    inner_id: |", ["1"]),
        (f"{TASK}    allow_skip: |", ["true", "false", "null"]),
        ("version: 1\ntasks: []\npolicy:\n  data: |", ["merge", "replace"]),
        ("version: 1\ntasks: []\nserver: |", ["https://label-studio.example.org"]),
        ("version: |\ntasks: []", ["1"]),
        (f"{RULE}    where: |", ["a prefix", "a value"]),
        (f"{RULE}    rewrite: |", ["a bucket"]),
        (
            f"{ALLOW}    kind: |",
            ["annotated-data", "annotated-extra", "empty-data", "label-config"],
        ),
    ],
)
def test_what_is_offered_for_a_value_is_valid(
    editor: LanguageServer, text: str, labels: list[str]
) -> None:
    offered = editor.complete(text)
    before, after = text.split("|")
    indent = " " * (len(before.rpartition("\n")[2]) - len(before.rpartition("\n")[2].lstrip()))

    assert sorted(item["label"] for item in offered) == sorted(labels)
    for item in offered:
        inserted = expand(item["insertText"]).replace("\n", f"\n{indent}")
        assert editor.diagnose(before + inserted + after) == [], item


def test_a_task_begins_with_its_id(editor: LanguageServer) -> None:
    offered = editor.complete(f"{HEADER}  - |")

    assert expand(offered[0]["insertText"]) == "id: 101"
    assert editor.diagnose(f"{HEADER}  - id: 101\n") == []


def test_what_an_attribute_is_for_is_shown(editor: LanguageServer) -> None:
    skip = editor.hover(f"{TASK}    allow_s|kip: true\n")

    assert "How many different annotators should label" in editor.hover(f"{TASK}    over|lap: 2\n")
    assert "The community edition neither shows nor updates it." in skip
