"""Edits of a text before, in and behind a region: what is told of it is what happens to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.contract.label_elements import find_elements
from reconciler.core.region_fit import Fit, RegionJudge
from reconciler.core.values import Json
from tests.unit.core.building import change

CONFIG = """<View><Text name="text" value="$text"/>
<Labels name="label" toName="text"><Label value="A"/></Labels></View>"""
SPACES = frozenset(map(ord, " \n"))
PARTS = st.text(st.sampled_from("ab \n.é€🦊🌍"), max_size=6)


def units_of(text: str) -> list[int]:
    """Write a text as a browser holds it: a list of UTF-16 code units."""
    units: list[int] = []
    for character in map(ord, text):
        if character > 0xFFFF:
            units += [0xD800 + (character - 0x10000) // 0x400, 0xDC00 + character % 0x400]
        else:
            units.append(character)
    return units


def fit_of(before: str, start: int, words: str, after: str) -> Fit:
    value: dict[str, Json] = {"start": start, "end": start + len(units_of(words)), "text": words}
    entry: dict[str, Json] = {"from_name": "label", "to_name": "text", "value": value}
    judge = RegionJudge(find_elements(CONFIG), [change("data.text", before, after)])
    [fit] = judge.judge([entry])
    return fit


@given(head=PARTS, words=PARTS, tail=PARTS, new=PARTS)
def test_an_edit_behind_a_region_leaves_it_where_it_is(head: str, words: str, tail: str, new: str):
    assert fit_of(head + words + tail, len(units_of(head)), words, head + words + new) is Fit.SAME


@given(head=PARTS, words=PARTS, tail=PARTS, new=PARTS)
def test_an_edit_in_a_region_changes_its_words_or_ends_the_text(
    head: str, words: str, tail: str, new: str
):
    before, after = head + words + tail, head + new + tail
    assert fit_of(before, len(units_of(head)), words, after) is expect(head, words, after)


@given(head=PARTS, words=PARTS, tail=PARTS, new=PARTS)
def test_an_edit_before_a_region_moves_it_unless_the_same_words_come_there(
    head: str, words: str, tail: str, new: str
):
    before, after = head + words + tail, new + words + tail
    assert fit_of(before, len(units_of(head)), words, after) is expect(head, words, after)


def expect(head: str, words: str, after: str) -> Fit:
    """Cut the units that a browser would highlight."""
    start, length = len(units_of(head)), len(units_of(words))
    units = units_of(after)
    if start + length > len(units):
        return Fit.BEYOND
    return Fit.SAME if units[start : start + length] == units_of(words) else Fit.MOVED


@given(before=PARTS, start=st.integers(0, 8), words=PARTS, after=PARTS)
def test_a_region_whose_words_are_not_at_its_offsets_is_not_judged(
    before: str, start: int, words: str, after: str
):
    fit = fit_of(before, start, words, after)
    units = units_of(words)
    found = units_of(before)[start : start + len(units)]
    if [u for u in found if u not in SPACES] != [u for u in units if u not in SPACES]:
        assert fit is Fit.UNKNOWN
