"""Files that pretend: by type, by name, by size, by what is hung on behind. None is kept as it came."""

from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib

import pytest
from PIL import Image

from cases.cleansing import LARGEST, cleansed, name_of
from cases.file_fault import FileFault
from cases.refusal import Refusal
from tests.cases import papers

ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as _archive:
    _archive.writestr("evil.js", "alert(1)")


def refused(content: bytes) -> tuple[str, str]:
    """The code of the fault, and what was found where that is said."""
    with pytest.raises(FileFault) as caught:
        cleansed(content)
    (fault,) = caught.value.faults
    return fault.code, fault.facts.get("found", "")


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(20),
        b"GIF89a/*\0*/=1;alert(1)",
        b"MZ" + bytes(200),
        b"\x7fELF" + bytes(200),
        b"#!/bin/sh\nrm -rf /",
        ZIP.getvalue(),
        b"BM" + bytes(100),
        b"\0\0\0\x20ftypavif" + bytes(100),
        b"%!PS-Adobe-3.0\n",
        b"just words",
        b"\xef\xbb\xbf%PDF-1.5",
        b" \n%PDF-1.5",
    ],
)
def test_what_is_neither_picture_nor_pdf_is_not_taken_whatever_it_is_called(content: bytes) -> None:
    assert refused(content)[0] == "file_kind"


def test_a_heic_photo_is_told_how_to_be_sent() -> None:
    assert refused(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)) == ("file_heic", "")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_what_is_hung_on_behind_a_picture_stays_behind(kind: str) -> None:
    polyglot = papers.drawing(kind) + b"<script>alert(1)</script>" + ZIP.getvalue()
    clean = cleansed(polyglot)
    assert b"<script>" not in clean.content
    assert b"PK\x03\x04" not in clean.content


def test_what_is_written_into_a_picture_stays_behind() -> None:
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Comment", "<?php system($_GET['c']); ?>")
    notes.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>CANARY</x:xmpmeta>")
    written = io.BytesIO()
    Image.new("RGB", (8, 8)).save(written, "PNG", pnginfo=notes, icc_profile=b"CANARY" * 20, dpi=(71, 71))
    clean = cleansed(written.getvalue())
    assert b"<?php" not in clean.content
    assert b"CANARY" not in clean.content
    tiff = io.BytesIO()
    Image.new("L", (8, 8)).save(tiff, "TIFF", tiffinfo={270: "CANARY", 700: b"CANARY", 33723: b"CANARY"})
    assert b"CANARY" in tiff.getvalue()
    assert b"CANARY" not in cleansed(tiff.getvalue()).content


def test_a_type_that_its_first_bytes_feign_is_damaged() -> None:
    for head in (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"II*\0\x08\0\0\0", b"MM\0*"):
        assert refused(head + b"<script>alert(1)</script>" * 10)[0] == "file_damaged"
    # One format's head before another's body.
    assert refused(b"\x89PNG\r\n\x1a\n" + papers.photo())[0] == "file_damaged"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_picture_is_damaged(kind: str) -> None:
    written = io.BytesIO()
    Image.effect_noise((200, 200), 80).convert("RGB").save(written, kind)
    whole = written.getvalue()
    for share in (0.05, 0.5, 0.9):
        assert refused(whole[: int(len(whole) * share)])[0] == "file_damaged"


def test_a_changed_picture_never_breaks_the_look() -> None:
    import random

    chance = random.Random(7)  # noqa: S311 - no secret is drawn
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        written = io.BytesIO()
        Image.effect_noise((40, 40), 80).save(written, kind)
        for _ in range(60):
            content = bytearray(written.getvalue())
            for _ in range(chance.randint(1, 12)):
                content[chance.randrange(8, len(content))] = chance.randrange(256)
            try:
                cleansed(bytes(content))
            except FileFault as fault:
                assert fault.faults[0].code.startswith("file_")  # noqa: PT017 - many of them may pass


def _png(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height"), [(9_000, 9_000), (30_000, 30_000), (2**31 - 1, 2**31 - 1), (65_000, 1_000)]
)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    begun = time.perf_counter()
    assert refused(_png(width, height, bytes(1000)))[0] in {"file_pixels", "file_damaged"}
    assert time.perf_counter() - begun < 1


def test_a_moving_picture_and_an_endless_scan_are_refused() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    for kind in ("PNG", "WEBP"):
        written = io.BytesIO()
        frames[0].save(written, kind, save_all=True, append_images=frames[1:])
        assert refused(written.getvalue())[0] == "file_moving"
    assert refused(papers.scan(61)) == ("file_pages", "61")


