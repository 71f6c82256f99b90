"""Copies of the shelf beside the back-ups: what lies there never changes, so only what is new is copied.

A back-up holds the rows, this folder (`files` beside it) the contents, sealed as they are on the shelf. One folder
serves every back-up in it. A forgotten student's contents stay unreadable wherever they lie: their key is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cases import clearing
from cases.shelf import FolderShelf

if TYPE_CHECKING:
    from cases.shelf import Shelf
    from cases.store import Store

FOLDER: Final = "files"
KEPT: Final = timedelta(days=42)
"""How long a copy of what no row names any more stays: a week longer than any back-up (`cases.archive`)."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How many contents are there, how many were copied now, their bytes, and how many couldn't be found."""

    files: int = 0
    copied: int = 0
    size: int = 0
    missing: int = 0

    def as_dict(self) -> dict[str, int]:
        return {"files": self.files, "copied": self.copied, "bytes": self.size, "missing": self.missing}


def copy_out(store: Store, shelf: Shelf, backups: Path, now: datetime) -> Copied:
    """Copy what the folder of the back-ups hasn't yet, and end copies that no back-up needs any more.

    To be called after the back-up was made: then nothing it names is missing. Safe to stop and to repeat. Raises
    ShelfFault.
    """
    copies = FolderShelf(backups / FOLDER)
    done = _copied(store, shelf, copies)
    if done.files:
        # Of a database that names nothing at all it is likelier that it is the wrong one than that all are over.
        with store.read() as connection:
            named = set(clearing.named(connection))
        for address in [one for one, at in copies.stock() if at < now - KEPT and one not in named]:
            copies.remove(address)
    return done


def copy_back(store: Store, shelf: Shelf, backups: Path) -> Copied:
    """Put back what the restored database names and the shelf hasn't. Replaces nothing. Raises ShelfFault."""
    return _copied(store, FolderShelf(backups / FOLDER), shelf)


def _copied(store: Store, source: Shelf, target: Shelf) -> Copied:
    with store.read() as connection:
        wanted = set(clearing.named(connection))
    lacking = wanted - {address for address, _ in target.stock()} if wanted else set()
    size = missing = 0
    for address in sorted(lacking):
        content = source.take(address)
        if content is None:
            missing += 1
            continue
        target.put(address, content)
        size += len(content)
    return Copied(len(wanted), len(lacking) - missing, size, missing)
