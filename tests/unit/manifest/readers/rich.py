"""Tasks with thousands of values."""

from __future__ import annotations

from reconciler.core.values import Json

BOXES: Json = [{"x": n, "y": n / 7, "w": 1e-05, "h": -0.0} for n in range(3_000)]
CHAT: Json = [
    {
        "role": "user",
        "content": f'Is "{n}" in [1, 2}}? :-[ <b>\n \\ caf\u00e9 \U0001f600',
        "n": None,
    }
    for n in range(500)
]
SERIES: Json = {"t": [n / 10 for n in range(8_000)], "v": list(range(8_000))}
LONG: Json = "A sentence: with a colon. " * 40_000
RICH = {"boxes": BOXES, "chat": CHAT, "series": SERIES, "long": LONG}


def tasks() -> list[Json]:
    return [{"id": n, "data": {key: value}} for n, (key, value) in enumerate(RICH.items(), 1)]
