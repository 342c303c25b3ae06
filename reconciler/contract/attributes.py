"""The table of attributes: one row each, with everything known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """The JSON type of an attribute; ``ANY`` takes every JSON value."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"
    OBJECT = "object"
    ARRAY = "array"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A top-level field of a task.

    ``minimum`` and ``maximum`` are inclusive bounds of an integer, None if there is none. The
    server calculates ``computed`` attributes: it stores what a PATCH writes, and overwrites it
    when somebody annotates. The task list has ``only_in_full_list`` attributes only with
    ``fields=all``. Every PATCH changes ``moves_with_updates`` attributes, whatever it writes. For
    ``ignored`` attributes the server of the run returns 200 and stores nothing.
    """

    name: str
    type: Type
    description: str
    format: str | None = None
    nullable: bool = False
    minimum: int | None = None
    maximum: int | None = None
    readable: bool = False
    writable: bool = False
    computed: bool = False
    only_in_full_list: bool = False
    moves_with_updates: bool = False
    ignored: bool = False

    @property
    def is_date_time(self) -> bool:
        """Whether values are date-times, which compare as instants."""
        return self.format == "date-time"


Attributes = Mapping[str, Attribute]
