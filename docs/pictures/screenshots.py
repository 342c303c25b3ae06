"""Screenshots that say what they show: a digest of it is in the file, so tests need no browser."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

_KEYWORD: Final = b"Source"
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLORS: Final = 256
_SCALE: Final = 2
"""Pixels of the picture for one of the page, so that text is sharp."""

Prepare = Callable[[Any], None]


@contextmanager
def run_chromium() -> Iterator[Any]:
    """Start Chromium; what it runs ends with it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only make browser installs it

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("install Chromium: Debian's package is chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            # As root, Chromium's own sandbox does not work. The others keep the bytes the same.
            args=["--no-sandbox", "--font-render-hinting=none", "--disable-lcd-text"],
        )
        yield browser
        browser.close()


def take_screenshot(
    browser: Any,  # noqa: ANN401 - playwright is not typed here
    html: str,
    *,
    theme: str,
    size: tuple[int, int | None],
    prepare: Prepare,
) -> bytes:
    """Return a PNG of a page, whole if ``size`` has no height, after ``prepare`` has used it."""
    width, height = size
    with TemporaryDirectory() as folder:
        file = Path(folder, "page.html")
        file.write_text(html, encoding="utf-8")
        page = browser.new_page(
            viewport={"width": width, "height": height or 100},
            color_scheme=theme,
            device_scale_factor=_SCALE,
            reduced_motion="reduce",
        )
        page.goto(file.as_uri())
        prepare(page)
        picture: bytes = page.screenshot(full_page=height is None, animations="disabled")
        page.close()
    return _reduce_colors(picture)


def _reduce_colors(picture: bytes) -> bytes:
    """Make a PNG a third as large: text on a plain ground has few colours."""
    from PIL import Image  # noqa: PLC0415 - as above

    reduced = BytesIO()
    with Image.open(BytesIO(picture)) as image:
        palette = image.convert("RGB").quantize(_COLORS, dither=Image.Dither.NONE)
        palette.save(reduced, "PNG", optimize=True)
    return reduced.getvalue()


def stamp(picture: bytes, source: str) -> bytes:
    """Return the PNG with a digest of what it shows, as text behind its header."""
    digest = sha256(source.encode()).hexdigest().encode()
    header_end = len(_SIGNATURE) + 12 + 13
    return picture[:header_end] + _make_chunk(digest) + picture[header_end:]


def read_stamp(file: Path) -> str:
    """Return the digest that `stamp` put into a PNG; raises ValueError if there is none."""
    _, found, rest = file.read_bytes().partition(b"tEXt" + _KEYWORD + b"\0")
    if not found:
        raise ValueError(f"{file}: no digest of what it shows")
    return rest[: sha256().digest_size * 2].decode()


def _make_chunk(digest: bytes) -> bytes:
    content = b"tEXt" + _KEYWORD + b"\0" + digest
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
