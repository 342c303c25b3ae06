"""The blocks of docs/python.md run from the first to the last, and print what the page shows."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

import reconciler
from reconciler import Manifests, Outcome, ServerError, Settings, plan, read_report
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state
from tests.unit.docs.pages import ROOT, Block, blocks, page, spans, table

ADDRESS: Final = "https://label-studio.example.org"
"""The server on the pages; the sandbox replaces it."""

SHOWN = [block for block in blocks("python", "text", "sh") if block.place.startswith("python.md")]


@pytest.fixture
def state() -> State:
    return load_state(ROOT / "examples" / "sandbox.json")


@pytest.fixture
def url(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the address of a server, in a folder with the files that the page mentions."""
    (manifest,) = [block.text for block in blocks("yaml") if block.place.startswith("python.md")]
    monkeypatch.chdir(tmp_path)
    Path("manifests").mkdir()
    Path("manifests/sentences.yaml").write_text(manifest, encoding="utf-8")
    (settings,) = [block.text for block in blocks("toml") if block.place.startswith("python.md")]
    with serve(state) as address:
        Path("reconciler.toml").write_text(settings.replace(ADDRESS, address), encoding="utf-8")
        monkeypatch.setenv("LABEL_STUDIO_URL", address)
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
        yield address


def run(block: Block, names: dict[str, Any], url: str) -> str:
    """Run a block on the sandbox, and return what it prints as the page would show it."""
    out = io.StringIO()
    code = compile(block.text.replace(ADDRESS, url), block.place, "exec")
    with redirect_stdout(out):
        exec(code, names)  # noqa: S102 - our own page
    return out.getvalue().replace(url, ADDRESS)


def expected(block: Block, following: Block) -> str:
    """Return the expected output of a block: what follows ``# >``, otherwise the text below."""
    lines = [
        line.removeprefix("# > ") for line in block.text.splitlines() if line.startswith("# > ")
    ]
    return "\n".join(lines) if lines or following.kind != "text" else following.text


def test_each_block_prints_what_the_page_shows_and_recipes_go_on_from_there(url: str):
    names: dict[str, Any] = {"__name__": "page"}

    for block, following in pairwise([*SHOWN, Block("", "", "")]):
        if block.kind == "python":
            # The page says that this one may be left out.
            known = dict(names) if "from_toml" in block.text else names
            assert run(block, known, url).rstrip() == expected(block, following).rstrip()

    names |= {"Limit": reconciler.Limit, "format_path": reconciler.format_path}
    for span in spans(page("docs/python.md")):
        if span.startswith(("import ", "from ")):
            exec(span, names)  # noqa: S102 - our own page
    for _, recipe in table(page("docs/python.md"), "To"):
        eval(recipe, names)  # noqa: S307 - our own page


def test_there_is_something_to_run():
    shown = [block for block in SHOWN if block.kind == "python"]

    assert len(shown) > 9
    assert sum("# > " in block.text for block in shown) > 7


def wait_for_update(state: State) -> None:
    while not any(method == "PATCH" for method, _ in state.log):
        time.sleep(0.01)


def test_cancelling_lets_updates_under_way_end_and_the_report_tells(url: str, state: State):
    settings = Settings(url=url, token=SANDBOX_TOKEN, rps=2)
    nothing = plan(Manifests.from_tasks([]), settings)
    made = plan(Manifests.from_tasks([{"id": n, "overlap": 5} for n in range(101, 109)]), settings)
    names: dict[str, Any] = {"apply": reconciler.apply, "made": nothing, "settings": settings}
    (block,) = [block for block in SHOWN if "apply_until_cancelled" in block.text]
    run(block, names, url)

    async def cancel() -> None:
        applying = names["apply_until_cancelled"](made, settings, report="cancelled.jsonl")
        task = asyncio.create_task(applying)
        await asyncio.to_thread(wait_for_update, state)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    outcomes = {outcome.outcome for outcome in read_report("cancelled.jsonl").outcomes}

    assert outcomes == {Outcome.APPLIED, Outcome.INTERRUPTED}


def test_every_error_is_in_the_table_and_those_of_a_server_come_last():
    rows = [row[0].split(", ") for row in table(page("docs/python.md"), "Error")]
    listed = [getattr(reconciler, name) for row in rows for name in row]
    public = [getattr(reconciler, name) for name in reconciler.__all__]
    known = {
        kind
        for kind in public
        if isinstance(kind, type) and issubclass(kind, reconciler.ReconcilerError)
    }
    of_server = [issubclass(kind, ServerError) for kind in listed]

    assert set(listed) == known - {reconciler.ReconcilerError, ServerError}
    assert listed[of_server.index(True)] is reconciler.Unauthorised
    assert of_server == sorted(of_server)


def test_the_fields_of_what_is_returned_are_in_the_table():
    for name, row in table(page("docs/python.md"), "Class"):
        kind = getattr(reconciler, name)
        listed = {attribute.removesuffix("()") for attribute in row.split(", ")}
        fields = {field.name for field in dataclasses.fields(kind) if field.compare}

        assert fields <= listed, name
        assert all(hasattr(kind, attribute) for attribute in listed - fields), name
