from __future__ import annotations

import pytest

from reconciler.contract.schema_check import SchemaCheck, load_schema_check

TIME = {"type": "string", "format": "date-time"}


@pytest.mark.parametrize("value", ["2026-10-01T12:00:00Z", "2026-10-01T14:00:00+02:00"])
def test_what_is_accepted_has_nothing_to_explain(value: str):
    check = SchemaCheck(TIME)
    assert check.accepts(value)
    assert list(check.explain(value)) == []


@pytest.mark.parametrize("value", [1, "2026-13-01T12:00:00Z", "2026-10-01"])
def test_what_is_refused_is_explained(value: object):
    check = SchemaCheck(TIME)
    assert not check.accepts(value)
    assert len(list(check.explain(value))) == 1


def test_a_definition_of_a_schema_is_checked_alone():
    task = load_schema_check("manifest.schema.json", "task")
    assert task.accepts({"id": 1, "overlap": 2})
    (error,) = task.explain({"id": 1, "overlap": "2"})
    assert list(error.absolute_path) == ["overlap"]
    assert not load_schema_check("manifest.schema.json").accepts({"id": 1, "overlap": 2})
