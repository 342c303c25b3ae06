"""All texts that people read, in one table, and the rules of docs/style.md that can be checked."""

import os
import re

import pytest

from tests.unit.messages.collection import (
    TABLE,
    Message,
    collect_messages,
    find_example,
    write_table,
)

MESSAGES = collect_messages()


def test_the_table_holds_every_message() -> None:
    table = write_table(MESSAGES)
    if os.environ.get("ACCEPT_CASES"):
        TABLE.write_text(table, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == table, "run it with ACCEPT_CASES=1, and read it"


BANNED = (
    *("mend", "stands twice", "is nowhere", "in the way", "is it meant", "came to nothing"),
    *("but for", "in the place of", "nothing but", "where it fails", "the report tells"),
    *("read afresh", "the last look", "whoever", "somebody", "anybody", "under way"),
    *("is no manifest", "all the same", "no more than that", "that is none", "of those, none"),
)
"""Phrases that docs/style.md replaces, and others like them."""


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: f"{m.module}: {m.text[:60]}")
def test_a_message_keeps_to_the_style_sheet(message: Message) -> None:
    text = message.text
    found = [phrase for phrase in BANNED if re.search(rf"\b{phrase}\b", text)]
    assert not found
    assert not re.search(r"\w,(?=[a-z])|\w\((?=[a-z]+ )|\s[,;](?!\w)|[a-z]\.(?=[A-Z][a-z])", text)
    assert "  " not in text.strip().replace(".  [", ". [") or "\n" in text


def test_an_example_is_found_by_a_long_literal_only() -> None:
    # Pages have "tasks to read" in unrelated lines.
    assert find_example(Message("", "{…} tasks, {…}")) == ""
    assert find_example(Message("", "{…} is not a report{…}")) != ""
