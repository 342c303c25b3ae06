"""Choosing the proxy of a request, from the usual environment variables.

httpx could choose, but it sends plain http for this machine to a proxy and fails on networks in
NO_PROXY.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from reconciler.core.server_address import is_this_machine, normalize_host, parse_ip
from reconciler.errors import SettingsError

if TYPE_CHECKING:
    import httpx

    from reconciler.labelstudio.network import Authorities

_IN_CGI: Final = "REQUEST_METHOD"
"""Set if a web server runs the program: HTTP_PROXY is then a header that a visitor sent."""

_SCHEMES: Final = frozenset({"http", "https", "socks5", "socks5h"})
_PORTS: Final = {"http": 80, "https": 443}
_BRACKETED: Final = re.compile(r"\[(?P<host>[^\]]*)\](?P<bits>/\d+)?(:(?P<port>\d+))?")
_WITH_PORT: Final = re.compile(r"(?P<host>[^:/]*):(?P<port>\d+)")
_NAME: Final = re.compile(r"(\*?\.)?[\w-]+(\.[\w-]+)*\.?")


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy that ``variable`` names; ``address`` may hold a password, ``shown`` does not."""

    variable: str
    shown: str
    address: str = field(repr=False)


class _Target(NamedTuple):
    """Where a request goes; ``ip`` is None if the host is a name."""

    scheme: str
    host: str
    ip: IPv4Address | IPv6Address | None
    port: int | None


def choose_proxy(
    address: str, environment: Mapping[str, str], *, warn: Callable[[str], None] = lambda _: None
) -> Proxy | None:
    """Choose the proxy for an http or https address; None for a direct connection.

    An address on this machine never uses a proxy. ``warn`` receives a message for each entry of
    NO_PROXY that cannot be used. Raises SettingsError if the chosen proxy cannot be used.
    """
    parts = urlsplit(address)
    host = normalize_host(parts.hostname or "")
    if is_this_machine(host):
        return None
    variable = _find_variable(f"{parts.scheme}_proxy", environment) or _find_variable(
        "all_proxy", environment
    )
    if variable is None:
        return None
    port = parts.port or _PORTS.get(parts.scheme)
    target = _Target(parts.scheme, host, parse_ip(host), port)
    return (
        None if _is_exempt(target, environment, warn) else _check(variable, environment[variable])
    )


def build_httpx_proxy(proxy: Proxy | None, authorities: Authorities) -> httpx.Proxy | None:
    """Build the proxy for httpx; a TLS proxy does not get the client certificate."""
    import httpx  # noqa: PLC0415 - slow to import, and not every run needs it

    from reconciler.labelstudio.certificates import read_certificates  # noqa: PLC0415 - as httpx

    if proxy is None:
        return None
    with_tls = proxy.shown.startswith("https:")
    return httpx.Proxy(
        proxy.address, ssl_context=read_certificates(authorities) if with_tls else None
    )


def _find_variable(name: str, environment: Mapping[str, str]) -> str | None:
    """Find a variable that is not empty; lower case wins, as in curl and Python."""
    if name in environment:
        return name if environment[name].strip() else None
    upper = name.upper()
    if upper == "HTTP_PROXY" and _IN_CGI in environment:
        return None
    return upper if environment.get(upper, "").strip() else None


def _check(variable: str, value: str) -> Proxy:
    """Parse the address of a proxy; messages never quote it, as it may hold a password."""
    import httpx  # noqa: PLC0415 - slow to import, and few runs have a proxy

    value = value.strip()
    address = value if "://" in value else f"http://{value}"
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL()
    # An unescaped slash in a password ends the part that httpx takes as the host.
    beside = f"{url.path}{url.query.decode(errors='replace')}{url.fragment}"
    if url.scheme not in _SCHEMES or not url.host or "@" in beside:
        raise SettingsError(
            f"{variable} is not the address of a proxy",
            hint="write it like http://proxy.example.org:3128, with special characters of a "
            "password percent-encoded (@ as %40)",
        )
    host = f"[{url.host}]" if ":" in url.host else url.host
    port = f":{url.port}" if url.port else ""
    return Proxy(variable, f"{url.scheme}://{host}{port}", address)


def _is_exempt(
    target: _Target, environment: Mapping[str, str], warn: Callable[[str], None]
) -> bool:
    """Tell whether NO_PROXY names the target."""
    variable = _find_variable("no_proxy", environment)
    if variable is None:
        return False
    entries = re.split(r"[\s,]+", environment[variable].strip().lower())
    verdicts = {entry: _is_covered(entry, target) for entry in entries if entry}
    if any(verdicts.values()):
        return True
    for entry, verdict in verdicts.items():
        if verdict is None:
            warn(f"{variable}: ignored {entry!r}, which is neither a host nor a network")
    return False


def _is_covered(entry: str, target: _Target) -> bool | None:
    """Tell whether an entry of NO_PROXY covers the target; None if the entry is not valid."""
    scheme, separator, rest = entry.rpartition("://")
    if separator:
        rest = rest.partition("/")[0]
    if rest == "*":
        return scheme in {"", "all", target.scheme}
    found = _BRACKETED.fullmatch(rest) or _WITH_PORT.fullmatch(rest)
    parts = found.groupdict() if found else {}
    host = parts.get("host", rest) + (parts.get("bits") or "")
    network = _parse_network(host)
    if network is None and not _NAME.fullmatch(host):
        return None
    if scheme not in {"", "all", target.scheme} or parts.get("port") not in {
        None,
        str(target.port),
    }:
        return False
    if network is not None:
        return target.ip is not None and target.ip in network
    name = normalize_host(host.removeprefix("*").removeprefix("."))
    return target.host == name or target.host.endswith(f".{name}")


def _parse_network(text: str) -> IPv4Network | IPv6Network | None:
    """Parse a network; a single address is a network of one."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    ip = parse_ip(text)
    return network if ip is None else ip_network(ip)
