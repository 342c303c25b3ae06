"""Manifests in many styles of YAML: blocks, brackets, quotes, comments, anchors."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from reconciler.core.values import Json
from reconciler.manifest.writers.yaml_scalars import format_key, format_scalar, split_block_lines


class StyledWriter:
    """Writes values as YAML, each in a style that is drawn."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._anchors: dict[str, str] = {}
        self._count = 0

    def write_document(self, header: dict[str, Any], tasks: list[dict[str, Any]]) -> str:
        """Write a manifest whose header is plain."""
        lines = [
            f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in header.items()
        ]
        text = "".join(lines) + "tasks:\n"
        dash = self._random.choice(["", "  ", "    "])
        for task in tasks:
            text += self._comment(dash) + f"{dash}-{self._element(task, len(dash))}"
        return text

    def _flip(self, one_in: int) -> bool:
        return self._random.randrange(one_in) == 0

    def _comment(self, indent: str) -> str:
        return self._random.choice(["", "", "", f"{indent}# a: comment - 'of\n", "\n"])

    def _end(self) -> str:
        return self._random.choice(["\n", "\n", "\n", "  # behind: it\n", " \n"])

    def _properties(self, value: Json, *, in_flow: bool) -> tuple[str, bool]:
        """Give an anchor to a value, or the alias of an earlier one: True."""
        key = json.dumps(value, sort_keys=True) + str(type(value))
        if key in self._anchors and self._flip(2):
            return f"*{self._anchors[key]}" + (" " if in_flow else ""), True
        if self._flip(5):
            self._count += 1
            self._anchors[key] = f"a{self._count}"
            return f"&{self._anchors[key]} ", False
        return "", False

    def _element(self, value: Json, indent: int) -> str:
        """Write what follows a dash."""
        is_task = isinstance(value, dict) and ("id" in value or "ids" in value)
        name, is_alias = ("", False) if is_task else self._properties(value, in_flow=False)
        if is_alias:
            return f" {name}{self._end()}"
        if isinstance(value, dict | list) and value and not self._flip(3):
            inner = indent + self._random.choice([2, 4])
            block = self._block(value, inner)
            lead = " " * inner
            if not name and block.startswith(lead) and self._flip(2):
                return " " * (inner - indent - 1) + block[inner:]
            return f" {name}\n{block}" if name else f"{self._end()}{block}"
        return f" {name}{self._inline(value, indent + 2)}"

    def _entry(self, value: Json, indent: int) -> str:
        """Write what follows the colon of a key."""
        name, is_alias = self._properties(value, in_flow=False)
        if is_alias:
            return f" {name}{self._end()}"
        if isinstance(value, dict) and value and not self._flip(3):
            return (
                f" {name}{self._end()}{self._block(value, indent + self._random.choice([1, 2, 4]))}"
            )
        if isinstance(value, list) and value and not self._flip(3):
            return f" {name}{self._end()}{self._block(value, indent + self._random.choice([0, 2]))}"
        return f" {name}{self._inline(value, indent + 2)}"

    def _block(self, value: Json, indent: int) -> str:
        spaces = " " * indent
        if isinstance(value, list):
            parts = (f"{spaces}-{self._element(inner, indent)}" for inner in value)
        else:
            assert isinstance(value, dict)
            parts = (
                f"{spaces}{self._key(key)}:{self._entry(inner, indent)}"
                for key, inner in value.items()
            )
        return "".join((self._comment(spaces) if n else "") + part for n, part in enumerate(parts))

    def _key(self, key: str) -> str:
        return json.dumps(key, ensure_ascii=False) if self._flip(4) else format_key(key)

    def _inline(self, value: Json, indent: int) -> str:
        if isinstance(value, str) and self._flip(2):
            lines = split_block_lines(value if "\n" in value else value + "\n")
            if lines and value:
                mark = "" if value.endswith("\n") else "-"
                style = "|" if len(lines) > 1 or self._flip(2) else ">"
                spaces = " " * (indent + self._random.choice([0, 1, 2]))
                body = "".join(f"{spaces}{line}\n" if line else "\n" for line in lines)
                return f"{style}{mark}{self._random.choice(['', '  # text'])}\n{body}" + (
                    self._random.choice(["", "", "\n"])
                )
        return self._flow(value, indent) + self._end()

    def _flow(self, value: Json, indent: int) -> str:
        gap = self._random.choice(["", "", " ", f"\n{' ' * (indent + 2)}"])
        comma = self._random.choice([", ", ", ", f",\n{' ' * (indent + 2)}", " , "])
        if isinstance(value, dict):
            parts = [f"{self._key(k)}: {self._flow_part(v, indent)}" for k, v in value.items()]
            trailing = "," if parts and self._flip(5) else ""
            return f"{{{gap}{comma.join(parts)}{trailing}{gap}}}"
        if isinstance(value, list):
            parts = [self._flow_part(inner, indent) for inner in value]
            return f"[{gap}{comma.join(parts)}{gap}]"
        if isinstance(value, str) and value.isprintable() and self._flip(3):
            return "'" + value.replace("'", "''") + "'"
        return format_scalar(value, in_flow=True)

    def _flow_part(self, value: Json, indent: int) -> str:
        name, is_alias = self._properties(value, in_flow=True)
        return name if is_alias else name + self._flow(value, indent)
