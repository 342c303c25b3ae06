"""Commands and options that do not exist: what to use instead."""

from __future__ import annotations

import click
import pytest

from reconciler.cli.main import program, run
from reconciler.cli.suggestions import COMMANDS_WITH


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export"], "No such command 'export' (use reconciler pull"),
        (["diff"], "(use reconciler plan, which changes nothing)"),
        (["whoami"], "(use reconciler doctor)"),
        (["plna"], "(did you mean plan?)"),
        (["workspace", "list"], "(environments of reconciler.toml name servers: choose one with"),
        (["doctor", "--lock"], "(use --update-lock to write reconciler.lock)"),
        (["validate", "--update-lock", "m"], "(reconciler doctor PATH --update-lock writes"),
        (["plan", "--lock", "m"], "reconciler doctor PATH --update-lock writes reconciler.lock)"),
        (["validate", "--lock", "m"], "(validate reads reconciler.lock, so leave it out; "),
        (["plan", "--no-lock", "m"], "(only validate has --no-lock, so leave it out)"),
        (["zzz"], "No such command 'zzz'."),
        (["plan", "x.yaml", "--dry-run"], "(plan changes nothing, so leave it out)"),
        (["apply", "x.yaml", "--dry-run"], "(use reconciler plan, which changes nothing)"),
        (["apply", "x.yaml", "--auto-approve"], "(use --yes)"),
        (["plan", "x.yaml", "--max-change", "1"], "(did you mean --max-changes?)"),
        (["plan", "x.yaml", "--zzz"], "No such option '--zzz'."),
        (["refresh"], "(use reconciler plan, which reads the tasks from the server each time)"),
        (["apply", "x.yaml", "--parallelism", "3"], "(use --concurrency)"),
        (["revert", "x.jsonl", "-parallelism=3"], "'-parallelism' (use --concurrency)"),
        (["plan", "x.yaml", "--parallelism", "3"], "(apply and revert have --concurrency)"),
        (
            ["plan", "x.yaml", "-target=y"],
            "No such option '-target' (did you mean --target?).",
        ),
        (["plan", "x.yaml", "-t", "y"], "(use --target)"),
        (["plan", "x.yaml", "-out=y"], "No such option '-out' (did you mean --out?)."),
        (["apply", "x.yaml", "-auto-approve"], "(use --yes)"),
        (
            ["plan", "x.yaml", "-auto-approve"],
            "(plan only reads and needs no approval, so leave it",
        ),
        (
            ["plan", "x.yaml", "--auto-approve"],
            "(plan only reads and needs no approval, so leave it",
        ),
        (["validate", "x.yaml", "--no-input"], "(validate only reads and needs no approval, so"),
        (["sandbox", "--auto-approve"], "(apply and revert have --yes)"),
        (["plan", "x.yaml", "--force"], "(--allow accepts a problem)"),
        (["show", "x.json", "--force"], "(apply and revert have --yes)"),
        (["revert", "x.jsonl", "--targets", "y"], "(plan and apply have --target)"),
        (["revert", "x.jsonl", "--json"], "(use --format json)"),
        (["init", "--json"], "(validate, plan, apply, revert, show, pull and doctor have --f"),
        (
            ["validate", "x.yaml", "--host", "y"],
            "(plan, apply, revert, init, pull and doctor have --u",
        ),
        (["apply", "x.yaml", "-z"], "No such option '-z'."),
        (["plan", "x.yaml", "-var-file=y"], "No such option '-var-file' (manifests have no variab"),
        (["plan", "x.yaml", "-verbose"], "'-verbose' (did you mean --verbose?)"),
        (["plan", "x.yaml", "--destroy"], "'--destroy' (reconciler only updates tasks; it never"),
        (["plan", "x.yaml", "-refresh-only"], "'-refresh-only' (each plan reads the tasks from"),
        (["plan", "x.yaml", "--concurrency", "3"], "(apply and revert have --concurrency)"),
        (["state", "list"], "No such command 'state' (reconciler keeps no state: "),
        (
            ["plan", "x.yaml", "--timeout", "30s"],
            "expected seconds, above 0, such as 30, found '30s'",
        ),
        (
            ["apply", "x.yaml", "--rps", "10/s"],
            "expected updates per second, above 0, such as 10, fo",
        ),
        (["apply", "x.yaml", "--concurrency", "65"], "a whole number from 1 to 64, found '65'."),
        (["plan", "x.yaml", "--env", "a", "--env=b"], "expected one value, found 2 different ones"),
        (
            ["plan", "x.yaml", "--url", "a", "--url", "b"],
            "for '--url': expected one value, found 2",
        ),
    ],
)
def test_the_likeliest_is_suggested(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    assert run(arguments) == 1
    assert said in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("option", COMMANDS_WITH)
def test_the_commands_that_are_said_to_have_an_option_have_it(option: str):
    context = click.Context(program)
    commands = [
        (name, program.get_command(context, name)) for name in program.list_commands(context)
    ]
    having = [
        name
        for name, command in commands
        if command and any(option in parameter.opts for parameter in command.params)
    ]

    assert sorted(COMMANDS_WITH[option].replace(" and ", ", ").split(", ")) == sorted(having)


@pytest.mark.parametrize("command", program.list_commands(click.Context(program)))
@pytest.mark.parametrize("option", ["--force", "--approve", "-j", "--targets", "-e"])
def test_a_suggestion_names_no_option_that_the_command_lacks(
    command: str, option: str, capsys: pytest.CaptureFixture[str]
):
    found = program.get_command(click.Context(program), command)
    assert found is not None

    run([command, option])

    hint = " ".join(capsys.readouterr().err.split()).partition("(")[2].removesuffix(").")
    named = set() if " have --" in hint else {word for word in hint.split() if word[:2] == "--"}
    assert named <= {known for parameter in found.params for known in parameter.opts}
