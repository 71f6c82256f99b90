"""Papers and pictures for tests: made here, so that nothing lies in the repository that nobody can read."""

from __future__ import annotations

import io
import zlib

from PIL import Image


def photo(width: int = 320, height: int = 240, *, orientation: int | None = None, place: bool = False) -> bytes:
    """A JPEG whose left half is red; with `place` it says where it was taken and by which camera."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width // 2, height))
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    if place:
        exif[0x010F] = "Camera of the Wang family"
        exif.get_ifd(0x8825)[1] = "N"
        exif.get_ifd(0x8825)[2] = (32.0, 3.0, 37.0)
    written = io.BytesIO()
    picture.save(written, "JPEG", exif=exif, comment=b"taken at home" if place else b"")
    return written.getvalue()


def drawing(kind: str, mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture of that format and mode."""
    written = io.BytesIO()
    Image.new(mode, size).save(written, kind)
    return written.getvalue()


def scan(pages: int, mode: str = "1") -> bytes:
    """A TIFF of so many pages."""
    written = io.BytesIO()
    first, *rest = (Image.new(mode, (120, 160), number % 2) for number in range(pages))
    first.save(written, "TIFF", save_all=True, append_images=rest)
    return written.getvalue()


def pdf(extra: bytes = b"", *, packed: bytes | None = None, filters: bytes = b"/FlateDecode") -> bytes:
    """A PDF of one empty page; `extra` stands in its catalogue, `packed` in an object stream."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R " + extra + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ]
    if packed is not None:
        parts.append(
            b"<< /Type /ObjStm /N 1 /First 5 /Filter "
            + filters
            + b" /Length %d >>\nstream\n" % len(packed)
            + packed
            + b"\nendstream"
        )
    written = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, part in enumerate(parts, 1):
        places.append(len(written))
        written += b"%d 0 obj\n" % number + part + b"\nendobj\n"
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    for place in places:
        written += b"%010d 00000 n \n" % place
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, start)
    return bytes(written)


def packed(content: bytes) -> bytes:
    """As PDF packs a stream."""
    return zlib.compress(content)
