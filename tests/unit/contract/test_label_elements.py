"""The named elements of a label config, and what each shows of ``data``."""

from __future__ import annotations

from reconciler.contract.label_elements import LabelElement, find_elements


def element_of(tag: str) -> LabelElement:
    [element] = find_elements(f"<View>{tag}</View>").values()
    return element


def test_an_element_shows_the_value_of_its_key():
    text = element_of('<Text name="t" value="$text" valueType="text"/>')
    key = frozenset({("text",)})
    assert text == LabelElement("text", key, key, value_type="text")


def test_dots_are_a_name_or_a_path():
    page = element_of('<HyperText name="t" value="$page.body"/>')
    assert page.shown == {("page.body",), ("page", "body")}


def test_an_element_may_use_more_than_it_shows():
    video = element_of('<Video name="v" value="$video" frameRate="$fps"/>')
    assert video.shown == {("video",)}
    assert video.used == {("video",), ("fps",)}


def test_a_value_that_is_not_one_key_is_not_shown_as_it_is():
    for value in ("Dear $who", "$pages[0].url", "$items[{{idx}}].text", "text", ""):
        assert element_of(f'<Text name="t" value="{value}"/>').shown == frozenset()


def test_what_the_page_decodes_is_not_verbatim():
    assert not element_of('<Text name="t" value="$text" encoding="base64"/>').is_verbatim
    assert element_of('<Text name="t" value="$text"/>').is_verbatim


def test_paragraphs_name_the_key_of_their_texts():
    assert element_of('<Paragraphs name="p" value="$talk" textKey="said"/>').text_key == "said"
    assert element_of('<Paragraphs name="p" value="$talk"/>').text_key == "text"


def test_names_that_are_not_unique_name_nothing():
    config = '<View><Text name="t" value="$a"/><Text name="t" value="$b"/><View/></View>'
    assert find_elements(config) == {}
