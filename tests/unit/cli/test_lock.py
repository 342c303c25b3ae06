"""The lock: written from a server, told when it is stale, and what validate finds with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.core.locked_server import DEFAULT, Lock, LockedProject, LockedServer
from reconciler.engine.connection import connect
from reconciler.engine.lock import find_lock_path, update_lock
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import ManifestError, Refused
from reconciler.manifest.files import find_manifests
from reconciler.manifest.files_above import LOCK_FILE
from reconciler.manifest.lock_file import format_lock, read_lock, write_lock
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.sandboxed import set_environment
from tests.unit.cli.conftest import Command, Wire
from tests.unit.labelstudio.wired import Hooked

CONFIG = '<View>\n  <Text name="t" value="$text"/>\n  <Image name="i" value="$image"/>\n</View>'
ODD = "<View>\r\n</View> \n"
ADDRESS = "https://label-studio.example.org"
MANIFEST = "version: 1\nproject: 7\ntasks:\n  - {id: 1, overlap: 2, data: {text: hello}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_state(config: str = CONFIG) -> State:
    state = new_state()
    project = state.add_project("Reviews", config, number=7)
    state.add_project("Other", ODD, number=9)
    state.add_task(project, {"data": {"text": {"a": 1}, "image": "/a.png"}}, number=1)
    return state


def make_lock(
    config: str = CONFIG, honoured: frozenset[str] | None = None, number: int = 7
) -> Lock:
    project = LockedProject(number, config, ("reviews",))
    return Lock().put("", LockedServer(ADDRESS, "1.23.2", "Community", honoured, {number: project}))


def lock_sandbox(state: State, file: Path, **options: object) -> tuple[str, ...]:
    transport = SandboxTransport(state)
    with connect(Settings(ADDRESS, SANDBOX_TOKEN), transport=transport) as connection:
        change = update_lock(connection, {7: ["reviews"], 9: []}, file=file, **options)  # type: ignore[arg-type]
        assert connection.api.requests <= 2 + 2 + 1
    return change.lines


def test_a_lock_is_written_from_a_server_and_is_then_unchanged(tmp_path: Path):
    file = tmp_path / LOCK_FILE
    assert lock_sandbox(make_state(), file)
    written = file.read_bytes()
    server = read_lock(str(file)).lock.environments[DEFAULT]
    assert (server.address, server.projects[7].label_config) == (ADDRESS, CONFIG)
    assert server.projects[9].label_config == ODD
    assert server.honoured is not None
    assert "overlap" in server.honoured
    assert lock_sandbox(make_state(), file) == ()
    assert file.read_bytes() == written
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_FILE]


def test_other_environments_are_kept(tmp_path: Path):
    file = tmp_path / LOCK_FILE
    write_lock(make_lock(), file)
    lock_sandbox(make_state(), file, environment="staging")
    environments = read_lock(str(file)).lock.environments
    assert [*environments] == [DEFAULT, "staging"]
    assert environments[DEFAULT] == make_lock().environments[DEFAULT]


def test_a_changed_label_config_is_named(tmp_path: Path):
    file = tmp_path / LOCK_FILE
    lock_sandbox(make_state(), file)
    assert lock_sandbox(make_state("<View/>"), file) == ("project 7: its label config has changed",)


def test_other_projects_of_the_server_are_kept(tmp_path: Path):
    file = tmp_path / LOCK_FILE
    write_lock(make_lock(number=5), file)
    lock_sandbox(make_state(), file)
    assert [*read_lock(str(file)).lock.environments[DEFAULT].projects] == [5, 7, 9]


def test_a_lock_is_not_written_through_a_link(tmp_path: Path):
    target, file = tmp_path / "target", tmp_path / LOCK_FILE
    target.write_text("kept")
    file.symlink_to(target)
    with pytest.raises(Refused, match="not a regular file"):
        write_lock(make_lock(), file)
    with pytest.raises(ManifestError, match="not a regular file"):
        read_lock(str(file))
    assert target.read_text() == "kept"


@pytest.mark.parametrize(
    "config", [CONFIG, ODD, "<View/>", "", "a\n\n\nb\n", "\n", " <a>\n</a>\n\n"]
)
def test_a_label_config_reads_back_as_it_was(tmp_path: Path, config: str):
    file = tmp_path / LOCK_FILE
    write_lock(make_lock(config), file)
    assert read_lock(str(file)).lock == make_lock(config)


def test_a_changed_line_of_a_label_config_is_one_line_of_a_difference():
    one = format_lock(make_lock(CONFIG)).splitlines()
    other = format_lock(make_lock(CONFIG.replace("$image", "$photo"))).splitlines()
    assert len(one) == len(other)
    assert [n for n, line in enumerate(one) if line != other[n]] == [15]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("a: 1\n", "'format_version' is a required property"),
        ('format_version: "2.0"\n', 'lock:1:17: format_version: the format is "2.0", but this'),
        ('format_version: "1.0"\nenvironments: [1]\n', "lock:2:15: environments: "),
        (
            'format_version: "1.0"\nenvironments: {a: {server: "a b", projects: []}}\n',
            "lock:2:28: ",
        ),
        ('format_version: "1.0"\nenvironments: {a: 1, a: 1}\n', "duplicate key"),
        ("a: [\n", "lock:2:1: "),
        ('format_version: "1.0"\nenvironments: {}\n---\na: 1\n', "expected one document"),
    ],
)
def test_a_bad_lock_is_told_with_its_place(tmp_path: Path, text: str, message: str):
    file = tmp_path / LOCK_FILE
    file.write_text(text)
    with pytest.raises(ManifestError) as caught:
        read_lock(str(file))
    assert message in str(caught.value)


def test_a_bad_lock_is_not_overwritten(tmp_path: Path):
    file = tmp_path / LOCK_FILE
    file.write_text("a: 1\n")
    with pytest.raises(ManifestError):
        lock_sandbox(make_state(), file)
    assert file.read_text() == "a: 1\n"


def test_a_lock_lies_beside_the_settings(folder: Path):
    Path("m/a").mkdir(parents=True)
    Path("m/a/t.yaml").write_text(MANIFEST)
    places = find_manifests(["m"]).places
    assert find_lock_path(places) == Path(LOCK_FILE)
    Path("m", LOCK_FILE).touch()
    assert find_lock_path(places) == Path("m", LOCK_FILE)
    (folder / "reconciler.toml").touch()
    assert find_lock_path(places) == Path(LOCK_FILE)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("above", ["reconciler.toml", LOCK_FILE, None])
def test_a_lock_lies_in_the_work_tree_of_the_manifests(command: Command, above: str | None):
    if above:
        Path(above).write_text("")
    Path("a/.git").mkdir(parents=True)
    Path("a/m").mkdir()
    Path("a/m/t.yaml").write_text("version: 1\nproject: 7\ntasks: [{id: 1, data: {text: {}}}]\n")
    lock = find_lock_path(find_manifests(["a/m"]).places)
    assert lock == Path("a", LOCK_FILE)
    write_lock(make_lock(), lock)
    ran = command("validate", "a/m")
    assert f"<Text> at {lock}:15 uses it" in ran.errors


def test_a_lock_lies_in_the_current_folder_of_a_work_tree(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    Path("sub/m").mkdir(parents=True)
    (folder / ".git").touch()
    Path("sub/m/t.yaml").write_text(MANIFEST)
    monkeypatch.chdir("sub")
    assert find_lock_path(find_manifests(["m"]).places) == Path(LOCK_FILE)


@pytest.mark.usefixtures("folder")
def test_validate_uses_a_lock_unless_told_otherwise(command: Command):
    Path("tasks.yaml").write_text("version: 1\nproject: 7\ntasks: [{id: 1, data: {text: {}}}]\n")
    assert command("validate", "tasks.yaml").code == 0
    write_lock(make_lock(), Path(LOCK_FILE))
    ran = command("validate", "tasks.yaml")
    assert ran.code == 1
    assert "tasks.yaml:3:30: tasks[0].data.text: expected a string" in ran.errors
    assert f"<Text> at {LOCK_FILE}:15 uses it" in ran.errors
    assert command("validate", "tasks.yaml", "--format", "json").code == 1
    assert command("validate", "tasks.yaml", "--no-lock").code == 0


@pytest.mark.usefixtures("folder")
def test_validate_says_what_it_cannot_check(command: Command):
    Path("tasks.yaml").write_text("version: 1\nproject: 8\ntasks: [{id: 1}]\n")
    write_lock(make_lock(), Path(LOCK_FILE))
    ran = command("validate", "tasks.yaml")
    assert ran.code == 0
    assert f"{LOCK_FILE}: project 8 is not in it, so its label config is not checked" in ran.errors


@pytest.mark.usefixtures("folder")
def test_validate_checks_all_environments_or_the_chosen_one(command: Command):
    lock = make_lock().put("staging", LockedServer(ADDRESS, projects={7: LockedProject(7, "<a/>")}))
    write_lock(lock, Path(LOCK_FILE))
    Path("reconciler.toml").write_text(
        "".join(f'[environments.{e}]\nurl = "{ADDRESS}"\n' for e in ("default", "staging"))
    )
    Path("tasks.yaml").write_text("version: 1\nproject: 7\ntasks: [{id: 1, data: {text: {}}}]\n")
    codes = [command("validate", "tasks.yaml", *env).code for env in ([], ["--env", "staging"])]
    assert codes == [1, 0]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("locked", "told"),
    [
        (make_lock("<View/>"), "project 7: its label config has changed since"),
        (make_lock(number=8), "project 7 is not in it"),
        (make_lock(honoured=frozenset({"data"})), "the server now stores"),
        (Lock().put("", LockedServer("https://other.example.org")), "it is of https://other.ex"),
        (Lock().put("", LockedServer(ADDRESS, "1.22.0")), "was Label Studio 1.22.0, and is 1.23.2"),
    ],
)
def test_a_plan_tells_a_stale_lock_and_costs_no_more(
    command: Command, wire: Wire, monkeypatch: pytest.MonkeyPatch, locked: Lock, told: str
):
    set_environment(monkeypatch)
    monkeypatch.setenv("LABEL_STUDIO_URL", ADDRESS)
    transport = wire.transport = Hooked(make_state())
    Path("tasks.yaml").write_text(MANIFEST)
    plain = command("plan", "tasks.yaml")
    requests = len(transport.requests)
    write_lock(locked, Path(LOCK_FILE))
    ran = command("plan", "tasks.yaml")
    assert (ran.code, ran.output) == (plain.code, plain.output)
    assert len(transport.requests) == 2 * requests
    assert f"reconciler: warning: {LOCK_FILE}: " in ran.errors
    assert told in ran.errors
    assert "reconciler doctor --update-lock" in ran.errors


VALID = format_lock(make_lock())


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\xff\xfe",
        b"- 1\n",
        b"a: [\n",
        VALID.encode()[:200],
        VALID.replace('"1.0"', '"2.0"').encode(),
        VALID.replace('"1.0"', "7").encode(),
        VALID.replace("number: 7", 'number: "7"').encode(),
        VALID.replace(ADDRESS, "ftp://x").encode(),
        VALID.encode() + b"foo: 1\n",
        VALID.encode() + b"---\n" + VALID.encode(),
        VALID.encode() + b"<<<<<<< HEAD\n=======\n>>>>>>> other\n",
    ],
)
@pytest.mark.usefixtures("folder")
def test_doctor_replaces_a_damaged_lock_as_the_message_says(
    command: Command, wire: Wire, monkeypatch: pytest.MonkeyPatch, damaged: bytes
):
    set_environment(monkeypatch)
    monkeypatch.setenv("LABEL_STUDIO_URL", ADDRESS)
    wire.transport = SandboxTransport(make_state())
    Path("tasks.yaml").write_text(MANIFEST)
    Path(LOCK_FILE).write_bytes(damaged)
    told = command("validate", "tasks.yaml")
    assert told.code == 1
    assert "reconciler doctor --update-lock" in told.output + told.errors

    ran = command("doctor", "tasks.yaml", "--update-lock")

    assert ran.code == 0
    assert "it could not be read, and was replaced" in ran.errors
    assert 7 in read_lock(LOCK_FILE).lock.environments[DEFAULT].projects
    again = command("doctor", "tasks.yaml", "--update-lock")
    assert "nothing has changed" in again.errors


@pytest.mark.usefixtures("folder")
def test_doctor_does_not_replace_what_is_not_a_file(
    command: Command, wire: Wire, monkeypatch: pytest.MonkeyPatch
):
    set_environment(monkeypatch)
    monkeypatch.setenv("LABEL_STUDIO_URL", ADDRESS)
    wire.transport = SandboxTransport(make_state())
    Path("tasks.yaml").write_text(MANIFEST)
    Path("target").write_text("kept")
    Path(LOCK_FILE).symlink_to("target")
    ran = command("doctor", "tasks.yaml", "--update-lock")
    assert ran.code == 1
    assert "not a regular file (remove it, and run reconciler doctor --update-lock)" in ran.errors
    assert Path("target").read_text() == "kept"


@pytest.mark.parametrize("is_link", [True, False])
def test_a_bad_lock_does_not_fail_a_pull(server: Hooked, command: Command, is_link: bool):  # noqa: FBT001 - parametrized
    spoil_lock(is_link=is_link)
    ran = command("pull", "--project", "7", "--out", "m", "-q")
    assert ran.code == 0
    assert "Pulled 3 tasks of project 7." in ran.output
    assert f"reconciler: warning: {LOCK_FILE} was not updated: {LOCK_FILE}" in ran.errors
    assert Path(LOCK_FILE).read_text() == DAMAGED
    assert server.requests


def test_doctor_says_that_only_the_lock_failed(server: Hooked, command: Command):
    spoil_lock(is_link=True)
    Path("tasks.yaml").write_text("version: 1\nproject: 7\ntasks: [{id: 1, overlap: 1}]\n")
    ran = command("doctor", "tasks.yaml", "--update-lock", "-q")
    assert ran.code == 1
    said, why = ran.errors.splitlines()[:2]
    assert said == f"reconciler: the checks found no problems, but {LOCK_FILE} was not written:"
    assert why.startswith(LOCK_FILE)
    assert Path(LOCK_FILE).read_text() == DAMAGED
    assert server.requests


MISFITS = [
    {"text": "fits", "image": "/a.png"},
    {"text": "no address", "image": "a cat"},
    {"text": None, "image": "/a.png"},
    {"text": "shared", "image": "/a.png", "split": "x"},
    {"image": "/a.png", "split": "x"},
]


@pytest.mark.parametrize("options", [(), ("--hoist",), ("--split-by", "data.split")])
def test_a_pull_counts_the_tasks_that_validate_refuses(
    command: Command, wire: Wire, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
):
    set_environment(monkeypatch)
    state = new_state()
    project = state.add_project("Reviews", CONFIG, number=7)
    for number, data in enumerate(MISFITS):
        state.add_task(
            project, {"data": {"text": "as before", "image": "/b.png"}}, number=number + 1
        )
        state.tasks[number + 1].values["data"] = data
    wire.transport = Hooked(state)

    ran = command("pull", "--project", "7", "--out", "m", *options)

    assert "2 tasks do not fit the label config: see reconciler validate m\n" in ran.output
    refused = command("validate", "m")
    assert refused.code == 1
    assert refused.errors.count(" uses it") == 2


def test_a_pull_of_tasks_that_fit_says_nothing_of_it(server: Hooked, command: Command):
    assert "label config" not in command("pull", "--project", "7", "--out", "m").output
    assert command("validate", "m").code == 0
    assert server.requests


DAMAGED = "<<<<<<< HEAD\n"


def spoil_lock(*, is_link: bool) -> None:
    if is_link:
        Path("target").write_text(DAMAGED)
        Path(LOCK_FILE).symlink_to("target")
    else:
        Path(LOCK_FILE).write_text(DAMAGED)
