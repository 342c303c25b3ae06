"""Which releases the sandbox knows."""

from __future__ import annotations

import pytest

from reconciler.errors import SettingsError
from reconciler.sandbox.releases import NAMES, NEWEST, build_version_body
from reconciler.sandbox.tasks_file import load_state, new_state


@pytest.mark.parametrize("name", NAMES)
def test_each_release_says_which_it_is(name: str):
    state = load_state(None, release=name)

    assert str(build_version_body(state.edition, state.release)["release"]).startswith(f"{name}.")


def test_the_newest_release_is_taken_where_none_is_named():
    assert new_state().release == new_state(release=NEWEST).release


def test_a_release_of_the_enterprise_edition_that_is_not_known_is_refused():
    with pytest.raises(SettingsError, match=r"does not know release 1\.22 of the enterprise") as no:
        new_state("enterprise", release="1.22")

    assert no.value.hint == f"choose one of: {NEWEST}"


@pytest.mark.parametrize(("name", "stored"), [("1.22", True), ("1.23", False)])
def test_a_new_task_has_what_its_release_stores(name: str, *, stored: bool):
    state = load_state(None, release=name)

    assert all(("allow_skip" in task.values) is stored for task in state.tasks.values())
