"""What a failed connection, to the server or to a proxy, means."""

from __future__ import annotations

from typing import Final

from reconciler.errors import NotSent
from reconciler.labelstudio.certificates import CLIENT_VARIABLE, FILE_VARIABLE
from reconciler.labelstudio.network import Network
from reconciler.labelstudio.response import SERVER_ADDRESS

_OTHER_HOST: Final = "certificate is not valid for"
_EXPIRED: Final = "certificate has expired"
_NO_TLS: Final = "WRONG_VERSION_NUMBER"
_NOT_TRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
_ABOUT_CLIENT: Final = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "UNKNOWN_CA")
"""Alerts that a server sends about the client's certificate, or about a missing one."""

_REFUSED_BY_PROXY: Final = ("401", "403", "407")
"""Statuses of a proxy that another attempt would not change."""


def make_not_sent(address: str, message: str, network: Network, origin: str = "") -> NotSent:
    """Build the error of a request whose connection failed with ``message``.

    ``origin`` is what named the address; empty if that is not known.
    """
    proxy = network.proxy
    via = f" through the proxy {proxy.shown}" if proxy else ""
    # A certificate that was refused, by either side, is still refused at the next attempt.
    refused = proxy is not None and message.startswith(_REFUSED_BY_PROXY)
    return NotSent(
        f"cannot connect to {address}{via}: {message}",
        hint=_make_hint(message, network, _name_address(origin)),
        given_up=refused or _NOT_TRUSTED in message or is_client_refused(message),
    )


def is_client_refused(message: str) -> bool:
    """Tell whether the server refused the client's certificate, before any request was sent."""
    return "_ALERT_" in message and any(alert in message for alert in _ABOUT_CLIENT)


def _name_address(origin: str) -> str:
    """Name what to correct: a line of a file, if the address came from one."""
    return f"the server address in {origin}" if ":" in origin else SERVER_ADDRESS


def _make_hint(message: str, network: Network, named: str) -> str:
    """Say what to do, as far as the text of the error shows it."""
    if is_client_refused(message):
        return f"set {CLIENT_VARIABLE} to the file of a client certificate that the server trusts"
    proxy = network.proxy
    # With a TLS proxy, the certificate in question may be that of the proxy.
    tunnel = proxy is not None and proxy.shown.startswith("https:")
    if _OTHER_HOST in message and not tunnel:
        return f"the certificate is for another host: is {named} right?"
    if _EXPIRED in message and not tunnel:
        return "renew the server's certificate, or correct the clock of this machine"
    if _NOT_TRUSTED in message:
        return _make_trust_hint(network.authorities.file)
    if proxy:
        return f"is the proxy in {proxy.variable} running, and does it allow this connection?"
    if _NO_TLS in message:
        return f"the response is not TLS: are https and the port right in {named}?"
    return f"is the server running, and is {named} right?"


def _make_trust_hint(file: str) -> str:
    if file:
        return f"add the authority (CA) that issued the certificate to {file} ({FILE_VARIABLE})"
    return f"set {FILE_VARIABLE} to a file with the authority (CA) that issued the certificate"
