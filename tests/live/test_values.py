"""Which values PATCH takes, and what it makes of them."""

from __future__ import annotations

import json

import pytest

from tests.live.under_test import ServerUnderTest

NULL = "This field may not be null."
INTEGER = "A valid integer is required."
BOOLEAN = "Must be a valid boolean."
DATE_TIME = (
    "Datetime has wrong format. Use one of these formats instead: "
    "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
)


def refusal(server: ServerUnderTest, name: str, value: object) -> str:
    answer = server.patch(server.make_task(), {name: value})
    assert answer.status_code == 400, answer.text
    [message] = answer.json()["validation_errors"][name]
    return str(message)


def round_trip(server: ServerUnderTest, name: str, value: object) -> object:
    task = server.make_task()
    answer = server.update(task, {name: value})[name]
    assert json.dumps(server.read(task)[name]) == json.dumps(answer)
    return answer


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("3", 3), (" 3 ", 3), ("3.00", 3), (2.0, 2), (-0.0, 0), ("+3", 3), ("1_0", 10), (-1, -1)],
)
def test_an_integer_is_also_taken_from(server: ServerUnderTest, sent: object, stored: int):
    assert round_trip(server, "overlap", sent) == stored


@pytest.mark.parametrize("sent", [2.5, True, False, "", "x", "3.5", "1e2", 1e30, [], {}, [1]])
def test_an_integer_is_not_taken_from(server: ServerUnderTest, sent: object):
    assert refusal(server, "overlap", sent) == INTEGER


@pytest.mark.since("1.23")
def test_inner_id_has_its_own_word_for_integers(server: ServerUnderTest):
    assert refusal(server, "inner_id", "x") == "A valid biginteger is required."


def test_a_long_string_is_no_integer(server: ServerUnderTest):
    assert refusal(server, "overlap", "1" * 1001) == "String value too large."


@pytest.mark.parametrize("name", ["overlap", "inner_id", "comment_count", "total_predictions"])
def test_integers_are_bounded_as_options_says(server: ServerUnderTest, name: str):
    row = server.options(server.make_task())[name]
    low, high = row["min_value"], row["max_value"]

    assert round_trip(server, name, low) == low
    assert round_trip(server, name, high) == high
    too_low, too_high = refusal(server, name, low - 1), refusal(server, name, high + 1)
    assert too_low == f"Ensure this value is greater than or equal to {low}."
    assert too_high == f"Ensure this value is less than or equal to {high}."


@pytest.mark.parametrize("sent", [True, "yes", "Y", "on", "t", "tRUE", "1", 1, 1.0])
def test_true_is_also_taken_from(server: ServerUnderTest, sent: object):
    assert round_trip(server, "is_labeled", sent) is True


@pytest.mark.parametrize("sent", [False, "no", "N", "off", "f", "FALSE", "0", 0, 0.0])
def test_false_is_also_taken_from(server: ServerUnderTest, sent: object):
    assert round_trip(server, "is_labeled", sent) is False


@pytest.mark.parametrize("sent", ["maybe", 2, "", " true", "null", [], {}])
def test_a_boolean_is_not_taken_from(server: ServerUnderTest, sent: object):
    assert refusal(server, "is_labeled", sent) == BOOLEAN


@pytest.mark.parametrize(
    "name",
    [
        *("cancelled_annotations", "comment_count", "data", "is_labeled", "overlap"),
        *("total_annotations", "total_predictions", "unresolved_comment_count"),
    ],
)
def test_null_is_refused_for(server: ServerUnderTest, name: str):
    assert refusal(server, name, None) == NULL


