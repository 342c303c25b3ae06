"""Saved plans and reports, shown from files as people and jobs leave them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO, TextIOWrapper
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator

from reconciler.contract.location import locate_schema
from tests.unit.cli.conftest import Command, Manifest, Ran
from tests.unit.labelstudio.wired import Hooked

GIVE = "(pass a plan from plan --out, or a report from apply --report)\n"


@pytest.fixture
def plan(server: Hooked, command: Command, manifest: Manifest) -> str:  # noqa: ARG001 - it answers
    """A saved plan of three tasks, in plan.json."""
    return save("plan.json", command("plan", manifest(), "--format", "json").output)


@pytest.fixture
def report(server: Hooked, command: Command, manifest: Manifest) -> str:  # noqa: ARG001 - as above
    """A report of three tasks, in report.jsonl."""
    assert command("apply", manifest(), "--yes", "--report", "report.jsonl").code == 0
    return "report.jsonl"


def save(name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def edited(name: str, **changes: object) -> str:
    document: dict[str, Any] = json.loads(Path(name).read_text(encoding="ascii"))
    return save(name, json.dumps({**document, **changes}))


def refused(ran: Ran) -> str:
    """What is said of a file that is not shown: one line, and nothing else."""
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors.count("\n") == 1
    return ran.errors.removeprefix("reconciler: ")


def test_a_plan_is_shown_as_plan_printed_it(plan: str, command: Command, manifest: Manifest):
    assert command("show", plan) == command("plan", manifest())
    assert command("show", plan, "--full") == command("plan", manifest(), "--full")
    shown = command("show", plan, "--format", "json")
    assert shown == Ran(0, Path(plan).read_text(encoding="ascii"), "")


def test_a_plan_that_another_program_wrote_on_one_line_is_shown_too(plan: str, command: Command):
    before = command("show", plan)
    edited(plan)
    assert command("show", plan) == before


def test_a_plan_from_standard_input_is_shown(
    plan: str, command: Command, monkeypatch: pytest.MonkeyPatch
):
    piped = TextIOWrapper(BytesIO(Path(plan).read_bytes()))
    monkeypatch.setattr("sys.stdin", piped)
    assert command("show", "-").output == command("show", plan).output


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by a second each time that somebody looks at it."""
    seconds = count()
    start = datetime(2026, 11, 28, 10, tzinfo=UTC)
    monkeypatch.setattr(
        "reconciler.artifacts.report_file.now", lambda: start + timedelta(seconds=next(seconds))
    )


