"""What it means that no connection came about: to the server, or to the proxy before it."""

from __future__ import annotations

from typing import Final

from reconciler.errors import NotSent
from reconciler.labelstudio.certificates import CLIENT_VARIABLE, FILE_VARIABLE
from reconciler.labelstudio.network import Network
from reconciler.labelstudio.response import URL_VARIABLE

_OTHER_HOST: Final = "certificate is not valid for"
_EXPIRED: Final = "certificate has expired"
_NO_TLS: Final = "WRONG_VERSION_NUMBER"
_NOT_TRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
_ABOUT_CLIENT: Final = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "UNKNOWN_CA")
"""Alerts that a server sends about the certificate of whoever asks, or about its lack."""

_REFUSED_BY_PROXY: Final = ("401", "403", "407")
"""What a proxy answers for good."""


def make_not_sent(address: str, message: str, network: Network) -> NotSent:
    """Name the error of a request for which no connection came about, by what was ``message``."""
    proxy = network.proxy
    way = f" through the proxy {proxy.shown}" if proxy else ""
    # A server that is not trusted now will not be in a moment, and trusts no more itself.
    refused = proxy is not None and message.startswith(_REFUSED_BY_PROXY)
    return NotSent(
        f"no answer from {address}{way}: {message}",
        hint=_make_hint(message, network),
        given_up=refused or _NOT_TRUSTED in message or is_client_refused(message),
    )


def is_client_refused(message: str) -> bool:
    """Tell whether a server ended the handshake by what it was shown, before any request."""
    return "_ALERT_" in message and any(alert in message for alert in _ABOUT_CLIENT)


def _make_hint(message: str, network: Network) -> str:
    """Say what to do, by the words that are said."""
    if is_client_refused(message):
        return f"the server asks for a client certificate that it trusts: see {CLIENT_VARIABLE}"
    proxy = network.proxy
    # Of a proxy with TLS it may as well be the certificate.
    tunnel = proxy is not None and proxy.shown.startswith("https:")
    if _OTHER_HOST in message and not tunnel:
        return f"it is another host's: is {URL_VARIABLE} right?"
    if _EXPIRED in message and not tunnel:
        return "the server needs a new one"
    if _NOT_TRUSTED in message:
        return _make_trust_hint(network.authorities.file)
    if proxy:
        return f"is the proxy, which {proxy.variable} names, up, and does it let this pass?"
    if _NO_TLS in message:
        return f"it speaks no TLS: is {URL_VARIABLE} right to begin with https?"
    return f"is the server up, and is {URL_VARIABLE} right?"


def _make_trust_hint(file: str) -> str:
    if file:
        return f"add the certificate of its authority to {file}, which {FILE_VARIABLE} names"
    return f"name the certificate of its authority in {FILE_VARIABLE}"
