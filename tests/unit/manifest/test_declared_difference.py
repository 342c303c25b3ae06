"""Which files may have rules, judged without reading them."""

from __future__ import annotations

import pytest

from reconciler.manifest.declared_difference import may_have_rules
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.manifest_file import read_contents

WITH_RULES = {
    "a plain key": "version: 1\nrules: []\n",
    "a quoted key": '{"version": 1, "rules" : []}',
    "single quotes": "'rules': []\n",
    "a flow mapping": "{version: 1, rules: []}\n",
    "a byte order mark": "\ufeffrules: []\n",
    "a later document": "version: 1\n---\nrules: []\n",
    "an explicit key": "? rules\n: []\n",
    "an explicit key with a comment": "? # the rules\n  rules # of it\n: []\n",
    "an explicit key in a block scalar": "? |-\n  rules\n: []\n",
    "an alias": "version: &word rules\n*word : []\n",
    "an anchor": "&word rules: []\n",
    "a tag": "!!str rules: []\n",
    "an escape": '"\\x72ules": []\n',
    "a long escape": '"r\\u0075les": []\n',
    "a longer escape": '"rul\\U00000065s": []\n',
    "JSON with an escape": '{"\\u0072ules": []}',
    "an escaped line end": '? "ru\\\n  les"\n: []\n',
    "another line end": "version: 1\r\nrules: []\r\n",
}


@pytest.mark.parametrize("text", WITH_RULES.values(), ids=WITH_RULES)
def test_every_way_to_write_the_key_is_seen(text: str):
    documents = read_contents("a.yaml", text.encode(), Diagnostics("a.yaml"))
    assert any("rules" in d.outline for d in documents if isinstance(d.outline, dict))
    assert may_have_rules(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "data: {text: about the rules of the game & more}\n",
        "data: {text: 'As the rules say: play.'}\n",
        "data: {text: R&D, place: schools}\nmeta: {ask: who?}\n",
        '{"tasks": [{"id": 1, "data": {"text": "the rules \\u00e9 \\n"}}]}',
    ],
)
def test_the_word_in_a_text_is_no_key(text: str):
    assert not may_have_rules(text.encode())
