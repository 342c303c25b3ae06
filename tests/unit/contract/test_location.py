"""The schemas are found in a checkout and in a wheel; an editable install is a checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import reconciler
from reconciler.contract.location import locate_schema
from reconciler.errors import ContractError

PACKAGE = Path(reconciler.__file__).parent
FIND = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from reconciler.contract.location import locate_schema\n"
    "from reconciler.contract.openapi import load_contract\n"
    "print(locate_schema('task-api.openapi.yaml')); assert len(load_contract()) > 30"
)


def found_from(folder: Path, *, cwd: Path) -> Path:
    run = subprocess.run(  # noqa: S603 - our own interpreter, our own code
        [sys.executable, "-c", FIND, str(folder)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(run.stdout.strip())


def copy_package(folder: Path) -> None:
    for part in ("contract", "__init__.py", "errors.py"):
        source, target = PACKAGE / part, folder / "reconciler" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def test_in_a_checkout(tmp_path: Path):
    checkout = tmp_path / "checkout"
    copy_package(checkout)
    shutil.copytree(locate_schema("task-api.openapi.yaml").parent, checkout / "schemas")
    found = found_from(checkout, cwd=tmp_path)
    assert found == (checkout / "schemas" / "task-api.openapi.yaml").resolve()


def test_in_a_wheel_the_package_wins_over_a_stranger_beside_it(tmp_path: Path):
    site = tmp_path / "site-packages"
    copy_package(site)
    schemas = locate_schema("task-api.openapi.yaml").parent
    shutil.copytree(schemas, site / "reconciler" / "schemas")
    stranger = site / "schemas"
    stranger.mkdir()
    (stranger / "task-api.openapi.yaml").write_text("a file of another package")
    found = found_from(site, cwd=tmp_path)
    assert found == (site / "reconciler" / "schemas" / "task-api.openapi.yaml").resolve()


@pytest.mark.parametrize("name", ["nothing.json", "../pyproject.toml", "", "."])
def test_absent(name: str):
    with pytest.raises(ContractError, match=r"not found in .* and "):
        locate_schema(name)


def test_absent_altogether(tmp_path: Path):
    with pytest.raises(ContractError, match=r"manifest\.schema\.json"):
        locate_schema("manifest.schema.json", package=tmp_path / "reconciler")
