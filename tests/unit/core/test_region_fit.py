"""What can be told of regions: text that moves, ends or stays, and what nothing can be told of."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.contract.label_elements import find_elements
from reconciler.core.annotation_impact import UNREAD, AnnotationImpact
from reconciler.core.region_fit import Fit, RegionJudge
from reconciler.core.values import ABSENT, UNREADABLE, Json, Side
from tests.unit.core.building import change

CONFIG = """<View>
  <Text name="text" value="$text"/>
  <Labels name="label" toName="text"><Label value="Animal"/></Labels>
  <TextArea name="note" toName="text" perRegion="true"/>
  <Choices name="mood" toName="text" value="$moods"/>
  <Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image"><Label value="Cat"/></RectangleLabels>
  <HyperText name="html" value="$html"/>
  <HyperTextLabels name="part" toName="html"><Label value="Title"/></HyperTextLabels>
  <HyperText name="inline"><p>$text</p></HyperText>
  <Paragraphs name="talk" value="$talk" textKey="said"/>
  <ParagraphLabels name="turn" toName="talk"><Label value="Question"/></ParagraphLabels>
  <Text name="remote" value="$remote" valueType="url"/>
  <Text name="coded" value="$coded" encoding="base64"/>
  <Text name="deep" value="$page.title"/>
  <Text name="line" value="Dear $text"/>
