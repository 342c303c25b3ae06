"""Redacted values are in no output, and outputs tell nothing of them but which are equal."""

from __future__ import annotations

import functools
import io
import itertools
import json
import os
import pickle
import re
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import reconciler
from reconciler import (
    ApplyOptions,
    ManifestError,
    Manifests,
    NullProgress,
    Plan,
    ReconcilerError,
    Report,
    Settings,
    render,
)
from reconciler.cli.collaborators import Collaborators
from reconciler.cli.main import run
from reconciler.core.redaction import Redaction, RedactionSettings, parse_redacted_path
from reconciler.core.values import Json
from reconciler.engine.connection import connect
from reconciler.renderers.registry import FORMATS
from reconciler.sandbox.access import SANDBOX_TOKEN
from tests.unit.labelstudio.wired import ADDRESS, Hooked, sandbox_with

SLOTS = 6
RUNS = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow],
)
FEWER = settings(RUNS, max_examples=2)
OPTIONS = ("--redact", "data.secret", "--redact", "data.box.secret", "--redact", "data.external_id")
ONLY = ("--show-only", "overlap", "--show-only", "data.text")
SETTINGS = {
    "LABEL_STUDIO_URL": ADDRESS,
    "LABEL_STUDIO_API_KEY": SANDBOX_TOKEN,
    "RECONCILER_ALLOW_PLAIN_HTTP": "1",
    "RECONCILER_DIGEST_KEY": "a key of the tests, not a secret",
    "NO_COLOR": "1",
}

letters = st.text("ghjkqvwxz", min_size=8, max_size=12)
odd = st.sampled_from(["", '"', "\\", "'", ": ", "\n", "é", "\x1b[31m", "</script>", "1" * 300])
texts = st.builds(lambda one, two, start: f"{start}Q{one}{two}Z", letters, odd, odd)
"""Strings with a part that nothing else holds."""
secrets: st.SearchStrategy[Any] = (
    texts
    | st.integers(10**12, 10**18)
    | st.lists(texts, min_size=1, max_size=3)
    | st.floats(1e-9, 1e-8, allow_subnormal=False)
)


@st.composite
def slots(draw: st.DrawFn) -> tuple[list[Json], list[str]]:
    """Different values, and different keys of tasks."""
    values = draw(st.lists(secrets, min_size=SLOTS, max_size=SLOTS, unique_by=json.dumps))
    return values, draw(st.lists(texts, min_size=3, max_size=3, unique=True))


def tokens(value: Json) -> Iterator[str]:
    """Yield the parts of a value that no output may hold."""
    if isinstance(value, list):
        for one in value:
            yield from tokens(one)
    elif isinstance(value, str):
        yield from re.findall("Q[ghjkqvwxz]{8,12}", value)
    else:
        yield json.dumps(value)


@contextmanager
def working_in_new_folder() -> Iterator[None]:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def call(transport: httpx.BaseTransport, *arguments: str) -> str:
    """Run a command line, and return all that it prints, without times."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = run(arguments, collaborators=Collaborators(transport=transport))
    printed = [f"$ {arguments}: {code}"]
    for stream in (out, err):
        stream.flush()
        printed.append(stream.buffer.getvalue().decode())
    return "\n".join(printed)


def forget(text: str) -> str:
    """Leave out what differs from run to run: digests, times, identifiers."""
    text = re.sub(r"hmac-sha256:[0-9a-f]{64}", "(digest)", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "(time)", text)
    text = re.sub(r"reconciler-report-\w+", "(file)", text)
    return re.sub(r"\d+\.\d s\b", "(seconds)", text)


def show_all(server: Hooked, *arguments: str) -> str:
    """Run a command with each format that can show its result, and return all that it writes."""
    forms = [form for form in FORMATS if form not in {"text", "json"}]
    files = [f"{form}=written.{form}" for form in forms]
    if arguments[0] == "validate" or arguments[:2] in {
        ("show", f"report{n}.jsonl") for n in range(3)
    }:
        files.remove("gitlab-terraform=written.gitlab-terraform")
    options = (word for file in files for word in ("--format", file))
    printed = [call(server, *arguments, *options)]
    assert list(Path().glob("written.*"))
    for file in map(Path, (file.partition("=")[2] for file in files)):
        if file.exists():
            printed += [f"{file}:", file.read_text(encoding="utf-8")]
            file.unlink()
        else:
            printed.append(f"{file}: not written")
    return "\n".join(printed)


def make_server(values: list[Json], keys: list[str]) -> Hooked:
    """A sandbox with five tasks, whose values are some of the slots."""
    server = Hooked(sandbox_with(5))
    live: dict[int, dict[str, Json]] = {
        1: {"text": "One.", "secret": values[0], "box": {"secret": values[1], "n": 1}},
        2: {"text": "Two.", "secret": values[0], "external_id": keys[0]},
        3: {"text": "Three.", "secret": values[2], "external_id": keys[1]},
        4: {"text": "Four.", "secret": values[3], "external_id": keys[1]},
        5: {"text": "Five.", "box": {"secret": values[4]}},
    }
    for number, data in live.items():
        server.state.tasks[number].values["data"] = data
    return server


def write_manifest(values: list[Json], keys: list[str], *, more: str = "") -> None:
    s, k = ([*map(json.dumps, those)] for those in (values, keys))
    Path("tasks.yaml").write_text(
        f"""
