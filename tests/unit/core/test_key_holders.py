"""The keys that tasks hold, without an object for each."""

import pytest

from reconciler.core.model import HeldKeys, TaskKey

KEY, NAME = ("data", "k"), ("data", "name")


def test_tasks_hold_keys_at_one_path_or_several():
    held = HeldKeys(7, {KEY: {1: "a", 2: 5}, NAME: {2: "x", 3: "y"}})

    assert held == {
        1: (TaskKey(KEY, "a"),),
        2: (TaskKey(KEY, 5), TaskKey(NAME, "x")),
        3: (TaskKey(NAME, "y"),),
    }
    assert (len(held), 3 in held, 4 in held, held.get(4, ())) == (3, True, False, ())
    with pytest.raises(KeyError, match="4"):
        held[4]


def test_most_projects_have_keys_at_one_path():
    assert list(HeldKeys(7, {KEY: {2: "a", 1: 5}})) == [2, 1]
    assert not HeldKeys(7, {KEY: {}})
    assert not HeldKeys(7, {})
