from __future__ import annotations

import pytest

from reconciler.manifest.editing.masks import mask_values

SECRET = ("data", "secret")


@pytest.mark.parametrize(
    ("file", "text", "shown"),
    [
        ("a.yaml", "tasks:\n- {id: 1, data: {secret: x}}\n", "{id: 1, data: {secret: (redacted)}}"),
        ("a.yaml", "tasks:\n- data: {'secret' : &a x}\n", "data: {'secret' : &a (redacted)}"),
        ("a.yaml", "defaults: {data: {secret: x}}\n", "{data: {secret: (redacted)}}"),
        ("a.yaml", "key: data.secret\ntasks: [{key: x}]\n", "tasks: [{key: (redacted)}]"),
        ("a.yaml", "key: data.secret\ntasks: [{keys: [x, xx]}]\n", "[{keys: (redacted)}]"),
        ("a.yaml", "rules:\n- {set: {data: {secret: x}}}\n", "{set: {data: {secret: (redacted)}}}"),
        ("a.yaml", "rules:\n- {where: {data.secret: x}}\n", "{where: {data.secret: (redacted)}}"),
        ("a.yaml", "rules:\n- {rewrite: {data.secret: x}}\n", "{data.secret: (redacted)}"),
        ("a.yaml", "tasks:\n- data:\n    secret: |\n      x\n  id: 1\n", "(redacted)\n\n  id: 1"),
        ("a.yaml", "\ufefftasks: [{data: {secret: x}}]\n", "\ufefftasks: [{data: {secret: (red"),
        ("a.json", '{"tasks": [{"data": {"secret": "x"}}]}', '{"data": {"secret": (redacted)}}'),
        ("a.jsonl", '{"version": 1}\n\n{"data": {"secret": "x"}}\n', '{"secret": (redacted)}}\n'),
        ("a.jsonl", '{"defaults": {"data": {"secret": "x"}}}\n', '{"secret": (redacted)}'),
    ],
)
def test_a_redacted_value_is_hidden_wherever_it_is_declared(file: str, text: str, shown: str):
    masked = mask_values(file, text.encode(), (SECRET,))
    assert shown in masked
    assert masked.count("\n") == text.count("\n")


def test_a_value_below_a_key_that_is_an_alias_is_hidden_too():
    text = "tasks:\n- id: 1\n  data: {a: &k secret, *k : xx}\n"
    masked = mask_values("a.yaml", text.encode(), (SECRET, ("data", "other"), ("data",)))
    assert "xx" not in masked
    assert "xx" not in mask_values("a.yaml", text.encode(), (SECRET, ("data", "other")))


def test_without_redacted_paths_a_text_is_as_it_is():
    text = "\ufefftasks: [{data: {secret: x}}]\r\n"
    assert mask_values("a.yaml", text.encode(), ()) == text