version: 1
project: 7
key: data.external_id
rules:
  - name: of a secret
    where:
      data.secret:
        equals: {s[1]}
    set:
      overlap: 2
  - name: for no task
    where:
      data.secret:
        equals: {s[5]}
    set:
      overlap: 3
tasks:
  - id: 1
    data:
      secret: {s[2]}
      box:
        secret: {s[4]}
        n: 2
  - key: {k[0]}
    data:
      text: Changed.
      secret: {s[1]}
  - key: {k[1]}
    overlap: 3
  - key: {k[2]}
    overlap: 3
  - id: 5
    absent: [data.box.secret]
    data:
      secret: {s[3]}
{more}""",
        encoding="utf-8",
    )


ALLOWED = ("--allow", "missing", "--allow", "ambiguous")


def echo(request: httpx.Request) -> httpx.Response | None:
    """Refuse updates, and repeat what was sent and what is stored."""
    if request.method != "PATCH":
        return None
    body = json.loads(request.content)
    return httpx.Response(400, json={"validation_errors": {"data": [json.dumps(body)]}})


def fail(request: httpx.Request) -> httpx.Response | None:
    """Refuse updates with a page that repeats what was sent."""
    if request.method != "PATCH":
        return None
    page = f"<html><title>{request.content.decode()}</title></html>"
    return httpx.Response(413, html=page)


def run_plans(values: list[Json], keys: list[str], options: tuple[str, ...]) -> str:
    """Return what commands print of valid manifests."""
    server = make_server(values, keys)
    write_manifest(values, keys)
    printed = [
        call(server, "plan", "tasks.yaml", *options, *more)
        for more in ((), ("--format", "json"), ("--full", "-v"), (*ALLOWED, "--out", "plan.json"))
    ]
    printed += [
        call(server, "validate", "tasks.yaml", *options),
        call(server, "show", "plan.json", *options, "--format", "json"),
        show_all(server, "plan", "tasks.yaml", *options, *ALLOWED),
        show_all(server, "show", "plan.json", *options, "--full"),
        call(server, "plan", "tasks.yaml", *options, "--target", f"key:{keys[0]}"),
        call(server, "apply", "plan.json", *options, "--yes", "--expect-digest", "sha256:0"),
    ]
    for number, hook in enumerate((echo, fail, lambda _: None)):
        server.hook = hook
        report = f"report{number}.jsonl"
        printed += [
            show_all(
                server, "apply", "plan.json", "--yes", *options, "--report", report, "--rps", "99"
            ),
            call(server, "show", report, *options),
            call(server, "show", report, *options, "--format", "json"),
            show_all(server, "show", report, *options),
        ]
    server.state.tasks[1].values["overlap"] = 5
    report = "report2.jsonl"
    printed.append(call(server, "revert", report, *options, "--yes"))
    printed.append(show_all(server, "revert", "report2.jsonl", *options, "--yes"))
    printed.append(call(server, "revert", report, *options, "--allow", "edited-since", "--yes"))
    return "\n".join(printed)


BROKEN: Mapping[str, Callable[[list[str], list[str]], str]] = {
    "a duplicate task": lambda s, _: f"  - id: 1\n    data:\n      secret: {s[5]}\n",
    "a duplicate key": lambda s, _: (
        f"  - id: 9\n    data:\n      secret: {s[0]}\n      secret: {s[1]}\n"
    ),
    "not YAML": lambda s, _: f"  - id: 9\n    data:\n      secret: {s[0]} {s[1]}\n",
    "an open quote": lambda s, _: f'  - id: 9\n    data: {{secret: {s[0]}, text: "a\n',
    "a key twice": lambda _, k: f"  - key: {k[0]}\n    overlap: 4\n",
    "a key of another kind": lambda s, _: f"  - key: [{s[0]}]\n    overlap: 4\n",
    "data that is a list": lambda s, _: f"  - id: 9\n    data: [{s[0]}]\n",
    "an attribute that is wrong": lambda _s, _k: "  - id: 9\n    overlap: two\n",
    "a tag": lambda s, _: f"  - id: 9\n    data:\n      secret: !!binary {s[0]}\n",
    "a rule as a task": lambda s, _: f"  - id: 9\n    where:\n      data.secret: {s[0]}\n",
    "a rule chain": lambda s, _: (
        f"""---
