"""From observations to findings, without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.checkup import CHECKS, judge
from reconciler.core.finding import AREA_OF, WHY, Area, Check, Checkup, Finding, Level
from reconciler.core.observations import (
    Account,
    AtOnce,
    ClockReading,
    Declared,
    Failure,
    FailureKind,
    KeysSeen,
    Observations,
    PageSeen,
    ProjectFacts,
    ProjectsSeen,
    Sample,
    Setup,
    TlsFacts,
    TokenFacts,
    TokenKind,
)
from reconciler.core.plan_model import ServerIdentity
from reconciler.core.server_findings import check_clock
from reconciler.labelstudio.authentication import read_token_facts
from reconciler.renderers.checkup_lines import format_checkup
from reconciler.renderers.style import PLAIN
from reconciler.sandbox.access import make_jwt

NOW = 1_800_000_000.0
DAY = 86_400
GOOD = Observations(
    now=NOW,
    setup=Setup("https://x.test", "LABEL_STUDIO_URL"),
    token=TokenFacts(TokenKind.LEGACY),
    tls=TlsFacts("TLSv1.3", NOW + 90 * DAY),
    clock=ClockReading(NOW, NOW, NOW + 0.1),
    round_trips=(0.02, 0.03),
    identity=ServerIdentity("https://x.test", "Community", "1.23.2"),
    account=Account("a@example.org (user 1)"),
    projects=ProjectsSeen(1, {7: ProjectFacts(7, "reviews", 3)}),
    page=PageSeen(7, 1000, 1000, 5000, 0.3),
    sample=Sample((1, 2), frozenset({"id", "data"})),
    honoured=frozenset({"data"}),
    writable=frozenset({"data", "meta"}),
    at_once=AtOnce(4, 0.1, 0.11),
)
DECLARED = Declared(2, 0, 1, frozenset({"data"}), frozenset({"data"}), (7,))


def find(seen: Observations, check: Check) -> list[Finding]:
    return [finding for finding in judge(seen).findings if finding.check is check]


def test_each_check_has_an_area_a_reason_and_a_place_in_the_order():
    assert set(WHY) == set(AREA_OF) == set(Check)
    assert [check for check, _ in CHECKS] == list(Check)
    areas = [AREA_OF[check] for check in Check]
    assert areas == sorted(areas, key=list(Area).index)


def test_where_all_is_well_a_line_is_written_for_each_finding():
    checkup = judge(GOOD)
    assert {finding.level for finding in checkup.findings} == {Level.OK}
    assert (checkup.is_ready, checkup.unchecked) == (True, ())
    lines = list(format_checkup(checkup, PLAIN))
    assert len([line for line in lines if line.startswith("  ok")]) == len(checkup.findings)
    assert lines[-1] == "Ready: no problems (0 requests)."


def test_a_problem_is_what_makes_it_not_ready():
    found = tuple(Finding(Check.TOKEN, level, "x", "y") for level in Level)
    assert Checkup("", found[:3], 1).is_ready
    assert not Checkup("", found, 1).is_ready


@given(
    skew=st.floats(-1e6, 1e6),
    trip=st.floats(0, 30),
    share=st.floats(0, 1),
)
def test_a_difference_of_clocks_is_never_overstated(skew: float, trip: float, share: float):
    """The date is that of a moment during the request, cut off to whole seconds."""
    sent = NOW
    date = float(int(sent + skew + share * trip))
    seen = replace(GOOD, clock=ClockReading(date, sent, sent + trip))
    (finding,) = check_clock(seen)
    if abs(skew) < 60:
        assert finding.level is Level.OK
    if abs(skew) > 62 + trip:
        assert finding.level is Level.WARNING
        assert ("ahead of" in finding.what) == (skew < 0)


@pytest.mark.parametrize(
    ("release", "edition", "level"),
    [
        ("1.23.2", "Community", Level.OK),
        ("2.0.0.dev1", "Community", Level.OK),
        ("1.12.0", "Community", Level.NOTE),
        ("2.37.0", "Enterprise", Level.NOTE),
        ("x", "Community", Level.OK),
        ("", None, Level.OK),
    ],
)
def test_what_was_not_tested_is_said(release: str, edition: str | None, level: Level):
    seen = replace(GOOD, identity=ServerIdentity("https://x.test", edition, release))
    (finding,) = find(seen, Check.VERSION)
    assert finding.level is level


@pytest.mark.parametrize(
    ("expires", "level"),
    [(NOW + 15 * DAY, Level.OK), (NOW + 13 * DAY, Level.WARNING), (1e11, Level.OK)],
)
def test_a_token_is_worth_a_warning_two_weeks_before_its_end(expires: float, level: Level):
    seen = replace(GOOD, token=TokenFacts(TokenKind.PERSONAL, expires))
    assert [finding.level for finding in find(seen, Check.TOKEN)] == [level]
    assert find(replace(GOOD, tls=TlsFacts("TLSv1.3", expires)), Check.CONNECTION)[0].level is level


@pytest.mark.parametrize(
    ("claim", "expires"),
    [
        (1_900_000_000, 1_900_000_000.0),
        (True, 1.0),
        ("soon", None),
        (-5, None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_a_token_may_claim_anything(claim: object, expires: float | None):
    token = make_jwt({"token_type": "refresh", "exp": claim})
    assert read_token_facts(f" {token}\n") == TokenFacts(TokenKind.PERSONAL, expires)
    assert read_token_facts("a.b.c") == read_token_facts("x") == TokenFacts(TokenKind.LEGACY)


def test_whoami_is_not_needed_where_projects_are_shown():
    seen = replace(GOOD, account=Failure("returned 404", kind=FailureKind.NOT_FOUND))
    assert [finding.level for finding in find(seen, Check.TOKEN)] == [Level.OK]
    assert [finding.level for finding in find(seen, Check.USER)] == [Level.NOTE]


@pytest.mark.parametrize(
    ("together", "said"), [(0.1, "several are faster"), (0.4, "several are not clearly faster")]
)
def test_several_at_once_are_compared_with_one(together: float, said: str):
    (finding,) = find(replace(GOOD, at_once=AtOnce(4, 0.1, together)), Check.AT_ONCE)
    assert finding.what.endswith(said)


def test_a_list_that_one_task_breaks_is_no_reason_not_to_apply():
    broken = Failure("returned 500", kind=FailureKind.OTHER)
    refused = Failure("returned 403", kind=FailureKind.REFUSED)
    assert find(replace(GOOD, page=broken), Check.PAGES)[0].level is Level.WARNING
    assert find(replace(GOOD, page=refused), Check.PAGES)[0].level is Level.PROBLEM


def test_many_problems_of_manifests_are_counted():
    failures = tuple(Failure(f"a.yaml:{line}: wrong") for line in range(9))
    found = find(replace(GOOD, declared=failures), Check.FILES)
    assert [finding.what for finding in found][4:] == ["a.yaml:4: wrong", "4 more problems"]


def test_what_declared_projects_and_keys_lack_is_named_up_to_a_limit():
    seen = replace(
        GOOD,
        declared=replace(DECLARED, projects=tuple(range(1, 120))),
        projects=ProjectsSeen(
            1, {7: ProjectFacts(7, "reviews", 3)}, tuple(range(1, 101)), left_out=19
        ),
        keys=(
            KeysSeen(7, ("data", "a"), 300, 100, ("k1",), {"k2": (3, 4)}),
            KeysSeen(7, ("meta", "a"), 3),
            Failure("returned 500"),
        ),
    )
    projects = find(seen, Check.PROJECTS)
    assert sum(finding.level is Level.PROBLEM for finding in projects) == 5
    assert projects[-1].what == "19 more projects not looked up"
    keys = find(seen, Check.KEYS)
    assert [finding.level.value for finding in keys] == ["problem", "problem", "note", "note"]


@pytest.mark.parametrize(
    ("percentage", "most", "level"),
    [(100, 3, Level.OK), (50, 1, Level.OK), (50, 3, Level.WARNING), (50, None, Level.WARNING)],
)
def test_overlap_is_reset_as_the_server_does(percentage: int, most: int | None, level: Level):
    project = ProjectFacts(7, "reviews", 3, most, percentage)
    seen = replace(
        GOOD,
        declared=replace(DECLARED, written=frozenset({"overlap"})),
        projects=ProjectsSeen(1, {7: project}, (7,)),
    )
    assert [finding.level for finding in find(seen, Check.OVERLAP)] == [level]
