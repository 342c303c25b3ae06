"""Rules against a model: plain Python over all tasks, with no cleverness.

The engine agrees with the model on arbitrary rules and tasks; one apply is enough; what neither a
rule nor a task declares survives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.allowances import Allowances
from reconciler.core.model import DesiredTask
from reconciler.core.paths import Path
from reconciler.core.plan_model import Plan
from reconciler.core.problems import ALLOWABLE
from reconciler.core.report import GOOD, Outcome, TaskOutcome
from reconciler.core.rule import Rule
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.executor.execution_options import ExecutionOptions
from tests.properties.test_apply_converges import brought, server_with, stored, without
from tests.sandboxed import CONTRACT, apply_plan
from tests.unit.core.building import Listed, desired
from tests.unit.core.test_rule_set import rule
from tests.unit.labelstudio.wired import Hooked, api_of

bounded = settings(max_examples=200, deadline=None, derandomize=True)
ALLOWED = Allowances.of(ALLOWABLE)
SPLITS = st.sampled_from(["val", "train", 1, None, ["a"], {"z": 1}])
ADDRESSES = st.sampled_from(["s3://old/a", "s3://old/b", "s3://new/a", "", 7])
NUMBERS = st.integers(0, 3)
RESULTS = st.sampled_from([0, 1, "x", None, {"k": 1}, {"k": {"l": 2}}, {}])

LIVE: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "data": st.fixed_dictionaries(
            {"text": st.just("t")},
            optional={
                "split": SPLITS,
                "n": NUMBERS,
                "image": ADDRESSES,
                "o1": RESULTS,
                "o2": RESULTS,
                "kept": NUMBERS,
            },
        ),
        "meta": st.sampled_from([None, {}, {"r": 1}, {"r": {"k": 1}, "kept": 2}, "text"]),
        "overlap": st.integers(1, 3),
    }
)
CONDITIONS = st.dictionaries(
    st.sampled_from(["data.split", "data.n", "data.gone"]),
    SPLITS
    | NUMBERS
    | st.tuples(st.sampled_from(["gt", "lte"]), NUMBERS)
    | st.tuples(st.just("not"), SPLITS)
    | st.tuples(st.just("exists"), st.booleans()),
    max_size=2,
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "overlap": st.integers(1, 3),
        "meta": st.sampled_from([{"r": 1}, {"r": {"k": 2}}, {"s": "x"}]),
        "data": st.dictionaries(st.sampled_from(["o1", "o2"]), RESULTS, max_size=2),
    },
)
ABSENT = st.sampled_from([(), ("data.o1",), ("data.o1.k",), ("meta.r",), ("data.o2.k.l",)])
OWN: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "overlap": st.integers(1, 3),
        "meta": st.sampled_from([{"r": 3}, {"r": {"k": 4}}, {}]),
        "data": st.dictionaries(
            st.sampled_from(["o1", "split", "image"]), st.sampled_from([1, "val"]), max_size=2
        ),
    },
)


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    """Rules that do not read what others write, as `validate` demands of all rules."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        where = draw(CONDITIONS)
        rewrite = None
        if not number and draw(st.booleans()):
            rewrite = ("data.image", "s3://old/", "s3://new/")
        made.append(
            rule(f"rule {number}", where, draw(VALUES), absent=draw(ABSENT), rewrite=rewrite)
        )
    return made


@st.composite
def declared(draw: st.DrawFn, number: int) -> DesiredTask | None:
    if draw(st.booleans()):
        return None
    replaced = draw(st.sampled_from([(), ("meta",)]))
    return desired(number, draw(OWN), replaced=replaced)


def holds(where: Any, task: dict[str, Any]) -> bool:  # noqa: ANN401 - conditions
    """Judge conditions the slow way."""
    for condition in where:
        name, *keys = condition.path
        value, found = task[name], True
        for key in keys:
            found = isinstance(value, dict) and key in value
            value = value[key] if found else None
        for test in condition.tests:
            match test.operator.value:
                case "exists":
                    good = found is test.operand
                case "equals":
                    good = found and any(same(value, one) for one in test.operand)
                case "not":
                    good = found and not any(same(value, one) for one in test.operand)
                case "gt":
                    good = found and type(value) in {int, float} and value > test.operand
                case _:
                    good = found and type(value) in {int, float} and value <= test.operand
            if not good:
                return False
    return True


def same(left: object, right: object) -> bool:
    return json.dumps(as_floats(left), sort_keys=True) == json.dumps(
        as_floats(right), sort_keys=True
    )


