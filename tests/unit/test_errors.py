"""Errors cross from one process to another as they are, whatever they were made from."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

from reconciler.core.plan_model import ServerIdentity
from reconciler.core.report import Report, Run
from reconciler.engine.apply import ApplyResult, ApplyStopped
from reconciler.errors import (
    ManifestError,
    NoSuchProject,
    Problem,
    ReconcilerError,
    Refused,
    Source,
    Unauthorised,
)

PLACE = Source("tasks.yaml", 3, 5)
REPORT = Report(ServerIdentity("https://one.test", "Community", "1.23.2"), (Run("sha256:1"),), ())
SPECIAL = [
    ManifestError((Problem(PLACE, "tasks[0].id", "expected an integer", "correct it"),)),
    NoSuchProject(9, "Not found.", source=PLACE),
    ApplyStopped("the disk is full", ApplyResult(REPORT, unwritten=('{"task":1}',))),
    Unauthorised("refused", hint="set another token", status=401, retry_after=2.5, given_up=True),
]


def list_kinds(kind: type[ReconcilerError] = ReconcilerError) -> Iterator[type[ReconcilerError]]:
    for one in kind.__subclasses__():
        yield one
        yield from list_kinds(one)


PLAIN = [
    kind("what was found", hint="what to do")
    for kind in list_kinds()
    if kind not in {type(error) for error in SPECIAL}
]


@pytest.mark.parametrize("error", [*SPECIAL, *PLAIN], ids=lambda error: type(error).__name__)
def test_an_error_arrives_whole(error: ReconcilerError):
    for arrived in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own
        assert type(arrived) is type(error)
        assert str(arrived) == str(error)
        assert vars(arrived) == vars(error)
        assert arrived.args == error.args


def test_what_was_noted_with_an_error_arrives_too():
    error = Refused("nothing is changed")
    error.add_note("of staging")

    assert pickle.loads(pickle.dumps(error)).__notes__ == ["of staging"]  # noqa: S301 - our own