def test_an_empty_file_and_one_beyond_the_limit_are_refused() -> None:
    assert refused(b"")[0] == "file_empty"
    assert refused(papers.photo() + bytes(LARGEST))[0] == "file_too_large"


# --------------------------------------------------------------------------------------- PDF

ACTIVE = [
    b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>",
    b"/OpenAction << /S /J#61vaScript /JS (1) >>",
    b"/OpenAction << /S /#4a#61#76#61#53cript /JS (1) >>",
    b"/AA << /O << /S /Launch /F (cmd.exe) >> >>",
    b"/Names << /EmbeddedFiles << /Names [(a) 9 0 R] >> >>",
    b"/A << /S /SubmitForm /F (http://x) >>",
    b"/A << /S /ImportData >>",
    b"/A << /S /GoToE >>",
    b"/A << /S /GoToR /F (\\\\\\\\host\\\\share) >>",
    b"/A << /S /Rendition /JS (1) >>",
    b"/Annots [<< /Subtype /RichMedia >>]",
    b"/AcroForm << /XFA [ 9 0 R ] >>",
    b"/Collection << >>",
]


@pytest.mark.parametrize("extra", ACTIVE)
def test_a_pdf_that_could_act_is_refused(extra: bytes) -> None:
    assert refused(papers.pdf(extra))[0] == "pdf_active"


@pytest.mark.parametrize("extra", ACTIVE[:5])
def test_a_pdf_that_hides_it_in_a_packed_object_is_refused(extra: bytes) -> None:
    inner = b"10 0 << " + extra + b" >>"
    once = papers.packed(inner)
    assert refused(papers.pdf(packed=once))[0] == "pdf_active"
    twice = papers.packed(once)
    assert refused(papers.pdf(packed=twice, filters=b"[/FlateDecode /FlateDecode]"))[0] == "pdf_active"
    import base64

    spelt = base64.a85encode(once) + b"~>"
    assert refused(papers.pdf(packed=spelt, filters=b"[/ASCII85Decode /FlateDecode]"))[0] == "pdf_active"
    letters = once.hex().encode() + b">"
    assert refused(papers.pdf(packed=letters, filters=b"[/ASCIIHexDecode /FlateDecode]"))[0] == "pdf_active"
    far = papers.packed(bytes(3 << 20) + inner)
    assert refused(papers.pdf(packed=far))[0] == "pdf_active"


def test_a_pdf_that_cannot_be_looked_into_is_refused() -> None:
    assert refused(papers.pdf(b"/Encrypt 9 0 R"))[0] == "pdf_locked"
    assert refused(papers.pdf(packed=b"x", filters=b"/LZWDecode"))[0] == "pdf_opaque"
    assert refused(papers.pdf(packed=b"x", filters=b"/LZ#57Decode"))[0] == "pdf_opaque"


def test_a_pdf_bomb_is_refused_in_seconds() -> None:
    bomb = papers.packed(bytes(300 << 20))
    begun = time.perf_counter()
    assert refused(papers.pdf(packed=bomb)) == ("pdf_opaque", "> 256 MB")
    assert time.perf_counter() - begun < 10


def test_a_pdf_with_another_file_behind_it_or_cut_short_is_damaged() -> None:
    whole = papers.pdf()
    assert cleansed(whole).content == whole
    assert refused(whole + ZIP.getvalue())[0] == "file_damaged"
    assert refused(whole + b"<script>alert(1)</script>")[0] == "file_damaged"
    assert refused(whole[: len(whole) // 2])[0] == "file_damaged"
    assert refused(b"%PDF-1.5\nnothing\nstartxref\n3\n%%EOF\n")[0] == "file_damaged"


def test_a_page_may_link_and_open_at_a_page() -> None:
    cleansed(papers.pdf(b"/OpenAction [3 0 R /Fit] /A << /S /URI /URI (https://example.org) >>"))


# -------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name",
    ["../../../etc/cron.d/x", "..\\..\\windows\\x.exe", "/etc/passwd", "a/b/c.html", "x\0.html", ".htaccess", "…/x"],
)
def test_a_name_never_leads_anywhere(name: str) -> None:
    shown = name_of(name, ".jpg")
    assert shown.endswith(".jpg")
    assert not set(shown) & set("/\\\0\r\n")
    assert not shown.startswith(".")


@pytest.mark.parametrize("name", ["", ".", "..", "///", "\u202e", "\0", "   "])
def test_a_name_of_nothing_is_asked_for(name: str) -> None:
    with pytest.raises(Refusal):
        name_of(name, ".jpg")
