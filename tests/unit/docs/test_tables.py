"""The tables of the pages agree with the code."""

from __future__ import annotations

import ast
import inspect
import json
import re
import tomllib
from itertools import chain, pairwise
from typing import Any

import click
import yaml

from reconciler.cli import exit_codes
from reconciler.cli.main import program
from reconciler.contract.attributes import Attribute
from reconciler.contract.location import locate_schema
from reconciler.contract.openapi import load_contract
from reconciler.core.plan_model import Status
from reconciler.core.problems import Kind
from reconciler.core.report import GOOD, Outcome
from reconciler.engine.settings.redaction_settings import REDACT_VARIABLE
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.retry import RETRY_POLICIES, Fault, RequestKind
from reconciler.labelstudio.task_api import TaskApi
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.fields import Edition, list_fields
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.tasks_file import load_state
from tests.unit.docs.pages import page, table

MANIFEST = json.loads(locate_schema("manifest.schema.json").read_text(encoding="utf-8"))
WRITABLE = {name: row for name, row in load_contract().items() if row.writable}
BOUNDS = {
    (None, None): "",
    (-(2**31), 2**31 - 1): "32 bits",
    (-(2**63), 2**63 - 1): "64 bits",
    (1, 2**31 - 1): "1 or more, 32 bits",
    (1, 2**62 - 1): "1 or more, 63 bits",
}


def documented(name: str, first: str, *columns: int) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in columns) for row in table(page(name), first)]


def yes(value: object) -> str:
    return "yes" if value else "no"


def type_of(row: Attribute) -> str:
    return "date-time" if row.is_date_time else row.type.value


def test_attributes_are_those_of_the_contract():
    assert documented("docs/manifest.md", "Attribute", 0, 1, 2, 3, 4) == [
        (
            name,
            type_of(row),
            yes(row.nullable),
            BOUNDS[row.minimum, row.maximum],
            yes(row.computed),
        )
        for name, row in WRITABLE.items()
    ]


def test_attributes_are_those_of_the_schema():
    attributes = MANIFEST["definitions"]["attributes"]["properties"]
    rows = {row[0]: row for row in table(page("docs/manifest.md"), "Attribute")}

    assert rows.keys() == attributes.keys()
    for name, schema in attributes.items():
        types = schema.get("type", ["any", "null"])
        types = types if isinstance(types, list) else [types]
        _, kind, null, bounds, computed, *_ = rows[name]
        assert ("string" if kind == "date-time" else kind) == types[0]
        assert null == yes("null" in types)
        assert bounds == BOUNDS[schema.get("minimum"), schema.get("maximum")]
        assert computed == yes("Computed by the server" in schema["description"])


def test_attributes_do_on_community_what_the_sandbox_shows():
    transport = SandboxTransport(load_state(None))
    with Client("http://x.example", parse_token(SANDBOX_TOKEN), transport=transport) as client:
        api = TaskApi(client, load_contract())
        seen = api.fetch_list(1, list(WRITABLE), page=1, size=1)().tasks[1]
    stored = {row.name for row in list_fields(Edition.COMMUNITY) if not row.read_only}

    assert documented("docs/manifest.md", "Attribute", 0, 5) == [
        (name, "not shown" if name not in seen else "stored" if name in stored else "ignored")
        for name in WRITABLE
    ]


def test_attributes_that_slow_reading_are_named():
    (said,) = re.findall(
        r"^(`predictions_score`[^|]*?) make\s+reading", page("docs/manifest.md"), re.MULTILINE
    )

    assert set(re.findall(r"`(\w+)`", said)) == {
        name for name, row in WRITABLE.items() if row.only_in_full_list
    }


def test_read_only_attributes_are_named():
    (said,) = re.findall(r"Read-only attributes are refused: ([^.]*)\.", page("docs/manifest.md"))

    assert re.findall(r"`(\w+)`", said) == sorted(load_contract().keys() - WRITABLE.keys() - {"id"})


