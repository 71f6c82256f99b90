"""The small made-up files that a story attaches, and the shelf they lie on: in memory, gone with the play."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from cases import evidence, files

if TYPE_CHECKING:
    from cases.directory import Actor
    from cases.forms import Form
    from cases.office import Session

_PICTURES: Final[Mapping[str, str]] = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}


class MemoryShelf:
    """A shelf (`cases.shelf.Shelf`) for as long as a play lasts."""

    def __init__(self) -> None:
        self._held: dict[bytes, bytes] = {}

    @property
    def where(self) -> str:
        return "memory"

    def put(self, address: bytes, content: bytes) -> None:
        self._held[address] = content

    def take(self, address: bytes) -> bytes | None:
        return self._held.get(address)

    def has(self, address: bytes) -> bool:
        return address in self._held

    def remove(self, address: bytes) -> None:
        self._held.pop(address, None)

    def stock(self) -> Iterator[tuple[bytes, datetime]]:
        return ((address, datetime.now(UTC)) for address in list(self._held))


def attach(
    session: Session, number: int, actor: Actor, form: Form, given: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The form with each name of a file as a reference to one that was kept under it.

    Refuses as `cases.files.keep` does: whoever may not attach it may not say so either.
    """
    found = dict(given)
    for field in form.fields:
        names = found.get(field.name.rstrip("_"))
        section = "narrative" if field.section == "open" else field.section
        if field.kind == "evidence" and isinstance(names, list):
            found[field.name.rstrip("_")] = [
                files.keep(session, number, actor, one, made(one), section, now).reference
                if isinstance(one, str) and not one.startswith(evidence.PREFIX)
                else one
                for one in names
            ]
    return found


def made(name: str) -> bytes:
    """A picture for a picture's name, else a page; the same name gives the same file, another another."""
    kind = _PICTURES.get(PurePath(name).suffix.lower())
    if kind is None:
        return _page(name)
    from PIL import Image

    shade = sum(name.encode()) % 256
    written = io.BytesIO()
    Image.new("RGB", (32, 24), (shade, 255 - shade, 128)).save(written, kind)
    return written.getvalue()


def _page(name: str) -> bytes:
    """A PDF of one empty page that bears the name as its title."""
    title = name.encode("utf-16-be").hex().upper().encode()
    parts = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        b"<< /Title <FEFF" + title + b"> >>",
    )
    written, places = bytearray(b"%PDF-1.4\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    begins = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    written += b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, begins)
    return bytes(written)
