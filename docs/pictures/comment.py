"""The Markdown of a plan as a page that looks as a comment on a forge does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from reconciler.core.plan_model import Plan
from reconciler.renderers.markdown import render_plan
from reconciler.renderers.render_options import RenderOptions

CSS: Final = Path(__file__).with_name("comment.css").read_text(encoding="utf-8")
_FENCE: Final = re.compile(r'(<pre lang="diff"><code>)(.*?)(</code></pre>)', re.DOTALL)
_LOOKS: Final = {"-": "removed", "+": "added", "@": "hunk"}
# Emoji look different on each system, and are missing on some: these two are drawn.
_SIGNS: Final = {"❌": "error", "⚠️": "warning"}


def render_comment(plan: Plan) -> str:
    """Return the Markdown that CI would post."""
    return render_plan(plan, RenderOptions())


def build_page(markdown: str) -> str:
    """Return the page; GitHub's own parser turns the Markdown into HTML."""
    from cmarkgfm import github_flavored_markdown_to_html  # noqa: PLC0415 - only to draw
    from cmarkgfm.cmark import Options  # noqa: PLC0415 - as above

    html = github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    html = _FENCE.sub(lambda found: found[1] + _color_lines(found[2]) + found[3], html)
    for sign, name in _SIGNS.items():
        html = html.replace(sign, f'<i class="{name}"></i>')

    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{CSS}</style>'
        '<article><header><i class="who"></i><b>ci</b> commented on this pull request</header>'
        f"<div>{html}</div></article></html>"
    )


def _color_lines(code: str) -> str:
    """Mark the lines of a fence of the kind ``diff``, as forges do."""
    lines = code.rstrip("\n").split("\n")
    return "\n".join(
        f'<span class="{_LOOKS[line[0]]}">{line}</span>' if line[:1] in _LOOKS else line
        for line in lines
    )
