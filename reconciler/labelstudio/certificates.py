"""The certificate authorities to trust, and the certificate of the client."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx

from reconciler.errors import SettingsError
from reconciler.labelstudio.network import Authorities, ClientCertificate, Network

FILE_VARIABLE: Final = "SSL_CERT_FILE"
FOLDER_VARIABLE: Final = "SSL_CERT_DIR"
CLIENT_VARIABLE: Final = "RECONCILER_CLIENT_CERT"
KEY_VARIABLE: Final = "RECONCILER_CLIENT_KEY"
PASSWORD_VARIABLE: Final = "RECONCILER_CLIENT_KEY_PASSWORD"  # noqa: S105 - the name, not the password


def find_authorities(environment: Mapping[str, str]) -> Authorities:
    """Return the authorities that an environment names with the variables of OpenSSL."""
    return Authorities(environment.get(FILE_VARIABLE, ""), environment.get(FOLDER_VARIABLE, ""))


def start_reading_certificates(address: str, network: Network) -> Future[ssl.SSLContext]:
    """Begin to read the certificates for an address, while manifests are read.

    Reading takes 30 ms, most of it without the GIL. The process does not exit before it ends, even
    if the result is unused: OpenSSL must not shut down while it reads. If the address is not https,
    nothing is read, and no certificate is trusted. The result raises SettingsError.
    """
    if not address.startswith("https:"):
        without_authorities = Future[ssl.SSLContext]()
        without_authorities.set_result(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        return without_authorities
    reader = ThreadPoolExecutor(1)
    reading = reader.submit(read_certificates, network.authorities, network.certificate)
    reader.shutdown(wait=False)
    return reading


def read_certificates(
    authorities: Authorities = Authorities(),  # noqa: B008 - it is frozen
    certificate: ClientCertificate | None = None,
) -> ssl.SSLContext:
    """Read the trusted authorities, and load the client certificate; raises SettingsError."""
    file, folders = authorities.file, authorities.folders
    if file:
        _check_readable(Path(file), FILE_VARIABLE)
    elif folders and not any(map(os.path.isdir, folders.split(os.pathsep))):
        raise SettingsError(f"{FOLDER_VARIABLE}: expected a folder, found none at {folders}")
    try:
        context = _create_context(authorities)
    except (OSError, ValueError) as error:
        found = f"{FILE_VARIABLE}: cannot read certificates from {file}"
        raise SettingsError(
            f"{found if file else 'cannot read the trusted certificates'}: {error}",
            hint="use certificates in PEM format",
        ) from error
    if certificate is not None:
        _load_client_certificate(context, certificate)
    return context


def _create_context(authorities: Authorities) -> ssl.SSLContext:
    if authorities.file:
        return ssl.create_default_context(cafile=authorities.file)
    if authorities.folders:
        return ssl.create_default_context(capath=authorities.folders)
    return httpx.create_ssl_context(trust_env=False)


def _load_client_certificate(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    _check_readable(certificate.certificate, CLIENT_VARIABLE)
    if certificate.key is not None:
        _check_readable(certificate.key, KEY_VARIABLE)
    key = certificate.key or certificate.certificate
    try:
        # Without a password function, OpenSSL would ask for the password on the terminal.
        context.load_cert_chain(certificate.certificate, key, lambda: certificate.password)
    except (OSError, ValueError) as error:
        raise _make_not_loaded(certificate.certificate, key, error) from error


def _make_not_loaded(certificate: Path, key: Path, error: Exception) -> SettingsError:
    """Build the error for a certificate and a key that OpenSSL does not load."""
    message = str(error)
    if "KEY_VALUES_MISMATCH" in message:
        return SettingsError(
            f"the key in {key} does not belong to the certificate in {certificate}",
            hint=f"check {CLIENT_VARIABLE} and {KEY_VARIABLE}",
        )
    return SettingsError(
        f"{CLIENT_VARIABLE}: cannot use the certificate in {certificate} with the key in {key}: "
        f"{message}",
        hint=f"use PEM format for both; if the key has a password, set {PASSWORD_VARIABLE}",
    )


def _check_readable(path: Path, variable: str) -> None:
    """Raise SettingsError if a file cannot be read: the error of OpenSSL would not name it."""
    try:
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        message = getattr(error, "strerror", None) or "not a valid file name"
        raise SettingsError(f"{variable}: cannot read {path}: {message}") from error
