"""What is allowed, by whom, where and why; a denial beats all of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.allowances import (
    NOTHING_ALLOWED,
    Allowances,
    describe_accepted,
    describe_allowances,
    list_blocked,
    mark_plan,
    narrow_to_documents,
    parse_denials,
)
from reconciler.core.document_parts import build_problem, restore_problem
from reconciler.core.guards import GuardFacts
from reconciler.core.model import Change, Found, Missing, ProjectSettings
from reconciler.core.notation import parse_path
from reconciler.core.paths import Path
from reconciler.core.plan_document import build_plan_document, restore_plan
from reconciler.core.plan_model import Status, TaskPlan
from reconciler.core.planner import apply_guards, plan_task
from reconciler.core.problems import Allowance, Kind, TaskProblem
from reconciler.core.values import ABSENT, Json
from reconciler.errors import Source
from tests.unit.core.building import change, desired, plan_of, task_plan, update

ANNOTATED: dict[str, Json] = {
    "id": 1,
    "project": 7,
    "data": {"text": "A.", "image": "s3://a", "score": 1, "page": {"url": {}}},
    "total_annotations": 2,
    "cancelled_annotations": 0,
}
CONFIG = ProjectSettings(labelled=frozenset({("text",), ("image",)}))
FACTS = GuardFacts(load_contract(), {7: CONFIG})
MOVED = Allowance(
    Kind.ANNOTATED_DATA,
    (("data", "image"),),
    by="tasks.yaml:9",
    reason="the bucket moved",
    source=Source("tasks.yaml", 9, 5),
)
TEXT, IMAGE = change("data.text", "A.", "B."), change("data.image", "s3://a", "s3://b")
SCORE = change("data.score", 1, ABSENT)


def judge(
    task: TaskPlan, allow: Allowances = NOTHING_ALLOWED, *, facts: GuardFacts = FACTS
) -> TaskPlan:
    return apply_guards(task, Found(ANNOTATED), facts=facts, allow=allow)


def described(task: TaskPlan) -> list[tuple[str, str, str]]:
    return [
        (
            problem.kind.value,
            problem.message.partition(" of a task")[0],
            ", ".join(one.by for one in problem.allowed),
        )
        for problem in task.problems
    ]


def test_what_the_label_config_does_not_use_is_a_kind_of_its_own():
    judged = judge(update(1, TEXT, SCORE))
    assert judged.status is Status.BLOCKED
    has, unused = (
        "of a task that has 2 annotations",
        "which the project's label config does not use",
    )
    assert [problem.message for problem in judged.problems] == [
        f"would change data.text {has}",
        f"would remove data.score, {unused}, {has}",
    ]
    assert judged.problems[1].hint.endswith("pass --allow annotated-extra")


@pytest.mark.parametrize(
    "facts",
    [
        GuardFacts(load_contract()),
        GuardFacts(load_contract(), {7: replace(CONFIG, unreadable="no XML")}),
    ],
    ids=["not fetched", "unreadable"],
)
def test_without_a_label_config_all_annotated_data_may_be_used(facts: GuardFacts):
    judged = judge(update(1, change("data.score", 1, 2)), facts=facts)
    assert [problem.kind for problem in judged.problems] == [Kind.ANNOTATED_DATA]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("data.page", Kind.ANNOTATED_DATA),  # around a path that is used
        ("data.page.url", Kind.ANNOTATED_DATA),
        ("data.page.url.host", Kind.ANNOTATED_DATA),  # inside one
        ("data.page.size", Kind.ANNOTATED_EXTRA),
        ("data.pages", Kind.ANNOTATED_EXTRA),
    ],
)
def test_a_path_is_used_if_the_label_config_uses_one_in_or_around_it(path: str, kind: Kind):
    config = ProjectSettings(labelled=frozenset({("page", "url")}))
    facts = GuardFacts(load_contract(), {7: config})
    judged = judge(update(1, change(path, 1, 2)), facts=facts)
    assert [problem.kind for problem in judged.problems] == [kind]


@pytest.mark.parametrize(
    ("allow", "status"),
    [
        (["annotated-data"], Status.UPDATE),
        (["annotated-extra"], Status.UPDATE),
        (["annotated-data:data"], Status.UPDATE),
        (["annotated-data:data.score"], Status.UPDATE),
        (["annotated-data:data.score.inner"], Status.BLOCKED),
        (["annotated-data:data.text"], Status.BLOCKED),
        (["label-config"], Status.BLOCKED),
    ],
)
def test_annotated_data_includes_annotated_extra_where_its_path_does(
    allow: list[str], status: Status
):
    assert judge(update(1, SCORE), Allowances.of(allow)).status is status


def test_annotated_extra_does_not_include_annotated_data():
    assert judge(update(1, TEXT), Allowances.of(["annotated-extra"])).status is Status.BLOCKED


def test_changes_of_which_some_are_allowed_are_two_problems():
    judged = judge(update(1, TEXT, IMAGE), Allowances.of(["annotated-data:data.image"], by="me"))
    assert judged.status is Status.BLOCKED
    assert described(judged) == [
        ("annotated-data", "would change data.text", ""),
        ("annotated-data", "would change data.image", "me"),
    ]


def test_manifests_allow_for_their_own_task_and_say_why():
    task = replace(update(1, IMAGE), allow=(MOVED,))
    judged = judge(task)
    assert judged.status is Status.UPDATE
    assert [problem.allowed for problem in judged.problems] == [(MOVED,)]
    assert judge(update(2, IMAGE)).status is Status.BLOCKED


def test_manifests_allow_only_what_their_own_file_declares():
    elsewhere = Change(IMAGE.path, IMAGE.before, IMAGE.after, Source("other.yaml", 3, 5))
    assert judge(replace(update(1, elsewhere), allow=(MOVED,))).status is Status.BLOCKED


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.ANNOTATED_DATA}))
def test_manifests_allow_nothing_but_what_is_said_of_a_change(kind: Kind):
    unread = replace(task_plan(desired(1), Missing()), allow=(Allowance(kind, by="tasks.yaml:9"),))
    judged = apply_guards(unread, Missing(), facts=FACTS, allow=NOTHING_ALLOWED)
    assert [problem.allowed for problem in judged.problems] == [()]


def test_what_a_manifest_allows_reaches_the_plan_of_its_task():
    declared = desired(1, {"data": {"image": "s3://b"}})._replace(allow=(MOVED,))
    planned = plan_task(declared, Found(ANNOTATED), load_contract())
    assert planned is not None
    assert judge(planned).status is Status.UPDATE


@pytest.mark.parametrize(
    "denied", ["annotated-data", "annotated-data:data.image", "annotated-data:data"]
)
def test_a_denial_beats_options_and_manifests(denied: str):
    allow = Allowances.of(["annotated-data"], [denied], by="--deny")
    judged = judge(replace(update(1, IMAGE), allow=(MOVED,)), allow)
    assert judged.status is Status.BLOCKED
    assert judged.problems[0].hint == f"--deny forbids it ({denied}), so nothing can allow it"


def test_a_denial_of_a_path_forbids_a_change_of_the_object_around_it():
    around = change("data.page", {"url": 1}, {"url": 2})
    allow = Allowances.of(["annotated-data"], ["annotated-data:data.page.url"])
    assert judge(update(1, around), allow).status is Status.BLOCKED
    beside = change("data.page", {"url": 1}, {"url": 2}), TEXT
    kinds = [bool(problem.allowed) for problem in judge(update(1, *beside), allow).problems]
    assert kinds == [True, False]


def test_removing_all_data_is_allowed_only_where_each_of_its_paths_is():
    keys = ("text", "image", "score", "page")
    emptying = update(1, *(change(f"data.{key}", 1, ABSENT) for key in keys))
    some = Allowances.of(["annotated-data", "label-config", "empty-data:data.text"])
    assert [p.kind for p in judge(emptying, some).problems if not p.allowed] == [Kind.EMPTY_DATA]
    whole = Allowances.of(["annotated-data", "label-config", "empty-data:data"])
    assert judge(emptying, whole).status is Status.UPDATE


def declared_at(line: int, *, paths: str = "", file: str = "tasks.yaml") -> Allowance:
    found = tuple(map(parse_path, paths.split()))
    return Allowance(Kind.EMPTY_DATA, found, f"{file}:{line}", "", Source(file, line, 5))


def test_a_problem_names_all_that_accept_a_part_of_it():
    keys = ("text", "image", "score", "page")
    emptying = update(1, *(change(f"data.{key}", 1, ABSENT) for key in keys))
    ours, theirs = (
        declared_at(2, paths="data.text data.image"),
        declared_at(12, paths="data.score data.page"),
    )
    both = Allowances.of(["annotated-data", "label-config"]).declare((ours, theirs))
    [problem] = [p for p in judge(emptying, both).problems if p.kind is Kind.EMPTY_DATA]
    assert problem.allowed == (ours, theirs)
    one = Allowances.of(["annotated-data", "label-config"]).declare((ours,))
    assert judge(emptying, one).status is Status.BLOCKED


def test_what_a_manifest_accepted_accepts_no_other_file_when_the_plan_is_applied():
    accepted = judge(replace(update(1, IMAGE), allow=(MOVED,))).problems
    [restored] = map(restore_problem, map(build_problem, accepted))
    again = NOTHING_ALLOWED.accept([restored])
    assert judge(update(1, IMAGE), again).status is Status.UPDATE
    elsewhere = Change(IMAGE.path, IMAGE.before, IMAGE.after, Source("other.yaml", 3, 5))
    assert judge(update(1, elsewhere), again).status is Status.BLOCKED


UNKNOWN_CONFIG = GuardFacts(load_contract(), {7: replace(CONFIG, unreadable="no XML")})


def test_a_denial_of_either_kind_holds_while_the_label_config_is_not_known():
    allow = Allowances.of(["annotated-data"], ["annotated-extra"], by="--deny")
    assert judge(update(1, TEXT), allow).status is Status.UPDATE
    judged = judge(update(1, TEXT), allow, facts=UNKNOWN_CONFIG)
    assert judged.status is Status.BLOCKED
    assert judged.problems[0].hint == "--deny forbids it (annotated-extra), so nothing can allow it"
    beside = Allowances.of(["annotated-data"], ["annotated-extra:data.score"])
    assert judge(update(1, TEXT), beside, facts=UNKNOWN_CONFIG).status is Status.UPDATE
    both = judge(update(1, TEXT, SCORE), beside, facts=UNKNOWN_CONFIG)
    found = [p for p in both.problems if p.kind is Kind.ANNOTATED_DATA]
    assert [bool(problem.allowed) for problem in found] == [False, True]


def test_a_saved_plan_remembers_that_its_kind_is_a_guess():
    allow = Allowances.of(["annotated-data"])
    plan = plan_of(judge(update(1, TEXT), allow, facts=UNKNOWN_CONFIG))
    saved = restore_plan(build_plan_document(plan))
    assert list_blocked(mark_plan(saved, NOTHING_ALLOWED)) == ()
    denied = mark_plan(saved, Allowances.of(deny=["annotated-extra"]))
    assert list_blocked(denied) == denied.tasks
    known = plan_of(judge(update(1, TEXT), allow))
    assert list_blocked(mark_plan(known, Allowances.of(deny=["annotated-extra"]))) == ()


OURS = (Allowance(Kind.ANNOTATED_DATA, by="a.yaml:2"),)
THEIRS = (Allowance(Kind.ANNOTATED_DATA, (("data", "c"), ("data", "a", "x")), by="a.yaml:12"),)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("data.a", "", "data"),  # no other document declares anything in data
        ("data.a", "data.b", "data.a"),
        ("data.a.x data.a.y", "data.b", "data.a"),
        ("data.a.x data.a.y", "data.a.z", "data.a.x data.a.y"),
        ("data.a overlap", "meta.b", "data overlap"),
        ("", "data.b", ""),
    ],
)
def test_a_document_allows_only_what_it_alone_declares(ours: str, theirs: str, expected: str):
    nothing: tuple[Allowance, ...] = ()
    found = narrow_to_documents(
        [(OURS, map(parse_path, ours.split())), (nothing, map(parse_path, theirs.split()))]
    )
    assert [path for one in found for path in one.paths] == [*map(parse_path, expected.split())]


def test_the_paths_that_a_document_allows_are_narrowed_too():
    mine: list[Path] = [("data", "a", "y")]
    found = narrow_to_documents([(OURS, mine), (THEIRS, [("data", "a"), ("data", "b")])])
    assert found == (
        replace(OURS[0], paths=(("data", "a", "y"),)),
        replace(THEIRS[0], paths=(("data", "a", "x"),)),
    )


def test_one_document_needs_no_narrowing():
    assert narrow_to_documents([(OURS, [("data", "a")]), (OURS, [("data", "b")])]) == OURS
    assert narrow_to_documents([]) == ()


def test_each_key_that_the_label_config_uses_is_allowed_by_its_path():
    removing = update(1, change("data.text", "A.", ABSENT), change("data.image", "s3://a", ABSENT))
    allow = Allowances.of(["annotated-data", "label-config:data.image"])
    assert [p.paths for p in judge(removing, allow).problems if not p.allowed] == [
        (("data", "text"),)
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("mising", "'mising' cannot be allowed; choose from ambiguous, annotated-data"),
        ("rule", "'rule' cannot be allowed"),
        ("rule-conflict", "'rule-conflict' cannot be allowed"),
        ("resolved-address", "'resolved-address' cannot be allowed"),
        ("missing:data.a", "missing is about a whole task: expected no path, found 'data.a'"),
        ("annotated-data:", "annotated-data: expected a path such as data.image, found ''"),
        ("annotated-data:data..a", "expected a path such as data.image"),
        ("label-config:meta.a", "label-config is about data: expected a path in data"),
    ],
)
def test_what_cannot_be_allowed_is_refused(entry: str, said: str):
    with pytest.raises(ValueError, match=said):
        Allowances.of([entry])


def test_denials_are_separated_by_commas():
    found = parse_denials(" annotated-data:data.image, empty-data ,", "RECONCILER_DENY")
    assert found == (
        Allowance(Kind.ANNOTATED_DATA, (("data", "image"),), "RECONCILER_DENY"),
        Allowance(Kind.EMPTY_DATA, (), "RECONCILER_DENY"),
    )
    assert parse_denials("", "x") == ()
    with pytest.raises(ValueError, match="'all' cannot be denied; choose"):
        parse_denials("all", "RECONCILER_DENY")


def test_what_a_plan_accepted_stays_accepted_unless_it_is_denied():
    plan = plan_of(judge(update(1, IMAGE), Allowances.of(["annotated-data"], by="--allow")))
    assert mark_plan(plan, NOTHING_ALLOWED) is plan
    assert list_blocked(mark_plan(plan, Allowances.of(deny=["annotated-data:data.text"]))) == ()
    denied = mark_plan(plan, Allowances.of(deny=["annotated-data:data.image"]))
    assert [task.status for task in denied.tasks] == [Status.BLOCKED]
    assert list_blocked(denied) == denied.tasks


def test_a_plan_of_an_earlier_release_accepted_all_problems_of_its_updates():
    problem = TaskProblem(Kind.ANNOTATED_DATA, "would change data.image")
    plan = plan_of(replace(update(1, IMAGE), problems=(problem,)))
    assert list_blocked(plan) == ()
    assert describe_accepted(plan) == "annotated-data (1 task)"
    denied = mark_plan(plan, Allowances.of(deny=["annotated-data:data.image.url"]))
    assert list_blocked(denied) == denied.tasks


def test_who_allowed_and_why_is_said_with_the_count():
    tasks = [judge(replace(update(task, IMAGE), allow=(MOVED,))) for task in (1, 2)]
    missing = task_plan(desired(3), Missing())
    plan = mark_plan(plan_of(*tasks, missing), Allowances.of(["missing"], by="--allow"))
    assert describe_accepted(plan) == (
        "missing (1 task, by --allow), annotated-data (2 tasks, by tasks.yaml:9)"
    )
    assert describe_allowances([MOVED, MOVED]) == "tasks.yaml:9: the bucket moved"
    many = [replace(MOVED, by=f"{number}.yaml:1", reason="") for number in range(6)]
    assert describe_allowances(many) == "0.yaml:1, 1.yaml:1, 2.yaml:1 and 3 more"


def test_of_many_paths_that_are_allowed_a_plan_keeps_those_that_matter():
    paths = tuple(("data", f"k{number}") for number in range(100))
    allow = Allowances((replace(MOVED, paths=(*paths, ("data", "image"))),))
    assert judge(update(1, IMAGE), allow).problems[0].allowed == (MOVED,)
