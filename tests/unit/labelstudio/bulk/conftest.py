"""Reading with one request under way, and with several."""

from __future__ import annotations

from functools import partial

import pytest

from reconciler.labelstudio.bulk.read_concurrency import AT_ONCE
from tests.unit.labelstudio.bulk.changing import Answers, answers


@pytest.fixture(params=[1, AT_ONCE], ids="{} at once".format)
def at_once(request: pytest.FixtureRequest) -> int:
    """How many reads are under way: few answers come here, from which nothing is learned."""
    limit: int = request.param
    return limit


@pytest.fixture(name="answers")
def answers_at_once(at_once: int) -> Answers:
    return partial(answers, at_once=at_once)
