"""SARIF 2.1.0, which GitHub's code scanning and other tools read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from reconciler.core.encoding import encode_indented
from reconciler.core.notation import escape_invisible
from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.core.results import (
    Fingerprinted,
    Picked,
    Result,
    Topic,
    add_fingerprints,
    list_plan_results,
    list_problem_results,
    list_report_results,
    pick_results,
)
from reconciler.core.validation_document import Validation
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


def render_plan(plan: Plan, _options: RenderOptions) -> str:
    """Write a result for each problem and each change of a plan."""
    return _write(list_plan_results(plan))


def render_report(report: Report, _options: RenderOptions) -> str:
    """Write a result for each reason why tasks are not as declared, and each change."""
    return _write(list_report_results(report))


def render_problems(validation: Validation, _options: RenderOptions) -> str:
    """Write a result for each problem of the manifests."""
    return _write(list_problem_results(validation))


def _write(results: list[Result]) -> str:
    picked = pick_results(results)
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
    text = f"{left_out} left out: the json format has all"
    note: Json = {"level": "warning", "message": {"text": text}}
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
