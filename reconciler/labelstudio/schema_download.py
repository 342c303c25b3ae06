"""Reading an API description from a file or an address; the one place here that does I/O.

No token is sent: a server publishes its description to everybody, and an address on a command
line may be anybody's.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from reconciler.errors import ContractError, SettingsError
from reconciler.labelstudio.proxies import build_httpx_proxy, choose_proxy

if TYPE_CHECKING:
    import httpx

# The largest known, a server's own, has 0.8 MB.
_MAX_BYTES = 20_000_000
_SECONDS = 30.0
_OK = 200
_KINDS = {list: "a list", str: "a text", type(None): "nothing"}


def read_source(source: str) -> Mapping[str, object]:
    """Read the document at ``source``: an http(s) address, or else the name of a file.

    Raises:
        ContractError: it cannot be read, is too large, or is no JSON or YAML object; the message
            is one line and leaves out what an address may hold of secrets.

    """
    if _is_address(source):
        return _parse(_fetch(source), name=format_source(source))
    return read_file(Path(source))


def read_file(path: Path) -> Mapping[str, object]:
    """Read a JSON or YAML file that holds one object.

    Raises:
        ContractError: as ``read_source``.

    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ContractError(f"{path}: {reason}") from error
    return _parse(content, name=str(path))


def _fetch(address: str) -> bytes:
    """GET ``address``; a redirect is refused, since it may lead to another host's description."""
    import httpx  # noqa: PLC0415 - slow to import, and most runs need none of it

    from reconciler.labelstudio.certificates import read_certificates  # noqa: PLC0415 - as httpx

    try:
        httpx.URL(address)  # Others say more of one that cannot be read than may be shown.
        proxy = choose_proxy(address, os.environ)
        with httpx.stream(
            "GET",
            address,
            timeout=_SECONDS,
            follow_redirects=False,
            proxy=build_httpx_proxy(proxy),
            verify=read_certificates(),
            trust_env=False,
        ) as response:
            if response.status_code != _OK:
                raise _make_not_ok(response, name=format_source(address))
            return _read_body(response, name=format_source(address))
    except SettingsError as error:
        raise ContractError(error.message, hint=error.hint) from error
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError, OSError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, httpx.InvalidURL):
            # What is said of it may be a part of its password.
            reason = "it cannot be read"
        raise ContractError(
            f"{format_source(address)}: not reachable: {reason}",
            hint="check the address, or name a file instead",
        ) from error


def _read_body(response: httpx.Response, *, name: str) -> bytes:
    """Collect the body, within bounds of size and of time: a slow drip resets httpx's own."""
    end = time.monotonic() + _SECONDS
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > _MAX_BYTES:
            break
        if time.monotonic() > end:
            raise ContractError(f"{name}: not complete after {_SECONDS:.0f} seconds")
    return bytes(content)


def _make_not_ok(response: httpx.Response, *, name: str) -> ContractError:
    if response.has_redirect_location:
        target = format_source(urljoin(name, response.headers["location"]))
        return ContractError(
            f"{name}: answers {response.status_code}, a redirect to {target}",
            hint="redirects are not followed: give the final address",
        )
    return ContractError(
        f"{name}: answers {response.status_code} {response.reason_phrase}".rstrip(),
        hint="a server publishes its description at /docs/api/schema/json/",
    )


def _parse(content: bytes, *, name: str) -> Mapping[str, object]:
    """Read JSON, or YAML, which is tried second because it takes a hundred times as long."""
    if len(content) > _MAX_BYTES:
        raise ContractError(f"{name}: larger than {_MAX_BYTES // 1_000_000} MB")
    try:
        document = _json_or_yaml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ContractError(f"{name}: not text in UTF-8") from error
    except RecursionError as error:
        raise ContractError(f"{name}: nested too deep") from error
    except ValueError as error:
        raise ContractError(f"{name}: neither JSON nor YAML: {error}") from error
    if not isinstance(document, Mapping):
        raise ContractError(
            f"{name}: found {_KINDS.get(type(document), 'a single value')}, expected an object"
        )
    return document


def _json_or_yaml(text: str) -> object:
    if text.lstrip().startswith(("{", "[")):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            pass  # flow style YAML begins alike
    import yaml  # noqa: PLC0415 - slow to import

    # libyaml's parser is ten times as fast; it is missing only from builds without it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, loader)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f"line {mark.line + 1}: " if mark else ""
        what = getattr(error, "problem", None) or error
        raise ValueError(" ".join(f"{at}{what}".split())) from error


def _is_address(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def format_source(source: str) -> str:
    """Return ``source`` for messages: of an address no user, password, query or fragment.

    Those may hold secrets. The name of a file stays as it is.
    """
    if not _is_address(source):
        return source
    try:
        parts = urlsplit(source)
    except ValueError:
        return "the address"
    host = parts.netloc.rpartition("@")[2]
    return " ".join(f"{parts.scheme}://{host}{parts.path}".split())
