"""Runs beside a proxy: what goes to it, and what never does. All of it listens on loopback."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from reconciler.cli.main import run
from reconciler.errors import NotSent
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.network import Network
from reconciler.labelstudio.proxies import choose_proxy
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.state import State
from tests.unit.cli.conftest import Manifest, process
from tests.unit.cli.test_tls import with_tls
from tests.unit.labelstudio.patient import Patient
from tests.unit.labelstudio.wired import sandbox_with

HOST = "label-studio.test"


@dataclass
class Listening:
    """A proxy: what it was sent before it let anything through, and what went through it."""

    address: str = ""
    heads: list[bytes] = field(default_factory=list)
    passed: list[bytes] = field(default_factory=list)


@contextmanager
def proxy(*, to: str = "", refuses: bytes = b"") -> Iterator[Listening]:
    """A proxy that connects all who ask to one address on loopback, or refuses them."""
    listening = Listening()
    with socket.create_server(("127.0.0.1", 0)) as server:
        listening.address = f"127.0.0.1:{server.getsockname()[1]}"

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    threading.Thread(target=serve, args=[client], daemon=True).start()

        def serve(client: socket.socket) -> None:
            with client, suppress(OSError):
                listening.heads.append(client.recv(65536))
                if refuses or not to:
                    client.sendall(refuses)
                    return
                host, _, port = to.rpartition(":")
                with socket.create_connection((host, int(port))) as upstream:
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = threading.Thread(target=_pump, args=[upstream, client], daemon=True)
                    back.start()
                    _pump(client, upstream, listening.passed.append)
                    back.join()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listening
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


def _pump(
    source: socket.socket, target: socket.socket, note: Callable[[bytes], None] = lambda _: None
) -> None:
    with suppress(OSError):
        while sent := source.recv(65536):
            note(sent)
            target.sendall(sent)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_byte_of_a_run_against_this_machine_goes_to_a_proxy(
    sandbox: tuple[State, str], manifest: Manifest, variable: str
):
    _, url = sandbox
    with proxy() as listening:
        given = {variable: f"http://{listening.address}"}
        for address in (url, url.replace("127.0.0.1", "localhost")):
            assert process("plan", manifest(), url=address, **given).returncode == 0
        assert listening.heads == []


@pytest.mark.parametrize(
    "given",
    [
        {"NO_PROXY": "fd07::/64"},
        {"NO_PROXY": "[::1]"},
        {"HTTP_PROXY": "ftp://x", "NO_PROXY": "10.0.0.0/99,\x01"},
        {"ALL_PROXY": "http://[::", "no_proxy": "::"},
    ],
)
def test_nothing_in_the_variables_ends_a_run_that_needs_no_proxy(
    sandbox: tuple[State, str], manifest: Manifest, given: dict[str, str]
):
    ran = process("plan", manifest(), url=sandbox[1], **given)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_plain_http_through_a_proxy_is_plain_http_to_another_host(manifest: Manifest):
    """Even where the proxy is on this machine: from there on everybody can read it."""
    with proxy() as listening:
        given = {"HTTP_PROXY": f"http://{listening.address}"}
        ran = process("plan", manifest(), url=f"http://{HOST}", **given)
        assert ran.returncode == 1
        assert "the token would be sent without encryption" in ran.stderr
        assert listening.heads == []


def test_plain_http_goes_through_a_proxy_where_it_is_allowed(manifest: Manifest):
    with proxy(refuses=b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as listening:
        given = {"HTTP_PROXY": f"http://{listening.address}", "RECONCILER_ALLOW_PLAIN_HTTP": "1"}
        ran = process("plan", manifest(), url=f"http://{HOST}", **given)
        assert ran.returncode == 1
        assert "returned 407" in ran.stderr
        assert listening.heads[0].startswith(b"GET http://label-studio.test/api/version?_=")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_https_goes_through_a_proxy_that_learns_only_the_name_of_the_server(
    manifest: Manifest, tmp_path: Path, scheme: str
):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    state = sandbox_with(3)
    password = base64.b64encode(b"anna:s3:cret")
    with (
        with_tls(state, authority.issue_cert(HOST)) as url,
        proxy(to=url.removeprefix("https://")) as plain,
        behind_tls(plain.address, authority.issue_cert("127.0.0.1")) as encrypted,
    ):
        at = plain.address if scheme == "http" else encrypted
        given = {
            "HTTPS_PROXY": f"{scheme}://anna:s3%3Acret@{at}",
            "SSL_CERT_FILE": str(tmp_path / "authority.pem"),
            "RECONCILER_HEADER_X_GATEWAY": "s3cret-of-the-gateway",
        }
        applied = process("apply", "--yes", "--verbose", manifest(), url=f"https://{HOST}", **given)
    assert applied.returncode == 0, applied.stderr
    assert state.requests("PATCH") == 3
    assert f"the proxy {scheme}://{at}, set by HTTPS_PROXY" in applied.stderr
    assert "cret" not in applied.stderr
    for head in plain.heads:
        assert head.startswith(b"CONNECT label-studio.test:443 HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic " + password in head
    seen = b"".join(plain.heads + plain.passed)
    assert SANDBOX_TOKEN.encode() not in seen
    assert b"s3cret-of-the-gateway" not in seen


@contextmanager
def behind_tls(address: str, certificate: trustme.LeafCert) -> Iterator[str]:
    """TLS before a proxy; gives its address."""
    host, _, port = address.rpartition(":")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(tls)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    threading.Thread(target=serve, args=[client], daemon=True).start()

        def serve(client: socket.socket) -> None:
            with (
                suppress(OSError),
                tls.wrap_socket(client, server_side=True) as outer,
                socket.create_connection((host, int(port))) as inner,
            ):
                threading.Thread(target=_pump, args=[inner, outer], daemon=True).start()
                _pump(outer, inner)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("answer", "requests"),
    [(b"HTTP/1.1 407 Who are you\r\n\r\n", 1), (b"HTTP/1.1 502 No such host\r\n\r\n", 3)],
)
def test_the_error_for_a_proxy_that_lets_nothing_pass_names_the_proxy(answer: bytes, requests: int):
    with proxy(refuses=answer) as listening:
        given = {"HTTPS_PROXY": f"http://anna:s3cret@{listening.address}"}
        network = Network(choose_proxy(f"https://{HOST}", given))
        with (
            Client(
                f"https://{HOST}",
                parse_token(SANDBOX_TOKEN),
                network=network,
                backoff=Patient(),
            ) as client,
            pytest.raises(NotSent) as failed,
        ):
            client.get("/api/version")
        said = answer.decode().removeprefix("HTTP/1.1 ").strip()
        assert str(failed.value) == (
            f"cannot connect to https://{HOST} through the proxy "
            f"http://{listening.address}: {said} "
            "(is the proxy in HTTPS_PROXY running, and does it allow this connection?)"
        )
        assert len(listening.heads) == requests


def test_a_proxy_that_cannot_be_used_is_told_before_manifests_are_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    monkeypatch.setenv("LABEL_STUDIO_URL", f"https://{HOST}")
    monkeypatch.setenv("https_proxy", "http://anna:s3cret/x@proxy.test")
    Path("broken.yaml").write_text("[", encoding="utf-8")
    assert run(["plan", "broken.yaml"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("reconciler: https_proxy is not the address of a proxy (")
    assert "s3cret" not in said


def test_an_invalid_entry_of_no_proxy_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SANDBOX_TOKEN)
    monkeypatch.setenv("LABEL_STUDIO_URL", f"https://{HOST}")
    with proxy() as listening:
        monkeypatch.setenv("https_proxy", f"http://{listening.address}")
        monkeypatch.setenv("NO_PROXY", "192.168.*")
        Path("broken.yaml").write_text("[", encoding="utf-8")
        for options, times in (((), 1), (("--quiet",), 0)):
            assert run(["plan", "broken.yaml", *options]) == 1
            assert capsys.readouterr().err.count("warning: NO_PROXY: ignored '192.168.*'") == times
        assert listening.heads == []


def test_the_netrc_file_takes_no_part(sandbox: tuple[State, str], manifest: Manifest):
    """It would put another user's password in the place of the token."""
    Path(".netrc").write_text("default login anna password s3cret\n", encoding="utf-8")
    Path(".netrc").chmod(0o600)
    ran = process("plan", manifest(), url=sandbox[1], HOME=str(Path.cwd()))
    assert ran.returncode == 0
