"""A file that holds no description is refused in one line that says what it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.contract.api_description import read_document
from reconciler.errors import ContractError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[1, 2]", "expected an object, found a list"),
        (b"", "expected an object, found nothing"),
        (b"text", "expected an object, found a string"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a: [\n", "neither JSON nor YAML: the mistake is at line 2"),
        (b"[" * 200_000, "X: "),
        (b"a: 2026-99-99", "neither JSON nor YAML"),
    ],
)
def test_a_file_that_holds_none(tmp_path: Path, content: bytes, message: str):
    file = tmp_path / "X"
    file.write_bytes(content)
    with pytest.raises(ContractError) as caught:
        read_document(file)
    assert message in caught.value.message
    assert "\n" not in str(caught.value)
