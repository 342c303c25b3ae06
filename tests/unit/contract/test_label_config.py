"""Which keys of data a label config uses, and what is not a label config."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.contract.label_config import (
    UnreadableLabelConfigError,
    find_required_keys,
    find_used_paths,
)

LAUGHS = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
DEPTH = 10_000


def used(inner: str) -> set[str]:
    """Name the paths that a config uses, dotted."""
    return {".".join(path) for path in find_used_paths(f"<View>{inner}</View>")}


@pytest.mark.parametrize(
    "inner",
    [
        '<!-- <Text name="old" value="$old"/> $old -->',
        "<Style>.a::before { content: '$old' }</Style>",
        '<Style value="$old"/>',
        '<Choice value="$100 or more"/>',
        '<Label value="Costs $5"/>',
        "<Header>US$ 3 and $7.50</Header>",
        '<TextArea name="note" toName="text" placeholder="in $old, please"/>',
        '<Text name="text" value="$"/>',
        '<Text name="text" value="text"/>',
    ],
)
def test_what_is_no_variable_needs_no_key(inner: str):
    assert used(inner) == set()


@pytest.mark.parametrize(
    ("inner", "paths"),
    [
        ('<Text name="text" value="$text"/>', {"text"}),
        ("<Text name='text' value='&#36;text'/>", {"text"}),
        ('<Header value="Rate $title"/>', {"title"}),
        ('<Header value="$title"/>', {"title"}),
        ("<Header>Rate $title</Header>", {"title"}),
        ("<Markdown><![CDATA[Rate <b>$title</b>]]></Markdown>", {"title"}),
        ('<Image name="pages" valueList="$pages"/>', {"pages"}),
        ('<Image name="pages" valuelist="$pages"/>', {"pages"}),
        ('<Choices name="mood" toName="text" value="$moods"/>', {"moods"}),
        ('<Paragraphs name="chat" value="$chat" audioUrl="$audio"/>', {"chat", "audio"}),
        ('<Video name="film" value="$film" frameRate="$fps"/>', {"film", "fps"}),
        ('<Taxonomy name="t" toName="text" apiUrl="$list"/>', {"list"}),
        ('<Repeater on="$pages"><View/></Repeater>', {"pages"}),
        ('<New of="$thing"/>', {"thing"}),
        ('<HyperText name="page"><img src="https://x/$id.png"/></HyperText>', {"id", "id.png"}),
        ('<TimeSeries name="s" timeColumn="t"><Channel column="v"/></TimeSeries>', {"t", "v"}),
        (
            '<TimeSeries name="s" value="$s" timeColumn="t"><Channel column="v"/></TimeSeries>',
            {"s", "s.t", "s.v"},
        ),
        ('<Text name="text" value="$100"/>', {"100"}),
        ('<Text name="text" value="$größe"/>', {"größe"}),
        ('<x:Text xmlns:x="urn:x" name="text" value="$text"/>', {"text"}),
    ],
)
def test_what_the_page_shows_needs_its_key(inner: str, paths: set[str]):
    assert paths <= used(inner)
    assert {path.rstrip(".") for path in used(inner)} == paths


def test_a_variable_with_dots_is_a_path_or_a_key_with_dots():
    assert find_used_paths('<a><Text name="t" value="$a.b"/></a>') == {("a.b",), ("a", "b")}


@pytest.mark.parametrize("variable", ["pages[0].url", "pages[{{idx}}].url", "pages.0.url"])
def test_of_a_list_the_whole_is_used(variable: str):
    assert ("pages",) in find_used_paths(f'<a><Image name="p" value="${variable}"/></a>')


def test_a_sentence_may_go_on_behind_a_variable():
    config = '<a><Header value="Dear $who.Welcome"/></a>'
    assert {("who",), ("who", "Welcome")} <= find_used_paths(config)


@pytest.mark.parametrize(
    ("inner", "keys"),
    [
        ('<Text name="a" value="$x"/><Image name="b" value="$y"/>', ("x", "y")),
        ('<Text name="a" value="$x"/><Image name="b" value="$x"/>', ("x",)),
        ('<Text name="a" value="Dear $who, $what"/>', ("who",)),
        ('<Text name="a" value="$100 or more"/>', ("100 or more",)),
        ('<Text name="a" value="$p[0].url"/>', ("p[0].url",)),
        ('<Header value="$title"/><Image name="b" valueList="$y"/>', ()),
    ],
)
def test_the_server_requires_the_variables_of_named_elements(inner: str, keys: tuple[str, ...]):
    assert find_required_keys(f"<View>{inner}</View>") == keys


def test_the_server_does_not_look_at_the_root():
    config = '<Text name="a" value="$x"/>'
    assert find_required_keys(config) == ()
    assert find_used_paths(config) == {("x",)}


@pytest.mark.parametrize(
    "config",
    [
        "",
        "no XML",
        "<View>",
        "<View></View><View></View>",
        "<View>&nbsp;</View>",
        '<View a="1" a="2"/>',
        "<View>\ud800</View>",
        "<View>\0</View>",
        "<!DOCTYPE View><View/>",
        '<!DOCTYPE View SYSTEM "file:///etc/passwd"><View/>',
        '<!DOCTYPE View [<!ENTITY x SYSTEM "file:///etc/passwd">]><View>&x;</View>',
        f'<!DOCTYPE View [<!ENTITY a0 "ha">{LAUGHS}]><View>&a9;</View>',
    ],
)
def test_what_is_hostile_or_no_xml_is_refused(config: str):
    with pytest.raises(UnreadableLabelConfigError) as refused:
        find_used_paths(config)
    assert str(refused.value)


def test_depth_does_not_matter():
    config = "<View>" * DEPTH + '<Text name="t" value="$text"/>' + "</View>" * DEPTH
    assert find_used_paths(config) == {("text",)}


@given(st.text())
def test_any_text_is_read_or_refused(text: str):
    for config in (text, f"<View>{text}</View>", f'<View><Text name="t" value="{text}"/></View>'):
        try:
            assert all(find_used_paths(config))
        except UnreadableLabelConfigError:
            continue
