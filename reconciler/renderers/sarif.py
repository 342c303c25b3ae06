"""SARIF 2.1.0, which GitHub's code scanning and other tools read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from reconciler.core.encoding import encode_indented
from reconciler.core.notation import escape_invisible
from reconciler.core.results import (
    Fingerprinted,
    Judged,
    Picked,
    Topic,
    add_fingerprints,
    list_results,
    pick_results,
)
from reconciler.core.values import Json
from reconciler.errors import Source
from reconciler.renderers.render_options import RenderOptions

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_TITLES: Final = {
    Topic.ADD: "A value is added",
    Topic.REMOVE: "A value is removed",
    Topic.SET: "A value is changed",
    Topic.INVALID: "A manifest has a problem",
}


def _render(found: Judged, _options: RenderOptions) -> str:
    """Write a result for each problem and each change."""
    picked = pick_results(list_results(found))
    topics = list(dict.fromkeys(result.topic for result in picked.shown))
    numbers = {topic: number for number, topic in enumerate(topics)}
    rules: list[Json] = [_build_rule(topic) for topic in topics]
    run: dict[str, Json] = {
        "tool": {"driver": {"name": "reconciler", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [
            _build_result(one, numbers[one.result.topic]) for one in add_fingerprints(picked.shown)
        ],
        **_describe_rest(picked),
    }
    document: dict[str, Json] = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return encode_indented(document) + "\n"


def _describe_rest(picked: Picked) -> dict[str, Json]:
    """Say what was left out, where a reader of the file finds it."""
    left_out = picked.describe_left_out()
    if not left_out:
        return {}
    note: Json = {"level": "warning", "message": {"text": left_out}}
    return {"invocations": [{"executionSuccessful": True, "toolExecutionNotifications": [note]}]}


def _build_rule(topic: str) -> Json:
    title = _TITLES[Topic(topic)] if topic in set(Topic) else topic.replace("-", " ").capitalize()
    return {"id": topic, "shortDescription": {"text": title.replace("_", " ")}}


def _build_result(one: Fingerprinted, rule: int) -> Json:
    result = one.result
    hint = f"\n{_escape(result.hint)}" if result.hint else ""
    source = result.source
    return {
        "ruleId": result.topic,
        "ruleIndex": rule,
        "level": result.severity.value,
        "message": {"text": f"{_escape(str(result))}{hint}"},
        **({"locations": [_build_location(source)]} if source else {}),
        "partialFingerprints": {"reconciler/v1": one.fingerprint},
    }


def _build_location(source: Source) -> Json:
    place: dict[str, Json] = {"artifactLocation": _build_artifact(source.file)}
    if source.line:
        place["region"] = {"startLine": source.line, "startColumn": max(source.column, 1)}
    return {"physicalLocation": place}


def _build_artifact(file: str) -> Json:
    uri = quote(file.encode(errors="surrogatepass"))
    if file.startswith("/"):
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": "%SRCROOT%"}


def _escape(text: str) -> str:
    """Escape what SARIF takes for a link or a placeholder in messages."""
    text = escape_invisible(text).replace("](", "]\\u0028")
    return text.replace("{", "{{").replace("}", "}}")


render_plan = render_report = render_problems = _render
