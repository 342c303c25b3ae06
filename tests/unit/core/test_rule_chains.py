"""Chains of rules, in bounded time."""

from __future__ import annotations

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core import rule_chains
from reconciler.core.conditions import Condition, Operator, ValueTest
from reconciler.core.rule import Rule, RuleRef
from reconciler.core.rule_checks import Part, check_rules
from reconciler.errors import Source


def listing(number: int, values: range) -> Rule:
    """A rule for the tasks of a list that it has not changed yet."""
    where = (
        Condition(("data", "k"), (ValueTest(Operator.EQUALS, tuple(values)),)),
        Condition(("data", "x"), (ValueTest(Operator.NOT, (number,)),)),
    )
    ref = RuleRef(f"rule {number}", 7, Source("rules.yaml", number, 1), where)
    return Rule(ref, {("data", "x"): number})


RULES = [listing(number, range(number * 100, number * 100 + 100)) for number in range(1, 1_001)]


@pytest.mark.timeout(120)
def test_a_thousand_rules_with_a_hundred_values_each_are_compared():
    assert list(check_rules(RULES, load_contract())) == []


def test_rules_that_take_too_long_to_compare_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rule_chains, "STEPS_MAX", 1_500)
    (finding,) = check_rules(RULES, load_contract())
    assert (finding.rule.name, finding.part) == ("rule 2", Part.RULE)
    assert "takes more than 5,000,000 steps" in finding.message
