"""What pull refuses, what it leaves out, and that it writes all files or none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.pull_result import Pulled
from reconciler.engine.additions import AddOptions
from reconciler.engine.connection import connect
from reconciler.engine.option_texts import parse_ids, parse_where
from reconciler.engine.pull import pull_tasks
from reconciler.engine.pull_options import PullOptions
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import ManifestError, Refused
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.updating import prepare

Pull = Callable[..., Pulled]


@pytest.fixture
def state() -> State:
    """Give a project with three tasks."""
    state = new_state()
    project = state.add_project("My Reviews: 1/2")
    for number in (1, 2, 3):
        split = {"split": ["Val", "val"][number % 2]} if number < 3 else {}
        state.add_task(project, {"data": {"text": f"t {number}", "key": f"k-{number}", **split}})
    return state


@pytest.fixture
def pull(state: State, tmp_path: Path) -> Pull:
    def pull(**options: Any) -> Pulled:  # noqa: ANN401 - each option has its type
        settings = Settings("https://label-studio.test", SANDBOX_TOKEN)
        with connect(settings, transport=SandboxTransport(state)) as connection:
            chosen = PullOptions(1, options.pop("out", tmp_path / "out"), **options)
            return pull_tasks(chosen, settings, connection)

    return pull


def test_the_first_line_names_the_nearest_schema(pull: Pull, tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "manifest.schema.json").write_text("{}")

    (written,) = pull().files

    first = Path(written.path).read_text().split("\n")[0]
    assert first == "# yaml-language-server: $schema=../schemas/manifest.schema.json"


def list_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_is_named_after_the_project(pull: Pull, tmp_path: Path) -> None:
    assert pull().tasks == 3
    assert list_files(tmp_path) == ["out"]
    assert list_files(tmp_path / "out") == ["my-reviews-1-2.yaml"]


def test_names_that_differ_only_in_case_get_numbers(pull: Pull, tmp_path: Path) -> None:
    pull(split_by=("data", "split"))

    assert list_files(tmp_path / "out") == ["rest.yaml", "val-2.yaml", "val.yaml"]


def test_existing_files_are_kept_unless_forced(pull: Pull, tmp_path: Path) -> None:
    pull()
    file = tmp_path / "out" / "my-reviews-1-2.yaml"
    before = file.read_text()
    file.write_text(before.replace("t 2", "edited").replace("  - id: 3", "  - id: 99"))
    edited = file.read_text()

    with pytest.raises(Refused, match="would be replaced"):
        pull()
    assert file.read_text() == edited
    pull(force=True)
    assert file.read_text() == before


def test_tasks_that_the_folder_declares_are_left_out(pull: Pull, tmp_path: Path) -> None:
    pull(ids=parse_ids("1-2"))
    (tmp_path / "out" / "my-reviews-1-2.yaml").rename(tmp_path / "out" / "first.yaml")

    pulled = pull()

    assert pulled.tasks == 1
    assert [(r.tasks, r.reason) for r in pulled.left_out] == [
        (2, "declared by a manifest of the folder already")
    ]
    assert pull(force=True).tasks == 1


def test_ids_that_are_not_in_the_project_are_named(pull: Pull) -> None:
    pulled = pull(ids=parse_ids("2-4"))

    assert pulled.tasks == 2
    assert [(r.examples, r.reason) for r in pulled.left_out] == [((4,), "it is not in the project")]
    assert pull(ids=parse_ids("1-9999"), force=True).tasks == 3


def test_a_file_with_rules_is_never_replaced(pull: Pull, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "my-reviews-1-2.yaml").write_text(
        "version: 1\nproject: 1\nrules: [{name: a, set: {overlap: 2}}]\n"
    )
    with pytest.raises(Refused, match="declares rules"):
        pull(force=True)


def test_keys_that_are_shared_or_missing_fall_back_to_ids(
    pull: Pull, state: State, tmp_path: Path
) -> None:
    state.tasks[2].values["data"] = {"key": "k-1"}
    state.tasks[3].values["data"] = {"key": True, "text": "t"}

    pulled = pull(key=("data", "key"))

    assert {(r.path, r.reason, r.examples) for r in pulled.by_id} == {
        ("data.key", "several tasks have the same value", (1, 2)),
        ("data.key", "not a string or an integer", (3,)),
    }
    assert "key:" not in (tmp_path / "out" / "my-reviews-1-2.yaml").read_text().split("tasks")[0]


@pytest.mark.parametrize(
    "options",
    [
        {"ids": parse_ids("1-2")},
        {"ids": parse_ids("1-2,4-6000")},
        {"where": {"data.text": "t 1"}},
        {"ids": parse_ids("1"), "key": ("data", "a__b")},
    ],
)
def test_a_key_that_a_task_outside_the_pull_holds_is_not_used(
    pull: Pull, state: State, options: dict[str, Any]
) -> None:
    state.tasks[1].values["data"] = {"text": "t 1", "key": "same", "a__b": "same"}
    state.tasks[3].values["data"] = {"text": "t 3", "key": "same", "a__b": "same"}

    pulled = pull(**{"key": ("data", "key")} | options)

    by_id = [(r.reason, r.examples) for r in pulled.by_id]
    assert by_id == [("several tasks have the same value", (1,))]


def test_an_added_task_has_no_key_that_a_task_of_the_project_holds(
    state: State, tmp_path: Path
) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("version: 1\nproject: 1\nkey: data.key\ntasks: [{key: k-2}]\n")
    state.tasks[3].values["data"] = {"text": "t 3", "key": "k-1"}

    update = prepare([str(file)], state, add=AddOptions(ids=parse_ids("1")))

    assert [(r.reason, r.examples) for r in update.by_id] == [
        ("several tasks have the same value", (1,))
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"fields": (("overlpa",),)},
            "--fields overlpa: unknown attribute (did you mean overlap?)",
        ),
        ({"fields": (("created_at",),)}, "--fields created_at: the attribute is read-only"),
        ({"fields": (("allow_skip",),)}, "the server's response has no allow_skip"),
        ({"fields": (("overlap", "a"),)}, "overlap has no keys"),
        ({"fields": (("project",),)}, "the top of each manifest declares it"),
        ({"key": ("overlap",)}, "--key: overlap cannot be a key"),
        ({"key": ("data", "key"), "redact": (("data",),)}, "--key data.key is redacted"),
        ({"split_by": ("data", "a"), "per_file": 1}, "exclude each other"),
        ({"where": {"data.split": "none"}}, "has no tasks that --where choose"),
        ({"ids": (range(7, 9),)}, "has no tasks that --ids choose"),
    ],
)
def test_a_mistake_is_refused_before_a_file_is_written(
    pull: Pull, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused) as refused:
        pull(**options)

    assert message in str(refused.value)
    assert list_files(tmp_path) == []


def test_conditions_are_checked_as_those_of_rules(pull: Pull) -> None:
    with pytest.raises(ManifestError, match="--where"):
        pull(where={"data.split": {"is": 1}})


def test_a_failure_leaves_the_folder_as_it_was(
    pull: Pull, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(per_file=2)
    out = tmp_path / "out"
    for file in out.iterdir():
        file.write_text(file.read_text() + "# mine\n")
    before = {file.name: file.read_text() for file in out.iterdir()}
    rename, calls = Path.rename, []

    def fail_late(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) == 4:
            raise OSError(28, "No space left on device", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_late)
    with pytest.raises(Refused, match=r"nothing was written: .*No space left"):
        pull(per_file=2, force=True)

    assert {file.name: file.read_text() for file in out.iterdir()} == before


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (
            {"fields": (("data", "txt"),)},
            "data.txt, which --fields names",
            "did you mean data.text?",
        ),
        ({"fields": (("data", "text"), ("data", "Key"))}, "data.Key, which", "mean data.key?"),
        ({"key": ("data", "Key")}, "data.Key, which --key names", "did you mean data.key?"),
        ({"split_by": ("data", "splt")}, "data.splt, which --split-by", "did you mean data.split?"),
        ({"redact": (("data", "xyz"),)}, "data.xyz, which --redact", "such as data.text, data.key"),
        ({"fields": (("meta", "a"),)}, "meta.a, which --fields", "leave it out, or correct it"),
        ({"where": {"data.text": 5}}, "no tasks that --where", 'data.text is "t 1", "t 2", "t 3"'),
        ({"where": {"data.splt": 5}}, "no tasks that --where", "none of the tasks that were read"),
        ({"out": Path("reviews.yaml")}, "has the name of a file", "pass the folder: --out ."),
    ],
)
def test_a_choice_that_fits_no_task_writes_nothing_and_says_what_tasks_have(
    pull: Pull, tmp_path: Path, options: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(Refused) as caught:
        pull(**options)

    assert message in caught.value.message
    assert hint in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_value_of_another_type_is_shown_as_the_option_must_have_it(
    pull: Pull, state: State
) -> None:
    project = next(iter(state.projects.values()))
    state.add_task(project, {"data": {"text": "a", "n": "5"}}, number=9)

    with pytest.raises(Refused) as caught:
        pull(where={"data.n": 5})

    assert caught.value.hint == (
        'data.n is "5" in some tasks, and 5 is another value: write --where \'data.n="5"\''
    )
    pull(where=dict([parse_where('data.n="5"')]))


def test_redacted_values_are_not_shown_as_advice(pull: Pull) -> None:
    with pytest.raises(Refused) as caught:
        pull(where={"data.text": "x"}, redact=(("data", "text"),))
    assert caught.value.hint == "check the project and the options"


def test_a_project_that_does_not_exist_is_named_by_its_option(state: State, tmp_path: Path) -> None:
    settings = Settings("https://label-studio.test", SANDBOX_TOKEN)
    with (
        connect(settings, transport=SandboxTransport(state)) as connection,
        pytest.raises(Refused, match="returned 404 for project 77") as caught,
    ):
        pull_tasks(PullOptions(77, tmp_path / "out"), settings, connection)
    assert "--project" in caught.value.hint
    assert not (tmp_path / "out").exists()