version: 1
project: 7
rules:
  - name: sets it
    set:
      data:
        secret: {s[5]}
"""
    ),
    "a rule that repeats": lambda _s, k: (
        f"""---
version: 1
project: 7
rules:
  - name: again
    rewrite:
      data.secret:
        prefix: {k[0]}
        to: {json.dumps(json.loads(k[0]) + "x")}
"""
    ),
    "a wrong condition": lambda s, _: (
        f"""---
version: 1
project: 7
rules:
  - name: again
    where:
      data.secret:
        gt: [{s[0]}]
    set:
      overlap: 2
"""
    ),
}


def run_broken(values: list[Json], keys: list[str], options: tuple[str, ...], name: str) -> str:
    """Return what commands print of manifests with a problem."""
    server = make_server(values, keys)
    s, k = ([*map(json.dumps, those)] for those in (values, keys))
    write_manifest(values, keys, more=BROKEN[name](s, k))
    return "\n".join(
        [
            call(server, "validate", "tasks.yaml", *options),
            call(server, "validate", "tasks.yaml", *options, "--format", "json"),
            call(server, "plan", "tasks.yaml", *options),
            show_all(server, "validate", "tasks.yaml", *options),
            show_all(server, "plan", "tasks.yaml", *options),
        ]
    )


DOCTOR_FORMATS = ("text", "json", "markdown", "github", "junit")
MEASURED = ("latency", "at once", "clock")
"""Checks whose findings differ from run to run."""


def repeat_tasks(request: httpx.Request) -> httpx.Response | None:
    """Refuse to list tasks, and repeat what is stored, as a failing server may."""
    if request.url.path != "/api/tasks/" or "filterGroup" in str(request.url):
        return None
    return httpx.Response(400, json={"detail": json.dumps(STORED)})


STORED: list[Json] = []


def run_doctor(values: list[Json], keys: list[str], options: tuple[str, ...]) -> tuple[str, Json]:
    """Return all that doctor prints, and its findings except those that it measures."""
    printed: list[str] = []
    findings: list[Json] = []
    for broken, hook in itertools.product(("", *BROKEN), (lambda _: None, repeat_tasks)):
        if broken and hook is repeat_tasks:
            continue
        server = make_server(values, keys)
        STORED[:] = [*values, *keys]
        server.hook = hook
        s, k = ([*map(json.dumps, those)] for those in (values, keys))
        write_manifest(values, keys, more=BROKEN[broken](s, k) if broken else "")
        printed += [
            call(server, "doctor", "tasks.yaml", *options, "--format", form, "-v")
            for form in DOCTOR_FORMATS
        ]
        document = json.loads(
            call(server, "doctor", "tasks.yaml", *options, "--format", "json").partition("\n")[2]
        )
        if not broken:
            findings += [one for one in document["findings"] if one["check"] not in MEASURED]
    return "\n".join(printed), findings


class Heard(NullProgress):
    """Keeps what a program would write to its log."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)

    def detail(self, text: str) -> None:
        self.lines.append(text)


def show(found: Plan | Report) -> Iterator[str]:
    """Yield all that Python or a notebook shows of a plan or a report, and of its parts."""
    for one in (found, pickle.loads(pickle.dumps(found))):  # noqa: S301 - made here
        yield from (repr(one), str(one), one._repr_html_(), f"{one}")
        for form in FORMATS:
            if form != "gitlab-terraform" or isinstance(one, Plan):
                yield render(one, form)
    yield from (render(found, full=True), render(found, "markdown", limit=5_000))


