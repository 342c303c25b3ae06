"""Whether what is sent to an address can be read on its way."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_plain(address: str) -> bool:
    """Tell whether what is sent to an address can be read on its way: http beyond this machine."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True
