"""Whether a PDF is only paper: nothing in it runs, nothing is carried inside, nothing hides from the look.

A PDF is kept as it came, because a scanned consent is evidence down to its bytes. So it is looked through: names of
what could act are searched in the file and in everything that unpacks from it. What can't be unpacked isn't taken.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from typing import Final

from cases.file_fault import FileFault

_ACTIVE: Final = re.compile(
    rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia(?:Content|Instance|Settings)?|Rendition|SubmitForm|ImportData|GoToE"
    rb"|GoToR|Movie|Collection|XFA(?=\s*[\[\d]))(?![A-Za-z0-9_.\-])"
)
_LOCKED: Final = re.compile(rb"/Encrypt(?![A-Za-z0-9])")
# Filters that could hide a dictionary and that nobody's scanner or word processor uses for one.
_OPAQUE: Final = re.compile(rb"/(LZWDecode|RunLengthDecode|Crypt)(?![A-Za-z0-9])")
_HEX: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM: Final = re.compile(rb"stream(\r\n|\n|\r)")
_END: Final = re.compile(rb"%%EOF\s{0,2}[\s\0]*\Z")
_START: Final = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF")
_TABLE: Final = re.compile(rb"\s*(xref\b|\d+\s+\d+\s+obj\b)")

_MOST: Final = 256 << 20
"""So many bytes may unpack from one PDF; beyond that it is a bomb, or might as well be."""
_PIECE: Final = 1 << 20
_DEPTH: Final = 3
_LONGEST_NAME: Final = 64


def check(content: bytes) -> None:
    """Raises FileFault file_damaged, pdf_locked, pdf_active, pdf_opaque."""
    if not content.startswith(b"%PDF-1.") and not content.startswith(b"%PDF-2."):
        raise FileFault("file_damaged")
    _whole(content)
    plain = _named(content)
    if _LOCKED.search(plain):
        raise FileFault("pdf_locked")
    if hidden := _OPAQUE.search(plain):
        raise FileFault("pdf_opaque", found=hidden[1].decode())
    _passive(content)
    _Unpacking(_MOST).all_of(content, 0)


def _whole(content: bytes) -> None:
    """Begins and ends as a PDF: what follows the end is for another program's eyes."""
    if not _END.search(content, max(0, len(content) - 1024)):
        raise FileFault("file_damaged")
    starts = list(_START.finditer(content, max(0, len(content) - 4096)))
    if not starts or not _TABLE.match(content, int(starts[-1][1])):
        raise FileFault("file_damaged")


def _named(content: bytes) -> bytes:
    """With names spelt out: `/J#61vaScript` is JavaScript too."""
    return _HEX.sub(lambda found: bytes((int(found[1], 16),)), content) if b"#" in content else content


def _passive(content: bytes) -> None:
    if found := _ACTIVE.search(_named(content)):
        raise FileFault("pdf_active", found=found[1].decode())


class _Unpacking:
    """Everything that unpacks, a piece at a time, and never more in all than there is room for."""

    def __init__(self, room: int) -> None:
        self._room = room

    def all_of(self, content: bytes, depth: int) -> None:
        for found in _STREAM.finditer(content):
            self._one(content, found.end(), depth)

    def _one(self, content: bytes, start: int, depth: int) -> None:
        if depth >= _DEPTH:
            raise FileFault("pdf_opaque", found="nested")
        tail, head = b"", b""
        for piece in self._unpacked(content, start):
            _passive(tail + piece)
            tail = (tail + piece)[-_LONGEST_NAME:]
            if not head:
                head = piece[: 16 * _PIECE]
        if head:
            # A stream packed twice is legal, if odd.
            self._one(head, 0, depth + 1)

    def _unpacked(self, content: bytes, start: int) -> Iterator[bytes]:
        if _deflated(content, start):
            yield from self._inflated(content, start)
        else:
            spelt = _spelt(content, start)
            if spelt:
                self._spend(len(spelt))
                yield spelt

    def _inflated(self, content: bytes, start: int) -> Iterator[bytes]:
        inflate = zlib.decompressobj()
        view = memoryview(content)[start:]
        given = 0
        try:
            while not inflate.eof:
                if inflate.unconsumed_tail:
                    piece = inflate.decompress(inflate.unconsumed_tail, _PIECE)
                elif given < len(view):
                    piece = inflate.decompress(view[given : given + _PIECE], _PIECE)
                    given += _PIECE
                else:
                    return
                self._spend(len(piece))
                if piece:
                    yield piece
        except zlib.error:
            # Not a packed stream after all, or one that no reader unpacks any further.
            return

    def _spend(self, count: int) -> None:
        self._room -= count
        if self._room < 0:
            raise FileFault("pdf_opaque", found=f"> {_MOST >> 20} MB")


def _deflated(content: bytes, start: int) -> bool:
    head = content[start : start + 2]
    return len(head) == 2 and head[0] & 0x0F == 8 and int.from_bytes(head) % 31 == 0


def _spelt(content: bytes, start: int) -> bytes:
    """What is written in letters, by ASCII85 or in hexadecimal, as some programs pack their pages."""
    head = content[start : start + 64].strip()
    if not head or not head.isascii() or b"\0" in head:
        return b""
    end = content.find(b"~>", start, start + (32 << 20))
    if end > 0 and content.find(b"endstream", start, end) < 0:
        try:
            return base64.a85decode(content[start:end].removeprefix(b"<~"))
        except ValueError:
            return b""
    end = content.find(b">", start, start + (32 << 20))
    try:
        letters = re.sub(rb"\s+", b"", content[start:end]) if end > 0 else b""
        return binascii.unhexlify(letters + b"0" * (len(letters) % 2))
    except ValueError:
        return b""
