"""The declarations of one task, combined into a desired task or reported as conflicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from reconciler.core.allowances import narrow_to_documents
from reconciler.core.model import DesiredTask, TaskKey
from reconciler.core.notation import count_noun, format_path, format_value, shorten
from reconciler.core.paths import Path, PathIndex, are_nested, iterate_around, iterate_outwards
from reconciler.core.values import Json
from reconciler.errors import Problem, Source
from reconciler.manifest.declarations import Declaration


class _CombinedPlaces:
    """The places of the paths of a task that is declared in several places."""

    def __init__(self, declarations: Sequence[Declaration]) -> None:
        self._declarations = declarations

    @cached_property
    def _owners(self) -> dict[Path, Declaration]:
        owners: dict[Path, Declaration] = {}
        for declaration in self._declarations:
            for leaf in declaration.iterate_leaves():
                for path in iterate_around(leaf):
                    owners.setdefault(path, declaration)
        return owners

    @property
    def source(self) -> Source:
        return self._declarations[0].source

    def source_of(self, path: Path) -> Source:
        around = iterate_outwards(path)
        owners = (self._owners[outer] for outer in around if outer in self._owners)
        return next(owners, self._declarations[0]).source_of(path)


def combine(declarations: Sequence[Declaration]) -> DesiredTask:
    """Combine the declarations of one task, which have no conflicts."""
    first = declarations[0]
    if len(declarations) == 1:
        return build_task(first)
    projects = [d.header.project for d in declarations if d.header.project is not None]
    attributes: dict[str, Json] = {}
    for declaration in declarations:
        attributes = _merge(attributes, declaration.build_attributes())
    return DesiredTask(
        id=first.id,
        project=projects[0] if projects else None,
        attributes=attributes,
        replaced=frozenset().union(
            *(d.header.replaced & d.build_attributes().keys() for d in declarations)
        ),
        # Entries of one document share its defaults, and so what is absent in them.
        absent=tuple(dict.fromkeys(path for d in declarations for path in d.absent)),
        places=_CombinedPlaces(declarations),
        key=next((d.key for d in declarations if d.key), None),
        allow=narrow_to_documents((d.header.allow, d.iterate_leaves()) for d in declarations),
    )


def build_task(declaration: Declaration) -> DesiredTask:
    """Build a task that is declared in one place, as nearly all are: this path is fast."""
    header = declaration.header
    attributes = declaration.build_attributes()
    return DesiredTask(
        id=declaration.id,
        project=header.project,
        attributes=attributes,
        replaced=header.replaced & attributes.keys() if header.replaced else header.replaced,
        absent=declaration.absent,
        places=declaration,
        key=declaration.key,
        allow=header.allow,
    )


def _merge(left: Mapping[str, Json], right: Mapping[str, Json]) -> dict[str, Json]:
    """Merge objects whose paths are disjoint; `find_conflicts` reports all others."""
    result = dict(left)
    for key, value in right.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = _merge(old, value)
        else:
            result[key] = value
    return result


def find_conflicts(declarations: Sequence[Declaration], *, count: int = 1) -> list[Problem]:
    """List the paths of one task that are declared twice, with both places.

    ``count`` tasks have these declarations; messages name the first.
    """
    problems = [_make_key_conflict(*found) for found in _find_written_keys(declarations)]
    project: Declaration | None = None
    for declaration in declarations:
        problems += _find_project_conflict(project, declaration)
        project = project or (declaration if declaration.header.project is not None else None)
    overlaps = _find_overlaps(declarations)
    return problems + [_make_conflict(*found, count=count) for found in overlaps]


def are_conflicting(declarations: Sequence[Declaration]) -> bool:
    """Tell whether a path of one task is declared twice.

    The places of paths are not read: the entries need not be written in a file yet.
    """
    return any(_find_written_keys(declarations)) or any(_find_overlaps(declarations))


def _find_overlaps(
    declarations: Sequence[Declaration],
) -> Iterator[tuple[Path, Path, Declaration, Declaration]]:
    """Yield each path that is declared twice, the one it overlaps, and who declares that and it."""
    taken, owners = PathIndex(), dict[Path, Declaration]()
    for declaration in declarations:
        leaves = list(declaration.iterate_leaves())
        for leaf in leaves:
            other = taken.find_overlapping(leaf)
            if other is None:
                continue
            owner = owners[other]
            if leaf != other or not _is_shared_default(leaf, owner, declaration):
                yield leaf, other, owner, declaration
        for leaf in leaves:
            taken.add(leaf)
            owners.setdefault(leaf, declaration)


def _is_shared_default(leaf: Path, left: Declaration, right: Declaration) -> bool:
    """Tell whether both entries have ``leaf`` from the same defaults: one declaration, not two."""
    is_inherited = left.header is right.header and left.inherits(leaf) and right.inherits(leaf)
    return is_inherited and left.source_of(leaf) == right.source_of(leaf)


def _make_conflict(
    leaf: Path, other: Path, left: Declaration, right: Declaration, *, count: int
) -> Problem:
    def tell(task: str) -> str:
        return f"{task} also declares {what}{more}"

    place = left.source_of(other)
    more = f"; the same holds for {count_noun(count - 1, 'more task')}" if count > 1 else ""
    if leaf == other:
        what = f"this at {place}"
    else:
        relation = "which contains this" if len(other) < len(leaf) else "which is inside this"
        what = f"{format_path(other)} at {place}, {relation}"
    hint = "declare each path in one place only, or correct the id"
    return _make_problem(right.source_of(leaf), format_path(leaf), tell, right, hint)


def _make_problem(
    source: Source, path: str, tell: Callable[[str], str], task: Declaration, hint: str
) -> Problem:
    """Make a problem whose message names a task, perhaps by its key, which is a value."""
    message, discreet = tell(task.describe()), tell(task.describe(discreet=True))
    return Problem(source, path, message, hint, discreet if discreet != message else "")


def _find_written_keys(
    declarations: Sequence[Declaration],
) -> Iterator[tuple[Path, TaskKey, Declaration, Declaration]]:
    """Yield the paths that write the key by which another declaration names the same task.

    Each comes with that key, who is named by it, and who writes it.
    """
    keyed = {declaration.key: declaration for declaration in declarations if declaration.key}
    for key, namer in keyed.items():
        for writer in declarations:
            if writer.key != key:
                for leaf in writer.iterate_leaves():
                    if are_nested(leaf, key.path):
                        yield leaf, key, namer, writer


def _make_key_conflict(
    leaf: Path, key: TaskKey, namer: Declaration, writer: Declaration
) -> Problem:
    def tell(task: str, named: str = "a key") -> str:
        return (
            f"{task} is named by {named} at {format_path(key.path)}, declared at {namer.source}: "
            "nothing else can declare it"
        )

    named = f"the key {shorten(format_value(key.value))}"
    return Problem(
        writer.source_of(leaf),
        format_path(leaf),
        tell(writer.describe(), named),
        "remove one of the two declarations",
        discreet=tell(writer.describe(discreet=True)),
    )


def _find_project_conflict(left: Declaration | None, right: Declaration) -> Iterable[Problem]:
    project = right.header.project
    if left is None or project is None or left.header.project in {project, None}:
        return
    if project < 0 or (left.header.project or 0) < 0:
        return  # a name, which may stand for the same number
    places = (
        f"is in project {project} here, but in project {left.header.project} at "
        f"{left.header.source_of('project')}"
    )
    source = right.header.source_of("project")
    yield _make_problem(source, "project", f"{{}} {places}".format, right, "correct one of the two")