@pytest.mark.usefixtures("ticking")
def test_a_report_tells_what_was_changed_when_by_whom_and_from_which_commit(
    server: Hooked, command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RECONCILER_COMMIT", " 1a2b3c4d ")
    ran = command("apply", manifest(), "--yes", "--report", "report.jsonl")
    digest = ran.output.partition("Digest: ")[2].split()[0]
    shown = command("show", "report.jsonl")
    assert shown == Ran(
        0,
        "http://label-studio.test (Label Studio Community 1.23.2)\n"
        "\n"
        "Apply 2026-11-28T10:00:00.000Z\n"
        "    ended   2026-11-28T10:00:04.000Z\n"
        "    user    sandbox@example.com (user 1)\n"
        "    commit  1a2b3c4d\n"
        f"    digest  {digest}\n"
        "\n"
        "~ 3 tasks: 1-3  tasks.yaml:3:12\n"
        "    ~ overlap  1 -> 2  tasks.yaml:3:12\n"
        "\n"
        "Apply: 3 applied.\n",
        "",
    )
    assert command("show", "report.jsonl", "-v").errors == "read 1 report\n"
    full = command("show", "report.jsonl", "--full").output
    assert len(re.findall(r"~ task [123]  2026-11-28T10:00:0[123]\.000Z  tasks", full)) == 3
    document = json.loads(command("show", "report.jsonl", "--format", "json").output)
    assert document["runs"] == [
        {
            "command": "apply",
            "digest": digest,
            "started": "2026-11-28T10:00:00.000Z",
            "user": {"id": 1, "email": "sandbox@example.com"},
            "commit": {"id": "1a2b3c4d"},
            "ended": "2026-11-28T10:00:04.000Z",
            "requests": document["requests"],
        }
    ]
    times = {line["time"] for line in document["tasks"]}
    assert times == {f"2026-11-28T10:00:0{n}.000Z" for n in (1, 2, 3)}
    asked = [request.url.path for request in server.requests]
    assert asked.count("/api/current-user/whoami") == 1


@pytest.mark.parametrize("answer", [404, 403, 500, 200])
def test_a_server_that_does_not_say_whose_token_it_is_keeps_nothing_up(
    server: Hooked, command: Command, manifest: Manifest, answer: int
):
    server.hook = lambda request: (
        httpx.Response(answer, json=["what"]) if request.url.path.endswith("whoami") else None
    )
    assert command("apply", manifest(), "--yes", "--report", "report.jsonl").code == 0
    assert "    user " not in command("show", "report.jsonl").output
    asked = [request.url.path for request in server.requests]
    assert asked.count("/api/current-user/whoami") == 1


def test_nobody_asks_whose_token_it_is_where_no_report_tells(
    server: Hooked, command: Command, manifest: Manifest
):
    assert command("apply", manifest(), "--yes").code == 0
    assert not [r for r in server.requests if r.url.path.endswith("whoami")]


def test_a_report_is_one_document_in_json(report: str, command: Command):
    shown = json.loads(command("show", report, "--format", "json").output)
    schema = json.loads(locate_schema("report.schema.json").read_text(encoding="utf-8"))
    Draft7Validator(schema).validate(shown)
    lines = list(map(json.loads, Path(report).read_text(encoding="ascii").splitlines()))
    assert shown["digests"] == [lines[0]["digest"]]
    assert shown["tasks"] == sorted(lines[1:-1], key=lambda line: line["task"])
    assert (shown["summary"], shown["requests"]) == (lines[-1]["summary"], lines[-1]["requests"])
    assert (shown["kind"], shown["complete"]) == ("report", True)

    save("shown.json", json.dumps(shown))
    assert refused(command("show", "shown.json")) == (
        "shown.json: this is the output of show --format json, which cannot be read back "
        "(pass the report that apply --report wrote)\n"
    )


@pytest.mark.usefixtures("server")
def test_what_was_left_alone_as_allowed_is_shown_as_such(command: Command, manifest: Manifest):
    applied = command("apply", manifest(tasks=4), "--yes", "--allow", "missing", "--report", "r")
    shown = command("show", "r")
    assert "! task 4  left alone, as allowed: " in shown.output
    assert shown.output.endswith("".join(applied.output.splitlines(keepends=True)[-2:]))


@pytest.mark.parametrize(
    ("lines", "ending", "done"),
    [
        (1, "", "0 tasks"),
        (1, '{"task"', "0 tasks"),
        (3, '{"task":3,"changes":[{"path":["a"],"source":{"file":"a"}', "2 applied"),
        (4, "", "3 applied"),
        (4, '{"summary":{"applied":3}', "3 applied"),
    ],
)
def test_a_report_that_was_cut_off_is_shown_and_said_to_be(
    report: str, command: Command, lines: int, ending: str, done: str
):
    whole = Path(report).read_text(encoding="ascii").splitlines(keepends=True)
    save(report, "".join(whole[:lines]) + ending)
    shown = command("show", report)
    assert shown.code == 0
    assert shown.output.endswith(f"\nApply: {done}, the rest is unknown.\n")
    assert shown.errors == (
        "reconciler: report.jsonl is incomplete: what was done after its last line is unknown; "
        "run plan to see\n"
    )


@pytest.mark.usefixtures("server")
def test_shards_are_shown_as_the_whole(command: Command, manifest: Manifest):
    whole = command("plan", manifest()).output
    for shard in ("1/2", "2/2"):
        text = command("plan", manifest(), "--shard", shard, "--format", "json").output
        save(f"plan-{shard[0]}.json", text)
    assert command("show", "plan-2.json", "plan-1.json") == Ran(0, whole, "")

    for shard in ("1/2", "2/2"):
        command("apply", manifest(), "--yes", "--shard", shard, "--report", f"r{shard[0]}")
    shown = command("show", "r1", "r2")
    assert (shown.code, shown.errors) == (0, "")
    assert shown.output.count("    shard   ") == 2
    assert "~ 3 tasks: 1-3" in shown.output
    assert shown.output.endswith("\nApply: 3 applied.\n")


@pytest.mark.parametrize(
    ("given", "of", "said"),
    [
        ((1, 3), 3, "shard 2/3 is"),
        ((4, 1), 4, "shards 2/4 and 3/4 are"),
        ((2,), 4, "shards 1/4, 3/4 and 4/4 are"),
        ((1,), 23, f"shards {', '.join(f'{n}/23' for n in range(2, 22))} and 2 more are"),
    ],
)
@pytest.mark.usefixtures("server")
def test_missing_shards_are_named_and_an_error(
    command: Command, manifest: Manifest, given: tuple[int, ...], of: int, said: str
):
    note = f"reconciler: {said} missing, so this is incomplete (pass the files of all shards)\n"
    for number in given:
        plan = command("plan", manifest(), f"--shard={number}/{of}", "--format", "json").output
        save(f"p{number}", plan)
        command("apply", manifest(), "-y", f"--shard={number}/{of}", f"--report=r{number}")
    for kind in "pr":
        files = [f"{kind}{number}" for number in given]
        shown = command("show", *files)
        assert (shown.code, shown.errors) == (1, note)
        assert f"Only tasks of shard{'s' * (len(given) > 1)} " in shown.output
        shown = command("show", *files, "--format", "json")
        expected = ", ".join(f"{number}/{of}" for number in sorted(given))
        assert (shown.code, shown.errors) == (1, note)
        assert json.loads(shown.output)["shard"] == expected


@pytest.mark.usefixtures("server", "ticking")
def test_runs_in_a_row_are_shown_as_one_in_the_order_in_which_they_began(
    command: Command, manifest: Manifest
):
    for overlap in (2, 3):
        command("apply", manifest(overlap), "--yes", "--report", f"{overlap}.jsonl")
    shown = command("show", "3.jsonl", "2.jsonl")
    assert (shown.code, shown.errors) == (0, "")
    assert re.findall("^Apply 2026-11-28T10:00:.*$", shown.output, re.MULTILINE) == [
        "Apply 2026-11-28T10:00:00.000Z",
        "Apply 2026-11-28T10:00:05.000Z",
    ]
    assert "    ~ overlap  1 -> 3  tasks.yaml:3:12\n" in shown.output
    assert shown.output.endswith("\nApply: 3 applied.\n")


def test_runs_between_which_somebody_changed_a_task_are_refused(
    server: Hooked, command: Command, manifest: Manifest
):
    command("apply", manifest(2), "--yes", "--report", "one.jsonl")
    server.state.tasks[2].values["overlap"] = 7
    command("apply", manifest(3), "--yes", "--report", "two.jsonl")
    for words in (("show",), ("revert", "--yes")):
        ran = command(*words, "one.jsonl", "two.jsonl")
        assert (ran.code, ran.output) == (1, "")
        assert ran.errors == (
            "reconciler: one.jsonl and two.jsonl are not consecutive: task 2, "
            "overlap: one.jsonl left 2, but two.jsonl found 7 (another client "
            "changed it in between, or a report is missing: add the missing "
            "report, or pass the reports one at a time, the latest first)\n"
        )


@pytest.mark.usefixtures("server")
def test_a_plan_of_some_shards_says_of_which(command: Command, manifest: Manifest):
    for number in (1, 3):
        text = command("plan", manifest(), f"--shard={number}/3", "--format=json").output
        save(f"{number}.json", text)
    shown = command("show", "1.json", "3.json")
    assert shown.code == 1
    assert shown.output.splitlines()[1] == "Only tasks of shards 1/3, 3/3"
    save("some.json", command("show", "1.json", "3.json", "--format", "json").output)
    assert command("show", "some.json") == shown


def test_plans_and_reports_are_not_shown_together(plan: str, report: str, command: Command):
    assert refused(command("show", report, plan)) == (
        "plan.json is a plan, but report.jsonl is a report (show plans and reports separately)\n"
    )


def test_a_file_counts_once(plan: str, command: Command):
    assert refused(command("show", plan, f"./{plan}")) == (
        "./plan.json was passed twice (pass each file once)\n"
    )
    Path("copy.json").write_bytes(Path(plan).read_bytes())
    assert refused(command("show", plan, "copy.json")) == (
        "task 1 is in both plan.json and copy.json (pass each shard once, and "
        "only shards of one run)\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"version: 1\ntasks: []\n", "not a saved plan or report"),
        (b'{"version": 1}\n{"id": 1}\n', "not a saved plan or report"),
        (b"[1]", "not a saved plan or report"),
        (b"\xff\xfe{", "the file is not encoded in UTF-8"),
    ],
)
def test_what_is_neither_plan_nor_report_is_refused(command: Command, text: bytes, said: str):
    Path("odd").write_bytes(text)
    assert refused(command("show", "odd")) == f"odd: {said} {GIVE}"


