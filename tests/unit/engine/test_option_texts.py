"""How ids, paths and conditions are read from options, and what is said of others."""

from __future__ import annotations

import pytest

from reconciler.engine.option_texts import (
    parse_ids,
    parse_paths,
    parse_project,
    parse_single_path,
    parse_where,
)


@pytest.mark.parametrize("text", ["", "0", "5-2", "a", "1-", "1,,2", "1-99999999"])
def test_what_is_no_list_of_ids_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_ids(text)


def test_options_are_parsed() -> None:
    assert parse_ids("205, 1-50, 40-100") == (range(1, 101), range(205, 206))
    assert parse_paths('data.text,meta,data["a,b"]') == (
        *(("data", "text"), ("meta",)),
        ("data", "a,b"),
    )
    assert parse_single_path('data["a.b"]') == ("data", "a.b")
    assert parse_project("12") == 12
    assert parse_project("reviews") == "reviews"
    assert parse_where("data.lang=[en, nl]") == ("data.lang", ["en", "nl"])
    assert parse_where('data["a=b"]=x=y') == ('data["a=b"]', "x=y")
    with pytest.raises(ValueError, match="expected PATH=VALUE"):
        parse_where("data.lang")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("data.split==val", "write data.split=val"),
        ("data.split === val", "write data.split=val"),
        ("data.split!=val", "write 'data.split={not: val}'"),
        ("data.n>=5", "write 'data.n={gte: 5}'"),
        ("data.n <= 5", "write 'data.n={lte: 5}'"),
        ("data.n>5", "write 'data.n={gt: 5}'"),
        ("data.n<5", "write 'data.n={lt: 5}'"),
        ("data.split:val", "write data.split=val"),
        ("data.split~=val", "write 'data.split={contains: val}'"),
    ],
)
def test_comparisons_of_other_languages_are_refused_with_what_to_write(
    text: str, meant: str
) -> None:
    with pytest.raises(ValueError, match="expected PATH=VALUE") as caught:
        parse_where(text)
    assert str(caught.value).endswith(meant)
    written = meant.removeprefix("write ").strip("'")
    assert parse_where(written)
