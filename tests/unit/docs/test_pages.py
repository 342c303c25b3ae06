"""Links have targets, recipes are up to date, the changelog has this version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.unit.docs.pages import PAGES, ROOT, blocks, page, without_blocks

_LINK = re.compile(r"\]\(([^)\s]+)\)")


def links(path: Path) -> list[str]:
    found = _LINK.findall(without_blocks(path.read_text(encoding="utf-8")))
    return [target for target in found if not target.startswith("https://")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path):
    assert [target for target in links(path) if not leads_somewhere(path, target)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_merge_is_left_half_done(path: Path):
    marks = ("<" * 7, "=" * 7, ">" * 7)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith(marks)] == []


def leads_somewhere(path: Path, target: str) -> bool:
    file, _, heading = target.partition("#")
    there = path.parent / file if file else path
    return there.exists() and (not heading or heading in headings(there))


def headings(path: Path) -> set[str]:
    """Return the headings of a page in the form that links use."""
    found = re.findall(r"^#+ (.+)$", without_blocks(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in found}


def test_every_page_is_linked_from_the_readme():
    linked = {(ROOT / target).resolve() for target in links(ROOT / "README.md")}

    assert {path.resolve() for path in PAGES} - {(ROOT / "README.md").resolve()} <= linked


@pytest.mark.parametrize(
    "name", ["github.yml", "gitlab-ci.yml", "kubernetes-cronjob.yaml", "Dockerfile"]
)
def test_recipes_are_shown_as_they_are(name: str):
    assert page(f"examples/ci/{name}") in [block.text for block in blocks("yaml", "dockerfile")]


def test_all_recipes_are_named_on_the_page():
    linked = {target for target in links(ROOT / "docs" / "ci.md") if "examples/ci/" in target}

    assert {Path(target).name for target in linked} == {
        path.name for path in (ROOT / "examples" / "ci").iterdir()
    }


def test_this_project_runs_its_own_ci_on_each_python_that_it_supports():
    workflow = yaml.safe_load(page(".github/workflows/ci.yml"))
    project = tomllib.loads(page("pyproject.toml"))["project"]
    supported = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    (job,) = workflow["jobs"].values()

    assert job["strategy"]["matrix"]["python"] == supported
    assert job["steps"][-1] == {"run": "bash .ci/run"}


def test_the_changelog_names_this_version_first():
    versions = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", page("CHANGELOG.md"), re.MULTILINE
    )

    assert versions[0] == tomllib.loads(page("pyproject.toml"))["project"]["version"]
