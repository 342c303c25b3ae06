"""Formats for CI systems, held to the schemas of those who read them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import pytest
import xmlschema

from reconciler.core.model import Change
from reconciler.core.plan_model import Plan
from reconciler.renderers import github
from reconciler.renderers.registry import FORMATS, Subject, render
from reconciler.renderers.render_options import RenderOptions
from tests.unit.renderers import plans

SCHEMAS = Path(__file__).parent / "schemas"
HOSTILE: dict[Subject, plans.Found] = {
    Subject.PLAN: plans.make_hostile_plan(),
    Subject.REPORT: plans.make_hostile_report(),
    Subject.PROBLEMS: plans.make_hostile_validation(),
    Subject.CHECKUP: plans.make_hostile_checkup(),
}
EMPTY = Plan(plans.SERVER, (), 3)
SUBJECTS = ("plan", "report", "problems")


def write(form: str, found: plans.Found, subject: str = "plan") -> str:
    return render(Subject(subject), found, form, RenderOptions())


@cache
def sarif_schema() -> jsonschema_rs.Validator:
    text = (SCHEMAS / "sarif-schema-2.1.0.json").read_text()
    return jsonschema_rs.validator_for(json.loads(text), validate_formats=True)


def results_of(written: str) -> list[dict[str, Any]]:
    document = json.loads(written)
    sarif_schema().validate(document)
    results: list[dict[str, Any]] = document["runs"][0]["results"]
    return results


@pytest.mark.parametrize("subject", SUBJECTS)
def test_sarif_follows_its_schema_whatever_the_values(subject: str):
    assert results_of(write("sarif", HOSTILE[Subject(subject)], subject))


def test_sarif_of_no_changes_has_no_results():
    assert results_of(write("sarif", EMPTY)) == []


def test_the_place_of_a_result_is_a_uri_and_a_region():
    results = results_of(write("sarif", plans.make_four_intentions()))

    place = results[2]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "manifests/a.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 9, "startColumn": 5}
    hostile = results_of(write("sarif", HOSTILE[Subject.PROBLEMS], "problems"))
    uris = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in hostile]
    assert all(re.fullmatch(r"(?:file://)?[A-Za-z0-9._~/%-]*", uri) for uri in uris)
    assert "<script>alert(1)</script>.yaml" in map(unquote, uris)


def test_what_blocks_comes_first_then_removals_then_what_is_larger():
    results = results_of(write("sarif", plans.make_four_intentions()))

    assert [one["level"] for one in results[:2]] == ["error", "note"]
    first = results[0]["message"]["text"]
    assert first.startswith("3 tasks, the first 11: the task has 2 annotations")
    assert results[1]["ruleId"] == "remove"
    assert "data.image" in results[2]["message"]["text"]


def fingerprints_of(plan: Plan) -> set[str]:
    results = results_of(write("sarif", plan))
    found = {one["partialFingerprints"]["reconciler/v1"] for one in results}
    assert len(found) == len(results)
    return found


def test_fingerprints_depend_neither_on_values_nor_on_the_order():
    plan = plans.make_mixed_changes(200)

    def hide(change: Change) -> Change:
        if isinstance(change.before, str):
            return replace(change, before="(redacted)", after="(redacted, different)")
        return change

    masked = tuple(
        replace(task, changes=tuple(map(hide, reversed(task.changes)))) for task in plan.tasks
    )

    assert fingerprints_of(replace(plan, tasks=masked[::-1])) == fingerprints_of(plan)


def test_fingerprints_do_not_depend_on_lines():
    plan = plans.make_four_intentions()

    def move(change: Change) -> Change:
        return replace(change, source=replace(change.source, line=change.source.line + 7))

    moved = tuple(
        replace(
            task,
            changes=tuple(map(move, task.changes)),
            source=replace(task.source, line=task.source.line + 7),
        )
        for task in plan.tasks
    )

    assert fingerprints_of(replace(plan, tasks=moved)) == fingerprints_of(plan)


def test_sarif_has_at_most_25_000_results_and_says_what_it_left_out():
    document = json.loads(write("sarif", plans.make_distinct_changes(25_010)))

    sarif_schema().validate(document)
    run = document["runs"][0]
    assert len(run["results"]) == 25_000
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "10 notes left out: the json format has all"


@pytest.mark.parametrize("schema", ["junit-10.xsd", "JUnit.xsd"])
@pytest.mark.parametrize("subject", [subject.value for subject in Subject])
def test_junit_follows_the_schemas_whatever_the_values(subject: str, schema: str):
    written = write("junit", HOSTILE[Subject(subject)], subject)

    xmlschema.XMLSchema(SCHEMAS / schema).validate(written)


@pytest.mark.parametrize("schema", ["junit-10.xsd", "JUnit.xsd"])
def test_junit_of_no_changes_is_a_test_that_passes(schema: str):
    written = write("junit", EMPTY)

    xmlschema.XMLSchema(SCHEMAS / schema).validate(written)
    (case,) = ET.fromstring(written).iter("testcase")  # noqa: S314 - we wrote it
    assert (case.get("name"), list(case)) == ("3 tasks as declared", [])


def test_what_blocks_is_a_failed_test_and_the_counts_agree():
    root = ET.fromstring(write("junit", plans.make_four_intentions()))  # noqa: S314 - we wrote it

    (suite,) = root
    failures = list(root.iter("failure"))
    assert suite.get("tests") == str(len(list(root.iter("testcase"))))
    assert suite.get("failures") == str(len(failures)) == "1"
    assert failures[0].get("type") == "annotated-data"
    assert "pass --allow annotated-data" in (failures[0].text or "")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_gitlab_reads_code_quality(subject: str):
    issues = json.loads(write("gitlab", HOSTILE[Subject(subject)], subject))

    assert issues
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["path"]
        assert issue["location"]["lines"]["begin"] >= 1
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints)


def test_gitlab_counts_planned_changes():
    written = write("gitlab-terraform", plans.make_four_intentions())

    assert json.loads(written) == {"create": 0, "update": 2997, "delete": 0}


COMMAND = re.compile(r"::(?P<name>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")


def read_commands(written: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands as GitHub's runner does; any other line fails."""

    def decode(text: str) -> str:
        for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n")):
            text = text.replace(code, character)
        return text.replace("%25", "%")

    commands = []
    for line in written.removesuffix("\n").split("\n"):
        found = COMMAND.fullmatch(line)
        assert found, line
        pairs = (pair.partition("=") for pair in found["properties"].split(","))
        properties = {name: decode(value) for name, _, value in pairs}
        assert set(properties) <= {"file", "line", "col", "title"}
        commands.append((found["name"], properties, decode(found["message"])))
    return commands


