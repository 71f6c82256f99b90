"""An installation: the policy versions that it keeps, the calendar tables that it was given, its engine room.

Doors build one `Installation` and take their `Office` from it. Versions are immutable: what a case was opened
under is read from the database for ever, whatever the library's files say later.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from cases import library, queries, working_days
from cases.directory import Directory
from cases.office import Office
from cases.records import policy_version
from policies import book as books
from policies.book import Book
from policies.calendar import CalendarFault
from policies.faults import Fault, PolicyFaults
from policies.vocabulary import Words

if TYPE_CHECKING:
    from pathlib import Path

    from cases.clockwork import Clock
    from cases.keystore import KeyStore
    from cases.office import Session
    from cases.shelf import Shelf
    from cases.store import Store
    from cases.vault import MasterKey
    from policies.faces import Face


class Installation:
    """One database with its key store. Safe to share between threads."""

    def __init__(self, store: Store, keystore: KeyStore, master: MasterKey, shelf: Shelf | None = None) -> None:
        self.store = store
        self.keystore = keystore
        self.master = master
        self.shelf = shelf
        self._books: dict[str, Book] = {}
        self._lock = Lock()

    def office(self, current: str | None = None) -> Office:
        """The engine room; new cases open under `current`, by default the newest active version."""
        return Office(
            Directory(0),
            self.keystore,
            self.master,
            current or self.active(),
            self.book,
            forget_books=self._books.clear,
            shelf=self.shelf,
        )

    def active(self) -> str:
        """The version under which new cases open: the one activated last; the library's newest before any was."""
        return self.chosen() or books.versions()[-1]

    def chosen(self) -> str | None:
        """The version that was activated last; None before any was."""
        with self.store.read() as connection:
            return library.activated(connection)

    def versions(self) -> tuple[str, ...]:
        """Every version that is stored here, by name."""
        with self.store.read() as connection:
            return tuple(connection.scalars(select(policy_version.c.name).order_by(policy_version.c.name)))

    def keep(self, book: Book, at: datetime, *, activate: bool = False) -> None:
        """Store a version for good. Raises PolicyFaults when another content is stored under its name."""
        with self.store.begin() as connection:
            row = {"name": book.version, "digest": book.digest, "source": book.source_text, "stored_at": at}
            connection.execute(insert(policy_version).values(row).on_conflict_do_nothing())
            stored = connection.scalar(select(policy_version.c.digest).where(policy_version.c.name == book.version))
            if stored != book.digest:
                raise PolicyFaults([_changed(book)])
            if activate:
                connection.execute(
                    policy_version.update().where(policy_version.c.name == book.version).values(active_at=at)
                )

    def book(self, name: str) -> Book:
        """The book of a version, as it was stored, or from the library where nothing is stored under that name."""
        found = self._books.get(name)
        if found is None:
            with self._lock:
                found = self._books.get(name) or self._read(name)
                self._books[name] = found
        return found

    def _read(self, name: str) -> Book:
        with self.store.read() as connection:
            return library.read(connection, name)

    def load_calendar(self, path: Path, at: datetime) -> int:
        """Store a calendar table and reckon every running limit of its year anew; returns how many clocks moved.

        Raises CalendarFault with every fault of the file, and then changes nothing. A limit that moves is written
        into its case's history.
        """
        try:
            source = path.read_text("utf-8")
        except UnicodeDecodeError:
            raise CalendarFault(
                f"{path.name} 不是 UTF-8 文本，请另存为 UTF-8 后再装入。",
                f"{path.name} isn't UTF-8 text; save it as UTF-8 and load it again.",
            ) from None
        return self.keep_calendar(source, path.name, at)

    def keep_calendar(self, source: str, name: str, at: datetime) -> int:
        """As `load_calendar`, for a table that came otherwise than in a file of that name."""
        with self.store.begin() as connection:
            year = working_days.load(connection, source, name, at)
        return self._follow({year}, at)

    def settle_calendars(self, at: datetime) -> int:
        """Keep the working days that this release brings; where an earlier one had others, limits follow."""
        with self.store.begin() as connection:
            years = working_days.settle(connection, at)
        return self._follow(years, at)

    def _follow(self, years: set[int], at: datetime) -> int:
        self._books.clear()
        return working_days.follow(self.store, self.office(), years, at)


def _changed(book: Book) -> Fault:
    return Fault(
        f"{book.version}.yaml",
        1,
        "version",
        Words(
            f"版本 {book.version} 已经存档，内容与此不同；已发布的版本不能改动",
            f"version {book.version} is stored with another content; a published version never changes",
        ),
        Words("给改动后的政策一个新的版本号", "give the changed policy a new version"),
    )


def verified(session: Session, office: Office, number: str, case_id: int) -> Iterator[str]:
    """What is wrong with a case's history, one line each; nothing when its chain verifies and replays.

    The chain is checked link by link with the master key, and the signals of its events are folded anew: they
    must give the faces that the rows hold.
    """
    from cases import chain, loading
    from policies import clocks
    from policies.clocks import ClockFault

    file = loading.one_by_one(session, [case_id], lock=False)[0]
    rows = queries.chain_rows(session.connection, case_id, number)
    verdict = chain.verify(office.master.chain, rows, chain.Head(file.events, file.head))
    if not verdict.ok:
        yield f"{number}: event {verdict.broken_at}: {verdict.why}"
    try:
        faces = clocks.read(office.book_of(file.policy), queries.signals(session.connection, case_id))
    except ClockFault as fault:
        yield f"{number}: the history of the clocks doesn't fit together: {fault}"
    else:
        for clock in file.clocks.values():
            if not _shows(clock, faces.get(clock.no)):
                yield f"{number}: clock {clock.no} ({clock.name}) doesn't follow from the history"
    states = queries.states(session.connection, case_id)
    for record in file.all_records():
        if states.get(record.no) != record.state:
            yield f"{number}: track {record.no} ({record.kind}) isn't in the state that the history leaves it in"


def _shows(clock: Clock, face: Face | None) -> bool:
    """Whether the row of a clock shows that face; one that can't be read shows none."""
    try:
        return clock.face == face
    except (KeyError, TypeError, ValueError):
        return False
