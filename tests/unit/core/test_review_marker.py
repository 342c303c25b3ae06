from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.core.review_marker import (
    MARKER_MAX,
    Marker,
    Scope,
    is_of_scope,
    read_post,
    write_post,
)
from reconciler.core.shown_digest import NO_DIGEST_KEY, DigestKey

KEY = DigestKey("a secret of more than sixteen characters")
MARKER = Marker(
    Scope("staging", ("manifests/",)), "sha256:1", "https://a.example", "h", "b", (7, 1)
)
texts = st.text(st.sampled_from("ab-<>&! \n\r\t\\\"'\u2028\u00a0é😀\x00\x1b/`:#"), max_size=60)
words = st.text(max_size=40) | texts
numbers = st.integers(0, 2**63 - 1)
scopes = st.builds(Scope, words, st.lists(words, max_size=30).map(tuple))
markers = st.builds(
    Marker, scopes, words, words, words, words, st.tuples(numbers, numbers), st.booleans()
)
keys = st.sampled_from([NO_DIGEST_KEY, KEY])


@given(markers, texts, keys)
@example(replace(MARKER, scope=Scope("e" * 9_000, ("p" * 9_000,) * 9)), "text", KEY)
@example(replace(MARKER, head="--> -->"), "--> x", NO_DIGEST_KEY)
def test_what_was_written_is_read(marker: Marker, text: str, key: DigestKey):
    body = write_post(marker, text, key)

    found = read_post(body, key)

    assert found
    assert found.doubt == ""
    assert is_of_scope(found.marker, marker.scope)
    assert replace(found.marker, scope=marker.scope) == marker
    hidden, _, shown = body.partition("\n")
    assert hidden.index("-->") == len(hidden) - 3
    assert len(hidden) <= MARKER_MAX
    assert shown == text


@given(texts, texts)
@example("a b", "a  b")
@example("- a\n- b", "- a\n\n- b")
@example("a", "a\x0b")
def test_an_edit_of_the_text_is_told(text: str, other: str):
    assume(normalize(text) != normalize(other))
    marker, _, _ = write_post(MARKER, text, NO_DIGEST_KEY).partition("\n")

    found = read_post(f"{marker}\n{other}", NO_DIGEST_KEY)

    assert found
    assert found.doubt == "its text was edited"


def normalize(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()


@given(texts)
def test_line_ends_and_the_space_at_the_end_are_not_edits(text: str):
    body = write_post(MARKER, text, NO_DIGEST_KEY)

    for same in (body.replace("\r", "\n").replace("\n", "\r\n"), body.rstrip(), f"{body}\n"):
        found = read_post(same, NO_DIGEST_KEY)
        if "\r\n" not in text:
            assert found
            assert found.doubt == ""


@given(markers, markers)
def test_an_edit_of_the_marker_is_told_if_there_is_a_key(marker: Marker, other: Marker):
    signed, unsigned = (write_post(one, "text", key) for one, key in ((marker, KEY), (other, KEY)))
    assume(signed != unsigned)
    signature = signed.partition('"signature":')[2]
    forged = unsigned.partition('"signature":')[0] + '"signature":' + signature

    found = read_post(forged, KEY)

    assert found
    assert "not signed" in found.doubt


def test_a_post_without_a_signature_is_not_believed_where_there_is_a_key():
    found = read_post(write_post(MARKER, "text", NO_DIGEST_KEY), KEY)
    assert found
    assert found.doubt == "it is not signed with RECONCILER_DIGEST_KEY"
    assert found.marker == MARKER


def test_a_signed_post_is_not_believed_without_the_key():
    found = read_post(write_post(MARKER, "text", KEY), NO_DIGEST_KEY)
    assert found
    assert found.doubt == "it is signed, and RECONCILER_DIGEST_KEY is not set"


BODY = write_post(MARKER, "text", NO_DIGEST_KEY)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "text",
        f" {BODY}",
        f"\n{BODY}",
        f"> {BODY}",
        BODY.replace("<!--", "<!---"),
        BODY.replace('"run":[7,1]', '"run":[7]'),
        BODY.replace('"run":[7,1]', '"run":"7"'),
        BODY.replace('"digest"', '"digest":null,"x"'),
        BODY.replace("-->", "--> x", 1),
        "<!-- reconciler " + "[" * 7_000 + " -->\n",
        "<!-- reconciler {} -->\n",
        f"<!-- reconciler {'x' * MARKER_MAX} -->\n",
    ],
)
def test_what_is_not_a_marker_on_the_first_line_is_none(body: str):
    assert read_post(body, NO_DIGEST_KEY) is None


@given(st.text())
def test_any_text_is_read(text: str):
    found = read_post(text, KEY)
    assert found is None or found.doubt


def test_scopes_that_differ_are_not_the_same():
    long = tuple(f"folder-{number}" for number in range(100))
    scopes = [
        Scope("", ("a", "b")),
        Scope("", ("a b",)),
        Scope("a", ("b",)),
        Scope("", long),
        Scope("x", long),
        Scope("", long[:-1]),
    ]
    for one in scopes:
        found = read_post(write_post(replace(MARKER, scope=one), "", KEY), KEY)
        assert found
        assert [other for other in scopes if is_of_scope(found.marker, other)] == [one]
