"""Servers with TLS: asked where an authority that is trusted vouches for them, and only then."""

from __future__ import annotations

import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from tests.unit.cli.conftest import Manifest, process
from tests.unit.labelstudio.wired import sandbox_with

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """What makes a process trust the authority."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    return {"SSL_CERT_FILE": str(file)}


@contextmanager
def with_tls(
    state: State, certificate: trustme.LeafCert, *, clients: trustme.CA | None = None
) -> Iterator[str]:
    """A sandbox behind TLS on loopback; gives its address.

    Where there is an authority of ``clients``, nobody else may ask.
    """
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(tls)
    if clients is not None:
        clients.configure_trust(tls)
        tls.verify_mode = ssl.CERT_REQUIRED
    accept = socketserver.TCPServer.get_request

    def accept_with_tls(server: socketserver.TCPServer) -> tuple[ssl.SSLSocket, object]:
        connection, client = accept(server)
        return tls.wrap_socket(connection, server_side=True), client

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("reconciler.sandbox.loopback_server._Server.get_request", accept_with_tls)
        with serve(state) as url:
            yield url.replace("http:", "https:")


def test_a_server_that_an_authority_vouches_for_is_planned_and_applied_to(
    authority: trustme.CA, trusted: dict[str, str], manifest: Manifest
):
    state = sandbox_with(3)
    with with_tls(state, authority.issue_cert(HOST)) as url:
        applied = process("apply", "--yes", manifest(overlap=3), url=url, **trusted)
        planned = process("plan", "--detailed-exitcode", manifest(overlap=3), url=url, **trusted)
    assert (applied.returncode, applied.stderr) == (0, "")
    assert (planned.returncode, planned.stderr) == (0, "")


def refused(manifest: str, certificate: trustme.LeafCert, **trusted: str) -> str:
    """Plan where the certificate does not do; gives what is said of it."""
    state = sandbox_with(3)
    with with_tls(state, certificate) as url:
        ran = process("plan", manifest, url=url, **trusted)
    assert (ran.returncode, state.log) == (1, [])
    return ran.stderr


def test_an_untrusted_server_receives_nothing(authority: trustme.CA, manifest: Manifest):
    said = refused(manifest(), authority.issue_cert(HOST))
    assert "unable to get local issuer certificate" in said
    assert said.endswith(
        "(set SSL_CERT_FILE to a file with the authority (CA) that issued the certificate)\n"
    )


def test_a_server_with_the_certificate_of_another_receives_nothing(
    authority: trustme.CA, trusted: dict[str, str], manifest: Manifest
):
    said = refused(manifest(), authority.issue_cert("example.org"), **trusted)
    assert "IP address mismatch" in said
    assert said.endswith(
        "(the certificate is for another host: is the server address in LABEL_STUDIO_URL or url "
        "right?)\n"
    )


def test_a_server_whose_certificate_has_expired_receives_nothing(
    authority: trustme.CA, trusted: dict[str, str], manifest: Manifest
):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    said = refused(manifest(), authority.issue_cert(HOST, not_after=yesterday), **trusted)
    assert said.endswith("(renew the server's certificate, or correct the clock of this machine)\n")
