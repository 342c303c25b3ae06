from __future__ import annotations

from reconciler.contract.openapi import load_contract
from reconciler.core.notation import format_path
from reconciler.manifest.declarations import Declaration, read_header
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.yaml_reader import read_yaml
from reconciler.manifest.validation import check_outline

TEXT = """\
version: 1
policy: {meta: replace}
defaults:
  overlap: 2
  data:
    lang: en
    source: {site: a, year: 2026}
  meta: {x: {y: 1}}
tasks:
- id: 1
- id: 2
  data:
    text: hi
    source: {site: b}
  absent:
  - data.lang
  - [data, a.b]
"""


def declarations(text: str = TEXT) -> list[Declaration]:
    diagnostics = Diagnostics("a.yaml")
    (document,) = read_yaml(text, diagnostics)
    assert diagnostics.problems == []
    _, accepted = check_outline(document, load_contract())
    header = read_header(document, accepted)
    return [header.read_declaration(index) for index, _, _ in document.read_tasks()]


def places(declaration: Declaration, *paths: tuple[str, ...]) -> list[tuple[int, int]]:
    sources = map(declaration.source_of, paths)
    return [(source.line, source.column) for source in sources]


def test_what_comes_from_the_defaults_is_declared_there():
    bare, _ = declarations()
    assert places(bare, ("overlap",), ("data", "lang"), ("data", "source", "year")) == [
        (4, 3),
        (6, 5),
        (7, 23),
    ]


def test_what_the_task_says_itself_is_declared_in_the_task():
    _, full = declarations()
    assert places(full, ("data", "text"), ("data", "source", "site"), ("data",)) == [
        (13, 5),
        (14, 14),
        (12, 3),
    ]


def test_beside_its_own_keys_those_of_the_defaults_keep_their_places():
    _, full = declarations()
    assert places(full, ("data", "source", "year")) == [(7, 23)]


def test_an_absent_path_is_declared_where_its_absence_is():
    _, full = declarations()
    assert places(full, ("data", "lang"), ("data", "a.b")) == [(16, 5), (17, 5)]


def test_an_undeclared_key_of_a_replaced_object_is_declared_by_the_object():
    bare, full = declarations()
    assert places(bare, ("meta", "old"), ("meta", "x", "old")) == [(8, 3), (8, 10)]
    assert places(full, ("data", "source", "old")) == [(14, 5)]


def test_what_is_declared_nowhere_is_the_task_as_a_whole():
    bare, full = declarations()
    assert places(bare, ("allow_skip",)) == [(10, 3)]
    assert places(full, ("allow_skip",)) == [(11, 3)]


def test_leaves_are_what_a_declaration_decides_about():
    bare, full = declarations()
    assert [format_path(leaf) for leaf in bare.iterate_leaves()] == [
        "overlap",
        "data.lang",
        "data.source.site",
        "data.source.year",
        "meta",
    ]
    assert sorted(format_path(leaf) for leaf in full.iterate_leaves()) == [
        "data.lang",
        "data.source.site",
        "data.source.year",
        "data.text",
        'data["a.b"]',
        "meta",
        "overlap",
    ]


def test_an_empty_object_is_a_leaf():
    (only,) = declarations("version: 1\ntasks: [{id: 1, data: {a: {}, b: []}}]\n")
    assert list(only.iterate_leaves()) == [("data", "a"), ("data", "b")]


def test_defaults_are_not_changed_by_what_stands_over_them():
    bare, full = declarations()
    full.build_attributes()
    assert bare.build_attributes() == {
        "overlap": 2,
        "data": {"lang": "en", "source": {"site": "a", "year": 2026}},
        "meta": {"x": {"y": 1}},
    }
