"""A back-up of the cases, and putting it back: one picture of every table, in one encrypted file.

Tables are copied in PostgreSQL's binary format through the driver, so a server of one's own needs no programs of its
version here. **The key store is never part of it**: what a student's key opened stays closed once they were forgotten,
however old the back-up. Its own copies are made by `KeyStore.export_copy`, few, short-lived and within reach of
forgetting.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql
from sqlalchemy import Connection, text

from cases import schema
from cases.backup_file import BackupFault, Head, Writer, opened, read_head, records

if TYPE_CHECKING:
    import psycopg

    from cases.store import Store
    from cases.vault import MasterKey

TABLE, ROWS, END, MANIFEST = b"T", b"R", b"E", b"M"

Progress = Callable[[str, int, int], None]
"""Told the table, the rows or bytes done so far, and how many there are in all as far as is known."""

_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('whistle restore', 0))")
_TAKEN: Final = text(
    "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')"
)
_SEQUENCES: Final = text(
    "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema() ORDER BY sequencename"
)
_HEADS: Final = text(
    "SELECT c.number, c.events, c.head, e.digest FROM cases c "
    "LEFT JOIN LATERAL (SELECT digest FROM event WHERE case_id = c.id ORDER BY seq DESC LIMIT 1) e ON true "
    'ORDER BY c.number COLLATE "C"'
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a back-up holds, by its own account: rows by table, cases, and one digest over all chains' heads.

    `sequences` are the numbers drawn last. Holds nothing of a person.
    """

    at: datetime
    revision: str
    rows: Mapping[str, int]
    cases: int
    heads: str
    sequences: Mapping[str, int] = field(default_factory=dict)

    def written(self) -> bytes:
        return json.dumps({**asdict(self), "at": self.at.isoformat()}).encode()

    @classmethod
    def read(cls, written: bytes) -> Manifest:
        says = json.loads(written)
        return cls(**{**says, "at": datetime.fromisoformat(says["at"])})


@dataclass(frozen=True, slots=True)
class Backup:
    """A back-up that was made."""

    path: Path
    size: int
    manifest: Manifest


def silent(_what: str, _done: int, _of: int) -> None:
    pass


def file_name(at: datetime) -> str:
    return f"whistle-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.backup"


def make(store: Store, master: MasterKey, folder: Path, now: datetime, told: Progress = silent) -> Backup:
    """Write the back-up of this instant into `folder`, made if it isn't there; the file is whole or not there.

    Reads in one REPEATABLE READ transaction, beside whoever works. Raises StoreFault, BackupFault exists, unwritten.
    """
    store.require_migrated()
    path = folder / file_name(now)
    draft = path.with_suffix(".part")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            raise BackupFault("exists", where=str(path))
        # Whoever was killed here before left its half, which is of no use to anybody.
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                head = Head.drawn(master, now, schema.wanted() or "")
                writer = Writer(file, master, head)
                manifest = _pour(store, writer, head, told)
                writer.close()
                file.flush()
                os.fsync(handle)
            draft.replace(path)
            _settle(folder)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        why = "no space left" if error.errno == errno.ENOSPC else error.strerror or type(error).__name__
        raise BackupFault("unwritten", where=str(folder), why=why) from error
    return Backup(path, path.stat().st_size, manifest)


