"""Draw the pictures of the README: ``make pictures``.

A test says which of them no longer show what the tool prints.
"""

from __future__ import annotations

from docs.pictures.gallery import draw_all

if __name__ == "__main__":
    draw_all()
