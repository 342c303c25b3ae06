"""Certificates of others that are trusted, and our own: what is wrong is named with its file."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from reconciler.errors import SettingsError
from reconciler.labelstudio.certificates import read_certificates
from reconciler.labelstudio.network import Authorities, ClientCertificate


@pytest.fixture(autouse=True)
def other_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only what is passed counts."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "/nowhere/of/the/environment")
    monkeypatch.chdir(tmp_path)


def refused(
    certificate: ClientCertificate | None = None, *, file: str = "", folders: str = ""
) -> str:
    with pytest.raises(SettingsError) as caught:
        read_certificates(Authorities(file, folders), certificate)
    return str(caught.value)


def test_without_variables_the_usual_authorities_are_trusted():
    assert read_certificates().cert_store_stats()["x509_ca"] > 50


def test_a_file_of_authorities_takes_their_place():
    trustme.CA().cert_pem.write_to_path("authority.pem")
    assert read_certificates(Authorities("authority.pem")).cert_store_stats()["x509_ca"] == 1


def test_a_file_of_authorities_that_is_not_there_is_named():
    assert refused(file="/nowhere/authority.pem") == (
        "SSL_CERT_FILE: cannot read /nowhere/authority.pem: No such file or directory"
    )


def test_a_file_of_authorities_without_one_is_named():
    Path("authority.pem").write_text("not one", encoding="utf-8")
    said = refused(file="authority.pem")
    assert said.startswith("SSL_CERT_FILE: cannot read certificates from authority.pem: ")


def test_a_folder_of_authorities_that_is_not_there_is_named():
    """OpenSSL would say nothing, and trust nobody."""
    assert refused(folders="/nowhere") == (
        "SSL_CERT_DIR: expected a folder, found none at /nowhere"
    )
    assert isinstance(read_certificates(Authorities(folders="/nowhere:/")), ssl.SSLContext)


@pytest.fixture
def own() -> ClientCertificate:
    leaf = trustme.CA().issue_cert("anna@example.org")
    leaf.cert_chain_pems[0].write_to_path("certificate.pem")
    leaf.private_key_pem.write_to_path("key.pem")
    return ClientCertificate(Path("certificate.pem"), Path("key.pem"))


@pytest.mark.parametrize("password", ["s3cret", "", "wrong"])
def test_a_key_with_a_password_needs_it_and_nobody_is_asked_for_it(
    own: ClientCertificate, password: str
):
    key = serialization.load_pem_private_key(Path("key.pem").read_bytes(), password=None)
    locked_key = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"s3cret"),
    )
    Path("locked").write_bytes(locked_key)
    locked = ClientCertificate(own.certificate, Path("locked"), password)
    if password == "s3cret":
        read_certificates(certificate=locked)
        return
    said = refused(locked)
    assert said.startswith(
        "RECONCILER_CLIENT_CERT: cannot use the certificate in certificate.pem with the key in "
        "locked: "
    )
    assert said.endswith("if the key has a password, set RECONCILER_CLIENT_KEY_PASSWORD)")


def test_files_that_do_not_belong_together_are_named(own: ClientCertificate):
    trustme.CA().issue_cert("x.test").private_key_pem.write_to_path("other.pem")
    assert refused(ClientCertificate(own.certificate, Path("other.pem"))) == (
        "the key in other.pem does not belong to the certificate in certificate.pem "
        "(check RECONCILER_CLIENT_CERT and RECONCILER_CLIENT_KEY)"
    )


def test_files_that_are_not_there_or_hold_something_else_are_named(own: ClientCertificate):
    missing = "cannot read none: No such file or directory"
    assert refused(ClientCertificate(Path("none"), own.key)) == (
        f"RECONCILER_CLIENT_CERT: {missing}"
    )
    assert refused(ClientCertificate(own.certificate, Path("none"))) == (
        f"RECONCILER_CLIENT_KEY: {missing}"
    )
    # A certificate without a key in the same file.
    assert "with the key in certificate.pem" in refused(ClientCertificate(own.certificate))


def test_the_password_does_not_show_in_the_repr(own: ClientCertificate):
    assert "s3cret" not in repr(ClientCertificate(own.certificate, own.key, "s3cret"))
