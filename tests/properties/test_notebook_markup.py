"""Whatever strangers write into tasks, messages and names is text in a notebook, and seen."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.model import Change, User
from reconciler.core.plan_model import Plan, ServerIdentity, Status, TaskPlan
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.report import Commit, Outcome, Report, Run, TaskOutcome
from reconciler.core.values import ABSENT, UNREADABLE, Json, NoValue
from reconciler.errors import Source

bounded = settings(max_examples=200, deadline=None, derandomize=True)

HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                "<script>alert(1)</script>",
                "</table>",
                "</code></td>",
                "</style>",
                "<style>",
                "<!--",
            ),
            *("-->", "<![CDATA[", "]]>", "<?", "<img src=x onerror='x'>", "javascript:", "&lt;"),
            *("&#60;b>", "&", "&amp", '"', "'", "`", "<", ">", "=", " ", "\n", "\t", "\\", "\x00"),
            *("\x1b[31m", "\x7f", "\u202e", "\u2066", "\u200b", "\u2028", "\ufeff", "\ufdd0"),
            *("\ud800", "\udfff", "\u0338", "\u05d0", "\U0001f600", "\U000e0001", "a", "b" * 70),
        ]
    ),
    max_size=8,
).map("".join)
VALUES: st.SearchStrategy[Json] = st.recursive(
    HOSTILE | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=6,
)
SIDES: st.SearchStrategy[Json | NoValue] = VALUES | st.sampled_from([ABSENT, UNREADABLE])
CHANGES = st.lists(
    st.builds(
        Change,
        st.lists(HOSTILE, min_size=1, max_size=3).map(tuple),
        SIDES,
        SIDES,
        st.builds(Source, HOSTILE, st.just(1), st.just(1)),
    ),
    max_size=4,
).map(tuple)
PROBLEMS = st.lists(
    st.builds(TaskProblem, st.sampled_from(Kind), HOSTILE, HOSTILE), max_size=3
).map(tuple)
SERVERS = st.builds(ServerIdentity, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
PLANS = st.builds(
    Plan,
    SERVERS,
    st.lists(
        st.builds(
            TaskPlan,
            st.integers(1, 9),
            st.just(7),
            st.sampled_from(Status),
            st.just(Source("a", 1, 1)),
            CHANGES,
            PROBLEMS,
        ),
        max_size=4,
    ).map(tuple),
    st.integers(0, 3),
)
RUNS = st.builds(
    Run,
    digest=HOSTILE,
    command=HOSTILE,
    started=HOSTILE,
    ended=HOSTILE,
    user=st.builds(User, st.just(1), HOSTILE),
    commit=st.builds(Commit, HOSTILE),
)
REPORTS = st.builds(
    Report,
    SERVERS,
    st.lists(RUNS, max_size=3).map(tuple),
    st.lists(
        st.builds(
            TaskOutcome,
            st.integers(1, 9),
            st.sampled_from(Outcome),
            CHANGES,
            HOSTILE,
            st.booleans(),
        ),
        max_size=4,
    ).map(tuple),
)

TAGS = {
    "div",
    "style",
    "strong",
    "ul",
    "li",
    "span",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "code",
}
ATTRIBUTES = {"class": {"reconciler-view"}, "style": {"opacity: 0.7"}}
NUMBERS = {"rowspan", "colspan"}


class Strict(HTMLParser):
    """Reads HTML, and fails at whatever this project does not write."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.styles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        self.open.append(tag)
        for name, value in attrs:
            assert value is not None
            assert value.isdecimal() if name in NUMBERS else value in ATTRIBUTES[name]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert self.open
        if self.open[-1] == "style":
            self.styles.append(data)
        else:
            assert not {"<", ">", "&"} & {*data}

    def handle_entityref(self, name: str) -> None:
        assert name in {"lt", "gt", "amp"}

    def _fail(self, data: str) -> None:
        raise AssertionError(data)

    handle_startendtag = handle_comment = handle_decl = handle_pi = _fail  # type: ignore[assignment]
    handle_charref = unknown_decl = _fail  # type: ignore[assignment]


def assert_inert(html: str) -> None:
    parser = Strict()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    assert len(parser.styles) == 1
    assert html.isprintable()
    assert len(html.encode()) < 200_000


@bounded
@given(PLANS)
def test_no_plan_writes_markup(plan: Plan):
    plan.__dict__["digest"] = "sha256:ab"  # Half surrogates cannot be digested.
    assert_inert(plan._repr_html_())


@bounded
@given(REPORTS)
def test_no_report_writes_markup(report: Report):
    assert_inert(report._repr_html_())