def test_what_cannot_be_read_is_refused(command: Command, tmp_path: Path):
    assert refused(command("show", "nope")) == (
        f"nope: cannot be read: No such file or directory {GIVE}"
    )
    assert refused(command("show", str(tmp_path))) == (
        f"{tmp_path}: cannot be read: Is a directory {GIVE}"
    )


def test_a_plan_of_a_later_format_is_refused_unless_it_is_still_known(plan: str, command: Command):
    shown = command("show", plan)
    edited(plan, format_version="1.7")
    assert command("show", plan) == shown
    edited(plan, format_version="1.7", novelty=1)
    assert refused(command("show", plan)) == (
        "plan.json: Additional properties are not allowed ('novelty' was unexpected) "
        "(the format is 1.7: install a newer reconciler)\n"
    )
    edited(plan, format_version="2.0")
    assert refused(command("show", plan)) == (
        "plan.json: the format is 2.0, but this version of reconciler reads 1.x "
        "(install a newer reconciler)\n"
    )


@pytest.mark.parametrize(
    ("find", "put", "said"),
    [
        ('"requests": \\d+', '"requests": -1', "requests: -1 is less than the minimum of 0"),
        ('"update",', '"updat",', "tasks[0].status: 'updat' is not one of"),
        (
            '"after": 2',
            '"after": 3',
            "its digest does not match its changes: the file was edited or damaged",
        ),
        ('"after": 2', '"after": NaN', "not JSON: NaN is not a JSON number"),
        ('"after": 2', '"after": 1e999', "not JSON: the number 1e999 is too large"),
        ('"after": 2', f'"after": {"9" * 5000}', "contains a number with too many digits"),
        ('"after": 2', '"after": 2, "after": 2', 'not JSON: duplicate key "after"'),
        ('"after": 2', '"after": "\\\\ud800"', "its digest does not match its changes"),
        ('"tasks.yaml"', '"\\\\ud800.yaml", "\\\\udfff": 1', "tasks[0].source: Additional"),
        ('"overlap"', '"\\\\ud800"', "its digest does not match its changes"),
        ('"after": 2', f'"after": {"[" * 400}{"]" * 400}', "overlap: its objects and lists are"),
        ('"after": 2', f'"after": {"[" * 9000}{"]" * 9000}', "its objects and lists are nested"),
        ('"after": 2', '"after": 2 2', "not JSON: Expecting ',' delimiter at line"),
        ("}\n$", "", "the JSON ends in the middle: it was cut off"),
        ("}\n$", "}\n{}", "not JSON: Extra data at line"),
    ],
)
def test_a_spoiled_plan_is_refused_in_one_line(
    plan: str, command: Command, find: str, put: str, said: str
):
    text = Path(plan).read_text(encoding="ascii")
    save(plan, re.sub(find, put, text, count=1))
    assert refused(command("show", plan)).startswith(f"plan.json: {said}")


