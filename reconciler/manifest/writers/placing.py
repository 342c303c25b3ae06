"""Files that appear in a folder all together or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from reconciler.errors import Refused

_PREFIX: Final = ".reconciler-pull-"
"""Hidden, so that a run that is killed leaves nothing that is read as a manifest."""


@contextmanager
def prepare_folder(out: Path) -> Iterator[Path]:
    """Make a temporary folder on the file system of ``out``, gone when the block ends.

    Only its owner can read it, since it holds the values of tasks. Raises Refused.
    """
    above = out
    while not above.exists() and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise Refused(f"nothing was written: {above} is not a folder", hint="pass another --out")
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=above))
    except OSError as error:
        raise Refused(
            f"nothing was written: cannot write into {above}: {error.strerror}",
            hint="pass another --out",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_existing(out: Path, names: Sequence[str]) -> list[str]:
    """List those of the names that a file or folder in ``out`` has, in any case."""
    if not out.is_dir():
        return []
    known = {name.casefold() for name in os.listdir(out)}  # noqa: PTH208 - names are wanted
    return [name for name in names if name.casefold() in known]


def place_files(prepared: Path, names: Sequence[str], out: Path, *, force: bool) -> None:
    """Move files from a prepared folder to ``out``: all of them or none.

    With ``force``, they replace files with the same names. Raises Refused.
    """
    made = [path for path in (out, *out.parents) if not path.exists()]
    moved: list[tuple[Path, Path | None]] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(names):
            target, kept = out / name, prepared / f".replaced-{number}"
            _check_free(target, force=force)
            is_there = os.path.lexists(target)
            if is_there:
                target.rename(kept)
                moved.append((target, kept))
                (prepared / name).rename(target)
            else:
                # Unlike a renaming, this fails if the file has appeared meanwhile.
                _link_or_rename(prepared / name, target)
                moved.append((target, None))
    except BaseException as error:
        _undo(moved, made)
        if isinstance(error, OSError):
            raise Refused(
                f"nothing was written: cannot write {error.filename2 or error.filename or out}: "
                f"{error.strerror}",
                hint="pass another --out",
            ) from error
        raise


def _check_free(target: Path, *, force: bool) -> None:
    if not os.path.lexists(target):
        return
    if not force:
        raise Refused(
            f"nothing was written: {target} exists",
            hint="pass --force to replace it, or another --out",
        )
    if not target.is_file() and not target.is_symlink():
        raise Refused(f"nothing was written: {target} is not a file", hint="pass another --out")


def _link_or_rename(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:
        source.rename(target)  # a file system without links


def _undo(moved: Sequence[tuple[Path, Path | None]], made: Sequence[Path]) -> None:
    for target, kept in reversed(moved):
        with suppress(OSError):
            if kept is None:
                target.unlink()
            else:
                kept.replace(target)
    for folder in made:
        with suppress(OSError):
            folder.rmdir()