def _settle(folder: Path) -> None:
    """Make the new name as durable as the content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _pour(store: Store, writer: Writer, head: Head, told: Progress) -> Manifest:
    from cases.records import metadata

    with store.read() as read:
        connection = read.execution_options(isolation_level="REPEATABLE READ")
        _without_limits(connection)
        guess = _guess(connection)
        rows: dict[str, int] = {}
        for table in metadata.sorted_tables:
            columns = [column.name for column in table.columns]
            writer.put(TABLE, json.dumps([table.name, columns]).encode())
            copy = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT BINARY)").format(
                sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with _raw(connection).cursor() as cursor:
                with cursor.copy(copy) as lines:
                    for line in _gathered(lines):
                        writer.put(ROWS, line)
                rows[table.name] = cursor.rowcount
            writer.put(END, b"")
            told(table.name, sum(rows.values()), max(guess, sum(rows.values())))
        cases, heads = heads_of(connection)
        # Numbers drawn meanwhile may be higher than the picture's: never lower, and that is what counts.
        sequences = {name: last for name, last in connection.execute(_SEQUENCES) if last is not None}
        manifest = Manifest(head.at, head.revision, rows, cases, heads, sequences)
        writer.put(MANIFEST, manifest.written())
    return manifest


def _gathered(lines: Any) -> Iterator[bytes]:  # noqa: ANN401 - the driver's own
    """A row at a time is what the driver hands out; a record for each would cost more than the rows."""
    pending = bytearray()
    for line in lines:
        pending += line
        if len(pending) >= 1 << 16:
            yield bytes(pending)
            pending.clear()
    if pending:
        yield bytes(pending)


def heads_of(connection: Connection) -> tuple[int, str]:
    """How many cases there are, and the digest over their newest links, as the case and its history have them.

    Whether the links are right is another question (`whistle audit verify`, the drill): a back-up keeps what is there.
    """
    hashed, count = hashlib.sha256(), 0
    for number, seq, head, digest in connection.execute(_HEADS):
        count += 1
        hashed.update(f"{number}|{seq}|{bytes(head).hex()}|{bytes(digest or b'').hex()}\n".encode())
    return count, hashed.hexdigest()


def look(path: Path, master: MasterKey, told: Progress = silent) -> Manifest:
    """Read a back-up from beginning to end and answer what it holds; writes nothing.

    Raises BackupFault unread, not_one, other_key, cut, changed, unknown_revision.
    """
    where = str(path)
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        head = read_head(file, master, where)
        manifest = None
        for kind, content in records(file, master, head, where):
            if kind == MANIFEST:
                manifest = Manifest.read(content)
            told("", file.tell(), size)
    if manifest is None:
        raise BackupFault("cut", where=where)
    if manifest.revision not in schema.known():
        raise BackupFault("unknown_revision", why=manifest.revision)
    return manifest


def restore(path: Path, master: MasterKey, into: Store, told: Progress = silent) -> Manifest:
    """Put a back-up into an empty database, all of it or nothing, and hold it against the back-up's own list.

    The file is read to its end before anything is written. Tables are made as they were then, filled, and brought to
    this version, in one transaction. Raises what `look` raises, BackupFault not_empty, does_not_fit, and StoreFault.
    """
    manifest = look(path, master)
    with into.begin() as connection:
        _without_limits(connection)
        connection.execute(_LOCK)
        if connection.scalar(_TAKEN):
            raise BackupFault("not_empty", where=into.where)
        schema.bring(connection, manifest.revision)
        _clear(connection, list(manifest.rows))
        loaded = _fill(connection, path, master, manifest, told)
        for name, last in manifest.sequences.items():
            connection.execute(text("SELECT setval(CAST(:name AS regclass), :last)"), {"name": name, "last": last})
        _compare(connection, manifest, loaded)
        if manifest.revision != schema.wanted():
            schema.bring(connection, "head")
        connection.execute(text("ANALYZE"))
    return manifest


def _clear(connection: Connection, tables: list[str]) -> None:
    """Nothing that a migration laid down stays, and no trigger makes rows out of the rows that come."""
    names = sql.SQL(", ").join(map(sql.Identifier, tables))
    raw = _raw(connection)
    # These tables were made a moment ago, in this transaction: there is nothing of anybody's to cascade to.
    raw.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
    for name in tables:
        raw.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(name)))


def _fill(connection: Connection, path: Path, master: MasterKey, manifest: Manifest, told: Progress) -> dict[str, int]:
    where, raw = str(path), _raw(connection)
    loaded: dict[str, int] = {}
    total = sum(manifest.rows.values())
    with opened(path) as file:
        head = read_head(file, master, where)
        found = records(file, master, head, where)
        for kind, content in found:
            if kind != TABLE:
                continue
            name, columns = json.loads(content)
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
                sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with raw.cursor() as cursor:
                with cursor.copy(statement) as lines:
                    for inner, rows in found:
                        if inner == END:
                            break
                        lines.write(rows)
                loaded[name] = cursor.rowcount
            raw.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(name)))
            told(name, sum(loaded.values()), total)
    return loaded


def _compare(connection: Connection, manifest: Manifest, loaded: dict[str, int]) -> None:
    wrong = [name for name, count in manifest.rows.items() if loaded.get(name) != count]
    if wrong:
        raise BackupFault("does_not_fit", why=", ".join(wrong))
    cases, heads = heads_of(connection)
    if (cases, heads) != (manifest.cases, manifest.heads):
        raise BackupFault("does_not_fit", why="chain heads")


def _guess(connection: Connection) -> int:
    """About how many rows there are, from the planner's figures: good enough for a bar."""
    query = text(
        "SELECT coalesce(sum(greatest(reltuples, 0)), 0) FROM pg_class WHERE relkind = 'r' AND relname = :name"
    )
    from cases.records import metadata

    return sum(int(connection.scalar(query, {"name": table.name}) or 0) for table in metadata.sorted_tables)


def _without_limits(connection: Connection) -> None:
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text("SELECT set_config(:name, '0', true)"), {"name": name})


def _raw(connection: Connection) -> psycopg.Connection[Any]:
    raw = connection.connection.driver_connection
    assert raw is not None  # noqa: S101 - an open connection has its driver's
    return raw  # type: ignore[no-any-return]
