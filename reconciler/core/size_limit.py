"""How long a text may become: so many characters, or so many bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

SMALLEST: Final = 2_000
"""What totals, digest and a line about what was left out always fit into."""

_WRITTEN: Final = re.compile(r"([0-9]{1,12})(B|KiB|MiB)?")
_FACTORS: Final = {"B": 1, "KiB": 1024, "MiB": 1024 * 1024}


@dataclass(frozen=True, slots=True)
class SizeLimit:
    """At most ``count`` characters, or bytes of UTF-8."""

    count: int
    in_bytes: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``65536`` (characters) or ``1MiB`` (bytes); raises ValueError."""
        found = _WRITTEN.fullmatch(text)
        if not found:
            raise ValueError(
                "expected a number of characters, such as 65536, or of bytes, such as 1MiB, "
                f"found {text!r}"
            )
        number, unit = int(found[1]), found[2]
        limit = cls(number * _FACTORS[unit or "B"], in_bytes=unit is not None)
        if limit.count < SMALLEST:
            raise ValueError(f"expected at least {SMALLEST:,}, found {text!r}")
        return limit

    def measure(self, text: str) -> int:
        """Count the characters or bytes of a text."""
        if not self.in_bytes or text.isascii():
            return len(text)
        return len(text.encode(errors="backslashreplace"))

    def __str__(self) -> str:
        return f"{self.count:,} {'bytes' if self.in_bytes else 'characters'}"


OF_COMMENTS: Final = SizeLimit(65_536)
"""What a comment on GitHub holds."""
