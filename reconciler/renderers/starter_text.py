"""What `init` did, as text."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.notation import count_noun, escape_invisible, shorten
from reconciler.core.starter_result import ServerProjects, StarterResult


def format_starter(result: StarterResult) -> str:
    """Write which files are new, which were left alone, and what to do next."""
    return "".join(f"{escape_invisible(line)}\n" for line in _iterate_lines(result))


def _iterate_lines(result: StarterResult) -> Iterator[str]:
    if result.server:
        yield from _iterate_projects(result.server)
    if result.problem:
        yield "No task was pulled:" if result.server else "The server was not read:"
        yield from (f"  {line}" for line in result.problem.split("\n"))
    if result.written:
        yield "Written:"
        yield from (f"  {path}" for path in result.written)
    if result.kept:
        yield "Left alone, because they exist:"
        for kept in result.kept:
            yield f"  {kept.path}" + (f" ({kept.advice})" if kept.advice else "")
    if result.pulled:
        tasks = count_noun(result.pulled.tasks, "task")
        yield f"Pulled {tasks} of project {result.pulled.project}."
        undeclared = len(result.pulled.undeclared) + len(result.pulled.left_out)
        if undeclared:
            yield f"Not everything can be declared: {count_noun(undeclared, 'reason')}."
    yield "Next:"
    yield from (f"  {number}. {step}" for number, step in enumerate(result.steps, start=1))


def _iterate_projects(server: ServerProjects) -> Iterator[str]:
    yield f"Projects of {server.address}:"
    width = max((len(str(project.number)) for project in server.projects), default=0)
    for project in server.projects:
        tasks = "" if project.tasks is None else f"  {count_noun(project.tasks, 'task')}"
        yield f"  {project.number:>{width}}  {shorten(project.title, 60)}{tasks}"
    more = server.total - len(server.projects)
    if more > 0:
        yield f"  and {more:,} more"
    if not server.projects:
        yield "  none that this token may see"
