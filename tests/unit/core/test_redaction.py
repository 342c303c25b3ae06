"""What is redacted, and how plans and reports look then."""

from __future__ import annotations

import pytest

from reconciler.core.plan_document import format_plan
from reconciler.core.redacted_model import redact_plan
from reconciler.core.redacted_problems import redact_error, redact_manifest_problem
from reconciler.core.redaction import Masks, Redaction, parse_redacted_path
from reconciler.core.shown_digest import DigestKey
from reconciler.core.values import ABSENT, Json
from reconciler.errors import Problem, Source
from tests.unit.core.building import change, plan_of, update

SECRET = Redaction((("data", "secret"),))
ONLY_TEXT = Redaction(shown=(("data", "text"),))


@pytest.mark.parametrize(
    ("redaction", "path", "root"),
    [
        (SECRET, "data.secret", "data.secret"),
        (SECRET, "data.secret.inner", "data.secret"),
        (SECRET, "data.text", None),
        (SECRET, "data", None),
        (ONLY_TEXT, "data.text", None),
        (ONLY_TEXT, "data.text.inner", None),
        (ONLY_TEXT, "data.other.inner", "data.other"),
        (ONLY_TEXT, "meta.a", "meta"),
        (SECRET.join(ONLY_TEXT), "data.secret.a", "data.secret"),
    ],
)
def test_a_path_is_redacted_from_the_first_key_that_is_not_shown(
    redaction: Redaction, path: str, root: str | None
):
    assert redaction.find_root(tuple(path.split("."))) == (root and tuple(root.split(".")))


def test_lists_of_paths_to_show_show_what_both_show():
    other = Redaction(shown=(("data",), ("overlap",)))
    assert ONLY_TEXT.join(other).shown == (("data", "text"),)
    assert ONLY_TEXT.join(Redaction(shown=(("overlap",),))).find_root(("overlap",)) == ("overlap",)


@pytest.mark.parametrize("text", ["data.boxes[0]", "data..a", "", "id", "project"])
def test_what_is_no_path_of_a_value_is_refused(text: str):
    with pytest.raises(ValueError, match=r"is not a path|cannot be redacted"):
        parse_redacted_path(text)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"secret": 1, "text": "a"}, {"secret": "(redacted A)", "text": "a"}),
        ([{"secret": 1}], "(redacted A)"),
        ("a", "a"),
        (None, None),
    ],
)
def test_an_object_is_masked_inside_and_a_list_as_a_whole(value: Json, masked: Json):
    assert Masks(SECRET).mask(("data",), value) == masked


def test_changes_inside_a_redacted_object_become_one():
    plan = plan_of(
        update(1, change("data.secret.a", 1, 2), change("data.secret.b", ABSENT, 3)),
        update(2, change("data.secret.a", 1, 2), change("data.secret.b", ABSENT, 3)),
    )
    first, second = redact_plan(plan, SECRET).tasks
    assert [(one.path, one.before, one.after) for one in first.changes] == [
        (("data", "secret"), "(redacted A)", "(redacted B)")
    ]
    assert first.changes == second.changes


def test_numbers_that_are_equal_as_json_have_one_marker():
    masks = Masks(SECRET)
    assert masks.mark(1) == masks.mark(1.0) != masks.mark("1")


def test_the_digest_is_signed_or_left_out():
    plan = plan_of(update(1, change("data.secret", 1, 2)))
    key = DigestKey("a secret of this test")
    signed = redact_plan(plan, SECRET, key).digest
    assert (redact_plan(plan, SECRET).digest, signed[:12]) == ("", "hmac-sha256:")
    assert key.confirms(plan.digest, signed)
    assert key.confirms(plan.digest, plan.digest)
    assert not DigestKey("another secret, of nobody").confirms(plan.digest, signed)
    assert not key.confirms(plan.digest, "\u00e9")
    assert "secret of" not in repr(key)
    assert '"digest": null' in format_plan(redact_plan(plan, SECRET))


def test_without_redaction_plans_are_as_they_were():
    plan = plan_of(update(1, change("data.secret", 1, 2)))
    assert redact_plan(plan, Redaction()) is plan


@pytest.mark.parametrize(
    ("path", "shown", "kept"),
    [
        ("tasks[0].overlap", "tasks[0].overlap", True),
        ("tasks[0].data.secret.inner", "tasks[0].data.secret", False),
        ("tasks[0].data", "tasks[0].data", False),
        ("tasks[0].key", "tasks[0].key", False),
        ("data.secret.inner", "data.secret", False),
        ("rules[0].where", "rules[0].where", False),
        ("", "", False),
    ],
)
def test_a_problem_is_shown_if_it_quotes_nothing(path: str, shown: str, *, kept: bool):
    problem = redact_manifest_problem(Problem(Source("a.yaml", 1, 1), path, "found 7"), SECRET)
    assert (problem.path, problem.message == "found 7") == (shown, kept)


def test_errors_of_tasks_keep_what_is_known_to_quote_nothing():
    listed = "changed on the server since the plan: data.secret.a, overlap"
    paths = [("data", "secret", "a"), ("overlap",)]
    assert redact_error(listed, SECRET, paths).endswith(": data.secret, overlap")
    refused = "PATCH http://x.test/api/tasks/1/ returned 400: data: s3cret"
    assert "s3cret" not in redact_error(refused, SECRET, paths)
    assert "returned 400" in redact_error(refused, SECRET, paths)
    assert redact_error("s3cret", SECRET, paths) == (
        "the reason is not shown, as it may quote redacted values"
    )


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("change data.secret.a, data.secret.b, overlap", "change data.secret, overlap"),
        ("change overlap, data.secret.a, data.secret.b", "change overlap, data.secret"),
        ("change data.secret.a, data.secret.b, which is", "change data.secret, which is"),
        ("change data.secret, data.secrets", "change data.secret, data.secrets"),
    ],
)
def test_a_message_names_a_redacted_path_once(message: str, shown: str):
    paths = [("data", "secret", "a"), ("data", "secret", "b"), ("data", "secret"), ("overlap",)]
    assert SECRET.cut_text(message, paths) == shown
