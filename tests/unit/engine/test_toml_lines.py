"""The lines of keys in a settings file, however it is written."""

from __future__ import annotations

import pytest

from reconciler.engine.settings.toml_lines import KeyLines

TEXT = """\
# environments.staging.url = "not this"
timeout = 1

[environments.staging]
url = "https://staging.test"
projects.reviews = 1

  [ environments . "production" ]
  url = "https://production.test"

[environments.production.projects]
reviews = 2
"other reviews" = 3
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["timeout"], 2),
        (["environments"], 4),
        (["environments", "staging"], 4),
        (["environments", "staging", "url"], 5),
        (["environments", "staging", "projects"], 6),
        (["environments", "staging", "projects", "reviews"], 6),
        (["environments", "production"], 8),
        (["environments", "production", "url"], 9),
        (["environments", "production", "projects"], 11),
        (["environments", "production", "projects", "reviews"], 12),
        (["environments", "production", "projects", "other reviews"], 13),
    ],
)
def test_a_key_is_found_in_its_table(path: list[str], line: int):
    assert KeyLines(TEXT).find(path) == line


def test_a_key_without_a_line_has_that_of_what_holds_it():
    assert (
        KeyLines("x = 1\nenvironments = {a = {url = 7}}\n").find(["environments", "a", "url"]) == 2
    )
    assert KeyLines(TEXT).find(["environments", "staging", "rps"]) == 4
    assert KeyLines(TEXT).find(["nowhere"]) == 1
    assert KeyLines("").find(["nowhere"]) == 1


def test_a_long_line_of_keys_takes_no_time():
    text = ("a." * 100_000) + "= 1\n" + ("a " * 100_000) + "\n[" * 100_000 + "\nurl = 1\n"
    assert KeyLines(text).find(["url"]) == 100_003