</View>"""
FOX = "the quick brown fox"


def region(name: str, **value: Json) -> dict[str, Json]:
    return {"from_name": "label", "to_name": name, "type": "labels", "value": {**value}}


def span(start: Json, end: Json, text: Json = None) -> dict[str, Json]:
    words = {} if text is None else {"text": text}
    return region("text", start=start, end=end, **words)


def fit_of(entry: Json, path: str, before: Side, after: Side) -> Fit:
    judge = RegionJudge(find_elements(CONFIG), [change(path, before, after)])  # type: ignore[arg-type]
    [fit] = judge.judge([entry])
    return fit


QUICK = span(4, 9, "quick")


@pytest.mark.parametrize(
    ("after", "fit"),
    [
        ("the quick brown ox", Fit.SAME),  # edited behind it
        ("the Quick brown fox", Fit.MOVED),  # in it
        ("a quick brown fox", Fit.MOVED),  # before it
        ("the quic", Fit.BEYOND),
        ("", Fit.BEYOND),
        (ABSENT, Fit.BEYOND),
        (None, Fit.UNKNOWN),
        (["the", "quick"], Fit.UNKNOWN),
    ],
)
def test_a_region_of_text_fits_if_the_same_words_are_at_its_offsets(after: Side, fit: Fit):
    assert fit_of(QUICK, "data.text", FOX, after) is fit


@pytest.mark.parametrize(
    "entry",
    [
        span(5, 10, "quick"),  # it does not hold these words even now
        span(4, 40, "quick"),
        span(-1, 3, "the"),
        span(9, 4, ""),
        span("4", "9", "quick"),
        span(4.0, 9, "quick"),
        region("text", start=True, end=9, text="quick"),
        span(None, None),
        region("text", choices=["good"]),
        region("gone", start=4, end=9, text="quick"),
        {**QUICK, "to_name": ["text"]},
        {**QUICK, "value": None},
        {},
        "not a region",
    ],
)
def test_nothing_is_told_of_a_region_that_is_not_understood(entry: Json):
    assert fit_of(entry, "data.text", FOX, "the quick brown ox") is Fit.UNKNOWN


def test_nothing_is_told_if_the_value_before_cannot_be_read():
    assert fit_of(QUICK, "data.text", UNREADABLE, FOX) is Fit.UNKNOWN


def test_offsets_in_text_count_characters():
    before, after = "a 🦊 is quick", "a 🦊🦊 is quick"
    assert fit_of(span(7, 12, "quick"), "data.text", before, before + "!") is Fit.SAME
    assert fit_of(span(7, 12, "quick"), "data.text", before, after) is Fit.MOVED
    # In UTF-16 code units, these words would be elsewhere.
    assert fit_of(span(8, 13, "quick"), "data.text", before, after) is Fit.UNKNOWN
    assert fit_of(span(2, 3, "🦊"), "data.text", before, after) is Fit.SAME


def test_offsets_in_html_and_paragraphs_count_utf_16_code_units():
    before, after = "a 🦊 is quick", "🦊 is quick"
    entry = html("/text()[1]", "/text()[1]", startOffset=8, endOffset=13, text="quick")
    assert fit_of(entry, "data.html", before, before + "!") is Fit.SAME
    assert fit_of(entry, "data.html", before, after) is Fit.BEYOND
    entry = turn("0", 8, "0", 13, "quick")
    assert fit_of(entry, "data.talk", turns(before), turns(before + "!")) is Fit.SAME
    assert fit_of(entry, "data.talk", turns(before), turns("b " + before)) is Fit.MOVED
    assert fit_of(turn("0", 7, "0", 12, "quick"), "data.talk", turns(before), []) is Fit.UNKNOWN
    assert fit_of(turn("0", 8, "0", 13), "data.talk", turns(before), []) is Fit.UNKNOWN


def test_without_its_words_a_region_is_compared_where_offsets_are_certain():
    assert fit_of(span(4, 9), "data.text", FOX, FOX + ".") is Fit.SAME
    assert fit_of(span(4, 9), "data.text", FOX, "a quick brown fox") is Fit.MOVED
    assert fit_of(span(4, 9), "data.text", "the 🦊 fox", "the 🦊 ox") is Fit.UNKNOWN
    # It may be the address of the text.
    assert fit_of(span(4, 9), "data.text", "s3://texts/1.txt", "s3://texts/2.txt") is Fit.UNKNOWN


@pytest.mark.parametrize("words", ["one\\ntwo", "one\ntwo", "one two", "onetwo "])
def test_words_are_compared_without_white_space_as_browsers_select_it_in_their_own_way(words: str):
    assert fit_of(span(0, 7, words), "data.text", "one\ntwo", "one\ntwo!") is Fit.SAME
    assert fit_of(span(0, 7, words), "data.text", "one\ntwo", " one\ntwo") is Fit.MOVED


def test_a_region_of_what_does_not_change_fits():
    boxed = {**region("image", x=1, y=2), "from_name": "box"}
    assert fit_of(boxed, "data.text", FOX, "") is Fit.SAME
    assert fit_of(QUICK, "data.image", "s3://b/1.jpg", "s3://b/2.jpg") is Fit.SAME
    assert fit_of(QUICK, "meta.text", FOX, "") is Fit.SAME


def test_it_cannot_be_told_whether_a_picture_is_the_same():
    boxed = {**region("image", x=1, y=2), "from_name": "box"}
    assert fit_of(boxed, "data.image", "s3://b/1.jpg", "s3://b/2.jpg") is Fit.UNKNOWN


def test_nothing_is_told_of_choices_when_what_they_are_about_or_their_list_changes():
    mood = {**region("text", choices=["good"]), "from_name": "mood"}
    assert fit_of(mood, "data.text", FOX, "") is Fit.UNKNOWN
    assert fit_of(mood, "data.moods", ["good"], ["bad"]) is Fit.UNKNOWN
    assert fit_of(mood, "data.image", "1.jpg", "2.jpg") is Fit.SAME


@pytest.mark.parametrize("name", ["inline", "line", "remote", "coded"])
def test_nothing_is_told_of_text_that_the_page_shows_in_another_way(name: str):
    path = {"remote": "data.remote", "coded": "data.coded"}.get(name, "data.text")
    entry = region(name, start=4, end=9, text="quick")
    assert fit_of(entry, path, FOX, FOX + "!") is Fit.UNKNOWN


def test_a_key_may_be_a_path_and_may_change_with_the_object_around_it():
    entry = region("deep", start=4, end=9, text="quick")
    assert fit_of(entry, "data.page.title", FOX, "a quick fox") is Fit.MOVED
    assert fit_of(entry, "data.page", {"title": FOX}, {"title": FOX + "!"}) is Fit.SAME
    assert fit_of(entry, "data.page", {"title": FOX}, {}) is Fit.BEYOND
    assert fit_of(entry, "data.page", {"title": FOX}, "page") is Fit.BEYOND


def html(start: str, end: str, **more: Json) -> dict[str, Json]:
    value: dict[str, Json] = {"start": start, "end": end, "startOffset": 4, "endOffset": 9, **more}
    return region("html", **value)


def test_html_is_judged_only_as_far_as_it_is_plain_text():
    plain = html("/text()[1]", "/text()[1]", text="quick")
    assert fit_of(plain, "data.html", FOX, FOX + "!") is Fit.SAME
    assert fit_of(plain, "data.html", FOX, "a quick") is Fit.BEYOND
    assert fit_of(plain, "data.html", FOX, ABSENT) is Fit.BEYOND
    assert fit_of(plain, "data.html", FOX, f"<p>{FOX}</p>") is Fit.UNKNOWN
    assert fit_of(plain, "data.html", "Q&amp;A quick", "Q&amp;A quick!") is Fit.UNKNOWN
    wordless = html("/text()[1]", "/text()[1]")
    assert fit_of(wordless, "data.html", FOX, FOX + "!") is Fit.UNKNOWN
    inside = html("/p[1]/text()[1]", "/p[1]/text()[1]", text="quick")
    assert fit_of(inside, "data.html", f"<p>{FOX}</p>", f"<p>{FOX}!</p>") is Fit.UNKNOWN


def turns(*texts: Json) -> list[Json]:
    return [{"said": text, "author": "A"} for text in texts]


def turn(first: Json, start: int, last: Json, end: int, words: str = "") -> dict[str, Json]:
    offsets: dict[str, Json] = {"start": first, "end": last, "startOffset": start, "endOffset": end}
    return region("talk", **offsets, **({"text": words} if words else {}))


BEFORE = turns("Hello there.", "How are you?", "Fine.")


@pytest.mark.parametrize(
    ("entry", "after", "fit"),
    [
        (turn("1", 4, "1", 7, "are"), turns("Hi.", "How are they?"), Fit.SAME),
        (turn(1, 4, 1, 7), turns("Hello there.", "How were you?"), Fit.MOVED),
        (turn("1", 4, "1", 7, "are"), turns("New.", "Hello there.", "How are you?"), Fit.MOVED),
        (turn("1", 4, "1", 7, "are"), turns("Hello there."), Fit.BEYOND),
        (turn("1", 4, "1", 7, "are"), turns("Hello there.", "How"), Fit.BEYOND),
        (turn("0", 6, "1", 3, "there.\nHow"), turns("Hello there.", "How is it?"), Fit.SAME),
        (turn("0", 6, "2", 4, "there. How are you? Fine"), BEFORE[:2], Fit.BEYOND),
        (turn("0", 6, "1", 3, "other words"), turns("Hello there.", "How"), Fit.UNKNOWN),
        (turn("1", 4, "1", 7, "are"), turns("Hello there.", 5), Fit.UNKNOWN),
        (turn("1", 4, "1", 7, "are"), "https://example.org/talk.json", Fit.UNKNOWN),
        (turn("1", 4, "1", 7, "are"), ABSENT, Fit.BEYOND),
        (turn("x", 4, "1", 7, "are"), BEFORE[:2], Fit.UNKNOWN),
        (turn("9" * 5000, 4, "1", 7, "are"), BEFORE[:2], Fit.UNKNOWN),
    ],
)
def test_paragraphs_are_judged_by_index_and_offset(entry: Json, after: Side, fit: Fit):
    assert fit_of(entry, "data.talk", BEFORE, after) is fit


def test_entries_with_one_id_are_one_region_and_relations_are_none():
    same: dict[str, Any] = {"id": "r1"}
    result: Json = [
        {**QUICK, **same},
        {**span(4, 9, ["typed"]), **same, "from_name": "note", "type": "textarea"},
        {"type": "relation", "from_id": "r1", "to_id": "r2"},
    ]
    judge = RegionJudge(find_elements(CONFIG), [change("data.text", "🦊 " + FOX, FOX)])
    assert list(judge.judge(result)) == [Fit.UNKNOWN]
    judge = RegionJudge(find_elements(CONFIG), [change("data.text", FOX, "a " + FOX)])
    assert list(judge.judge(result)) == [Fit.MOVED]


@pytest.mark.parametrize(("result", "fits"), [(None, []), ([], []), ({}, []), ("x", [Fit.UNKNOWN])])
def test_a_result_may_be_anything(result: Json, fits: list[Fit]):
    assert list(RegionJudge(None, []).judge(result)) == fits


def test_nothing_is_told_without_the_label_config():
    [fit] = RegionJudge(None, [change("data.text", FOX, FOX + "!")]).judge([QUICK])
    assert fit is Fit.UNKNOWN


def test_the_annotations_of_a_task_are_counted_with_their_people_and_regions():
    judge = RegionJudge(find_elements(CONFIG), [change("data.text", FOX, "the quick foxes.")])
    made: Json = [
        {"completed_by": 4, "result": [QUICK, span(10, 15, "brown")]},
        {"completed_by": {"id": 2, "email": "a@example.com"}, "result": [span(16, 19, "fox")]},
        {"completed_by": 4, "result": [region("text", choices=["good"])]},
        {"completed_by": None, "result": []},
    ]
    assert judge.measure(made) == AnnotationImpact(4, (2, 4), 4, moved=1, beyond=1, unknown=1)


@pytest.mark.parametrize("made", [None, {}, "x", [1]])
def test_annotations_that_are_not_shown_are_not_guessed(made: Json):
    assert RegionJudge({}, []).measure(made) is UNREAD


def test_hostile_regions_take_limited_time():
    text = "x" * 1_000_000
    result: Json = [span(0, len(text), text)] * 2_000
    judge = RegionJudge(find_elements(CONFIG), [change("data.text", text, text + "!")])
    fits = list(judge.judge(result))
    assert (fits[0], fits[-1]) == (Fit.SAME, Fit.UNKNOWN)