@pytest.mark.parametrize(
    ("line", "put", "said"),
    [
        (1, '{"format_version": "1.0", "kind": "report"}', "'digest' is a required property"),
        (2, "{nonsense}", "line 2: not JSON: Expecting property name"),
        (2, '{"task": 1, "outcome": "done", "changes": []}', "line 2: outcome: 'done' is not one"),
        (2, "[]", "line 2: not a line of a report"),
        (
            2,
            '{"task": 1, "outcome": "applied", "changes": []}\n' * 2 + "{",
            "line 4: the JSON ends in",
        ),
        (
            3,
            "",
            (
                "the counts in its last line do not match its other lines: the report was edited "
                "or damaged"
            ),
        ),
        (
            5,
            '{"summary": {}, "requests": 1}\n{"task": 1}',
            "line 6: found more lines after the end of the report",
        ),
    ],
)
def test_a_spoiled_report_is_refused_in_one_line(
    report: str, command: Command, line: int, put: str, said: str
):
    lines = Path(report).read_text(encoding="ascii").splitlines()
    lines[line - 1] = put
    save(report, "\n".join(lines) + "\n")
    assert refused(command("show", report)).startswith(f"report.jsonl: {said}")


def test_two_reports_in_one_file_are_refused(report: str, command: Command):
    save("both.jsonl", Path(report).read_text(encoding="ascii") * 2)
    assert refused(command("show", "both.jsonl")) == (
        "both.jsonl: line 6: found more lines after the end of the report, or a second report "
        "(save each report in its own file)\n"
    )
