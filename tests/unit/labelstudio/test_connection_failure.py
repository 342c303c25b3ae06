"""No connection, or none that lasts until the answer: what is said of it, and what to do."""

from __future__ import annotations

import httpx
import pytest

from reconciler.errors import Unreachable
from reconciler.labelstudio.connection_failure import make_not_sent
from reconciler.labelstudio.network import Authorities, Network
from tests.unit.labelstudio.wired import Scripted, client_of


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            httpx.ConnectError("[Errno 111] Connection refused"),
            (
                "cannot connect to http://label-studio.test: [Errno 111] Connection refused "
                "(is the server running, and is the server address in LABEL_STUDIO_URL or url "
                "right?)"
            ),
        ),
        (
            httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"),
            (
                "cannot connect to http://label-studio.test: [SSL: CERTIFICATE_VERIFY_FAILED] "
                "self-signed certificate (set SSL_CERT_FILE to a file with the authority "
                "(CA) that issued the certificate)"
            ),
        ),
        (
            httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number"),
            (
                "cannot connect to http://label-studio.test: [SSL: WRONG_VERSION_NUMBER] wrong "
                "version number (the response is not TLS: are https and the port right in the "
                "server address in LABEL_STUDIO_URL or url?)"
            ),
        ),
        (
            httpx.ReadTimeout("timed out"),
            "no complete response from http://label-studio.test in 5 s",
        ),
        (
            httpx.RemoteProtocolError("peer closed connection"),
            "no complete response from http://label-studio.test: peer closed connection",
        ),
        (httpx.ReadError(""), "no complete response from http://label-studio.test: ReadError"),
    ],
)
def test_a_failed_connection_and_a_lost_response_have_different_messages(
    error: httpx.TransportError, message: str
):
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with client_of(Scripted(fail)) as client, pytest.raises(Unreachable) as failed:
        client.get("/api/tasks/1/")
    assert str(failed.value) == message
    assert failed.value.status == 0


def test_a_server_that_is_not_trusted_is_not_asked_again():
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")

    with client_of(Scripted(refuse)) as client:
        with pytest.raises(Unreachable):
            client.get("/api/tasks/1/")
        assert client.requests == 1


def test_the_hint_for_an_untrusted_server_names_the_file_of_authorities():
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")

    network = Network(authorities=Authorities("/etc/own.pem"))
    with (
        client_of(Scripted(refuse), network=network) as client,
        pytest.raises(Unreachable) as failed,
    ):
        client.get("/api/tasks/1/")
    assert failed.value.hint == (
        "add the authority (CA) that issued the certificate to /etc/own.pem (SSL_CERT_FILE)"
    )


def test_the_file_that_names_the_address_is_named() -> None:
    error = make_not_sent("http://x.test", "Connection refused", Network(), "reconciler.toml:1")
    assert error.hint.endswith("is the server address in reconciler.toml:1 right?")
