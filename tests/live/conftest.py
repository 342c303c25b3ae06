"""The same tests on two servers: the sandbox, or with ``--server real`` a real Label Studio."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest

from reconciler.cli.main import run
from reconciler.sandbox.access import SANDBOX_REFRESH_TOKEN, SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.overlaps import apply_count_change
from reconciler.sandbox.releases import NAMES, NEWEST
from reconciler.sandbox.state import State, Storage
from reconciler.sandbox.tasks_file import new_state
from tests.live.buckets import buckets
from tests.live.command_line import Command, Ran
from tests.live.counting_proxy import Asked, Through, Trouble, counting_proxy
from tests.live.real_server import DEFAULT_BIN, TOKEN, running
from tests.live.under_test import PAGE_SIZE_MAX, ServerUnderTest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server",
        choices=("sandbox", "real"),
        default="sandbox",
        help="what the contract tests run on: the sandbox, or a real Label Studio started for "
        "them (RECONCILER_LIVE_BIN), or the one at RECONCILER_LIVE_URL (RECONCILER_LIVE_TOKEN)",
    )
    parser.addoption(
        "--release",
        choices=NAMES,
        default=NEWEST,
        help="which release the sandbox behaves like; a real server is what it is",
    )


def pytest_configure(config: pytest.Config) -> None:
    lines = (
        "since(release): what is so from this release on",
        "until(release): what is so up to this release",
        "every_release: run on the sandbox of each release that it knows, not on the chosen one",
    )
    for line in lines:
        config.addinivalue_line("markers", line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let the sandbox be of each release of which a test says something."""
    several = {"every_release", "until"} & {m.name for m in metafunc.definition.iter_markers()}
    if several and metafunc.config.getoption("--server", "sandbox") == "sandbox":
        names = [name for name in NAMES if _holds(metafunc.definition, _numbers(name))]
        metafunc.parametrize("release", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest) -> str:
    """The release that the sandbox behaves like."""
    return str(getattr(request, "param", request.config.getoption("--release", NEWEST)))


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, release: str) -> Iterator[ServerUnderTest]:
    with _chosen(request.config.getoption("--server", "sandbox"), release) as chosen:
        yield chosen


@pytest.fixture(autouse=True)
def _of_this_release(request: pytest.FixtureRequest) -> None:
    """Skip what is not so on the server's release."""
    if not {"since", "until"} & {marker.name for marker in request.node.iter_markers()}:
        return
    server: ServerUnderTest = request.getfixturevalue("server")
    if not _holds(request.node, server.release):
        pytest.skip(f"release {'.'.join(map(str, server.release))} behaves differently")


def _holds(item: pytest.Item, release: tuple[int, ...]) -> bool:
    """Tell whether what a test says is so on a release; ``until`` means all of that release."""
    since = [_numbers(marker.args[0]) for marker in item.iter_markers("since")]
    until = [_numbers(marker.args[0]) for marker in item.iter_markers("until")]
    return all(release >= first for first in since) and all(
        release[: len(last)] <= last for last in until
    )


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".") if part.isdecimal())


@pytest.fixture
def community(server: ServerUnderTest) -> ServerUnderTest:
    if server.edition != "community":
        pytest.skip("only the community edition behaves so")
    return server


@pytest.fixture
def refresh_token(server: ServerUnderTest) -> str:
    if server.refresh_token is None:
        pytest.skip("this server's user has a personal access token already")
    return server.refresh_token


@pytest.fixture
def command(
    server: ServerUnderTest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Command:
    """The command line, in an empty folder and pointed at the server."""
    monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.token)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.chdir(tmp_path)

    def reconciler(*arguments: str) -> Ran:
        code = run(arguments)
        out, err = capsys.readouterr()
        assert server.token not in out + err
        return Ran(code, out, err)

    return reconciler


@pytest.fixture
def through(server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> Through:
    """Puts a proxy before the server, for as long as a with statement lasts."""

    @contextmanager
    def through(trouble: Trouble) -> Iterator[list[Asked]]:
        with counting_proxy(server.url, trouble) as (url, asked), monkeypatch.context() as patched:
            patched.setenv("LABEL_STUDIO_URL", url)
            yield asked

    return through


@pytest.fixture
def page_size_cap(server: ServerUnderTest) -> Iterator[Callable[[int], None]]:
    """Sets how many tasks a page of the server holds at most, for one test."""
    if server.cap_pages is None:
        pytest.skip("a real server takes its cap on pages from the environment it starts in")
    yield server.cap_pages
    server.cap_pages(server.page_size_max)


@contextmanager
def _chosen(name: str, release: str) -> Iterator[ServerUnderTest]:
    url = os.environ.get("RECONCILER_LIVE_URL")
    if url:
        with _client(url, os.environ["RECONCILER_LIVE_TOKEN"]) as http:
            yield _live(http, os.environ["RECONCILER_LIVE_TOKEN"])
    else:
        with _real() if name == "real" else _sandbox(release) as server:
            yield server


@contextmanager
def _real() -> Iterator[ServerUnderTest]:
    executable = Path(os.environ.get("RECONCILER_LIVE_BIN", DEFAULT_BIN))
    with (
        buckets() as endpoint,
        running(executable, page_size_max=PAGE_SIZE_MAX) as real,
        _client(real.url, TOKEN) as http,
    ):
        server = _live(http, TOKEN)
        connect = partial(real.connect_storage, endpoint=endpoint)
        yield replace(
            server,
            connect=connect,
            page_size_max=PAGE_SIZE_MAX,
            add_model=real.connect_model,
        )


@contextmanager
def _sandbox(release: str) -> Iterator[ServerUnderTest]:
    state = new_state(release=release)
    state.page_size_max = PAGE_SIZE_MAX
    with serve(state) as url, _client(url, SANDBOX_TOKEN) as http:
        yield ServerUnderTest(
            url=url,
            token=SANDBOX_TOKEN,
            refresh_token=SANDBOX_REFRESH_TOKEN,
            edition=state.edition,
            release=_numbers(state.release.version),
            http=http,
            connect=partial(_connect, state),
            page_size_max=PAGE_SIZE_MAX,
            remove=lambda task: _remove(state, task),
            cap_pages=lambda size: setattr(state, "page_size_max", size),
            add_model=partial(_add_model, state),
        )


def _remove(state: State, task: int) -> None:
    """Delete a task behind the API: the sandbox offers no DELETE, as the tool sends none."""
    project = state.projects[state.tasks.pop(task).project]
    project.task_ids.remove(task)
    apply_count_change(state, project)


def _add_model(state: State, project: int) -> Callable[[], bool]:
    before = state.projects[project].model_runs
    return lambda: state.projects[project].model_runs > before


def _connect(state: State, project: int, bucket: str, *, presign: bool) -> None:
    state.projects[project].storage = Storage(bucket, presign=presign)


def _live(http: httpx.Client, token: str) -> ServerUnderTest:
    version = http.get("/api/version").json()
    return ServerUnderTest(
        url=str(http.base_url),
        token=token,
        refresh_token=_new_refresh_token(http),
        edition=version.get("edition", "Community").lower(),
        release=_numbers(version["release"]),
        http=http,
    )


def _new_refresh_token(http: httpx.Client) -> str | None:
    """Make a personal access token; a user can have only one."""
    answer = http.post("/api/token/")
    return str(answer.json()["token"]) if answer.status_code == httpx.codes.CREATED else None


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=60)
