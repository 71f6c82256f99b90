"""A file as it may be kept: what it is was found out from its bytes, and nothing came along that nobody sees.

Pictures are decoded and encoded anew: place, time and camera stay behind, as does whatever was hung on behind. A PDF
is looked through and kept as it came (`cases.pdf_check`). What somebody says a file is doesn't count.
"""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

from cases import pdf_check
from cases.file_fault import FileFault

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST: Final = 20_000_000
"""Bytes of a file as it is given."""
MEGAPIXELS: Final = 64
PAGES: Final = 60
LONGEST_SIDE: Final = 5_000
"""Pixels: enough to print a photo across two pages. Larger ones are made smaller."""
LONGEST_SCAN: Final = 10_000
"""Of a scan's page: A3 at 600 dots an inch."""

_SUFFIX: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/tiff": ".tiff",
    "application/pdf": ".pdf",
}
_FORMAT: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/tiff": "TIFF"}
_LONGEST_NAME: Final = 100
_HEIC: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_AT_ONCE: Final = BoundedSemaphore(2)
"""A large photo takes some 200 MB while it is worked on: so many at a time in one process."""


@dataclass(frozen=True, slots=True)
class Clean:
    """A file that may be kept: its media type, its content, and the suffix that such a file has."""

    media: str
    content: bytes

    @property
    def suffix(self) -> str:
        return _SUFFIX[self.media]


