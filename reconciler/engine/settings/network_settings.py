"""What is sent to a server beside the token, for gateways before it: headers from the environment.

As the token, they come from there or from a file that is named there, and from nowhere else.
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
"""Headers that say who asks whom for what, and where a request ends: never for others to set.

`Proxy-Authorization` is not one of them: Google's gateway takes its token there, where
`Authorization` is taken.
"""


def read_network(
    address: str, environment: Mapping[str, str], *, warn: Callable[[str], None]
) -> Network:
    """Settle how a server is reached; raises SettingsError, which quotes no secret."""
    headers = _read_headers(environment, warn)
    if headers and is_plaintext(address):
        names = ", ".join(sorted(headers))
        raise SettingsError(
            f"{names} of {PREFIX}<NAME> or {FILE_VARIABLE} would be sent unencrypted: {address} is "
            "no https address",
            hint="use https; --allow-plain-http is for the token alone",
        )
    certificate = _read_client_certificate(environment, warn)
    proxy = choose_proxy(address, environment, warn=warn)
    return Network(proxy, headers, certificate, find_authorities(environment))


def _read_headers(environment: Mapping[str, str], warn: Callable[[str], None]) -> Mapping[str, str]:
    """Read all headers, each with the variable or the line of a file that it stands in."""
    found: dict[str, tuple[str, str, str]] = {}
    for where, name, value in _list_headers(environment, warn):
        _check_header(where, name, value)
        twice = found.setdefault(name.lower(), (where, name, value))
        if twice[0] != where:
            raise SettingsError(
                f"{where}: the header {name} is given twice, by {twice[0]} as well",
                hint="keep one of them",
            )
    return {name: value for _, name, value in found.values()}


def _list_headers(
    environment: Mapping[str, str], warn: Callable[[str], None]
) -> Iterator[tuple[str, str, str]]:
    """Give place, name and value of each header; a variable that is empty counts as not set."""
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
                    f"{file}:{number}: no header", hint=f"write {holding}, and comments after #"
                )
            yield f"{file}:{number}", name.strip(), value.strip()


def _check_header(where: str, name: str, value: str) -> None:
    """Refuse what cannot be a header, or must not be one, without its value."""
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{where}: {name!r} cannot be the name of a header")
    if name.lower() in _OWN:
        raise SettingsError(
            f"{where}: the header {name} cannot be set",
            hint="only headers that a gateway before the server asks for can be added",
        )
    if not _VALUE.fullmatch(value):
        raise SettingsError(
            f"{where}: the value of the header {name} is empty or has characters that headers "
            "cannot hold",
            hint="write it in one line, in ASCII",
        )


def _read_client_certificate(
    environment: Mapping[str, str], warn: Callable[[str], None]
) -> ClientCertificate | None:
    certificate, key = environment.get(CLIENT_VARIABLE, ""), environment.get(KEY_VARIABLE, "")
    if not certificate:
        if key:
            raise SettingsError(
                f"{KEY_VARIABLE} is set, and {CLIENT_VARIABLE} is not",
                hint=f"let {CLIENT_VARIABLE} name the certificate of the key",
            )
        return None
    secret, variable = (Path(key), KEY_VARIABLE) if key else (Path(certificate), CLIENT_VARIABLE)
    with suppress(OSError, ValueError):  # Loading it tells what is wrong.
        check_permissions(secret, variable, secret.stat(), warn)
    return ClientCertificate(
        Path(certificate), Path(key) if key else None, environment.get(PASSWORD_VARIABLE, "")
    )
