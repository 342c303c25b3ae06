"""The page as one file: template, style, script and data, with a policy that allows only these.

The files page.html, page.css and page.js lie beside this module.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any, Final

from reconciler.core.notation import escape_invisible
from reconciler.renderers.html.page_values import encode_inert
from reconciler.renderers.html.view import View

_PLACE: Final = re.compile(r"\{\{(\w+)\}\}")


def assemble_page(view: View) -> str:
    """Write the page of a view.

    Values are inert: data is JSON that no markup can end, and the rest is escaped.
    """
    style, script = _read("page.css"), _read("page.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
    parts = {
        "policy": policy,
        "style": style,
        "script": script,
        "data": _encode(view.data),
        "title": _escape(f"{view.headline} · {view.subject}"),
        "subject": _escape(view.subject),
        "headline": _escape(view.headline),
        "lead": _escape_lines(view.lead),
        "text": _escape_lines(view.text),
    }
    return _PLACE.sub(lambda place: parts[place[1]], _read("page.html"))


@cache
def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _encode(data: Mapping[str, Any]) -> str:
    """Write each part of the data by itself: those with half surrogates are written in ASCII."""
    parts = (encode_inert(name) + b":" + encode_inert(part) for name, part in data.items())
    return f"{{{b','.join(parts).decode()}}}"


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _escape(text: str) -> str:
    return escape(escape_invisible(text))


def _escape_lines(text: str) -> str:
    return "\n".join(map(_escape, text.split("\n")))
