"""Which keys several tasks of a project hold, declared or not."""

from __future__ import annotations

from reconciler.core.encoding import encode


class KeyHolders:
    """Counts the tasks that hold each key, in memory that does not grow with the keys' length.

    The first ``texts_max`` keys are kept as they are, too, for a search on the server.
    """

    def __init__(self, texts_max: int = 0) -> None:
        self._texts_max = texts_max
        self._texts: list[str | int] = []
        self._holders: dict[int, int] = {}
        self._shared: set[int] = set()

    def add(self, task: int, key: str | int) -> None:
        """Note that a task holds a key; the same task may be added again."""
        digest = hash_key(key)
        holder = self._holders.setdefault(digest, task)
        if holder != task:
            self._shared.add(digest)
        elif len(self._texts) <= self._texts_max:
            self._texts.append(key)

    def list_if_few(self) -> list[str | int] | None:
        """List the keys that were added; None if there are more than ``texts_max``."""
        return None if len(self._texts) > self._texts_max else [*dict.fromkeys(self._texts)]

    def is_shared(self, digest: int) -> bool:
        """Tell whether several tasks hold the key with this `hash_key`."""
        return digest in self._shared


def hash_key(key: str | int) -> int:
    """Return a number for a key; a string and an integer have different ones."""
    return hash(encode(key))
