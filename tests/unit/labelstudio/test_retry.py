"""What is asked again, and after how long: judged on errors alone, without a clock."""

from __future__ import annotations

import pytest

from reconciler.errors import (
    Broken,
    NotFound,
    NotLabelStudio,
    NotSent,
    Rejected,
    ServerError,
    TimedOut,
    Unauthorised,
    Unreachable,
)
from reconciler.labelstudio.retry import (
    RETRY_AFTER_MAX,
    Pauses,
    RequestKind,
    count_attempts,
    is_never_stored,
    is_perhaps_stored,
    parse_retry_after,
)

NOON = 784_111_777.0  # 1994-11-06T08:49:37Z, the example of the standard


def test_each_pause_is_longer_than_the_one_before_and_all_take_twenty_seconds():
    pauses = [Pauses().choose(attempt, drawn=0.5) for attempt in (1, 2, 3, 4)]
    assert pauses == [0.5, 1.5, 4.5, 13.5]


def test_pauses_are_drawn_apart():
    assert Pauses().choose(2, drawn=0.0) == 0.75
    assert Pauses().choose(2, drawn=1.0) == 2.25


@pytest.mark.parametrize(("asked", "pause"), [(0.0, 1.5), (1.0, 1.5), (30.0, 30.25)])
def test_a_server_gets_the_pause_that_it_asks_for_and_never_a_shorter_one(
    asked: float, pause: float
):
    assert Pauses().choose(2, asked, drawn=0.5) == pause


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30.0),
        ("Sunday, 06-Nov-94 08:50:07 GMT", 30.0),
        ("Sun Nov  6 08:50:07 1994", 30.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u0663", None),
        ("9" * 400, 999_999_999.0),
        ("Sun, 99 Nov 1994 08:50:07 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None):
    assert parse_retry_after(header, now=NOON) == seconds


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (NotSent("refused"), 5),
        (Unreachable("cut off"), 5),
        (TimedOut("late"), 2),
        (Rejected("", status=408), 5),
        (Rejected("", status=429), 5),
        (NotLabelStudio("", status=429), 5),
        (Broken("", status=500), 2),
        (Broken("", status=502), 5),
        (Broken("", status=503), 5),
        (Broken("", status=504), 5),
        (NotLabelStudio("a page", status=200), 3),
        (NotLabelStudio("too large"), 1),
        (NotLabelStudio("redirect", status=302), 1),
        (Rejected("", status=400), 1),
        (Unauthorised("", status=401), 1),
        (Unauthorised("", status=403), 1),
        (NotFound("", status=404), 1),
        (NotLabelStudio("", status=404), 1),
        (Broken("", status=501), 1),
        (Rejected("", status=429, retry_after=RETRY_AFTER_MAX), 5),
        (Rejected("", status=429, retry_after=RETRY_AFTER_MAX + 1), 1),
    ],
)
def test_faults_that_pass_are_worth_more_attempts_than_those_that_stay(
    error: ServerError, attempts: int
):
    assert count_attempts(error, RequestKind.READ) == attempts
    assert count_attempts(error, RequestKind.UPDATE) == attempts


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (Broken("", status=500), 1),
        (Broken("", status=504), 1),
        (TimedOut("late"), 1),
        (NotLabelStudio("", status=413), 1),
        (Broken("", status=502), 2),
        (Broken("", status=503), 5),
        (Rejected("", status=429), 5),
        (Unreachable("cut off"), 5),
    ],
)
def test_a_list_is_not_repeated_where_a_part_of_it_may_do(error: ServerError, attempts: int):
    assert count_attempts(error, RequestKind.DIVISIBLE_LIST) == attempts


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (Broken("", status=500), 1),
        (Broken("", status=502), 5),
        (Broken("", status=504), 5),
        (TimedOut("late"), 2),
        (Unreachable("cut off"), 5),
        (NotFound("", status=404), 1),
    ],
)
def test_a_small_list_is_repeated_unless_a_task_in_it_is_the_reason(
    error: ServerError, attempts: int
):
    assert count_attempts(error, RequestKind.SMALL_LIST) == attempts


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_page_larger_than_the_first_is_repeated_only_where_the_server_asks_to_wait(status: int):
    waits = Broken("", status=status, retry_after=2.0)
    assert count_attempts(waits, RequestKind.LARGER_PAGE) == 5
    assert count_attempts(Broken("", status=status), RequestKind.LARGER_PAGE) == 1
    assert count_attempts(Unreachable("cut off"), RequestKind.LARGER_PAGE) == 1


@pytest.mark.parametrize("kind", RequestKind)
def test_what_was_given_up_is_not_begun_again_and_a_probe_never(kind: RequestKind):
    assert count_attempts(Broken("", status=503, given_up=True), kind) == 1
    assert count_attempts(Broken("", status=503), RequestKind.PROBE) == 1


@pytest.mark.parametrize(
    ("error", "never", "perhaps"),
    [
        (NotSent("refused"), True, False),
        (Rejected("", status=429), True, False),
        (Unreachable("cut off"), False, True),
        (TimedOut("late"), False, True),
        (Rejected("", status=408), False, True),
        (Broken("", status=500), False, True),
        (Broken("", status=503), False, True),
        (NotLabelStudio("a page", status=200), False, True),
        (NotLabelStudio("too large"), False, True),
        (Rejected("", status=400), False, False),
        (Unauthorised("", status=403), False, False),
        (NotFound("", status=404), False, False),
        (NotLabelStudio("", status=302), False, False),
    ],
)
def test_of_each_error_it_is_known_whether_an_update_may_have_been_stored(
    error: ServerError, *, never: bool, perhaps: bool
):
    assert (is_never_stored(error), is_perhaps_stored(error)) == (never, perhaps)
