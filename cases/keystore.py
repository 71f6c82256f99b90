"""The key store: one wrapped data key for each student, in a database of its own.

It lies beside the main database and is **never part of the main back-up**: whoever restores last year's
cases gets last year's ciphertexts and today's keys, so a forgotten student stays forgotten. Back the main
database up with pg_dump (one database); where the whole server is copied (pg_basebackup, archived WAL), put
the key store on a server of its own. Its own copies are those of `cases.key_copies`, and no others.

What forgetting leaves behind: PostgreSQL writes a changed row beside the old one. `forget` therefore ends
by writing the tables anew, which drops the old files; the server's write-ahead log holds the
wrapped key until its segments are recycled and overwritten. Without the master key neither is of use.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from psycopg.errors import DuplicateDatabase, UniqueViolation
from sqlalchemy import BigInteger, Connection, LargeBinary, cast, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from cases.key_cache import KeyCache
from cases.key_copies import KeyStoreCopies, read_copy
from cases.key_fault import CopiesElsewhere, Forgotten, KeyStoreUnprepared, UnknownStudent
from cases.key_index import KeyIndex, drop, student_index
from cases.key_tables import copies_folder, key_check, keys, student_key
from cases.store import Store
from cases.store_fault import StoreFault
from cases.unsent import UnsentForms
from cases.vault import Algorithm, DataKey, MasterKey, Unreadable, WrongMasterKey

KEPT: Final = timedelta(days=7)
"""How long a copy is kept unless it is said otherwise."""
_ONE: Final = "SELECT wrapped, forgotten_at FROM student_key WHERE student_id = %s"
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('whistle key store', 0))")


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What a call to `forget` did: students newly forgotten, and keys overwritten in copies."""

    students: int
    copies: int


