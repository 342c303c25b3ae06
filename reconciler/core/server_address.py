"""The address of a server: checked before anything is sent to it, and compared with others."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from reconciler.errors import SettingsError

_EXAMPLE: Final = "write it like https://label-studio.example.org"
_PORTS: Final = {"http": 80, "https": 443}
_PAGE: Final = re.compile(r"/(projects/\d+|user/(login|account|signup))(/.*)?$")
"""The end of the path of a page that Label Studio shows in a browser."""


class ChosenServer(NamedTuple):
    """The server of a run: its address, and what named it, such as ``--url``."""

    address: str
    named_by: str


def normalize_address(address: str) -> str:
    """Return the address without a trailing slash; raises SettingsError for a bad one.

    A path is kept: Label Studio may stand below one.
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        raise SettingsError("the address of the server cannot be read", hint=_EXAMPLE) from None
    if "@" in address:
        raise SettingsError("the address of the server holds a user name", hint=_EXAMPLE)
    _check_page(parts)
    if parts.query or parts.fragment:
        raise SettingsError("the address of the server has more than a path", hint=_EXAMPLE)
    spaced = any(character.isspace() for character in parts.geturl())
    if parts.scheme not in _PORTS or not parts.hostname or spaced:
        raise SettingsError(f"{address!r} is not the address of a server", hint=_EXAMPLE)
    try:
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        raise SettingsError(f"{address!r} has no valid port", hint=_EXAMPLE) from None
    return parts.geturl().rstrip("/").removesuffix("/api")


def is_this_machine(host: str) -> bool:
    """Tell whether bytes for a host stay on this machine."""
    host = normalize_host(host)
    ip = parse_ip(host)
    if ip is None:
        return host == "localhost" or host.endswith(".localhost")
    return ip.is_loopback


def normalize_host(host: str) -> str:
    """Return the name of a host in lower case, without the dot that a full one may end with."""
    return host.lower().rstrip(".")


def parse_ip(host: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address; one of IPv4 that is written as one of IPv6 is one of IPv4."""
    try:
        ip = ip_address(host)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


def is_plaintext(address: str) -> bool:
    """Tell whether what is sent to an address can be read on its way: http beyond this machine.

    By way of a proxy, too: what is on this machine is never asked through one.
    """
    parts = urlsplit(address)
    return parts.scheme == "http" and not is_this_machine(parts.hostname or "")


def is_same_server(one: str, other: str) -> bool:
    """Tell whether two addresses lead to the same place, however they are written.

    Raises SettingsError for a bad one.
    """
    return _split_place(one) == _split_place(other)


def _split_place(address: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(normalize_address(address))
    host = (parts.hostname or "").rstrip(".")
    return parts.scheme, host, parts.port or _PORTS.get(parts.scheme), parts.path


def _check_page(parts: SplitResult) -> None:
    """Refuse what was copied from a browser, and name the server that it is of."""
    found = _PAGE.search(parts.path)
    if found is None or parts.scheme not in _PORTS or not parts.hostname:
        return
    server = parts._replace(path=parts.path[: found.start()], query="", fragment="").geturl()
    raise SettingsError(
        f"the address of the server has the path of a page in the browser, {found[0]}",
        hint=f"write only {server}",
    )
