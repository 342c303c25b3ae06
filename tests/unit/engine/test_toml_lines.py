"""The lines of keys in a settings file, however it is written."""

from __future__ import annotations

import pytest

from reconciler.engine.settings.toml_lines import find_line

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
    assert find_line(TEXT, path) == line


def test_a_key_without_a_line_has_that_of_what_holds_it():
    assert find_line("x = 1\nenvironments = {a = {url = 7}}\n", ["environments", "a", "url"]) == 2
    assert find_line(TEXT, ["environments", "staging", "rps"]) == 4
    assert find_line(TEXT, ["nowhere"]) == 1
    assert find_line("", ["nowhere"]) == 1