def test_header_keys_are_those_of_the_schema():
    assert documented("docs/manifest.md", "Key", 0, 2) == [
        (key, yes(key in MANIFEST["required"])) for key in MANIFEST["properties"]
    ]


def test_exit_codes_are_those_of_the_code():
    expected = []
    body = ast.parse(inspect.getsource(exit_codes)).body
    for node, text in pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(text, ast.Expr):
            said = ast.literal_eval(text.value).rstrip(".")
            expected.append((str(ast.literal_eval(node.value or text)), said.casefold()))

    assert len(expected) == len([name for name in vars(exit_codes) if name.isupper()])
    assert [(c, s.casefold()) for c, s in documented("README.md", "Code", 0, 1)] == expected
    assert documented("docs/semantics.md", "Code", 0) == [(code,) for code, _ in expected]


def test_settings_are_those_of_the_code():
    config = json.loads(locate_schema("config.schema.json").read_text(encoding="utf-8"))
    rows = table(page("README.md"), "Setting")
    options = {
        option: parameter.envvar
        for name in ("plan", "apply")
        for parameter in _command(name).params
        for option in parameter.opts
        if parameter.envvar
    }
    # Not a default of the option: what the variable and the option say adds up.
    options["--redact"] = REDACT_VARIABLE

    assert {row[1] for row in rows} - {"never"} == config["properties"].keys()
    assert {row[3].split()[-1]: row[2] for row in rows if row[3] != "never"} == options
    for _, key, _, _, default in rows:
        wanted = config["properties"].get(key, {}).get("default")
        assert wanted is None or default == ("no" if wanted is False else str(wanted))


def _command(name: str) -> click.Command:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    return command


def test_statuses_problems_and_outcomes_are_those_of_the_code():
    assert documented("docs/semantics.md", "Status", 0) == [(status,) for status in Status]
    assert documented("docs/semantics.md", "Problem", 0) == [(kind,) for kind in Kind]
    assert documented("docs/semantics.md", "Outcome", 0, 2) == [
        (outcome, yes(outcome in GOOD)) for outcome in Outcome
    ]


def test_what_is_sent_again_is_what_the_code_says():
    kinds = [kind for kind in RequestKind if kind is not RequestKind.PROBE]
    heading = next(
        [cell.strip().casefold() for cell in line.split("|")]
        for line in page("docs/semantics.md").splitlines()
        if line.startswith("| What happens |")
    )

    assert heading[2:7] == list(kinds)
    assert documented("docs/semantics.md", "What happens", *range(9)) == [
        (
            fault,
            *(str(row.attempts[kind]) for kind in kinds),
            str(min(row.attempts[RequestKind.READ], row.unanswered)),
            row.stored,
            row.consequence,
        )
        for fault, row in RETRY_POLICIES.items()
    ]
    assert list(RETRY_POLICIES) == list(Fault)


def test_commands_are_those_of_the_program():
    shown = [row[0].split()[1] for row in table(page("README.md"), "Command")]

    assert list(dict.fromkeys(shown)) == program.list_commands(click.Context(program))


def test_inputs_of_the_action_are_as_the_action_describes_them():
    inputs = yaml.safe_load(page("action.yml"))["inputs"]

    def show_default(declared: dict[str, Any]) -> str:
        default = str(declared.get("default", "none: required"))
        return "the token of the job" if "github.token" in default else default or "none"

    assert documented("docs/ci.md", "Input", 0, 1, 2) == [
        (name, row["description"].removesuffix("."), show_default(row))
        for name, row in inputs.items()
    ]


def test_dependencies_have_their_reasons():
    project = tomllib.loads(page("pyproject.toml"))
    groups = project["dependency-groups"].values()
    name = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")

    def names(rows: list[tuple[str, ...]]) -> set[str]:
        return {found for row in rows for found in name.findall(row[0])}

    def required(entries: list[str]) -> set[str]:
        return {found[0] for entry in entries if (found := name.match(entry))}

    text = "docs/architecture.md"
    assert names(documented(text, "Package", 0)) == required(project["project"]["dependencies"])
    assert names(documented(text, "For development", 0)) == required(list(chain(*groups)))
