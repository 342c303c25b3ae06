"""The static checks of rules against a model: what they accept needs one apply only.

The rules read and write the same few paths; those that the checks refuse are discarded.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.contract.openapi import load_contract
from reconciler.core.rule import Rule
from reconciler.core.rule_checks import check_rule, check_rules
from tests.properties.test_rules import declared, expected, holds
from tests.unit.core.test_rule_set import rule

CONTRACT = load_contract()
bounded = settings(max_examples=600, deadline=None, derandomize=True)
SCALARS = st.sampled_from([1, 2, 1.0, True, "a", "b"])
RESULTS = SCALARS | st.sampled_from([{}, {"k": 1}, {"k": {"l": 2}}, [1]])
TEXTS = st.sampled_from(["a1", "a2", "b1", "b2", "c"])
PATHS = st.sampled_from(["data.p", "data.q", "data.q.k", "data.r", "data.image", "meta", "meta.r"])
CONDITIONS = st.dictionaries(
    PATHS | st.sampled_from(["data", "overlap"]),
    RESULTS
    | TEXTS
    | st.tuples(st.just("not"), RESULTS | st.none())
    | st.tuples(st.sampled_from(["gt", "lte"]), st.integers(0, 2))
    | st.tuples(st.just("exists"), st.booleans()),
    max_size=3,
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "overlap": st.integers(1, 2),
        "meta": st.sampled_from([{"r": 1}, {"r": {"k": 2}}, {"r": "a"}]),
        "data": st.dictionaries(st.sampled_from(["p", "q", "r"]), RESULTS, max_size=2)
        | st.fixed_dictionaries({"image": TEXTS}),
    },
)
ABSENT = st.sampled_from([(), (), ("data.p",), ("data.q.k",), ("meta.r",)])
REWRITE = st.none() | st.sampled_from(
    [("data.image", "a", "b"), ("data.image", "b", "c"), ("data.image", "a1", "c")]
)
LIVE: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "data": st.fixed_dictionaries(
            {}, optional={"p": RESULTS, "q": RESULTS, "r": RESULTS, "image": TEXTS}
        ),
        "meta": st.sampled_from([None, {}, {"r": 1}, {"r": {"k": 1}}, "a"]),
        "overlap": st.integers(1, 2),
    }
)


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    """Rules that pass the checks of each rule by itself."""
    made: list[Rule] = []
    for number in range(draw(st.integers(2, 4))):
        drawn = rule(
            f"rule {number}",
            draw(CONDITIONS),
            draw(VALUES),
            absent=draw(ABSENT),
            rewrite=draw(REWRITE),
        )
        if not any(check_rule(drawn, CONTRACT)):
            made.append(drawn)
    assume(len(made) > 1)
    return made


FEW = st.sampled_from([1, 2])
FEW_CONDITIONS = st.dictionaries(
    st.sampled_from(["data.p", "data.q", "data.r"]), FEW, min_size=1, max_size=2
)
AROUND = st.fixed_dictionaries({"data.q": st.just({"k": 1}) | st.tuples(st.just("not"), FEW)})
BY_TEXT = st.fixed_dictionaries({"data.image": TEXTS | st.tuples(st.just("prefix"), TEXTS)})
FEW_VALUES = st.builds(
    lambda name, value: {"data": {name: value}}, st.sampled_from(["p", "q", "r"]), FEW
) | st.just({"data": {"q": {"k": 1}}})
FEW_LIVE: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda p, q, r, image: {
        "data": {"p": p, "q": q, "r": r, "image": image},
        "meta": None,
        "overlap": 1,
    },
    FEW,
    FEW | st.just({"k": 2}),
    FEW,
    TEXTS,
)


@st.composite
def close_rules(draw: st.DrawFn) -> list[Rule]:
    """Rules that often match each other's results: few paths, and few values."""
    made: list[Rule] = []
    for number in range(draw(st.integers(2, 3))):
        where = draw(FEW_CONDITIONS | FEW_CONDITIONS | AROUND | BY_TEXT | st.just({}))
        rewrite = None if where else draw(REWRITE)
        made.append(rule(f"rule {number}", where, draw(FEW_VALUES), rewrite=rewrite))
    assume(not any(finding for one in made for finding in check_rule(one, CONTRACT)))
    return made


@bounded
@given(close_rules(), FEW_LIVE)
def test_one_apply_of_rules_that_are_close_is_enough(
    all_rules: list[Rule], live: dict[str, Any]
) -> None:
    assume(not any(check_rules(all_rules, CONTRACT)))

    once = expected(live, None, all_rules)

    assert expected(once, None, all_rules) == once


@bounded
@given(st.data(), rules(), LIVE)
def test_one_apply_of_rules_that_are_accepted_is_enough(
    data: st.DataObject, all_rules: list[Rule], live: dict[str, Any]
) -> None:
    assume(not any(check_rules(all_rules, CONTRACT)))
    own = data.draw(declared(1))

    once = expected(live, own, all_rules)
    twice = expected(once, own, all_rules)

    assert json.dumps(once, sort_keys=True) == json.dumps(twice, sort_keys=True)


def test_the_model_sees_a_chain_of_three() -> None:
    live = {"data": {"q": 1, "r": 1}, "meta": None, "overlap": 1}
    chained = [
        rule("one", {"data.q": 1}, {"data": {"r": 2}}),
        rule("two", {"data.r": 1}, {"data": {"q": 2}}),
        rule("three", {"data.q": 2, "data.r": 2}, {"data": {"z": 1}}),
    ]

    once = expected(live, None, chained)

    assert not holds(chained[2].ref.where, live)
    assert holds(chained[2].ref.where, once)
    assert len(list(check_rules(chained, CONTRACT))) == 2