class KeyStore:
    """The students' keys. Safe to share between threads; each call is a transaction of its own.

    A key is made and kept apart from the transaction that will use it: if that one fails, a key without data
    stays, which harms nobody. Keys read are remembered in this process for `max_age`; so long may another
    process still open what was forgotten here, and no longer.
    """

    def __init__(
        self,
        store: Store,
        master: MasterKey,
        algorithm: Algorithm = "aes-256-gcm",
        *,
        copies: KeyStoreCopies | None = None,
        max_age: timedelta = timedelta(seconds=60),
        max_size: int = 10_000,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._master = master
        self._algorithm: Algorithm = algorithm
        self._copies = copies
        self.index = KeyIndex(store)
        self.unsent = UnsentForms(store, master, algorithm)
        self._cache = KeyCache(max_age.total_seconds(), max_size, elapsed)

    def prepare(self) -> None:
        """Make the database and its tables if they aren't there, and check the master key.

        Raises WrongMasterKey, or KeyStoreUnprepared when keys lie there without the check row that belongs to
        them; then nothing was changed.
        """
        try:
            self._prepare()
        except StoreFault as fault:
            if fault.code != "no_database":
                raise
            # Two may arrive here at once; the second finds it made or in the making.
            with suppress(DuplicateDatabase, UniqueViolation):
                self._store.create_database(self._store.name)
            self._prepare()

    def verify(self) -> None:
        """Check that the store is set up and belongs to this master key. Raises as `prepare`."""
        try:
            with self._store.read() as connection:
                self._check(connection)
        except StoreFault as fault:
            if fault.code not in {"not_migrated", "no_database"}:
                raise
            raise KeyStoreUnprepared(where=self._store.where, why="no tables") from None

    def create(self, student_id: int) -> DataKey:
        """The student's key, made if there is none. Raises Forgotten: nobody comes back under an old id."""
        return self.create_many([student_id]).get(student_id) or self.of(student_id)

    def create_many(self, student_ids: Iterable[int]) -> dict[int, DataKey]:
        """Keys for many students in one statement, as `create`; the forgotten are left out."""
        made = {student_id: DataKey.generate(self._algorithm) for student_id in student_ids}
        if not made:
            return {}
        pairs = (
            func.unnest(
                cast(list(made), ARRAY(BigInteger)),
                cast([self._master.wrap(k, _place(s)) for s, k in made.items()], ARRAY(LargeBinary)),
            )
            .table_valued("student_id", "wrapped")
            .render_derived()
        )
        statement = (
            insert(student_key)
            .from_select(["student_id", "wrapped"], select(pairs.c.student_id, pairs.c.wrapped))
            .on_conflict_do_nothing()
            .returning(student_key.c.student_id)
        )
        epoch = self._cache.epoch
        with self._store.begin() as connection:
            new = set(connection.execute(statement).scalars())
        created = {student_id: key for student_id, key in made.items() if student_id in new}
        self._cache.put(created, epoch)
        return created | self.many(made.keys() - new)

    def of(self, student_id: int) -> DataKey:
        """The student's key. Raises Forgotten, UnknownStudent, or WrongMasterKey (another wrapped it)."""
        held = self._cache.take({student_id}).get(student_id)
        if held is not None:
            return held
        epoch = self._cache.epoch
        # One statement by itself, without a transaction around it: every first move of a case waits for this.
        with self._store.glance() as connection:
            row = connection.execute(_ONE, (student_id,), prepare=True).fetchone()
        if row is None:
            raise UnknownStudent(student=str(student_id))
        wrapped, forgotten_at = row
        if forgotten_at is not None:
            raise Forgotten(place=_place(student_id), section="key", why="forgotten")
        key = self._unwrapped(student_id, wrapped)
        self._cache.put({student_id: key}, epoch)
        return key

    def many(self, student_ids: Iterable[int]) -> dict[int, DataKey]:
        """The keys of these students in one query; forgotten and unknown ones are left out."""
        wanted = set(student_ids)
        found = self._cache.take(wanted)
        missing = wanted - found.keys()
        if not missing:
            return found
        query = select(student_key.c.student_id, student_key.c.wrapped).where(
            student_key.c.student_id == func.any(cast(list(missing), ARRAY(BigInteger))),
            student_key.c.forgotten_at.is_(None),
        )
        epoch = self._cache.epoch
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        read = {student_id: self._unwrapped(student_id, wrapped) for student_id, wrapped in rows}
        self._cache.put(read, epoch)
        return found | read

    def forget(self, student_ids: int | Iterable[int], at: datetime) -> Forgetting:
        """Overwrite the keys with zeros, here and in every copy; nothing of these students opens ever again.

        All or none: raises UnknownStudent before anything is changed, and CopiesElsewhere where copies lie in a
        folder out of reach. Repeating it is harmless, and is what to do after any failure. Many at once cost one
        rewriting of the table.
        """
        wanted = sorted({student_ids} if isinstance(student_ids, int) else set(student_ids))
        theirs = student_key.c.student_id == func.any(cast(wanted, ARRAY(BigInteger)))
        with self._store.begin() as connection:
            # No copy may be written meanwhile: it would carry the key on.
            connection.execute(_LOCK)
            self._reach(connection)
            known = set(connection.execute(select(student_key.c.student_id).where(theirs)).scalars())
            if unknown := [student_id for student_id in wanted if student_id not in known]:
                raise UnknownStudent(student=", ".join(map(str, unknown)))
            copies = 0 if self._copies is None else self._copies.overwrite(wanted)
            zeros = func.decode(func.repeat("00", func.octet_length(student_key.c.wrapped)), "hex")
            done = connection.execute(
                update(student_key)
                .where(theirs, student_key.c.forgotten_at.is_(None))
                .values(wrapped=zeros, forgotten_at=at)
            )
            students = done.rowcount
            drop(connection, wanted)
        self._cache.drop(wanted)
        self.scrub()
        return Forgetting(students, copies)

    def scrub(self) -> None:
        """Write the tables anew, so that no old version of a row stays in their files. Locks them meanwhile.

        Not by VACUUM FULL: it carries over what any snapshot in this database might still see, and an autovacuum
        that looks in at the wrong moment holds one. TRUNCATE begins a new file and drops the old one.
        """
        with self._store.begin() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '30s'")
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            for table in (student_key.name, student_index.name):
                connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
                connection.exec_driver_sql(f"CREATE TEMPORARY TABLE kept_{table} ON COMMIT DROP AS TABLE {table}")
                connection.exec_driver_sql(f"TRUNCATE {table}")
                connection.exec_driver_sql(f"INSERT INTO {table} TABLE kept_{table}")

    def export_copy(self, at: datetime, keep: timedelta = KEPT, *, here: bool = False) -> Path:
        """Write a copy into the folder of copies, which `forget` reaches, to be removed after `keep`.

        Raises CopyUnwritten; CopiesElsewhere when earlier ones lie in another folder, unless `here` says that that
        one is gone and this is the folder from now on.
        """
        with self._store.begin() as connection:
            connection.execute(_LOCK)
            self._check(connection)
            self._settle(connection, here=here)
            rows = connection.execution_options(yield_per=10_000).execute(
                select(student_key.c.student_id, student_key.c.wrapped).order_by(student_key.c.student_id)
            )
            return self._registry().write(((s, wrapped) for s, wrapped in rows), self._master, at, keep)

    def reach(self) -> None:
        """Raises CopiesElsewhere where copies were written to a folder that this process can't reach."""
        with self._store.read() as connection:
            self._reach(connection)

    def expire_copies(self, now: datetime) -> list[Path]:
        """Remove the copies whose time is over, and half-written ones; without a folder of them there are none."""
        if self._copies is None:
            return []
        with self._store.begin() as connection:
            connection.execute(_LOCK)
            return self._copies.expire(now)

    def restore_copy(self, path: Path, at: datetime, gone: Iterable[int] = ()) -> int:
        """Put back the keys that are missing here; how many.

        Never brings back a forgotten one: where the copy has zeros, and for each of `gone`, the students of whom the
        cases say that they were forgotten, a tombstone of instant `at` is written. Raises CopyFaulty, WrongMasterKey.
        """
        forgotten = set(gone)
        copied = (
            (s, bytes(len(wrapped)) if s in forgotten else wrapped) for s, wrapped in read_copy(path, self._master)
        )
        rows = [
            {"student_id": s, "wrapped": wrapped, "forgotten_at": None if any(wrapped) else at} for s, wrapped in copied
        ]
        with self._store.begin() as connection:
            connection.execute(_LOCK)
            self._check(connection)
            before = connection.scalar(select(func.count()).select_from(student_key)) or 0
            if rows:
                connection.execute(insert(student_key).on_conflict_do_nothing(), rows)
            return (connection.scalar(select(func.count()).select_from(student_key)) or 0) - before

    def _registry(self) -> KeyStoreCopies:
        if self._copies is None:
            raise ValueError("this key store was opened without its folder of copies")
        return self._copies

    def _reach(self, connection: Connection) -> None:
        """Whether the copies, if there ever was one, lie in the folder that this process can reach."""
        recorded = connection.scalar(select(copies_folder.c.mark))
        if recorded is not None and (self._copies is None or self._copies.mark() != recorded):
            raise CopiesElsewhere(folder="–" if self._copies is None else str(self._copies.folder))

    def _settle(self, connection: Connection, *, here: bool) -> None:
        if not here:
            self._reach(connection)
        mine = insert(copies_folder).values(id=1, mark=self._registry().marked())
        connection.execute(mine.on_conflict_do_update(index_elements=["id"], set_={"mark": mine.excluded.mark}))

    def _prepare(self) -> None:
        with self._store.begin() as connection:
            connection.execute(_LOCK)
            keys.create_all(connection)
            if connection.execute(select(student_key.c.student_id).limit(1)).first() is None:
                mine = {"id": 1, "value": self._master.check, "algorithm": self._algorithm}
                connection.execute(insert(key_check).values(mine).on_conflict_do_nothing())
            self._check(connection)

    def _check(self, connection: Connection) -> None:
        value = connection.scalar(select(key_check.c.value))
        if value is None:
            raise KeyStoreUnprepared(where=self._store.where, why="no check row")
        if not hmac.compare_digest(value, self._master.check):
            raise WrongMasterKey

    def _unwrapped(self, student_id: int, wrapped: bytes) -> DataKey:
        try:
            return self._master.unwrap(wrapped, _place(student_id))
        except Unreadable as fault:
            if fault.facts["why"] == "wrong_key":
                raise WrongMasterKey from None
            raise


def _place(student_id: int) -> str:
    return f"student_key|{student_id}"
