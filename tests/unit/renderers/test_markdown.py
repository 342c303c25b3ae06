"""Markdown is read by GitHub's own parser, and values stay text in it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.core.model import TaskKey
from reconciler.core.plan_model import Plan, Status, TaskPlan
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.size_limit import OF_COMMENTS, SMALLEST, SizeLimit
from reconciler.errors import Source
from reconciler.renderers.markdown_text import format_block, format_code, format_html_code
from reconciler.renderers.registry import Subject, render
from reconciler.renderers.render_options import RenderOptions
from tests.unit.renderers import plans

HOSTILE: dict[Subject, plans.Found] = {
    Subject.PLAN: plans.make_hostile_plan(),
    Subject.REPORT: plans.make_hostile_report(),
    Subject.PROBLEMS: plans.make_hostile_validation(),
    Subject.CHECKUP: plans.make_hostile_checkup(),
}
OURS = {"p", "ul", "li", "strong", "code", "pre", "details", "summary", "br"}
"""The elements that we write."""


class Page(HTMLParser):
    """What a page shows: its elements, and the text that is not in code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.prose = ""
        self.code = ""
        self.comments: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if "code" in self.open:
            self.code += data
        else:
            self.prose += data


def render_as_github(markdown: str) -> Page:
    written = cmarkgfm.github_flavored_markdown_to_html(
        markdown, options=Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
    )
    return Page(written)


def render_as_others(markdown: str) -> Page:
    return Page(MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(markdown))


def write(found: plans.Found, subject: str = "plan", limit: SizeLimit = OF_COMMENTS) -> str:
    return render(Subject(subject), found, "markdown", RenderOptions(limit=limit))


@pytest.mark.parametrize("read", [render_as_github, render_as_others])
@pytest.mark.parametrize("subject", [subject.value for subject in Subject])
def test_hostile_values_are_text_in_code(subject: str, read: Callable[[str], Page]):
    page = read(write(HOSTILE[Subject(subject)], subject))

    assert page.open == []
    assert page.elements <= OURS
    assert page.attributes <= {"lang", "class"}
    assert page.comments == []
    for sign in ("@", "#", "://", "www.", "[", "{", "$", "!", "<", "evil", ":smile:", "GH-"):
        assert sign not in page.prose, page.prose
    assert "alert(1)" in page.code


@given(st.text() | st.sampled_from(plans.HOSTILE))
def test_any_text_in_code_is_that_text(text: str):
    page = render_as_github(format_code(text, 10_000) + " end")

    assert page.elements == {"p", "code"}
    assert page.prose.strip() == "end"
    in_html = render_as_github(f"<details><summary>{format_html_code(text)}</summary>\n")
    assert in_html.elements == {"details", "summary", "code"}


@given(st.lists(st.text() | st.sampled_from(plans.HOSTILE), min_size=1))
def test_no_lines_end_a_block(lines: list[str]):
    page = render_as_github(format_block(lines, "diff") + "\n\nend\n")

    assert page.elements == {"pre", "code", "p"}
    assert page.prose.strip() == "end"


def test_no_changes_are_one_line():
    written = write(Plan(plans.SERVER, (), 3))

    assert written.count("\n") == 1
    assert written.startswith("No changes: 3 tasks as declared.")


def test_four_intentions_are_understood_at_a_glance():
    written = write(plans.make_four_intentions())

    assert len(written) < 10_000
    first, *_ = written.split("\n")
    assert first == (
        "**Plan: 2,997 tasks to update (6,595 changes, including 1,997 removals), 17 unchanged, "
        "3 blocked.**"
    )
    page = render_as_github(written)
    assert page.elements <= OURS
    closed = re.sub(r"(?s)</summary>.*?</details>", "</summary></details>", written)
    assert len([line for line in closed.split("\n") if line]) <= 12
    summaries = re.findall(r"<summary>(.*?)</summary>", closed)
    assert [html.unescape(re.sub("</?code>", "`", summary)) for summary in summaries] == [
        (
            "- `data.old_score` 2,000 tasks (3 blocked): `was 0.0 … 0.9992917847025495, "
            "1,412 different values`"
        ),
        (
            '~ `data.image` 3,000 tasks (3 blocked): `"s3://old-photos/2024/" -> '
            '"s3://photos/2024/" at the beginning, the rest as it was`'
        ),
        "~ `overlap` 1,599 tasks (3 blocked): `1 -> 2`",
        '~ `data.text` 5 tasks: `"A senta" -> "A sente" at the beginning, the rest as it was`',
    ]


def test_what_blocks_stands_before_the_groups_and_is_not_folded():
    written = write(plans.make_four_intentions())

    assert written.index("❌ **annotated-data**, 3 tasks (11-13)") < written.index("<details>")


def test_what_blocks_is_named_with_its_key_and_place():
    missing = TaskProblem(Kind.MISSING, "the task does not exist")
    key = TaskKey(("data", "id"), "x-11 #1 @everyone")
    one = TaskPlan(11, 7, Status.MISSING, Source("a.yaml", 3, 5), (), (missing,), key=key)

    assert (
        "❌ **missing**, task `11 (x-11 #1 @everyone)` in `a.yaml:3:5`: `the task does not exist`"
    ) in write(Plan(plans.SERVER, (one,), 0))


def test_of_tasks_far_apart_the_first_are_named():
    tasks = (plans.update(task, plans.change("overlap", 1, 2)) for task in range(1, 27, 2))

    assert "13 tasks (1, 3, 5, …)" in write(Plan(plans.SERVER, tuple(tasks), 0))


LIMITS = [SizeLimit(SMALLEST), SizeLimit(SMALLEST, in_bytes=True), SizeLimit(20_000), OF_COMMENTS]


@pytest.mark.parametrize("limit", LIMITS, ids=str)
@pytest.mark.parametrize("subject", [subject.value for subject in Subject])
def test_the_limit_holds_whatever_the_values(subject: str, limit: SizeLimit):
    written = write(HOSTILE[Subject(subject)], subject, limit)

    assert limit.measure(written) <= limit.count
    assert render_as_github(written).open == []
    if limit.count == SMALLEST:
        assert "**Left out** to stay within 2,000" in written


def test_of_many_changes_the_weightiest_are_kept_and_the_rest_is_counted():
    plan = plans.make_distinct_changes(3_000)
    blocked = plans.make_four_intentions().tasks[10]
    plan = replace(plan, tasks=(*plan.tasks, replace(blocked, task=5_000)))

    written = write(plan)

    assert len(written) <= 65_536
    assert written.index("annotated-data") < written.index("data.old_score")
    assert written.index("data.old_score") < written.index("data.field_1<")
    assert re.search(
        r"\*\*Left out\*\* to stay within 65,536 characters: 2,\d{3} more groups with 2,\d{3} "
        r"changes\. The `text` format with `--full`, and `json`, show all\.",
        written,
    )


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("65536", SizeLimit(65_536)),
        ("1000000", SizeLimit(1_000_000)),
        ("1MiB", SizeLimit(1_048_576, in_bytes=True)),
        ("64KiB", SizeLimit(65_536, in_bytes=True)),
        ("5000B", SizeLimit(5_000, in_bytes=True)),
    ],
)
def test_a_limit_is_characters_or_bytes(text: str, limit: SizeLimit):
    assert SizeLimit.parse(text) == limit


@pytest.mark.parametrize("text", ["", "1MB", "-5", "1e6", "1999", "0", "1,000,000", "9" * 5000])
def test_other_limits_are_refused(text: str):
    with pytest.raises(ValueError, match="expected"):
        SizeLimit.parse(text)
