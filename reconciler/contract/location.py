"""Where the files of ``schemas/`` are, however the package was installed."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import ContractError

_PACKAGE = Path(__file__).resolve().parents[1]


def locate_schema(name: str, *, package: Path = _PACKAGE) -> Path:
    """Return the path of the file ``name`` of ``schemas/``.

    A wheel carries the folder inside the package (``reconciler/schemas``); in a checkout, and in
    an editable install, which is one, it stands beside the package. The wheel's place is looked at
    first, because beside an installed package lie the packages of others. ``package`` is the folder
    of the package itself.

    Raises:
        ContractError: no such file, or ``name`` is not the plain name of a file.

    """
    folders = (package / "schemas", package.parent / "schemas")
    if Path(name).name == name:
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
    looked_in = " and ".join(map(str, folders))
    raise ContractError(
        f"the schema file {name!r} is missing: looked in {looked_in}",
        hint="the installation is incomplete: install label-studio-reconciler again",
    )
