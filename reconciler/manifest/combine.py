"""Declarations of all files to one desired task each, or to conflicts that name both places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.errors import Problem, Source
from reconciler.manifest.declarations import Declaration
from reconciler.plan.model import DesiredTask
from reconciler.plan.notation import Path, path_text
from reconciler.plan.values import Json


def combine(declarations: Iterable[Declaration]) -> tuple[list[DesiredTask], list[Problem]]:
    """Combine what is declared of the same task; two declarations of one path are a conflict."""
    by_task: dict[int, list[Declaration]] = {}
    for declaration in declarations:
        by_task.setdefault(declaration.id, []).append(declaration)
    tasks: list[DesiredTask] = []
    problems: list[Problem] = []
    for same_task in by_task.values():
        if len(same_task) > 1:
            problems += _conflicts(same_task)
        tasks.append(_desired(same_task))
    return tasks, problems


@dataclass(frozen=True, slots=True)
class _Together:
    """Where the paths of a task stand that is declared in several places."""

    declarations: tuple[Declaration, ...]

    def source_of(self, path: Path) -> Source:
        for declaration in self.declarations:
            if _overlapping(path, declaration.leaves()) is not None:
                return declaration.source_of(path)
        return self.declarations[0].source_of(path)


def _desired(declarations: Sequence[Declaration]) -> DesiredTask:
    first = declarations[0]
    projects = [d.header.project for d in declarations if d.header.project is not None]
    attributes: dict[str, Json] = {}
    for declaration in declarations:
        attributes = _merged(attributes, declaration.attributes())
    return DesiredTask(
        id=first.id,
        project=projects[0] if projects else None,
        attributes=attributes,
        replaced=frozenset().union(
            *(d.header.replaced & d.attributes().keys() for d in declarations)
        ),
        absent=tuple(path for d in declarations for path in d.absent),
        source=first.source,
        places=first if len(declarations) == 1 else _Together(tuple(declarations)),
    )


def _merged(left: dict[str, Json], right: dict[str, Json]) -> dict[str, Json]:
    """Merge objects whose paths are disjoint; where they are not, a conflict is reported."""
    result = dict(left)
    for key, value in right.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        result[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _conflicts(declarations: Sequence[Declaration]) -> list[Problem]:
    problems: list[Problem] = []
    taken: dict[Path, Declaration] = {}
    project: Declaration | None = None
    for declaration in declarations:
        problems += _project_conflict(project, declaration)
        project = project or (declaration if declaration.header.project is not None else None)
        leaves = list(declaration.leaves())
        for leaf in leaves:
            other = _overlapping(leaf, taken)
            if other and not (leaf == other and _shared_default(leaf, taken[other], declaration)):
                problems.append(_conflict(leaf, other, taken[other], declaration))
        taken.update((leaf, declaration) for leaf in leaves if leaf not in taken)
    return problems


def _overlapping(leaf: Path, taken: Iterable[Path]) -> Path | None:
    """Find a path taken before that is the same, lies around, or lies inside."""
    for other in taken:
        shorter = min(len(leaf), len(other))
        if leaf[:shorter] == other[:shorter]:
            return other
    return None


def _shared_default(leaf: Path, left: Declaration, right: Declaration) -> bool:
    """Two entries of one document share its defaults; that is one declaration, not two."""
    return left.header is right.header and left.source_of(leaf) == right.source_of(leaf)


def _conflict(leaf: Path, other: Path, left: Declaration, right: Declaration) -> Problem:
    place = left.source_of(other)
    if leaf == other:
        message = f"task {right.id} declares this at {place} too"
    else:
        relation = "which holds this" if len(other) < len(leaf) else "which lies inside this"
        message = f"task {right.id} declares {path_text(other)} at {place}, {relation}"
    hint = "declare every path in one place"
    return Problem(right.source_of(leaf), path_text(leaf), message, hint)


def _project_conflict(left: Declaration | None, right: Declaration) -> Iterable[Problem]:
    project = right.header.project
    if left is None or project is None or project == left.header.project:
        return
    yield Problem(
        right.header.source_of("project"),
        "project",
        f"task {right.id} is in project {project} here, and in project {left.header.project} "
        f"at {left.header.source_of('project')}",
        "correct one of the two",
    )
