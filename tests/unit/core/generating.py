"""Strategies for live and declared tasks that meet in many places, and slow words for equality."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from reconciler.core.annotation_impact import UNREAD, AnnotationImpact
from reconciler.core.model import Change, DesiredTask
from reconciler.core.paths import Path
from reconciler.core.plan_model import Plan, ServerIdentity, Status, TaskPlan
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.values import ABSENT, Json, NoValue, Side
from reconciler.errors import Source
from tests.unit.core.building import OnePlace

KEYS = st.sampled_from(["a", "b", "c", "", "a.b", '"', "é", "e\u0301", "[0]", "$x", "__id"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.integers(),
    st.integers(2**53 - 2, 2**53 + 2),
    st.integers(0, 40).map(lambda power: 10**power),
    st.integers(0, 40).map(lambda power: float(10**power)),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 1e23, 1e30]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.sampled_from(["", "1", "null"]))
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)
PATHS = st.builds(
    lambda name, keys: (name, *keys),
    st.sampled_from(["data", "meta"]),
    st.lists(KEYS, min_size=1, max_size=2),
)
INTEGERS = st.integers(-(2**31), 2**31 - 1)


@st.composite
def live_tasks(draw: st.DrawFn) -> dict[str, Json]:
    """Attributes that a server may hold of a task."""
    return {
        "data": draw(OBJECTS),
        "meta": draw(OBJECTS | VALUES),
        "overlap": draw(INTEGERS),
        "is_labeled": draw(st.booleans()),
        "inner_id": draw(st.none() | st.integers(-(2**63), 2**63 - 1)),
    }


@st.composite
def desired_tasks(draw: st.DrawFn, number: int, project: int | None = 7) -> DesiredTask:
    """What a valid manifest may declare of a task."""
    attributes = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "data": OBJECTS,
                "meta": OBJECTS | VALUES,
                "overlap": st.integers(1, 2**31 - 1),
                "is_labeled": st.booleans(),
                "inner_id": st.integers(1, 2**62 - 1),
            },
        )
    )
    absent: list[Path] = []
    for path in draw(st.lists(PATHS, max_size=3)):
        if _may_be_absent(path, attributes) and not any(_overlap(path, other) for other in absent):
            absent.append(path)
    return DesiredTask(
        id=number,
        project=project,
        attributes=attributes,
        replaced=frozenset(draw(st.sets(st.sampled_from(["data", "meta"])))) & attributes.keys(),
        absent=tuple(absent),
        places=OnePlace(),
    )


def _may_be_absent(path: Path, attributes: Mapping[str, Any]) -> bool:
    """Tell whether a path is declared neither itself nor below something that has no keys."""
    value: Any = attributes
    for key in path:
        if not isinstance(value, dict):
            return False
        if key not in value:
            return True
        value = value[key]
    return False


def _overlap(left: Path, right: Path) -> bool:
    return all(a == b for a, b in zip(left, right, strict=False))


def canonical(value: Side) -> object:
    """Write a value so that ``==`` is JSON's equality: slowly, with the digits as decimals."""
    if value is None or isinstance(value, bool | NoValue):
        return ("constant", str(value))
    if isinstance(value, int | float):
        return ("number", Decimal(repr(value)))
    if isinstance(value, dict):
        return ("object", frozenset((key, canonical(inner)) for key, inner in value.items()))
    if isinstance(value, list):
        return ("list", tuple(map(canonical, value)))
    return ("string", value)


def canonical_change(change: Change) -> object:
    return (change.path, canonical(change.before), canonical(change.after))


@st.composite
def reordered(draw: st.DrawFn, value: Json) -> Json:
    """The same value with the keys of its objects in another order."""
    if isinstance(value, dict):
        return draw(reordered_object(value))
    return [draw(reordered(inner)) for inner in value] if isinstance(value, list) else value


@st.composite
def reordered_object(draw: st.DrawFn, value: Mapping[str, Json]) -> dict[str, Json]:
    """The same object with its keys, and those of the objects in it, in another order."""
    keys = draw(st.permutations(list(value)))
    return {key: draw(reordered(value[key])) for key in keys}


SOURCES = st.builds(
    Source, st.sampled_from(["a.yaml", "é\n.json", "-"]), st.integers(1, 99), st.integers(1, 99)
)
PROBLEMS = st.builds(
    TaskProblem, st.sampled_from(Kind), st.text(min_size=1, max_size=4), st.text(max_size=4)
)
SIDES = st.tuples(VALUES | st.just(ABSENT), VALUES | st.just(ABSENT)).filter(
    lambda sides: sides != (ABSENT, ABSENT)
)
CHANGES = st.builds(
    lambda path, sides, source: Change(path, sides[0], sides[1], source), PATHS, SIDES, SOURCES
)


COUNTS = st.integers(0, 2**40)
IMPACTS = st.builds(
    lambda made, people, counts: AnnotationImpact(made, tuple(sorted(people)), *counts),
    COUNTS,
    st.sets(COUNTS, max_size=3),
    st.tuples(COUNTS, COUNTS, COUNTS, COUNTS),
)


@st.composite
def task_plans(draw: st.DrawFn, number: int) -> TaskPlan:
    """What a plan may say of a task that is not as declared."""
    status = draw(st.sampled_from([status for status in Status if status is not Status.UNCHANGED]))
    update = status is Status.UPDATE
    return TaskPlan(
        task=number,
        project=draw(st.none() | st.integers(1, 3)),
        status=status,
        source=draw(SOURCES),
        changes=tuple(draw(st.lists(CHANGES, min_size=update, max_size=2))),
        problems=tuple(draw(st.lists(PROBLEMS, min_size=not update, max_size=2))),
        impact=draw(st.none() | st.just(UNREAD) | IMPACTS),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan of all tasks."""
    numbers = sorted(draw(st.sets(st.integers(1, 30) | st.integers(1, 2**40), max_size=6)))
    silent = st.none() | TEXTS
    return Plan(
        server=ServerIdentity(
            draw(st.text(min_size=1, max_size=4)),
            draw(silent),
            draw(silent),
            draw(st.none() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True)),
        ),
        tasks=tuple(draw(task_plans(number)) for number in numbers),
        unchanged=draw(st.integers(0, 5)),
        requests=draw(st.integers(0, 5)),
    )
