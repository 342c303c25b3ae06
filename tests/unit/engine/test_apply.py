"""What was allowed when a plan was approved is what its apply allows."""

from __future__ import annotations

import pytest

from reconciler.core.allowances import NOTHING_ALLOWED, Allowances
from reconciler.core.problems import Kind
from reconciler.engine.apply import apply_plan
from reconciler.engine.connection import Connection
from reconciler.engine.policy import ApplyPolicy, approve
from reconciler.executor.execution_options import ExecutionOptions
from tests.sandboxed import CONTRACT, plan_with
from tests.unit.core.building import allowing, desired
from tests.unit.labelstudio.wired import Hooked, api_of, sandbox_with

ALLOWED = allowing(Kind.ANNOTATED_DATA)


@pytest.mark.parametrize(
    ("approved", "options", "outcome"),
    [(NOTHING_ALLOWED, ALLOWED, "blocked"), (ALLOWED, NOTHING_ALLOWED, "applied")],
    ids=["options add nothing", "options take nothing away"],
)
def test_what_was_approved_is_what_is_allowed(
    approved: Allowances, options: Allowances, outcome: str
):
    state = sandbox_with(1)
    with api_of(Hooked(state)) as api:
        plan = plan_with(api, [desired(1, {"data": {"text": "B."}})])
        # Somebody annotates the task after the plan was made.
        state.tasks[1].values["total_annotations"] = 1
        applied = apply_plan(
            approve(plan, ApplyPolicy(allow=approved)),
            Connection(api, CONTRACT),
            options=ExecutionOptions(allow=options, concurrency=1),
        )

    assert [outcome.outcome.value for outcome in applied.outcomes] == [outcome]
