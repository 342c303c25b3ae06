"""How a server is reached: by which proxy, and with what beside the token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reconciler.labelstudio.proxies import Proxy


@dataclass(frozen=True, slots=True)
class Authorities:
    """The certificate authorities to trust: those of a file, else of folders, else of certifi.

    ``folders`` are separated as in PATH.
    """

    file: str = ""
    folders: str = ""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The files that prove to a server who asks; the key may stand in that of the certificate."""

    certificate: Path
    key: Path | None = None
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Network:
    """``headers`` go with each request to the server, and are as secret as the token."""

    proxy: Proxy | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificate: ClientCertificate | None = None
    authorities: Authorities = Authorities()


DIRECT: Final = Network()
