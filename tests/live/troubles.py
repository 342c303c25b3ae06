"""Trouble that a proxy makes, to be given to `counting_proxy`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from itertools import count

import httpx

from tests.live.counting_proxy import Asked, Befall, PassOn, Trouble, no_trouble


def every(nth: int, befall: Befall, *, method: str = "PATCH") -> Trouble:
    """Let something befall every nth request with a method."""
    numbers = count(1)

    def trouble(asked: Asked) -> Befall:
        hit = asked.method == method and next(numbers) % nth == 0
        return befall if hit else no_trouble(asked)

    return trouble


def first(many: int, befall: Befall) -> Trouble:
    """Let something befall the first PATCHes."""
    numbers = count(1)

    def trouble(asked: Asked) -> Befall:
        hit = asked.method == "PATCH" and next(numbers) <= many
        return befall if hit else no_trouble(asked)

    return trouble


def patches_of(tasks: Collection[int], befall: Befall) -> Trouble:
    """Let something befall whatever is to be written to some tasks."""
    paths = {f"/api/tasks/{task}/" for task in tasks}

    def trouble(asked: Asked) -> Befall:
        hit = asked.method == "PATCH" and asked.path in paths
        return befall if hit else no_trouble(asked)

    return trouble


def from_patch(number: int, act: Callable[[], None]) -> Trouble:
    """Do something as each PATCH from this number on comes in, before it is passed on."""
    numbers = count(1)

    def trouble(asked: Asked) -> Befall:
        if asked.method == "PATCH" and next(numbers) >= number:
            act()
        return no_trouble(asked)

    return trouble


def answering(status: int, **headers: str) -> Befall:
    """Answer in the server's place."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"id": "1", "status_code": status, "version": "0", "detail": "Made to fail."}
    return lambda _pass_on: httpx.Response(status, json=body, headers=named)


def dropped(_pass_on: PassOn) -> None:
    """Close the connection; the server never hears of it."""


def lost(pass_on: PassOn) -> None:
    """Let the server do it, and close the connection before it can tell."""
    pass_on()


def held(seconds: float) -> Befall:
    """Keep the client waiting, then close the connection; the server never hears of it."""

    def befall(_pass_on: PassOn) -> None:
        time.sleep(seconds)

    return befall


def cut(pass_on: PassOn) -> httpx.Response:
    """Let the server do it, and break off in the middle of its answer."""
    answer = pass_on()
    content, headers = answer.content, {"Content-Type": "application/json"}
    half = content[: len(content) // 2]
    return httpx.Response(
        answer.status_code, content=half, headers=headers, extensions={"length": len(content)}
    )