@pytest.mark.parametrize("name", ["inner_id", "last_comment_updated_at", "meta"])
def test_null_is_a_value_of(server: ServerUnderTest, name: str):
    assert round_trip(server, name, None) is None


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-01-02T03:04:05.123456+02:00", "2026-01-02T01:04:05.123456Z"),
        ("2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.123456Z"),
        ("2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100000Z"),
        ("2026-01-02T03:04:05.000000Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04", "2026-01-02T03:04:00Z"),
        ("2026-01-02", "2026-01-02T00:00:00Z"),
        ("20260102T030405Z", "2026-01-02T03:04:05Z"),
    ],
)
def test_a_date_time_reads_back_in_utc(server: ServerUnderTest, sent: str, stored: str):
    assert round_trip(server, "last_comment_updated_at", sent) == stored


@pytest.mark.parametrize("sent", ["2026-13-02", "now", "", 5, True, [], "2026-01-02T03:04:05z"])
def test_a_date_time_is_not_taken_from(server: ServerUnderTest, sent: object):
    assert refusal(server, "last_comment_updated_at", sent) == DATE_TIME


@pytest.mark.parametrize("sent", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])
def test_a_date_time_must_fit_the_calendar_in_utc(server: ServerUnderTest, sent: str):
    assert refusal(server, "last_comment_updated_at", sent) == "Datetime value out of range."


@pytest.mark.parametrize("sent", [[1], "text", 5, True, 1.0, {"a": {"b": None}}, {}, []])
def test_meta_may_be_any_json(server: ServerUnderTest, sent: object):
    assert round_trip(server, "meta", sent) == sent


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        1e30,
        -0.0,
        2**63,
        2**80,
        0.1,
        "é",
        "\u0000",
        "",
        None,
        True,
        [],
        {},
        [[1], {"a": 1}],
        {"b": 1, "a": 2},
    ],
    ids=repr,
)
def test_values_inside_data_come_back_exactly_on_sqlite(community: ServerUnderTest, value: object):
    stored = round_trip(community, "data", {"text": "x", "value": value})

    assert json.dumps(stored) == json.dumps({"text": "x", "value": value})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_json_is_refused(server: ServerUnderTest, number: str):
    answer = server.patch_raw(server.make_task(), b'{"data":{"text":%s}}' % number.encode())

    assert answer.status_code == 400
    assert answer.json()["detail"] == (
        f"JSON parse error - Out of range float values are not JSON compliant: '{number}'"
    )


@pytest.mark.parametrize("name", ["data", "meta"])
def test_a_number_too_large_for_a_float_is_refused(server: ServerUnderTest, name: str):
    answer = server.patch_raw(server.make_task(), b'{"%s":{"x":[1e400]}}' % name.encode())

    assert answer.status_code == 400
    assert answer.json()["validation_errors"] == {name: ["Value must be valid JSON."]}


@pytest.mark.parametrize("body", [b"{bad", b"\xff", b'{"a":1}}'])
def test_a_body_that_is_not_json_is_refused(server: ServerUnderTest, body: bytes):
    answer = server.patch_raw(server.make_task(), body)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("JSON parse error - ")


def test_of_a_key_given_twice_the_last_counts(server: ServerUnderTest):
    task = server.make_task()

    server.patch_raw(task, b'{"overlap":2,"overlap":3,"data":{"text":"a","text":"b"}}')

    assert server.read(task, include="overlap,data") == {"data": {"text": "b"}, "overlap": 3}


@pytest.mark.parametrize(
    ("name", "sent", "message"),
    [
        ("updated_by", 999_999, 'Invalid pk "999999" - object does not exist.'),
        ("updated_by", "x", "Incorrect type. Expected pk value, received str."),
        ("file_upload", 999_999, 'Invalid pk "999999" - object does not exist.'),
        ("comment_authors", "x", 'Expected a list of items but got type "str".'),
        ("comment_authors", [999_999], 'Invalid pk "999999" - object does not exist.'),
        ("comment_authors", None, NULL),
    ],
)
def test_a_reference_must_exist(server: ServerUnderTest, name: str, sent: object, message: str):
    assert refusal(server, name, sent) == message
