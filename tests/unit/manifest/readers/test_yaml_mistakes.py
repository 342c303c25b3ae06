"""Each message of libyaml is provoked, and comes out in our words at the place of the mistake."""

from __future__ import annotations

import pytest
import yaml

from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.yaml_mistakes import (
    _EXPLANATIONS,  # what is known must be what is provoked
    explain_mistake,
)
from reconciler.manifest.readers.yaml_reader import read_yaml

TAB = "1: a tab is not allowed here (indent with spaces, not with tabs)"
QUOTE = "(put the text in quotes)"
DIRECTIVE = "not a valid YAML directive (remove the line: a manifest needs no directives)"
DUPLICATE = "duplicate directive (remove the line: a manifest needs no directives)"
TAG = f"1:4: an unquoted ! begins a tag, and this is not a valid one {QUOTE}"
NO_COLON = (
    "expected a colon and a space after this key (write key: value, or indent the line if it "
    "continues the text above)"
)
BACKSLASH = "(write \\\\ for a backslash, or use single quotes)"
COLON = (
    'an unquoted text cannot contain ": " (put the text in quotes; or if two keys are meant, put a '
    "comma between them)"
)
BRACKETS = "(put a text with brackets, braces or commas in quotes)"
AFTER = 'quote the whole value, and write \\" for a quote inside it'

PROVOKED = {
    "found character that cannot start any token": [
        ("a:\n\tb: 1", "2:" + TAB),
        ("a: @x", f"1:4: an unquoted text cannot begin with @ {QUOTE}"),
        (
            "a: {% x %}",
            (
                "1:4: found the template mark {% outside of quotes (render the template first, or "
                "quote a text that contains it)"
            ),
        ),
    ],
    "found a tab character that violates indentation": [("a: b\n\tc: d", "2:" + TAB)],
    "found a tab character where an indentation space is expected": [("a: |\n\tx\n", "2:" + TAB)],
    "could not find expected ':'": [("a: 1\ntask\nb: 1\n", f"2:1: {NO_COLON}")],
    "mapping values are not allowed in this context": [
        ("a: b: c", f'1:5: an unquoted text cannot contain ": " {QUOTE}'),
        ("- id: 1\n   a: 2", "2:4: wrong indentation (line this up with id on line 1)"),
        ("a\nb: 1", f"1:1: {NO_COLON}"),
    ],
    "block sequence entries are not allowed in this context": [
        (
            "a: - b",
            (
                '1:4: "- " is not allowed here (begin a list on a line of its own, or quote a text '
                'that begins with "- ")'
            ),
        )
    ],
    "mapping keys are not allowed in this context": [
        ("a: ? b", '1:4: "? " is not allowed here (quote a text that begins with "? ")')
    ],
    "found unexpected ':'": [
        ("[a:,b]", '1:3: a colon needs a space after it here (write ": ", or quote the text)')
    ],
    "did not find expected alphabetic or numeric character": [
        ("a: *b* c", f"1:4: an unquoted * begins an alias, and this is not a valid one {QUOTE}"),
        ("a: & x", f"1:4: an unquoted & begins an anchor, and this is not a valid one {QUOTE}"),
    ],
    "did not find expected comment or line break": [
        ("%YAML 1.2 x\n---", f"1:1: {DIRECTIVE}"),
        (
            "a: |x\n y",
            (
                "1:5: expected the text after | or > on the next line (move it there, or quote a "
                "text that begins with | or >)"
            ),
        ),
    ],
    "did not find expected whitespace or line break": [
        ('a: !x"y', TAG),
        ('%TAG !a! tag:x"y\n---', f"1:1: {DIRECTIVE}"),
    ],
    "did not find expected whitespace": [("%TAG !a!tag:x\n---", f"1:1: {DIRECTIVE}")],
    "did not find expected tag URI": [("a: !<> y", TAG), ("%TAG ! \n---", f"1:1: {DIRECTIVE}")],
    "did not find URI escaped octet": [("a: !a%zz y", TAG)],
    "did not find expected '!'": [("%TAG x y\n---", f"1:1: {DIRECTIVE}")],
    "found an incorrect leading UTF-8 octet": [("a: !%ff y", TAG)],
    "found an incorrect trailing UTF-8 octet": [("a: !%c3%28 y", TAG)],
    "did not find the expected '>'": [("a: !<x y", TAG)],
    "found unknown directive name": [("%FOO\n---\n", f"1:1: {DIRECTIVE}")],
    "could not find expected directive name": [("%\n---", f"1:1: {DIRECTIVE}")],
    "found unexpected non-alphabetical character": [("%YA*\n---", f"1:1: {DIRECTIVE}")],
    "did not find expected version number": [("%YAML x\n---", f"1:1: {DIRECTIVE}")],
    "did not find expected digit or '.' character": [("%YAML 1\n---", f"1:1: {DIRECTIVE}")],
    "found extremely long version number": [("%YAML 1111111111111.2\n---", f"1:1: {DIRECTIVE}")],
    "found an indentation indicator equal to 0": [
        (
            "a: |0\n  x",
            "1:5: a text after | or > cannot be indented by 0 (write | or > without the 0)",
        )
    ],
    "found unexpected end of stream": [
        ("a: 'x", "1:4: this quote is not closed (close it with ')")
    ],
    "found unexpected document indicator": [
        ('a: "x\n---\n', '1:4: this quote is not closed (close it with ")')
    ],
    "found unknown escape character": [
        ('a: "C:\\d"', f"1:7: \\d is not an escape in double quotes {BACKSLASH}")
    ],
    "did not find expected hexdecimal number": [
        ('a: "\\xzz"', f"1:7: \\x, \\u and \\U need 2, 4 and 8 hexadecimal digits {BACKSLASH}")
    ],
    "found invalid Unicode character escape code": [
        ('a: "\\ud800"', "1:7: this escape is not a character (write the character itself)")
    ],
    "exceeded maximum nesting depth": [
        ("[" * 1_500, "1:1001: objects and lists nested more than 100 deep")
    ],
    "did not find expected <document start>": [
        ("[a]\nb: 1", "2:1: text after the end of the document (begin another document with ---)"),
        ("  a: 1\nb: 2", "2:1: wrong indentation (line this up with a on line 1)"),
        ("%TAG ! x\na: b", f"1:1: {DIRECTIVE}"),
    ],
    "found incompatible YAML document": [
        (
            "%YAML 2.0\n---",
            (
                "1:1: this document asks for another version of YAML (remove the line: a manifest "
                "needs no directives)"
            ),
        )
    ],
    "found duplicate %YAML directive": [("%YAML 1.2\n%YAML 1.2\n---", f"2:1: {DUPLICATE}")],
    "found duplicate %TAG directive": [("%TAG !a! x\n%TAG !a! y\n---", f"2:1: {DUPLICATE}")],
    "found undefined tag handle": [("a: !a!b y", TAG)],
    "did not find expected node content": [
        ("a: ]", f"1:4: an unquoted text cannot begin with ] {QUOTE}"),
        ("[a, ,b]", "1:5: expected a value, found , (add the value, or quote the text)"),
        (
            "a: [",
            (
                "2:1: expected a value, found the end of the text (close the bracket or brace that "
                "is still open)"
            ),
        ),
    ],
    "did not find expected key": [
        (
            "a:\n    b: 1\n  c: 2",
            "3:3: wrong indentation (line this up with b on line 2 or a on line 1)",
        ),
        ('a: "b "c" d"', f'1:8: expected the end of the value, found "c\\" d\\"" ({AFTER})'),
        ("a: [x] y", '1:8: expected the end of the value, found "y" (quote the whole value)'),
        (
            "- a: 1\n- b: 1\nc:\n -  d",
            "3:1: wrong indentation (line this up with b on line 2)",
        ),
        (
            "t:\n  - a: 1\n - b: 1",
            (
                "3:2: expected a key, found an element of a list (line this up with the dash on "
                "line 2)"
            ),
        ),
    ],
    "did not find expected '-' indicator": [
        ("- a\nb: 1", '2:1: expected an element of the list above (begin it with "- ")'),
        (
            "t:\n  - id: 1\n  x: 2",
            "3:3: wrong indentation (line this up with id on line 2 or t on line 1)",
        ),
    ],
    "did not find expected ',' or ']'": [
        ("a: [b\nc: d\n", "1:4: this list is not closed (close it with ])"),
        ("a: [b {c}]", f'1:7: expected a comma or ], found "{{c}}]" {BRACKETS}'),
        ("[a: b: c]", f"1:6: {COLON}"),
    ],
    "did not find expected ',' or '}'": [
        ("a: {b: c\nd: e\n", "1:4: this object is not closed (close it with })"),
        ("a: {b: 'x' y}", f'1:12: expected a comma or }}, found "y}}" {BRACKETS}'),
        ("data: {text: a: b}", f"1:15: {COLON}"),
        ("data: {text: a: b", f"1:15: {COLON}"),
        ("data: {text: a overlap: 2}", f"1:23: {COLON}"),
        ("data: {text: a\noverlap: 2", "1:7: this object is not closed (close it with })"),
        ('{"a": "b": c}', f'1:10: expected a comma or }}, found ": c}}" {BRACKETS}'),
        (
            "a: 1\n{# note #}\n",
            (
                "2:1: found the template mark {# outside of quotes (render the template first, or "
                "quote a text that contains it)"
            ),
        ),
    ],
}
"""By message of libyaml: texts that provoke it, and what is said of each."""