def as_floats(value: object) -> object:
    """Write small numbers in one way: 1 and 1.0 are the same, but true is not."""
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case list():
            return [as_floats(inner) for inner in value]
        case dict():
            return {key: as_floats(inner) for key, inner in value.items()}
    return value


def own_paths(task: DesiredTask | None) -> Iterator[Path]:
    for name, value in task.attributes.items() if task else ():
        yield from [(name,)] if task and name in task.replaced else leaves((name,), value)


def leaves(path: Path, value: object) -> Iterator[Path]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves((*path, key), inner)
    else:
        yield path


def nested(one: Path, other: Path) -> bool:
    return one == other[: len(one)] or other == one[: len(other)]


GONE = object()


def results(one: Rule, live: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    yield from one.values.items()
    yield from ((path, GONE) for path in one.absent)
    for rewrite in one.rewrites:
        value = live["data"].get("image")
        if isinstance(value, str) and value.startswith(rewrite.prefix):
            yield rewrite.path, rewrite.to + value[len(rewrite.prefix) :]


def expected(
    live: dict[str, Any], own: DesiredTask | None, all_rules: Sequence[Rule]
) -> dict[str, Any]:
    """What a task is after an apply: as it was, if rules contradict each other."""
    seen = dict(live)
    for name, value in own.attributes.items() if own else ():
        seen[name] = brought(live[name], value, whole=bool(own and name in own.replaced))
    theirs = [
        (path, value)
        for one in all_rules
        if holds(one.ref.where, seen)
        for path, value in results(one, live)
        if not any(nested(path, mine) for mine in own_paths(own))
    ]
    for number, (path, value) in enumerate(theirs):
        for other, theirs_value in theirs[:number]:
            both_gone = value is GONE and theirs_value is GONE
            equal = path == other and value is not GONE and theirs_value is not GONE
            if nested(path, other) and not both_gone and not (equal and same(value, theirs_value)):
                return live
    for path, value in theirs:
        seen = without(seen, path) if value is GONE else put(seen, path, value)
    return seen


def put(value: Any, path: Path, leaf: Any) -> Any:  # noqa: ANN401 - JSON
    if not path:
        return value if isinstance(value, dict) and leaf == {} else leaf
    inner = value.get(path[0], GONE) if isinstance(value, dict) else GONE
    return {**(value if isinstance(value, dict) else {}), path[0]: put(inner, path[1:], leaf)}


def plan(server: Hooked, tasks: Sequence[DesiredTask], all_rules: Sequence[Rule]) -> Plan:
    with api_of(server) as api:
        return build_plan(Listed(tasks, all_rules), Connection(api, CONTRACT), allow=ALLOWED)


def apply(server: Hooked, planned: Plan) -> list[TaskOutcome]:
    return apply_plan(server, planned, options=ExecutionOptions(allow=ALLOWED, concurrency=2))


@bounded
@given(st.data(), rules(), st.integers(1, 4))
def test_the_engine_agrees_with_the_model(
    data: st.DataObject, all_rules: list[Rule], count: int
) -> None:
    numbers = range(1, count + 1)
    server = server_with(*(data.draw(LIVE) for _ in numbers))
    before = {number: stored(server.state, number) for number in numbers}
    own = {number: data.draw(declared(number)) for number in numbers}
    tasks = [task for task in own.values() if task]

    planned = plan(server, tasks, all_rules)
    outcomes = apply(server, planned)

    assert {o.outcome for o in outcomes if not o.accepted} <= GOOD
    for number in numbers:
        model = expected(before[number], own[number], all_rules)
        assert json.dumps(stored(server.state, number), sort_keys=True) == json.dumps(
            model, sort_keys=True
        )
    again = plan(server, tasks, all_rules)
    assert again.updates == ()


@bounded
@given(LIVE, rules(), SPLITS, NUMBERS)
def test_a_rule_that_no_longer_matches_changes_nothing(
    live: dict[str, Any],
    all_rules: list[Rule],
    split: object,
    number: int,
) -> None:
    server = server_with(live)
    planned = plan(server, [], all_rules)
    server.state.tasks[1].values["data"] = {**live["data"], "split": split, "n": number}
    before = stored(server.state, 1)

    outcomes = apply(server, planned)

    made = {change.rule for task in planned.updates for change in task.changes}
    still = all(holds(one.ref.where, before) for one in all_rules if one.name in made)
    done = {outcome.outcome for outcome in outcomes if not outcome.accepted}
    assert done <= (GOOD if still else {Outcome.STALE})
    if not still:
        assert stored(server.state, 1) == before
