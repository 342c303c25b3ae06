"""Texts that are YAML, or nearly."""

from __future__ import annotations

import yaml
from hypothesis import strategies as st

from tests.properties.documents import values

PLAIN = (
    "~ null Null true TRUE False no on y 0 -0 +7 012 0o14 0x1F 1e3 .5 1. 1_000 1:30 2026-10-01 "
    '.inf .nan 1e999 << = a b-c \'q\' "d" \'<<\' "\\u00e9" "\\0" é 😀 a#b http://x.y '
    "! !t !!str !!int !!float *a *b"
)
TAGGED = ("!!str 1", "!!int '3'", "!!float 0o7", "!!float 2", "! 1", "! '2'", "&a 1", "&b <<")
plain_scalars = st.sampled_from([*PLAIN.split(), *TAGGED])
styles = st.sampled_from([True, False, None])
written = st.builds(
    lambda value, flow, width: yaml.dump(
        value, default_flow_style=flow, width=width, allow_unicode=True
    ),
    values,
    styles,
    st.sampled_from([15, 80]),
)


def flow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
    pairs = st.lists(st.tuples(plain_scalars, inner), max_size=3)
    objects = pairs.map(lambda parts: f"{{{', '.join(f'{key}: {value}' for key, value in parts)}}}")
    anchored = st.tuples(
        st.sampled_from(["&a ", "&b ", "!!map ", "!!seq ", "!x "]), lists | objects
    )
    return lists | objects | anchored.map("".join)


flows = st.recursive(plain_scalars, flow, max_leaves=8)
blocks = st.lists(st.tuples(plain_scalars, flows), max_size=4).map(
    lambda pairs: "".join(f"{key}: {value}\n" for key, value in pairs)
)
insertions = st.sampled_from(
    [
        *(
            "\n",
            "\r\n",
            " ",
            "  ",
            "\t",
            "- ",
            ": ",
            "? ",
            ", ",
            "# c\n",
            "---\n",
            "...\n",
            "|\n",
            ">-\n  ",
        ),
        *(
            "[",
            "]",
            "{",
            "}",
            "'",
            '"',
            "\\",
            "&a ",
            "*a ",
            "!t ",
            "!!str ",
            "<<: ",
            "%",
            "@",
            "é",
            "1",
        ),
        "\ufeff",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(written | flows | blocks | st.lists(blocks, max_size=3).map("---\n".join))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
        place = draw(st.integers(0, len(text)))
        end = min(len(text), place + draw(st.integers(0, 2)))
        text = text[:place] + draw(insertions) + text[end:]
    return text
