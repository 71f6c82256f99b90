"""A picture of a case small enough for a page: made anew each time from the sealed file, and kept nowhere."""

from __future__ import annotations

import io
from threading import BoundedSemaphore
from typing import Final

SMALL: Final = 192
"""Pixels of the longer side, for a list: twice what is shown, for dense screens."""
WIDE: Final = 1600
_AT_ONCE: Final = BoundedSemaphore(2)
"""A page with twenty photos asks for all of them at once; each takes its memory."""
PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/tiff"})


def smaller(content: bytes, longest: int) -> bytes:
    """A kept picture (`cases.cleansing`) as JPEG, no side longer than that; of a scan its first page."""
    from PIL import Image

    with _AT_ONCE, Image.open(io.BytesIO(content)) as picture:
        if picture.format == "JPEG":
            picture.draft("RGB", (longest, longest))
        through = picture.mode in {"RGBA", "LA", "P"}
        shown = picture.convert("RGBA" if through else "RGB")
        shown.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        paper = Image.new("RGB", shown.size, "white")
        paper.paste(shown, mask=shown if through else None)
        written = io.BytesIO()
        paper.save(written, "JPEG", quality=82)
    return written.getvalue()
