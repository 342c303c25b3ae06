"""Reading an API description from a file or an address.

No token is sent: the description is public, and the address may be that of any server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from reconciler.contract.api_description import (
    BYTES_MAX,
    ApiDescription,
    parse_document,
    read_document,
)
from reconciler.errors import ContractError, SettingsError
from reconciler.labelstudio.proxies import build_httpx_proxy, choose_proxy

if TYPE_CHECKING:
    import httpx

_SECONDS: Final = 30.0
_OK: Final = 200


def read_description(
    source: str,
    environment: Mapping[str, str],
    *,
    bytes_max: int = BYTES_MAX,
    now: Callable[[], float] = time.monotonic,
) -> ApiDescription:
    """Read the description at ``source``: an http(s) address, or else the name of a file.

    A response may have at most ``bytes_max`` bytes and take 30 seconds by ``now``, a clock.
    ``environment`` names the proxy to use and the authorities to trust.

    Raises:
        ContractError: it cannot be read, is too large, or is not a JSON or YAML object; the
            message is one line and leaves out the parts of an address that may be secret.

    """
    name = _format_source(source)
    if not _is_address(source):
        return ApiDescription(name, read_document(Path(source)))
    content = _fetch(source, environment, name=name, bytes_max=bytes_max, now=now)
    return ApiDescription(name, parse_document(content, name=name, bytes_max=bytes_max))


def _fetch(
    address: str,
    environment: Mapping[str, str],
    *,
    name: str,
    bytes_max: int,
    now: Callable[[], float],
) -> bytes:
    """GET ``address``; a redirect is refused, since it may lead to another host's description."""
    import httpx  # noqa: PLC0415 - slow to import, and most runs need none of it

    from reconciler.labelstudio.certificates import find_authorities, read_certificates  # noqa: PLC0415 - as httpx

    try:
        httpx.URL(address)  # Checked first: later errors quote parts that must stay hidden.
        proxy = choose_proxy(address, environment)
        authorities = find_authorities(environment)
        with httpx.stream(
            "GET",
            address,
            timeout=_SECONDS,
            follow_redirects=False,
            proxy=build_httpx_proxy(proxy, authorities),
            verify=read_certificates(authorities),
            trust_env=False,
        ) as response:
            if response.status_code != _OK:
                raise _make_not_ok(response, name=name)
            return _read_body(response, name=name, bytes_max=bytes_max, now=now)
    except SettingsError as error:
        raise ContractError(error.message, hint=error.hint) from error
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError, OSError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, httpx.InvalidURL):
            # The text of this error may quote a part of the password.
            reason = "the address is not valid"
        raise ContractError(
            f"{name}: cannot be read: {reason}",
            hint="check the address, or pass a file instead",
        ) from error


def _read_body(
    response: httpx.Response, *, name: str, bytes_max: int, now: Callable[[], float]
) -> bytes:
    """Collect the body within limits of size and time: httpx limits only the time of each read."""
    end = now() + _SECONDS
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > bytes_max:
            break
        if now() > end:
            raise ContractError(f"{name}: the response was not complete after {_SECONDS:.0f} s")
    return bytes(content)


def _make_not_ok(response: httpx.Response, *, name: str) -> ContractError:
    if response.has_redirect_location:
        target = _format_source(urljoin(name, response.headers["location"]))
        return ContractError(
            f"{name}: the server returned {response.status_code}, a redirect to {target}",
            hint="pass the final address: redirects are not followed",
        )
    return ContractError(
        f"{name}: the server returned {response.status_code} {response.reason_phrase}".rstrip(),
        hint="Label Studio publishes its description at /docs/api/schema/json/",
    )


def _is_address(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def _format_source(source: str) -> str:
    """Return ``source`` for messages: an address without user, password, query and fragment.

    These may hold secrets. The name of a file stays as it is.
    """
    if not _is_address(source):
        return source
    try:
        parts = urlsplit(source)
    except ValueError:
        return "the address"
    host = parts.netloc.rpartition("@")[2]
    return " ".join(f"{parts.scheme}://{host}{parts.path}".split())
