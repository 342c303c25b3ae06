"""Whether what is sent to an address can be read on its way."""

from __future__ import annotations

from urllib.parse import urlsplit

from reconciler.network.proxies import is_this_machine


def is_plain(address: str) -> bool:
    """Tell whether what is sent to an address can be read on its way: http beyond this machine.

    By way of a proxy, too: what is on this machine is never asked through one.
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return False
    return parts.scheme == "http" and not is_this_machine(parts.hostname or "")