def list_parts(found: Plan | Report) -> Iterator[object]:
    """Yield the parts of a plan or a report that hold no values themselves, but more parts."""
    if isinstance(found, Report):
        parts: Iterable[object] = [*found.outcomes, *found.runs]
    else:
        parts = [*found.tasks, *found.unresolved, *found.rules]
    for part in parts:
        yield part
        for name in ("changes", "problems", "key", "rules", "rule", "problem", "targets"):
            yield getattr(part, name, None)


def check_parts(found: Plan | Report, values: list[Json], keys: list[str]) -> None:
    shown = repr([*list_parts(found)])
    check_hidden(shown, values, keys)
    assert "sha256:" not in shown


def tell(error: BaseException) -> str:
    """Return what Python, a notebook or a log shows of an error that nothing catches."""
    return "".join(traceback.format_exception(error)) + repr(error)


def attempt(work: Callable[[], object]) -> str:
    try:
        found = work()
    except ReconcilerError as error:
        problems = (
            [render(error, form) for form in ("text", "sarif")]
            if isinstance(error, ManifestError)
            else []
        )
        return "\n".join([tell(error), *problems])
    return f"no error: {found}"


def make_settings(options: tuple[str, ...]) -> Settings:
    """Settings that redact what the options of a command line do."""
    made = Settings.from_environment(SETTINGS)
    paths = tuple(map(parse_redacted_path, options[1::2]))
    hidden = Redaction(paths) if options[0] == "--redact" else Redaction(shown=paths)
    return made.hide(RedactionSettings(hidden))


def run_python(values: list[Json], keys: list[str], options: tuple[str, ...]) -> str:
    """Return all that a program or a notebook shows of runs."""
    server = make_server(values, keys)
    connected = functools.partial(connect, transport=server)
    settings, heard = make_settings(options), Heard()
    shown: list[str] = []
    with mock.patch("reconciler.api.connect", connected):
        write_manifest(values, keys)
        declared = reconciler.load("tasks.yaml", redact=settings)
        made = reconciler.plan(declared, settings, allow=["missing", "ambiguous"], progress=heard)
        check_parts(made, values, keys)
        halves = [reconciler.plan(declared, settings, shard=f"{n}/2") for n in (1, 2)]
        reconciler.write_plan(made, "plan.json")
        for one in (
            made,
            reconciler.merge(halves),
            reconciler.read_plan("plan.json", redact=settings),
        ):
            shown += show(one)
        cut = Path("plan.json").read_text(encoding="utf-8").replace('"unchanged"', '"changed"')
        Path("cut.json").write_text(cut, encoding="utf-8")
        shown += [
            attempt(lambda: reconciler.read_plan("cut.json", redact=settings)),
            attempt(lambda: reconciler.plan(declared, settings, targets=[f"key:{values[5]}x"])),
            attempt(lambda: reconciler.apply(halves[0], settings)),
            attempt(
                lambda: reconciler.apply(
                    made, settings, options=ApplyOptions(expected_digest="sha256:0")
                )
            ),
        ]
        reports = []
        for number, hook in enumerate((echo, fail, lambda _: None)):
            server.hook = hook
            file = f"python{number}.jsonl"
            options_of_run = ApplyOptions(allow=["missing", "ambiguous"])
            reports.append(
                reconciler.apply(
                    made, settings, options=options_of_run, report=file, progress=heard
                )
            )
            shown += show(reports[-1])
            check_parts(reports[-1], values, keys)
            shown += show(reconciler.read_report(file, redact=settings))
        shown += show(reconciler.merge(reports))
        server.state.tasks[1].values["data"] = {"secret": values[5]}
        shown += show(reconciler.plan_revert(reports[-1], settings))
        shown.append(attempt(lambda: reconciler.revert(reports[-1], settings)))
        shown.append(
            attempt(
                lambda: reconciler.merge([reports[-1], reconciler.read_report("python2.jsonl")])
            )
        )
        server.hook = repeat_tasks
        STORED[:] = [*values, *keys]
        shown.append(attempt(lambda: reconciler.plan(declared, settings)))
    return "\n".join([*shown, *heard.lines])


