"""What is saved is read back as it was, and what was divided comes together again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.artifacts.saved_file import read_saved
from reconciler.artifacts.strict_json import check_schema, parse_json
from reconciler.core.merge import merge_plans
from reconciler.core.plan_document import build_plan_document, restore_plan
from reconciler.core.plan_model import Plan
from reconciler.core.report import Outcome, Report, Run, TaskOutcome
from reconciler.core.report_document import (
    build_first_line,
    build_last_line,
    build_not_started_lines,
    build_task_line,
)
from reconciler.core.shard import Shard, format_shards, parse_shards
from reconciler.errors import SavedFileError
from tests.unit.core.building import SERVER
from tests.unit.core.generating import CHANGES, plans

bounded = settings(max_examples=150, deadline=None, derandomize=True)
IDS = st.integers(1, 2**63 - 1)
SHARDS = st.integers(1, 999_999).flatmap(
    lambda count: st.builds(Shard, st.just(count), st.integers(1, count))
)


def written(plan: Plan) -> str:
    return json.dumps(build_plan_document(plan), indent=2) + "\n"


@bounded
@given(plans(), st.sampled_from([(), (Shard(1, 1),)]))
def test_a_plan_is_read_back_as_it_was_written(plan: Plan, shards: tuple[Shard, ...]):
    text = written(replace(plan, shards=shards))
    document = parse_json(text)
    assert isinstance(document, dict)

    restored = restore_plan(check_schema(document, "plan.schema.json"))

    assert restored == replace(plan, shards=shards)
    assert written(restored) == text


@bounded
@given(IDS, st.integers(1, 50))
def test_every_task_is_of_one_shard(task: int, count: int):
    shards = [Shard(count, number) for number in range(1, count + 1)]

    assert [shard for shard in shards if shard.holds(task)] == [shards[task % count]]


@bounded
@given(SHARDS)
def test_a_shard_is_read_as_it_is_written(shard: Shard):
    assert Shard.parse(str(shard)) == shard
    assert parse_shards(format_shards((shard,))) == (shard,)


@bounded
@given(plans(), st.sets(IDS, max_size=5), st.integers(1, 5), st.randoms())
def test_a_plan_is_that_of_its_shards_together(
    plan: Plan,
    unchanged: set[int],
    count: int,
    random: Random,
):
    whole = replace(plan, unchanged=len(unchanged), requests=count * 2)
    parts = [
        (
            f"{shard.number}.json",
            replace(
                whole,
                tasks=tuple(task for task in whole.tasks if shard.holds(task.task)),
                unchanged=sum(map(shard.holds, unchanged)),
                requests=2,
                shards=(shard,),
            ),
        )
        for shard in (Shard(count, number) for number in range(1, count + 1))
    ]
    random.shuffle(parts)

    merged = merge_plans(parts)

    assert merged.digest == whole.digest
    assert merged == (whole if count > 1 else replace(whole, shards=(Shard(1, 1),)))


OUTCOMES = st.builds(
    lambda task, outcome, changes, accepted: TaskOutcome(
        task,
        outcome,
        tuple(changes),
        "" if outcome in {Outcome.APPLIED, Outcome.ALREADY} else "why",
        accepted and outcome in {Outcome.MISSING, Outcome.BLOCKED},
        time="" if outcome is Outcome.INTERRUPTED else "2026-11-28T10:00:00.000Z",
    ),
    st.integers(1, 10**18 - 1),
    st.sampled_from(Outcome),
    st.lists(CHANGES, max_size=2),
    st.booleans(),
)


@bounded
@given(st.lists(OUTCOMES, max_size=4, unique_by=lambda outcome: outcome.task), st.booleans())
def test_a_report_is_read_back_as_it_was_written(
    file: Path,
    outcomes: list[TaskOutcome],
    complete: bool,  # noqa: FBT001 - as given
):
    run = Run("sha256:" + "0" * 64, 7 if complete else None)
    outcomes = [replace(o, changes=()) if o.outcome is Outcome.INTERRUPTED else o for o in outcomes]
    begun = [outcome for outcome in outcomes if outcome.outcome is not Outcome.INTERRUPTED]
    lines = [
        build_first_line(run, SERVER),
        *map(build_task_line, begun),
        *build_not_started_lines(outcomes),
    ]
    lines += [build_last_line(outcomes, 7)] * complete
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")

    assert read_saved(str(file)) == Report(
        SERVER, (run,), tuple(sorted(outcomes, key=lambda outcome: outcome.task))
    )


@bounded
@given(plans(), st.data())
def test_a_plan_that_was_cut_off_anywhere_is_refused(file: Path, plan: Plan, data: st.DataObject):
    text = written(plan)
    file.write_text(text[: data.draw(st.integers(0, len(text) - 2))], encoding="ascii")

    with pytest.raises(SavedFileError, match=r"cut off|empty"):
        read_saved(str(file))


@bounded
@given(plans(), st.data())
def test_a_plan_that_was_damaged_anywhere_is_read_or_refused_in_plain_words(
    file: Path, plan: Plan, data: st.DataObject
):
    text = written(plan)
    at = data.draw(st.integers(0, len(text) - 1))
    piece = data.draw(
        st.sampled_from(["", "{", "}", '"', "9", "-", "null", "NaN", "1e999", "\ud800"])
    )
    spoiled = text[:at] + piece + text[at + 1 :]
    file.write_bytes(spoiled.encode("utf-8", "surrogatepass"))

    refused = refusal(file)

    assert refused is None or (str(refused).startswith(f"{file}: ") and refused.hint)


def refusal(file: Path) -> SavedFileError | None:
    try:
        read_saved(str(file))
    except SavedFileError as error:
        return error
    return None


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file, written anew for each example."""
    return tmp_path_factory.mktemp("saved") / "saved.json"
