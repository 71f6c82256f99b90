"""What the engine needs beside the case: the book of every policy version, the directory, the keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cases.track import Track, discover

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

    from cases.directory import Directory
    from cases.keystore import KeyStore
    from cases.shelf import Shelf
    from cases.vault import MasterKey
    from policies.book import Book


@dataclass(slots=True)
class Office:
    """One process's engine room. Built once by a door; safe to share between threads.

    `book_of` gives the policy version a case was opened under, `current` names the one new cases open under.
    """

    directory: Directory
    keystore: KeyStore
    master: MasterKey
    current: str
    book_of: Callable[[str], Book]
    tracks: Mapping[str, Track] = field(default_factory=discover)
    forget_books: Callable[[], None] | None = None
    # Where the contents of files lie; what never touches a file is opened without.
    shelf: Shelf | None = None
    # Which versions there were, by the one that was current when they were read (`cases.listing`).
    versions: tuple[str, frozenset[str]] | None = None

    def refresh(self, version: int) -> None:
        """Forget what was read under another version: people and organisations, and books with their calendars."""
        if version != self.directory.version:
            self.directory.refresh(version)
            if self.forget_books is not None:
                self.forget_books()


@dataclass(frozen=True, slots=True)
class Session:
    """One transaction at the office. Whoever opened it commits it (`cases.store`).

    `owed` are lines of the access log that its door writes when what was read is handed over (`cases.noting`).
    """

    connection: Connection
    office: Office
    owed: list[dict[str, Any]] = field(default_factory=list)
