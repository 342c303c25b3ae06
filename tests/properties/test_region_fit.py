"""Edits of a text before, in and behind a region: what is told of it is what happens to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.contract.label_elements import find_elements
from reconciler.core.region_fit import Fit, RegionJudge
from reconciler.core.values import Json
from tests.unit.core.building import change

CONFIG = """<View><Text name="text" value="$text"/><Paragraphs name="talk" value="$talk"/>
<Labels name="label" toName="text"><Label value="A"/></Labels></View>"""
SPACES = frozenset(map(ord, " \n"))
PARTS = st.text(st.sampled_from("ab \n.é€🦊🌍"), max_size=6)
KINDS = st.sampled_from(["text", "talk"])


def count(kind: str, text: str) -> list[int]:
    """Write a text as the offsets of a kind count it: characters, or UTF-16 code units."""
    units: list[int] = []
    for character in map(ord, text):
        if character > 0xFFFF and kind == "talk":
            units += [0xD800 + (character - 0x10000) // 0x400, 0xDC00 + character % 0x400]
        else:
            units.append(character)
    return units


def fit_of(kind: str, before: str, start: int, words: str, after: str) -> Fit:
    end = start + len(count(kind, words))
    value: dict[str, Json] = {"start": start, "end": end}
    sides: list[Json] = [before, after]
    if kind == "talk":
        value = {"start": "0", "end": "0", "startOffset": start, "endOffset": end}
        sides = [[{"text": side}] for side in sides]
    entry: dict[str, Json] = {"to_name": kind, "value": {**value, "text": words}}
    judge = RegionJudge(find_elements(CONFIG), [change(f"data.{kind}", *sides)])
    [fit] = judge.judge([entry])
    return fit


def expect(kind: str, head: str, words: str, after: str) -> Fit:
    """Cut what the page would highlight."""
    start, length = len(count(kind, head)), len(count(kind, words))
    units = count(kind, after)
    if start + length > len(units):
        return Fit.BEYOND
    return Fit.SAME if units[start : start + length] == count(kind, words) else Fit.MOVED


@given(kind=KINDS, head=PARTS, words=PARTS, tail=PARTS, new=PARTS)
def test_an_edit_behind_a_region_leaves_it_where_it_is(
    kind: str, head: str, words: str, tail: str, new: str
):
    before, after = head + words + tail, head + words + new
    assert fit_of(kind, before, len(count(kind, head)), words, after) is Fit.SAME


@given(kind=KINDS, head=PARTS, words=PARTS, tail=PARTS, new=PARTS)
def test_an_edit_in_a_region_changes_its_words_or_ends_the_text(
    kind: str, head: str, words: str, tail: str, new: str
):
    before, after = head + words + tail, head + new + tail
    fit = fit_of(kind, before, len(count(kind, head)), words, after)
    assert fit is expect(kind, head, words, after)


@given(kind=KINDS, head=PARTS, words=PARTS, tail=PARTS, new=PARTS)
def test_an_edit_before_a_region_moves_it_unless_the_same_words_come_there(
    kind: str, head: str, words: str, tail: str, new: str
):
    before, after = head + words + tail, new + words + tail
    fit = fit_of(kind, before, len(count(kind, head)), words, after)
    assert fit is expect(kind, head, words, after)


@given(kind=KINDS, before=PARTS, start=st.integers(0, 8), words=PARTS, after=PARTS)
def test_a_region_whose_words_are_not_at_its_offsets_is_not_judged(
    kind: str, before: str, start: int, words: str, after: str
):
    fit = fit_of(kind, before, start, words, after)
    units = count(kind, words)
    found = count(kind, before)[start : start + len(units)]
    if [u for u in found if u not in SPACES] != [u for u in units if u not in SPACES]:
        assert fit is Fit.UNKNOWN
