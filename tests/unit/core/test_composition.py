"""Changes of one task, one after the other, as one."""

from __future__ import annotations

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.composition import Composed, Gap, compose
from reconciler.core.model import Change
from reconciler.core.notation import format_path
from reconciler.core.values import ABSENT, Side
from tests.unit.core.building import SOURCE, change

ATTRIBUTES = load_contract()


def composed(*changes: Change, lost: tuple[int, ...] = ()) -> Composed | Gap:
    """Compose changes; those with the numbers in ``lost`` may not have been stored."""
    made: Composed = {}
    for number, one in enumerate(changes):
        after = compose(made, [one], stored=number not in lost, attributes=ATTRIBUTES)
        if isinstance(after, Gap):
            return after
        made = after
    return made


def said(*changes: Change, lost: tuple[int, ...] = ()) -> dict[str, tuple[Side, tuple[Side, ...]]]:
    found = composed(*changes, lost=lost)
    assert not isinstance(found, Gap), found
    assert {one.source for one in found.values()} == {SOURCE}
    return {format_path(one.path): (one.before, one.afters) for one in found.values()}


def test_changes_of_different_paths_stay_apart():
    changes = (change("overlap", 1, 2), change("data.a", 1, 2), change("data.b", 1, 2))
    assert said(*changes) == dict.fromkeys(("overlap", "data.a", "data.b"), (1, (2,)))


def test_changes_of_one_path_go_from_the_first_value_to_the_last():
    assert said(change("meta.a", ABSENT, 1), change("meta.a", 1, 2), change("meta.a", 2, None)) == {
        "meta.a": (ABSENT, (None,))
    }


def test_a_change_inside_of_what_was_changed_before_is_part_of_it():
    assert said(change("data.a", ABSENT, {"b": {"c": 1}}), change("data.a.b.c", 1, ABSENT)) == {
        "data.a": (ABSENT, ({"b": {}},))
    }
    assert said(change("meta", None, {}), change("meta.a", ABSENT, 1)) == {
        "meta": (None, ({"a": 1},))
    }


def test_a_change_around_of_what_was_changed_before_takes_it_in():
    assert said(
        change("data.a.b", 1, 2),
        change("data.a.c", ABSENT, 3),
        change("data.a.d", 4, ABSENT),
        change("data.a", {"b": 2, "c": 3, "e": 5}, "gone"),
    ) == {"data.a": ({"b": 1, "d": 4, "e": 5}, ("gone",))}


def test_what_may_not_have_been_stored_may_still_be_what_it_was():
    assert said(change("overlap", 1, 2), lost=(0,)) == {"overlap": (1, (2, 1))}
    assert said(change("overlap", 1, 2), change("overlap", 2, 3), lost=(1,)) == {
        "overlap": (1, (3, 2))
    }
    assert said(change("overlap", 1, 2), change("overlap", 1, 3), lost=(0,)) == {
        "overlap": (1, (3,))
    }
    assert said(change("data.a", 1, {"b": 1}), change("data.a.b", 1, 2), lost=(0, 1)) == {
        "data.a": (1, ({"b": 2}, {"b": 1}))
    }
    assert said(change("data.a.b", 1, 2), change("data.a", {"b": 2}, 3), lost=(1,)) == {
        "data.a": ({"b": 1}, (3, {"b": 2}))
    }


@pytest.mark.parametrize(
    ("first", "then", "gap"),
    [
        (change("overlap", 1, 2), change("overlap", 1, 3), Gap(("overlap",), (2,), 1)),
        (
            change("meta.a", 1, ABSENT),
            change("meta.a", None, 1),
            Gap(("meta", "a"), (ABSENT,), None),
        ),
        (
            change("meta.a", 1, {"b": 1}),
            change("meta.a.c", 1, 2),
            Gap(("meta", "a", "c"), (ABSENT,), 1),
        ),
        # There is no object to hold what is said not to be there.
        (
            change("meta.a", 1, 2),
            change("meta.a.c", ABSENT, 2),
            Gap(("meta", "a", "c"), (ABSENT,), ABSENT),
        ),
        (
            change("meta.a", 1, ABSENT),
            change("meta", None, {}),
            Gap(("meta", "a"), (ABSENT,), ABSENT),
        ),
        (change("meta.a", 1, 2), change("meta", {"a": 1}, {}), Gap(("meta", "a"), (2,), 1)),
    ],
)
def test_a_change_that_begins_elsewhere_is_a_gap(first: Change, then: Change, gap: Gap):
    assert composed(first, then) == gap
