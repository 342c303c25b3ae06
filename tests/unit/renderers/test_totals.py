"""Every format counts the same: what the last line of a plan says is what its parts add up to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

import pytest

from reconciler.core.change_groups import group_plan
from reconciler.core.plan_model import Plan
from reconciler.renderers.registry import Subject, render
from reconciler.renderers.render_options import RenderOptions
from tests.unit.renderers.plans import (
    make_four_intentions,
    make_hostile_plan,
    make_mixed_changes,
)

PLANS: Final = (make_four_intentions, make_hostile_plan, make_mixed_changes)
COUNTED: Final = re.compile(r"([0-9,]+) (removed|changed|added|blocked)|\((blocked)\)")


def add_up(line: str) -> int:
    """Add up a line of totals, without what is blocked."""
    counts = {what: int(n.replace(",", "")) for n, what, _ in COUNTED.findall(line) if n}
    held = counts.pop("blocked", 0)
    return 0 if "(blocked)" in line else sum(counts.values()) - held


@pytest.mark.parametrize("make", PLANS)
def test_groups_tell_what_the_plan_does_not_change(make: Callable[[], Plan]):
    plan = make()
    groups = group_plan(plan)
    made = [change for task in plan.updates for change in task.changes]
    assert sum(len(group) - group.blocked for group in groups) == len(made)
    ids = {task.task for task in plan.updates}
    assert all(group.blocked == sum(task not in ids for task in group.tasks) for group in groups)


@pytest.mark.parametrize("make", [make_mixed_changes])
@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_totals_by_path_add_up_to_the_changes_of_the_plan(form: str, make: Callable[[], Plan]):
    plan = make()
    made = sum(len(task.changes) for task in plan.updates)
    written = render(Subject.PLAN, plan, form, RenderOptions())
    assert f"({made:,} changes" in written or form == "html"
    if form == "html":
        lead = re.search(r"Values at [0-9,]+ paths: ([^.]*)\.", written)
        assert lead
        assert add_up(lead[1]) == made
        data = re.search(r'"totals":(\[.*?\]),"paths"', written)
        assert data
        assert (
            sum(
                add_up(", ".join(f"{one[e]} {w}" for e, w in WORDS.items()) + one["blocked"])
                for one in json.loads(data[1])
            )
            == made
        )
        return
    totals = written.split("\n\n")[1]
    assert "blocked)" in totals
    assert sum(map(add_up, totals.splitlines())) == made


WORDS: Final = {"remove": "removed", "set": "changed", "add": "added"}