@pytest.mark.parametrize(
    ("text", "told"),
    [pytest.param(*case, id=case[0][:30]) for cases in PROVOKED.values() for case in cases],
)
def test_a_mistake_is_told_where_it_is_and_in_our_words(text: str, told: str):
    diagnostics = Diagnostics("f")
    read_yaml(text, diagnostics)
    assert [str(problem) for problem in diagnostics.problems] == [f"f:{told}"]


def test_every_message_of_libyaml_that_we_explain_can_be_provoked():
    provoked = {str(find_error(text).problem) for cases in PROVOKED.values() for text, _ in cases}
    assert provoked == _EXPLANATIONS.keys()


def test_a_message_that_a_later_libyaml_may_have_does_not_reach_a_person():
    error = find_error("a: 'x")
    error.problem = "did not find expected frobnication"
    told = explain_mistake(error, "a: 'x")
    assert told.message == "not YAML from here on"


def find_error(text: str) -> yaml.MarkedYAMLError:
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        list(yaml.parse(text, yaml.CSafeLoader))
    return caught.value


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('a: [data["old_score"]]', 'data["old_score"]'),
        ('a: [data["a"]["b"].c, d]', 'data["a"]["b"].c'),
        ('a: ["data["code"]"]', 'data["code"]'),
        ('a: [meta.x["code"]]', 'meta.x["code"]'),
        ('{a: data["code"]}', 'data["code"]'),
    ],
)
def test_a_path_with_quoted_keys_is_shown_in_single_quotes(text: str, path: str):
    diagnostics = Diagnostics("a.yaml")
    read_yaml(text, diagnostics)
    (problem,) = diagnostics.problems
    assert problem.hint == f"put the path in single quotes: '{path}'"

    correct = Diagnostics("a.yaml")
    read_yaml(f"a: ['{path}']", correct)
    assert correct.problems == []
