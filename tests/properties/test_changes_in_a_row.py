"""Runs in a row, whatever they change and whatever is lost: undone as one, all is as it was."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.contract.openapi import load_contract
from reconciler.core.difference import find_changes
from reconciler.core.edit import apply_changes
from reconciler.core.inverse import plan_inverse
from reconciler.core.model import Found
from reconciler.core.plan_model import Status
from reconciler.core.report import Outcome, Report, Run, TaskOutcome
from reconciler.core.report_history import compose_changes
from reconciler.core.values import Json, is_same
from tests.unit.core.building import SERVER, desired

ATTRIBUTES = load_contract()
SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from([1.0, "a", "b"])
OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), SCALARS, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | SCALARS, max_size=3),
    max_leaves=6,
)
RUNS = st.lists(
    st.tuples(
        OBJECTS, st.sampled_from(["data", "meta"]), st.sampled_from(["applied", "stored", "lost"])
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(OBJECTS, OBJECTS, RUNS)
def test_what_runs_in_a_row_changed_goes_back_to_what_was_before_the_first(
    data: dict[str, Json], meta: dict[str, Json], runs: list[tuple[dict[str, Json], str, str]]
):
    start: dict[str, Any] = {"id": 1, "project": 7, "data": data, "meta": meta}
    live, reports = start, []
    for number, (value, name, ending) in enumerate(runs):
        wanted = desired(1, {name: value}, replaced=(name,))
        changes = find_changes(wanted, live, ATTRIBUTES)
        outcome = Outcome.APPLIED if ending == "applied" else Outcome.FAILED
        said = TaskOutcome(1, outcome, changes, "" if ending == "applied" else "lost")
        run = Run("sha256:0a", 1, started=f"{number}")
        reports.append((f"{number}.jsonl", Report(SERVER, (run,), (said,))))
        if ending != "lost":
            live = {**live, **apply_changes(live, changes)}

    made = compose_changes(list(reversed(reports)), ATTRIBUTES)
    reverted = plan_inverse(1, made[1], Found(live), ATTRIBUTES) if made else None

    if reverted is not None:
        assert reverted.status is Status.UPDATE
        live = {**live, **apply_changes(live, reverted.changes)}
    assert is_same(live, start)