@pytest.mark.parametrize("subject", [subject.value for subject in Subject])
def test_each_line_for_github_is_one_command_of_ours(subject: str):
    commands = read_commands(write("github", HOSTILE[Subject(subject)], subject))

    counts = Counter(name for name, _, _ in commands)
    assert max(counts.values()) <= 10
    assert (commands[-1][1]["title"] == "reconciler: left out") is (subject != "checkup")


def test_github_shows_the_weightiest_and_counts_the_others():
    commands = read_commands(write("github", plans.make_mixed_changes()))

    assert commands[0][2].startswith("Plan: 990 tasks to update")
    assert [name for name, _, _ in commands[1:12]] == ["error"] * 10 + ["notice"]
    assert commands[-1][2].startswith("… and 1,772 notes more")
    first = commands[1][1]
    assert (first["file"], first["line"], first["title"]) == (
        "manifests/a.yaml",
        "50",
        "annotated-data",
    )


def test_github_shows_each_kind_of_change_before_more_of_one():
    commands = read_commands(write("github", plans.make_mixed_changes()))

    paths = [message.split(": ")[1] for name, _, message in commands[11:16] if name == "notice"]
    assert paths == ["data.score", "meta.source", "data.text", "data.boxes", "overlap"]


def test_percent_signs_are_not_decoded_twice():
    command = github._format_command("error", {"title": "%0A:,"}, "%0A%25\n")  # noqa: SLF001

    assert command == "::error title=%250A%3A%2C::%250A%2525%0A"


LOGGED = [name for name in FORMATS if name != "github"]


@pytest.mark.parametrize("form", LOGGED)
@pytest.mark.parametrize("subject", [subject.value for subject in Subject])
@pytest.mark.parametrize("full", [False, True])
def test_no_format_runs_a_command_in_a_log(form: str, subject: str, full: bool):  # noqa: FBT001
    if Subject(subject) not in FORMATS[form].renders:
        pytest.skip("the format does not render it")
    written = render(Subject(subject), HOSTILE[Subject(subject)], form, RenderOptions(full=full))

    for line in written.splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "##vso[" not in line
    assert written.replace("\n", "").isprintable()
