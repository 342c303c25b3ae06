"""Cloud storage addresses, which the server rewrites when it reads a task for display."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from functools import partial

from reconciler.sandbox.exchange import Refusal
from reconciler.sandbox.releases import Release
from reconciler.sandbox.state import Storage

_SCHEME = "s3://"
_QUOTED = re.compile(r"""(["'])(?P<address>s3://[^=]*?)\1""")


def check_readable(data: object) -> None:
    """Fail like the server on a task whose data is a number or a boolean."""
    if not isinstance(data, Iterable):
        raise Refusal(500, f"argument of type '{type(data).__name__}' is not iterable")


def resolve_addresses(
    data: object, storage: Storage | None, *, task: int, release: Release
) -> object:
    """Return ``data`` with its addresses replaced by addresses of this server, or by the objects.

    The server assumes that data is an object; it fails on a list or a string.
    """
    if not isinstance(data, dict):
        if not data:
            return data
        raise Refusal(500, f"{type(data).__name__} indices must be integers or slices, not str")
    if storage is None:
        return data
    served = partial(_make_served, path=f"/tasks/{task}/{release.resolves_to}/")
    embedded = release.embeds and not storage.presign
    return _resolve(data, storage, _embed if embedded else served)


def _resolve(value: object, storage: Storage, show: Callable[[str], str]) -> object:
    if isinstance(value, dict):
        return {key: _resolve(item, storage, show) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, storage, show) for item in value]
    return _rewrite(value, storage, show) if isinstance(value, str) else value


def _rewrite(text: str, storage: Storage, show: Callable[[str], str]) -> str:
    address = _find_address(text)
    if not address or not _is_in_bucket(address, storage):
        return text
    return text.replace(address, show(address))


def _make_served(address: str, *, path: str) -> str:
    return f"{path}?fileuri={base64.urlsafe_b64encode(address.encode()).decode()}"


def _embed(address: str) -> str:
    """Return the content of an object in the server's form; here the content is the address."""
    return f"data:image/jpeg;base64,{base64.b64encode(address.encode()).decode()}"


def _find_address(text: str) -> str:
    """Return the address that is the whole text or is quoted in it; others are not found."""
    if text.strip().startswith(_SCHEME):
        return text.strip()
    found = _QUOTED.search(text)
    return found["address"] if found else ""


def _is_in_bucket(address: str, storage: Storage) -> bool:
    bucket = address.removeprefix(_SCHEME).partition("/")[0]
    return storage.bucket in (None, bucket)
