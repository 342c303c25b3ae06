"""A real nginx on loopback before a server, run as any user of the machine would run it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

import pytest

_FOLDERS = "client_body_temp_path proxy_temp_path fastcgi_temp_path uwsgi_temp_path scgi_temp_path"
_CONFIGURATION = Template("""\
daemon off;
master_process off;
pid $folder/pid;
error_log $folder/error.log;
events {}
http {
  access_log off;
  $folders
  limit_req_zone $$binary_remote_addr zone=few:1m rate=20r/s;
  server {
    listen 127.0.0.1:$port $listen;
    $of_server
    location / {
      $of_location
      proxy_pass $upstream;
    }
  }
}
""")


def nginx_or_skip() -> str:
    """Find nginx; without one a test is skipped, and in CI fails."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None and os.environ.get("CI"):
        pytest.fail("nginx is not installed; .ci/run installs it")
    if found is None:
        pytest.skip("nginx is not installed: these tests need a real one")
    return found


@contextmanager
def nginx(
    upstream: str, *, location: str = "", server: str = "", listen: str = ""
) -> Iterator[str]:
    """Start one with lines of its ``location``, or ``server``; gives its host and port."""
    executable = nginx_or_skip()
    with TemporaryDirectory(prefix="reconciler-nginx-") as name:
        folder = Path(name)
        port = _free_port()
        text = _CONFIGURATION.substitute(
            folder=folder,
            folders=" ".join(f"{word} {folder}/{word};" for word in _FOLDERS.split()),
            port=port,
            listen=listen,
            of_server=server,
            of_location=location,
            upstream=upstream,
        )
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
        process = subprocess.Popen(  # noqa: S603 - as found above
            [executable, "-e", f"{folder}/error.log", "-p", name, "-c", f"{folder}/nginx.conf"],
            stdin=subprocess.DEVNULL,
        )
        try:
            _wait_until_listening(port, process, folder / "error.log")
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    said = log.read_text(encoding="utf-8") if log.exists() else "nothing"
    pytest.fail(f"nginx does not listen: {said}")
