"""How to reach a server: the proxy, the certificates, and the headers besides the token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reconciler.labelstudio.proxies import Proxy


@dataclass(frozen=True, slots=True)
class Authorities:
    """The certificate authorities to trust: those of a file, or of folders, or else of certifi.

    ``folders`` are separated as in PATH.
    """

    file: str = ""
    folders: str = ""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The files that identify the client; without ``key``, the certificate's file has the key."""

    certificate: Path
    key: Path | None = None
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Network:
    """How to reach a server; ``headers`` go with each request, and are as secret as the token."""

    proxy: Proxy | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificate: ClientCertificate | None = None
    authorities: Authorities = Authorities()


DIRECT: Final = Network()
