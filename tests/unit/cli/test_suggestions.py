"""Commands and options that do not exist: what to use instead."""

from __future__ import annotations

import pytest

from reconciler.cli.main import run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export"], "No such command 'export' (use reconciler pull"),
        (["diff"], "(use reconciler plan, which changes nothing)"),
        (["plna"], "(did you mean plan?)"),
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
        (["apply", "x.yaml", "-z"], "No such option '-z'."),
    ],
)
def test_the_likeliest_is_suggested(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    assert run(arguments) == 1
    assert said in " ".join(capsys.readouterr().err.split())
