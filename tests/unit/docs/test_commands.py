"""The program accepts every command line on a page and in a recipe."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from reconciler.cli.main import program
from tests.unit.docs.pages import PAGES, ROOT, blocks, spans

_COMMAND = re.compile(r"reconciler (?=[a-z])[^`\"}\n#]*")
_RECIPES = [
    *sorted((ROOT / "examples" / "ci").iterdir()),
    *sorted((ROOT / ".github" / "workflows").iterdir()),
]


def shown() -> list[str]:
    """List the command lines of all pages and recipes, each once."""
    texts = [block.text for block in blocks("sh", "yaml")]
    texts += [span for path in PAGES for span in spans(path.read_text(encoding="utf-8"))]
    texts += [path.read_text(encoding="utf-8") for path in _RECIPES]
    return sorted({found.strip() for text in texts for found in _COMMAND.findall(text)})


def take(line: str) -> None:
    """Parse a command line as the program does; raise the error of click for a wrong one."""
    command: click.Command = program
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group) and words:
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            raise click.UsageError(f"No such command {words[0]!r}.")
        command, words = found, words[1:]
    if words:  # otherwise the command is only named
        # A command keeps the help option of its first context: it must be the program's own.
        with click.Context(program, **program.context_settings) as parent:
            command.make_context(line, words, parent=parent)


@pytest.mark.parametrize("line", shown())
def test_it_is_a_command_line_that_the_program_takes(line: str):
    take(line)


@pytest.mark.parametrize(
    "line",
    ["reconciler undo report.jsonl", "reconciler plan manifests/ --output x", "reconciler plan -q"],
)
def test_what_is_not_there_would_be_noticed(line: str):
    with pytest.raises(click.UsageError):
        take(line)


def test_pages_and_recipes_show_each_command():
    named = {tuple(line.split()[1:3]) for line in shown()}
    groups = {"schema": ("build", "check")}

    for name in program.list_commands(click.Context(program)):
        for inner in groups.get(name, ("",)):
            assert any(words[0] == name and (not inner or inner in words) for words in named)
