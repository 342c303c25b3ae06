"""The place of the files of ``schemas/``, however the package was installed."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import ContractError

_PACKAGE = Path(__file__).resolve().parents[1]


def locate_schema(name: str, *, package: Path = _PACKAGE) -> Path:
    """Return the path of the file ``name`` of ``schemas/``.

    A wheel has the folder inside the package (``reconciler/schemas``); a checkout, and so an
    editable install, has it beside the package. The wheel's place comes first, because other
    packages lie beside an installed one. ``package`` is the folder of the package itself.

    Raises:
        ContractError: the file does not exist, or ``name`` is not a plain file name.

    """
    folders = (package / "schemas", package.parent / "schemas")
    if Path(name).name == name:
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
    looked_in = " and ".join(map(str, folders))
    raise ContractError(
        f"schema file {name} not found in {looked_in}",
        hint="the installation is incomplete: install label-studio-reconciler again",
    )
