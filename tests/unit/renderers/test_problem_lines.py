"""Problems of manifests as lines."""

from __future__ import annotations

from reconciler.errors import Problem, Source
from reconciler.renderers.problem_lines import format_problems


def problem(line: int, message: str) -> Problem:
    return Problem(Source("a.yaml", line, 5), f"tasks[{line}].overlap", message, "write a number")


def test_many_problems_of_one_kind_are_folded():
    problems = [problem(n, f'expected an integer, found the string "{n}"') for n in range(1, 61)]
    other = problem(61, "is not known")
    lines = list(format_problems([*problems, other], full=False))
    assert lines[:50] == list(map(str, problems[:50]))
    assert lines[50:] == [
        str(other),
        (
            "… and 10 more problems like this: tasks[…].overlap: expected an integer, found the "
            "string … (--full shows all)"
        ),
        "61 problems in the manifests",
    ]


def test_in_full_all_are_written():
    problems = [problem(n, "is wrong") for n in range(1, 61)]
    lines = list(format_problems(problems, full=True))
    assert lines == [*map(str, problems), "60 problems in the manifests"]
