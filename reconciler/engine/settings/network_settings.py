"""How to reach the server: headers for a gateway in front of it, client certificate and proxy.

Like the token, headers come only from the environment or a file that the environment names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from reconciler.core.server_address import is_plaintext
from reconciler.engine.settings.secret_file import check_permissions, read_secret
from reconciler.errors import SettingsError
from reconciler.labelstudio.certificates import (
    CLIENT_VARIABLE,
    KEY_VARIABLE,
    PASSWORD_VARIABLE,
    find_authorities,
)
from reconciler.labelstudio.network import ClientCertificate, Network
from reconciler.labelstudio.proxies import choose_proxy

PREFIX: Final = "RECONCILER_HEADER_"
FILE_VARIABLE: Final = "RECONCILER_HEADERS_FILE"

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")
"""What a header can hold everywhere (RFC 9110, section 5)."""

_OWN: Final = frozenset(
    {
        *("authorization", "host", "accept", "accept-encoding", "cache-control"),
        *("content-type", "content-length", "content-encoding", "expect", "range"),
        *("connection", "keep-alive", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade"),
        *("x-http-method", "x-http-method-override", "x-method-override"),
    }
)
"""Headers that define the request itself, which users must not set.

`Proxy-Authorization` is not among them: Google's gateway accepts its token there, because
`Authorization` is in use.
"""


def read_network(
    address: str, environment: Mapping[str, str], *, warn: Callable[[str], None]
) -> Network:
    """Read how to reach the server; raises SettingsError, which quotes no secret."""
    headers = _read_headers(environment, warn)
    if headers and is_plaintext(address):
        names = ", ".join(sorted(headers))
        raise SettingsError(
            f"{names}, set by {PREFIX}<NAME> or {FILE_VARIABLE}, would be sent without encryption: "
            f"{address} is not an https address",
            hint="use https; allow_plain_http (--allow-plain-http) is only for the token",
        )
    certificate = _read_client_certificate(environment, warn)
    proxy = choose_proxy(address, environment, warn=warn)
    return Network(proxy, headers, certificate, find_authorities(environment))


def _read_headers(environment: Mapping[str, str], warn: Callable[[str], None]) -> Mapping[str, str]:
    """Read all headers; raises SettingsError, which names the variable or the line of a file."""
    found: dict[str, tuple[str, str, str]] = {}
    for where, name, value in _list_headers(environment, warn):
        _check_header(where, name, value)
        first = found.setdefault(name.lower(), (where, name, value))
        if first[0] != where:
            raise SettingsError(
                f"{where}: duplicate header {name}, which {first[0]} sets as well",
                hint="keep one of them",
            )
    return {name: value for _, name, value in found.values()}


def _list_headers(
    environment: Mapping[str, str], warn: Callable[[str], None]
) -> Iterator[tuple[str, str, str]]:
    """Yield place, name and value of each header; an empty variable counts as not set."""
    for variable, value in sorted(environment.items()):
        if variable.startswith(PREFIX) and value.strip():
            yield variable, variable.removeprefix(PREFIX).replace("_", "-"), value.strip()
    file = environment.get(FILE_VARIABLE, "")
    if not file:
        return
    holding = "lines like Name: value"
    text = read_secret(Path(file), FILE_VARIABLE, holding=holding, warn=warn)
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, colon, value = line.partition(":")
            if not colon:
                raise SettingsError(
                    f"{file}:{number}: not a header", hint=f"write {holding}, and comments after #"
                )
            yield f"{file}:{number}", name.strip(), value.strip()


def _check_header(where: str, name: str, value: str) -> None:
    """Raise SettingsError for a header that is not valid or not allowed, without its value."""
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{where}: {name!r} is not a valid header name")
    if name.lower() in _OWN:
        raise SettingsError(
            f"{where}: the header {name} cannot be set",
            hint="set only headers that a gateway in front of the server requires",
        )
    if not _VALUE.fullmatch(value):
        raise SettingsError(
            f"{where}: the value of the header {name} is empty or has characters that a header "
            "cannot have",
            hint="write it on one line, in ASCII",
        )


def _read_client_certificate(
    environment: Mapping[str, str], warn: Callable[[str], None]
) -> ClientCertificate | None:
    certificate, key = environment.get(CLIENT_VARIABLE, ""), environment.get(KEY_VARIABLE, "")
    if not certificate:
        if key:
            raise SettingsError(
                f"{KEY_VARIABLE} is set, but {CLIENT_VARIABLE} is not",
                hint=f"set {CLIENT_VARIABLE} to the certificate of the key",
            )
        return None
    secret, variable = (Path(key), KEY_VARIABLE) if key else (Path(certificate), CLIENT_VARIABLE)
    with suppress(OSError, ValueError):  # Loading the file reports the error.
        check_permissions(secret, variable, secret.stat(), warn)
    return ClientCertificate(
        Path(certificate), Path(key) if key else None, environment.get(PASSWORD_VARIABLE, "")
    )
