"""The attributes that the server stores: one row for each attribute that its PATCH knows.

It describes a running server, and so differs from the published contract on purpose: the community
edition stores fewer attributes than are published, and both editions store unpublished ones.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

INT32 = 2**31
INT64 = 2**63


class Edition(StrEnum):
    """The edition of Label Studio that the sandbox simulates."""

    COMMUNITY = "community"
    ENTERPRISE = "enterprise"


class Kind(StrEnum):
    """How a value is checked and converted before it is stored; messages quote the word."""

    INTEGER = "integer"
    BIG_INTEGER = "biginteger"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE_TIME = "datetime"
    JSON = "json"
    KEY = "key"
    KEYS = "keys"

    @property
    def option(self) -> str:
        """The word that OPTIONS uses for this kind."""
        return _OPTIONS.get(self, "field")


_OPTIONS = {
    Kind.INTEGER: "integer",
    Kind.BIG_INTEGER: "integer",
    Kind.NUMBER: "float",
    Kind.BOOLEAN: "boolean",
    Kind.DATE_TIME: "datetime",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An attribute as the server's own serializer has it; ``default`` is a new task's value."""

    name: str
    kind: Kind
    default: object = None
    nullable: bool = False
    read_only: bool = False
    required: bool = False
    enterprise: bool = False

    def limit(self, edition: Edition) -> int | None:
        """Return the bound of an integer, -limit..limit-1, or None if it has none.

        The community edition is assumed to use SQLite, which stores 64 bits for every integer.
        """
        if self.kind not in (Kind.INTEGER, Kind.BIG_INTEGER) or self.read_only:
            return None
        wide = edition is Edition.COMMUNITY or self.kind is Kind.BIG_INTEGER
        return INT64 if wide else INT32


FIELDS: tuple[Field, ...] = (
    Field(name="id", kind=Kind.INTEGER, read_only=True),
    Field(name="data", kind=Kind.JSON, required=True),
    Field(name="meta", kind=Kind.JSON, nullable=True),
    Field(name="created_at", kind=Kind.DATE_TIME, read_only=True),
    Field(name="updated_at", kind=Kind.DATE_TIME, read_only=True),
    Field(name="is_labeled", kind=Kind.BOOLEAN, default=False),
    Field(name="overlap", kind=Kind.INTEGER, default=1),
    Field(name="inner_id", kind=Kind.BIG_INTEGER, nullable=True),
    Field(name="total_annotations", kind=Kind.INTEGER, default=0),
    Field(name="cancelled_annotations", kind=Kind.INTEGER, default=0),
    Field(name="total_predictions", kind=Kind.INTEGER, default=0),
    Field(name="comment_count", kind=Kind.INTEGER, default=0),
    Field(name="unresolved_comment_count", kind=Kind.INTEGER, default=0),
    Field(name="last_comment_updated_at", kind=Kind.DATE_TIME, nullable=True),
    Field(name="project", kind=Kind.KEY, nullable=True),
    Field(name="updated_by", kind=Kind.KEY, nullable=True),
    Field(name="file_upload", kind=Kind.KEY, nullable=True),
    Field(name="comment_authors", kind=Kind.KEYS, default=()),
    Field(name="annotations", kind=Kind.JSON, read_only=True),
    Field(name="predictions", kind=Kind.JSON, read_only=True),
    Field(name="allow_skip", kind=Kind.BOOLEAN, default=True, nullable=True, enterprise=True),
    Field(name="avg_lead_time", kind=Kind.NUMBER, enterprise=True),
    Field(name="completed_at", kind=Kind.DATE_TIME, enterprise=True),
    Field(name="draft_exists", kind=Kind.BOOLEAN, default=False, enterprise=True),
    Field(name="ground_truth", kind=Kind.BOOLEAN, default=False, enterprise=True),
    Field(name="precomputed_agreement", kind=Kind.NUMBER, nullable=True, enterprise=True),
    Field(name="predictions_score", kind=Kind.NUMBER, enterprise=True),
    Field(name="reviewed", kind=Kind.BOOLEAN, default=False, enterprise=True),
    Field(name="reviewed_at", kind=Kind.DATE_TIME, nullable=True, enterprise=True),
    Field(name="reviews_accepted", kind=Kind.INTEGER, default=0, enterprise=True),
    Field(name="reviews_rejected", kind=Kind.INTEGER, default=0, enterprise=True),
)


def list_fields(edition: Edition, also: Collection[str] = ()) -> tuple[Field, ...]:
    """Return the rows of this edition's serializer, and those that ``also`` names, in order."""
    return tuple(
        row
        for row in FIELDS
        if edition is Edition.ENTERPRISE or not row.enterprise or row.name in also
    )


def list_options(edition: Edition, also: Collection[str] = ()) -> dict[str, dict[str, object]]:
    """Return what OPTIONS says about each attribute: type, whether writable, bounds."""
    return {row.name: _make_option(row, edition) for row in list_fields(edition, also)}


def _make_option(row: Field, edition: Edition) -> dict[str, object]:
    option: dict[str, object] = {
        "type": row.kind.option,
        "required": row.required,
        "read_only": row.read_only,
    }
    limit = row.limit(edition)
    if limit is not None:
        option |= {"min_value": -limit, "max_value": limit - 1}
    return option
