"""The files that every page loads: vendored and pinned, compressed once, kept by browsers for a year.

An address carries the hash of its file (`/static/3f2a…/case.css`), so a new version is a new address and an old one
is never asked for again.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

FOLDER: Final = Path(__file__).parents[1] / "static"
FOR_EVER: Final = "public, max-age=31536000, immutable"
_TEXTS: Final = frozenset({".css", ".js", ".svg", ".json", ".txt"})
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, what it comes to compressed (None where that wins nothing), and its hash."""

    content: bytes
    packed: bytes | None
    kind: str
    digest: str


@cache
def read(path: str) -> Asset | None:
    """The file of that path below the folder, read once; None where there is none or it lies outside."""
    place = (FOLDER / path).resolve()
    if not place.is_relative_to(FOLDER) or not place.is_file():
        return None
    content = place.read_bytes()
    packed = gzip.compress(content, 9, mtime=0) if place.suffix in _TEXTS else None
    kind = _TYPES.get(place.suffix) or mimetypes.guess_type(place.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return Asset(content, packed, kind, hashlib.sha256(content).hexdigest()[:_SHOWN])


def address(path: str) -> str:
    """The address of a file, its hash in it. Raises LookupError: a template that names no file is a fault of ours."""
    asset = read(path)
    if asset is None:
        raise LookupError(path)
    return f"/static/{asset.digest}/{path}"


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for one file; 404 for a hash that isn't its own. To be mounted at `/static`."""
    digest, _, path = scope["path"].removeprefix(scope.get("root_path", "")).strip("/").partition("/")
    asset = read(path) if digest else None
    if asset is None or asset.digest != digest or scope["type"] != "http":
        await Response(status_code=404)(scope, receive, send)
        return
    headers = {"cache-control": FOR_EVER, "vary": "accept-encoding", "x-content-type-options": "nosniff"}
    accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
    content = asset.content
    if asset.packed is not None and b"gzip" in accepted:
        headers["content-encoding"] = "gzip"
        content = asset.packed
    await Response(content, headers=headers, media_type=asset.kind)(scope, receive, send)
