"""What programs of others rely on: names, signatures, docstrings, and what importing costs."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import FunctionType

import pytest

import reconciler

PINNED = Path(__file__).with_name("public_api.txt")
NAMES = reconciler.__all__
CLASSES = [name for name in NAMES if isinstance(getattr(reconciler, name), type)]
FUNCTIONS = [name for name in NAMES if isinstance(getattr(reconciler, name), FunctionType)]


def describe_signature(function: object) -> str:
    """Write a signature as it stands in the code."""
    assert callable(function)
    written = str(inspect.signature(function))
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", written)


def describe_class(name: str, kind: type) -> Iterator[str]:
    """Name a class with its bases, how it is made, and what it has; an enumeration's values."""
    bases = ", ".join(base.__name__ for base in kind.__bases__ if base is not object)
    yield f"class {name}({bases})" if bases else f"class {name}"
    if issubclass(kind, Enum):
        yield from (f"    {member.name} = {member.value!r}" for member in kind)
    elif dataclasses.is_dataclass(kind) or issubclass(kind, Exception):
        yield f"    {name}{describe_signature(kind).removesuffix(' -> None')}"
    for member, value in sorted(vars(kind).items()):
        if not member.startswith("_"):
            yield from describe_member(member, value)


def describe_member(name: str, value: object) -> Iterator[str]:
    getter = value.fget if isinstance(value, property) else None
    getter = value.func if isinstance(value, cached_property) else getter
    if getter:
        yield f"    {name}: {describe_signature(getter).partition(' -> ')[2]}"
    elif isinstance(value, classmethod):
        yield f"    @classmethod {name}{describe_signature(value.__func__)}"
    elif isinstance(value, FunctionType):
        yield f"    {name}{describe_signature(value)}"


def describe_api() -> Iterator[str]:
    for name in NAMES:
        value = getattr(reconciler, name)
        if isinstance(value, type):
            yield from describe_class(name, value)
        elif isinstance(value, FunctionType):
            yield f"def {name}{describe_signature(value)}"
        else:
            yield f"{name}: {type(value).__name__}"


def test_the_api_is_as_pinned():
    """Who changes it on purpose writes what this test writes into the file, and the changelog."""
    assert "\n".join(describe_api()) == PINNED.read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_imported(name: str):
    assert name in dir(reconciler)
    scope: dict[str, object] = {}
    exec(f"from reconciler import {name}", scope)  # noqa: S102 - a name of ours
    assert scope[name] is getattr(reconciler, name)


def test_everything_can_be_imported_at_once():
    scope: dict[str, object] = {}
    exec("from reconciler import *", scope)  # noqa: S102 - as above
    assert {*scope} - {"__builtins__"} == {*NAMES}


def test_other_names_are_refused_as_python_does():
    with pytest.raises(AttributeError, match="module 'reconciler' has no attribute 'plans'"):
        _ = reconciler.plans
    with pytest.raises(ImportError, match="cannot import name 'plans'"):
        exec("from reconciler import plans", {})  # noqa: S102 - as above


def test_type_checkers_and_the_interpreter_find_names_in_the_same_modules():
    tree = ast.parse(inspect.getsource(reconciler))
    imported = {
        statement.module: {alias.name for alias in statement.names}
        for branch in tree.body
        if isinstance(branch, ast.If)
        for statement in branch.body
        if isinstance(statement, ast.ImportFrom)
    }

    assert imported == {module: {*names} for module, names in reconciler._MODULES.items()}  # noqa: SLF001 - it is to agree
    named = [name for names in reconciler._MODULES.values() for name in names]  # noqa: SLF001 - as above
    assert sorted(named) == sorted(NAMES)
    assert [*NAMES] == sorted(
        {*NAMES}, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )


def test_names_are_those_of_their_modules():
    for module, names in reconciler._MODULES.items():  # noqa: SLF001 - as above
        for name in names:
            value = getattr(reconciler, name)
            assert getattr(value, "__module__", module) == module, name


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES])
def test_everything_is_documented(name: str):
    value = getattr(reconciler, name)
    members = vars(value).items() if isinstance(value, type) else ()

    undocumented = [
        member
        for member, inner in members
        if not member.startswith("_")
        and isinstance(inner, FunctionType | classmethod | property | cached_property)
        and not inspect.getdoc(inner)
    ]
    assert value.__doc__
    assert not value.__doc__.startswith(f"{name}("), "dataclasses write this where nobody does"
    assert undocumented == []


@pytest.mark.parametrize("name", sorted({*FUNCTIONS} - {"format_path"}))
def test_the_errors_of_functions_are_told(name: str):
    documentation = inspect.getdoc(getattr(reconciler, name)) or ""

    assert "Raises:" in documentation or "errors are those of" in documentation


def loaded_by(code: str) -> set[str]:
    """Run code in a bare Python, and name the modules that it loads."""
    program = f"import sys; before = {{*sys.modules}}; {code}; print(*{{*sys.modules}} - before)"
    done = subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return {*done.stdout.split()}


def test_importing_loads_nothing_else():
    assert loaded_by("import reconciler") == {"reconciler"}
    assert loaded_by("import reconciler; reconciler.__all__, dir(reconciler)") == {"reconciler"}


@pytest.mark.parametrize("name", ["Refused", "ProgressListener", "Plan", "Report", "ABSENT"])
def test_names_of_values_load_no_http_and_no_command_line(name: str):
    loaded = loaded_by(f"from reconciler import {name}")

    assert not loaded & {"httpx", "click", "yaml", "jsonschema", "jsonschema_rs", "deepdiff"}


def test_the_engine_loads_no_command_line():
    loaded = loaded_by("from reconciler import *; render, Settings")

    assert "reconciler.api" in loaded
    assert not {name for name in loaded if name.startswith("reconciler.cli")}


def test_it_is_marked_as_typed():
    assert (Path(reconciler.__file__).parent / "py.typed").is_file()