def cleansed(content: bytes) -> Clean:
    """The file as it may be kept. Takes up to a few seconds for a large picture.

    Raises FileFault: file_empty, file_too_large, file_kind, file_heic, file_damaged, file_moving, file_pixels,
    file_pages, pdf_active, pdf_locked, pdf_opaque.
    """
    if not content:
        raise FileFault("file_empty")
    if len(content) > LARGEST:
        raise FileFault("file_too_large", limit=str(LARGEST // 1_000_000))
    media = _media(content)
    if media == "application/pdf":
        pdf_check.check(content)
        return Clean(media, content)
    with _AT_ONCE:
        made = _encoded_anew(content, media)
    if len(made) > LARGEST:
        raise FileFault("file_too_large", limit=str(LARGEST // 1_000_000))
    return Clean(media, made)


def name_of(given: str, suffix: str) -> str:
    """A file's name as it may stand on any reader's disk: no folders, nothing invisible, the suffix of what it is.

    Raises FileFault file_name when nothing is left of it.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    # Format characters too: one of them turns the direction of writing, so that `gpj.exe` reads as `exe.jpg`.
    shown = "".join(one for one in last if unicodedata.category(one)[0] != "C" and one not in '<>:"|?*')
    stem, dot, end = shown.rpartition(".")
    if dot and 1 <= len(end) <= 5 and end.isalnum():
        shown = stem
    shown = " ".join(shown.split()).strip(". ")[:_LONGEST_NAME].strip(". ")
    if not shown:
        raise FileFault("file_name")
    return f"{'_' if _RESERVED.fullmatch(shown) else ''}{shown}{suffix}"


def _media(content: bytes) -> str:
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith((b"II*\0", b"MM\0*")):
        return "image/tiff"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        raise FileFault("file_heic")
    raise FileFault("file_kind", found=_guessed(content))


def _guessed(content: bytes) -> str:
    """What the file seems to be, for the message alone; empty where nobody knows."""
    import puremagic

    with suppress(puremagic.PureError, ValueError):
        found = puremagic.magic_string(content[:4096])
        if found:
            return str(found[0].extension.lstrip(".").upper() or found[0].mime_type)
    return ""


def _encoded_anew(content: bytes, media: str) -> bytes:
    from PIL import Image, UnidentifiedImageError

    # Pillow grumbles about many a camera's notes, which aren't kept anyway.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    try:
        with Image.open(io.BytesIO(content), formats=[_FORMAT[media]]) as picture:
            _bounded(picture, media)
            if media == "image/tiff":
                return _scan(picture)
            return _picture(picture, media)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise FileFault("file_pixels", found="> 89", limit=str(MEGAPIXELS)) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError):
        # Pillow meets a broken file with whatever its decoders happen to trip over.
        raise FileFault("file_damaged") from None
    except (OverflowError, ZeroDivisionError, MemoryError, AttributeError, AssertionError, RuntimeError):
        raise FileFault("file_damaged") from None


def _bounded(picture: Image, media: str) -> None:
    """By what the head says, before anything is decoded."""
    pixels = picture.width * picture.height
    if pixels > MEGAPIXELS * 1_000_000:
        raise FileFault("file_pixels", found=str(-(-pixels // 1_000_000)), limit=str(MEGAPIXELS))
    if media != "image/tiff" and getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
        raise FileFault("file_moving")


def _picture(picture: Image, media: str) -> bytes:
    if media == "image/jpeg":
        # Decodes a large photo at half or a quarter of its size at once.
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    shown = _bare(picture, LONGEST_SIDE, alpha=media != "image/jpeg")
    written = io.BytesIO()
    if media == "image/png":
        shown.save(written, "PNG")
    elif media == "image/webp":
        shown.save(written, "WEBP", quality=90)
    else:
        shown.save(written, "JPEG", quality=90)
    return written.getvalue()


def _scan(picture: Image) -> bytes:
    """Every page of a scan; black and white stays so, which is what keeps a long document small."""
    count = getattr(picture, "n_frames", 1)
    if count > PAGES:
        raise FileFault("file_pages", found=str(count), limit=str(PAGES))

    def pages() -> Iterator[Image]:
        for number in range(count):
            picture.seek(number)
            _bounded(picture, "image/tiff")
            page = _bare(picture, LONGEST_SCAN, alpha=False)
            packing = "group4" if page.mode == "1" else "tiff_adobe_deflate"
            page.encoderinfo = {"compression": packing}
            yield page

    written = io.BytesIO()
    rest = pages()
    first = next(rest)
    first.save(written, "TIFF", save_all=True, append_images=rest, **first.encoderinfo)
    return written.getvalue()


def _bare(picture: Image, longest: int, *, alpha: bool) -> Image:
    """The picture alone, upright and in plain colours, in an object that knows nothing of where it came from."""
    from PIL import Image, ImageOps

    picture.load()
    profile = picture.info.get("icc_profile")
    upright = ImageOps.exif_transpose(picture)
    through = upright.mode in {"LA", "PA", "RGBA", "RGBa"} or "transparency" in upright.info
    if upright.mode not in {"1", "L"} or through:
        mode = "RGBA" if through and alpha else "RGB"
        if upright.mode in {"I", "I;16", "I;16L", "I;16B", "F"}:
            mode = "L"
        upright = _plain(upright, mode, profile)
    if max(upright.size) > longest:
        if upright.mode == "1":
            upright = upright.convert("L")
        upright.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return Image.frombytes(upright.mode, upright.size, upright.tobytes())


def _plain(picture: Image, mode: str, profile: bytes | None) -> Image:
    """Colours of a camera's own profile become those of every screen; where it can't be read they stay as they are."""
    from PIL import ImageCms

    if profile and mode == "RGB" and picture.mode in {"RGB", "CMYK"}:
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            changed = ImageCms.profileToProfile(
                picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if changed is not None:
                return changed
    if mode == "RGB" and ("transparency" in picture.info or picture.mode in {"LA", "PA", "RGBA", "RGBa"}):
        return _on_white(picture)
    return picture.convert(mode)


def _on_white(picture: Image) -> Image:
    """What was transparent is paper, not ink."""
    from PIL import Image

    shown = picture.convert("RGBA")
    paper = Image.new("RGBA", shown.size, "white")
    return Image.alpha_composite(paper, shown).convert("RGB")
