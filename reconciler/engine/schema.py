"""The manifest schema: built from an API description, written, and compared with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.contract import schema_file
from reconciler.contract.api_description import ApiDescription
from reconciler.contract.location import locate_schema
from reconciler.errors import ContractError
from reconciler.labelstudio.schema_download import read_description


@dataclass(frozen=True, slots=True)
class SchemaComparison:
    """How the schema in ``file`` differs from its source: a line for each difference."""

    file: Path
    differences: Sequence[str]


def build_schema(source: str | None, environment: Mapping[str, str]) -> str:
    """Build the text of the manifest schema from the API description at ``source``.

    ``source`` is an http(s) address or the name of a file; None means the published
    description, which ships with this tool. ``environment`` names the proxy for an address.

    Raises:
        ContractError: the description cannot be read, or does not describe this API.

    """
    return schema_file.build_schema(_read(source, environment))


def write_schema(schema: str, file: Path) -> None:
    """Write the result of `build_schema`; raises ContractError if that fails."""
    try:
        file.write_text(schema, encoding="utf-8")
    except OSError as error:
        raise ContractError(f"cannot write {file}: {error.strerror}") from error


def compare_schema(
    file: Path | None, source: str | None, environment: Mapping[str, str]
) -> SchemaComparison:
    """Compare the schema in ``file`` with what `build_schema` makes of the other arguments.

    None means the schema that ships with this tool.

    Raises:
        ContractError: ``file`` cannot be read, or as `build_schema`.

    """
    committed = file or locate_schema("manifest.schema.json")
    description = _read(source, environment)
    return SchemaComparison(committed, schema_file.compare_schema(committed, description))


def _read(source: str | None, environment: Mapping[str, str]) -> ApiDescription | None:
    return None if source is None else read_description(source, environment)
