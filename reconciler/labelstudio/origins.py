"""Where the address and the token of a run came from, for what hints tell people to correct."""

from __future__ import annotations

from typing import Final, NamedTuple


class Origins(NamedTuple):
    """What named the address of the server, and what held the token; empty if not known."""

    address: str = ""
    token: str = ""


UNKNOWN: Final = Origins()
