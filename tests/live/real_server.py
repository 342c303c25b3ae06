"""A real Label Studio on loopback, in a data folder of its own, gone when the tests are."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

ROOT = Path(__file__).parents[2]
DEFAULT_BIN = ROOT / ".live" / "venv" / "bin" / "label-studio"
TOKEN = "c0ffee5a" * 5
START_SECONDS = 400
STOP_SECONDS = 20
# Up to 1.22 a server with this off shows objects themselves, where the storage presigns nothing.
NO_STORAGE_PROXY = {"fflag_optic_all_optic_1938_storage_proxy": "false"}
OFFLINE = {
    "COLLECT_ANALYTICS": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "LATEST_VERSION_CHECK": "false",
}


@dataclass(frozen=True, slots=True)
class RealServer:
    """Where it listens and where its database lies."""

    url: str
    database: Path

    def connect_storage(self, project: int, bucket: str, *, presign: bool, endpoint: str) -> None:
        """Put a row into the database: over the API, a storage has to answer first."""
        row = {
            "title": "contract",
            "created_at": datetime.now(UTC).isoformat(" ").removesuffix("+00:00"),
            "bucket": bucket,
            "use_blob_urls": 0,
            "aws_access_key_id": "none",
            "aws_secret_access_key": "none",
            "region_name": "us-east-1",
            "s3_endpoint": endpoint,
            "presign": int(presign),
            "presign_ttl": 1,
            "project_id": project,
            "recursive_scan": 0,
            "status": "initialized",
            "synchronizable": 1,
        }
        self._insert("io_storages_s3importstorage", row)

    def connect_model(self, project: int) -> Callable[[], bool]:
        """Put a row into the database, as the server refuses models on loopback.

        Gives what tells whether the server wanted to run the model since: it asks the model for its
        state first, and notes that it got none.
        """
        moment = datetime.now(UTC).isoformat(" ").removesuffix("+00:00")
        row = {
            "state": "CO",
            "is_interactive": 0,
            "url": "http://127.0.0.1:9",
            "title": "contract",
            "timeout": 5.0,
            "auto_update": 0,
            "auth_method": "NONE",
            "created_at": moment,
            "updated_at": moment,
            "project_id": project,
        }
        self._insert("ml_mlbackend", row)

        def ran() -> bool:
            query = "SELECT state FROM ml_mlbackend WHERE project_id = ?"
            with closing(sqlite3.connect(self.database, timeout=30)) as database:
                [state] = database.execute(query, (project,)).fetchone()
            return bool(state != "CO")

        return ran

    def _insert(self, table: str, row: Mapping[str, object]) -> None:
        places = ",".join("?" * len(row))
        statement = f"INSERT INTO {table}({','.join(row)}) VALUES({places})"
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            database.execute(statement, tuple(row.values()))


@contextmanager
def running(executable: Path, *, page_size_max: int) -> Iterator[RealServer]:
    """Start the server, wait until it is healthy, and stop all of its processes at the end."""
    if not executable.is_file():
        pytest.fail(f"{executable}: no Label Studio there; set RECONCILER_LIVE_BIN")
    with TemporaryDirectory(prefix="reconciler-live-") as folder:
        port = _free_port()
        log = Path(folder, "server.log")
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - the path comes from whoever runs the tests
                _command(executable, port),
                env=_environment(Path(folder), page_size_max),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_healthy(url, process, log)
            yield RealServer(url, Path(folder, "label_studio.sqlite3"))
        finally:
            _stop(process)


def _command(executable: Path, port: int) -> list[str]:
    user = ["--username", "contract@example.com", "--password", "contract-contract"]
    return [
        str(executable),
        *["start", "--no-browser", "--port", str(port), *user, "--user-token", TOKEN],
    ]


def _environment(folder: Path, page_size_max: int) -> dict[str, str]:
    """Only what it needs: settings of whoever runs the tests do not reach it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "TASK_API_PAGE_SIZE_MAX": str(page_size_max),
        **OFFLINE,
        **NO_STORAGE_PROXY,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    end = log.read_text(errors="replace")[-2000:]
    pytest.fail(f"Label Studio did not come up at {url}:\n{end}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the process group that was started here, which is led by the process itself."""
    for wish in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, wish)
            process.wait(STOP_SECONDS)
        except ProcessLookupError:
            process.wait()
        except subprocess.TimeoutExpired:
            continue
        return
