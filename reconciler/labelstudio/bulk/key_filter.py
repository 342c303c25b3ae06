"""Finding tasks by a value inside their data, through the filters of task lists.

Filters by the name of a key miss silently: `a__b` reads `data.a.b`, digits and look-ups of Django
find nothing, blanks make the server fail (measured on Label Studio 1.23.2). So only names that are
known to work are used, and only for strings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from reconciler.core.paths import Path
from reconciler.core.values import Json
from reconciler.labelstudio.bulk.address_length import split_by_length

KEYS_MAX: Final = 5_000
"""Keys up to which filters cost less than reading the whole project."""

LENGTH_MAX: Final = 6_000
"""Characters of keys in an address: many proxies limit addresses to 8 kB."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:_[A-Za-z0-9-]+)*")
_LOOKUPS: Final = frozenset(
    {
        *("exact", "iexact", "contains", "icontains", "in", "gt", "gte", "lt", "lte"),
        *("startswith", "istartswith", "endswith", "iendswith", "range", "date", "year"),
        *("iso_year", "month", "day", "week", "week_day", "iso_week_day", "quarter", "time"),
        *("hour", "minute", "second", "isnull", "regex", "iregex", "search", "unaccent"),
        *("has_key", "has_keys", "has_any_keys", "contained_by", "overlap", "len", "trigram"),
    }
)


def can_filter(path: Path, keys: Iterable[str | int]) -> bool:
    """Tell whether filters find these keys reliably."""
    if len(path) != 2 or path[0] != "data":  # noqa: PLR2004 - the attribute and one key
        return False
    name = path[1]
    usable = _NAME.fullmatch(name) is not None and name not in _LOOKUPS
    return usable and all(isinstance(key, str) for key in keys)


def split_keys(keys: Iterable[str]) -> Iterator[list[str]]:
    """Split keys into batches by the length of their address."""
    return split_by_length(keys, _measure_key, length_max=LENGTH_MAX)


def _measure_key(key: str) -> int:
    return len(quote(json.dumps(key)))


def build_filter(keys: Mapping[str, Sequence[str]]) -> dict[str, Json]:
    """Build the filter of a list for tasks whose data has one of the keys at each name."""
    items: list[Json] = [
        {
            "filter": f"filter:tasks:data.{name}",
            "operator": "in_list",
            "type": "String",
            "value": list(values),
        }
        for name, values in keys.items()
    ]
    return {"filters": {"conjunction": "and", "items": items}}


def build_id_filter(after: int, up_to: int | None = None) -> dict[str, Json]:
    """Build the filter of a list for tasks with a greater id, up to another one if it is given."""
    value: Json = after if up_to is None else {"min": after + 1, "max": up_to}
    item: Json = {
        "filter": "filter:tasks:id",
        "operator": "greater" if up_to is None else "in",
        "type": "Number",
        "value": value,
    }
    return {"filters": {"conjunction": "and", "items": [item]}}