def load_broken(values: list[Json], keys: list[str], options: tuple[str, ...]) -> str:
    """Return all that a program or a notebook shows of manifests with problems."""
    settings = make_settings(options)
    s, k = ([*map(json.dumps, those)] for those in (values, keys))
    shown = [attempt(lambda: declare_wrongly(values, settings))]
    for name, broken in BROKEN.items():
        write_manifest(values, keys, more=broken(s, k))
        shown += [name, attempt(lambda: reconciler.load("tasks.yaml", redact=settings))]
    return "\n".join(shown)


def declare_wrongly(values: list[Json], settings: Settings) -> object:
    tasks = [{"id": 1, "data": {"secret": values[0]}}, {"id": 1, "data": {"secret": values[1]}}]
    return Manifests.from_tasks(tasks, redact=settings)


def check_hidden(printed: str, values: list[Json], keys: list[str]) -> None:
    found = [token for value in (*values, *keys) for token in tokens(value) if token in printed]
    commands = "\n".join(line for line in printed.splitlines() if line.startswith("$ "))
    assert [token for token in found if printed.count(token) > commands.count(token)] == []


@pytest.fixture(autouse=True)
def clean_environment() -> Iterator[None]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("RECONCILER_", "LABEL_"))}
    with mock.patch.dict(os.environ, {**kept, **SETTINGS}, clear=True):
        yield


def hide_targets(printed: str) -> str:
    """Leave out the lines of this test that quote its own options."""
    return "\n".join(line for line in printed.splitlines() if not line.startswith("$ "))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("options", [OPTIONS, ONLY], ids=["redact", "show only"])
@RUNS
@given(slots(), slots())
def test_outputs_of_plans_and_reports_depend_on_no_redacted_value(
    options: tuple[str, ...],
    one: tuple[list[Json], list[str]],
    other: tuple[list[Json], list[str]],
):
    printed = []
    for values, keys in (one, other):
        with working_in_new_folder():
            printed.append(run_plans(values, keys, options))
        check_hidden(printed[-1], values, keys)
    first, second = (forget(hide_targets(text)) for text in printed)
    assert first == second
    assert "(redacted A)" in first
    assert "PATCH" in first or "not shown" in first


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", BROKEN)
@RUNS
@given(slots())
def test_problems_of_manifests_quote_no_redacted_value(
    name: str, one: tuple[list[Json], list[str]]
):
    for options in (OPTIONS, ONLY):
        with working_in_new_folder():
            printed = run_broken(*one, options, name)
        check_hidden(printed, *one)
        assert "problem" in printed


@pytest.mark.timeout(300)
@pytest.mark.parametrize("options", [OPTIONS, ONLY], ids=["redact", "show only"])
@FEWER
@given(slots(), slots())
def test_doctor_depends_on_no_redacted_value(
    options: tuple[str, ...],
    one: tuple[list[Json], list[str]],
    other: tuple[list[Json], list[str]],
):
    findings = []
    for values, keys in (one, other):
        with working_in_new_folder():
            printed, found = run_doctor(values, keys, options)
        check_hidden(printed, values, keys)
        findings.append(found)
    assert findings[0] == findings[1]
    assert "they are redacted" in json.dumps(findings[0])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("options", [OPTIONS, ONLY], ids=["redact", "show only"])
@FEWER
@given(slots(), slots())
def test_python_and_notebooks_depend_on_no_redacted_value(
    options: tuple[str, ...],
    one: tuple[list[Json], list[str]],
    other: tuple[list[Json], list[str]],
):
    shown = []
    for values, keys in (one, other):
        with working_in_new_folder():
            shown.append(run_python(values, keys, options))
        check_hidden(shown[-1], values, keys)
    first, second = map(forget, shown)
    assert first == second
    assert "(redacted A)" in first
    assert "no error" not in first
    assert "sha256:" not in first.replace("sha256:0", "")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("options", [OPTIONS, ONLY], ids=["redact", "show only"])
@RUNS
@given(slots())
def test_errors_in_python_quote_no_redacted_value(
    options: tuple[str, ...], one: tuple[list[Json], list[str]]
):
    with working_in_new_folder():
        shown = load_broken(*one, options)
    check_hidden(shown, *one)
    # Two tasks with one key and different paths combine, and two numbers may be one text.
    assert {*re.findall("(.*)\nno error", shown)} <= {"a key twice", "not YAML"}
    assert "ManifestError" in shown
