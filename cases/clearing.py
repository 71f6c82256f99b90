"""The shelf is cleared of what nobody refers to: uploads that no move took up, contents that have no row any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, delete, func, select, text, update

from cases.attached import file
from cases.import_rows import import_job
from cases.shelf import FolderShelf

if TYPE_CHECKING:
    from cases.shelf import Shelf
    from cases.store import Store

UNREFERRED: Final = timedelta(days=7)
"""How long an upload waits for the move that refers to it."""
SETTLED: Final = timedelta(days=1)
"""How old a content without a row must be: until then somebody may be about to write it."""
_SLICE: Final = 500
_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('whistle files', 0))")


@dataclass(frozen=True, slots=True)
class Cleared:
    """How many uploads were given up, and how many contents were removed from the shelf."""

    uploads: int
    contents: int


def clear(store: Store, shelf: Shelf, now: datetime) -> Cleared:
    """Give up old uploads without an event, and remove contents that no row names. Safe to repeat and to stop.

    The contents of a student who was forgotten have no named row, so what forgetting couldn't remove goes here.
    """
    with store.begin() as connection:
        old = delete(file).where(file.c.event_seq.is_(None), file.c.at < now - UNREFERRED)
        uploads = connection.execute(old).rowcount
        stale = import_job.c.address.is_not(None), import_job.c.heard_at < now - UNREFERRED
        connection.execute(update(import_job).where(*stale).values(address=None, wrapped=None))
    removed = 0
    settled = (address for address, at in shelf.stock() if at < now - SETTLED)
    while some := set(islice(settled, _SLICE)):
        with store.begin() as connection:
            connection.execute(_ALONE)
            for address in some - _named(connection, some):
                shelf.remove(address)
                removed += 1
    if isinstance(shelf, FolderShelf):
        shelf.drop_halves(now - SETTLED)
    return Cleared(uploads, removed)


def missing(connection: Connection, shelf: Shelf) -> tuple[int, int]:
    """How many files there are, and of how many the content doesn't lie on the shelf."""
    count = connection.scalar(select(func.count()).select_from(file).where(file.c.about.is_not(None))) or 0
    if not count:
        return 0, 0
    there = {address for address, _ in shelf.stock()}
    return count, sum(address not in there for address in named(connection))


def named(connection: Connection) -> Iterator[bytes]:
    """The address of every file that can still be read."""
    query = select(file.c.address).where(file.c.about.is_not(None)).order_by(file.c.address)
    for (address,) in connection.execution_options(yield_per=10_000).execute(query):
        yield bytes(address)


def _named(connection: Connection, addresses: set[bytes]) -> set[bytes]:
    of_files = select(file.c.address).where(file.c.address.in_(addresses), file.c.about.is_not(None))
    of_imports = select(import_job.c.address).where(import_job.c.address.in_(addresses))
    return {bytes(one) for one in connection.scalars(of_files.union(of_imports))}
