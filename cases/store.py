"""The database as the rest of `cases` sees it: one transaction at a time, and nowhere else is committed."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Self

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from cases.store_fault import StoreFault, told_plainly

LOCK_TIMEOUT: Final = timedelta(seconds=5)
STATEMENT_TIMEOUT: Final = timedelta(seconds=30)
IDLE_TIMEOUT: Final = timedelta(seconds=60)

_PING_AFTER_SECONDS: Final = 5.0


class Store:
    """One PostgreSQL database: READ COMMITTED, UTC, and time limits on whatever could hang.

    `url` is a `postgresql://` address. Nothing is connected before the first transaction. Timeouts are asked
    of the server for each connection: how long a statement waits for a lock, how long it may run, and how
    long a transaction may stand idle. Raises StoreFault bad_url.
    """

    def __init__(
        self,
        url: str,
        *,
        lock_timeout: timedelta = LOCK_TIMEOUT,
        statement_timeout: timedelta = STATEMENT_TIMEOUT,
        idle_timeout: timedelta = IDLE_TIMEOUT,
        pool_size: int = 10,
    ) -> None:
        self._url = _parsed(url)
        self._limits: dict[str, timedelta] = {
            "lock_timeout": lock_timeout,
            "statement_timeout": statement_timeout,
            "idle_in_transaction_session_timeout": idle_timeout,
        }
        self._pool_size = pool_size
        self._engine = self._connectable()
        self._glances = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def name(self) -> str:
        """The name of the database."""
        return self._url.database or ""

    @property
    def where(self) -> str:
        """Server and database for a person to read, without user and password."""
        host = self._url.host or str(self._url.query.get("host", "")) or "local"
        return f"{host}/{self.name}"

    @property
    def url(self) -> str:
        """The full address, password included: for a child process, never for a log."""
        return self._url.render_as_string(hide_password=False)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed when the block ends, rolled back when an exception leaves it.

        Raises StoreFault for what concerns the database as a whole: unreachable, signed_out, no_database,
        not_migrated, busy, full. What concerns the rows (a broken constraint) passes as SQLAlchemy's error.
        """
        with told_plainly(self.where), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One read-only transaction: the server refuses any write, nothing is ever committed."""
        with told_plainly(self.where), self._engine.connect() as connection:
            yield connection.execution_options(postgresql_readonly=True)

    @contextmanager
    def glance(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """The driver's own connection, each statement by itself: for one quick look that needs no transaction."""
        with told_plainly(self.where), self._glances.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None  # noqa: S101 - an open connection has its driver's
            yield raw

    def at(self, name: str) -> Store:
        """Another database of the same server, with the same limits."""
        url = self._url.set(database=name).render_as_string(hide_password=False)
        return Store(
            url,
            lock_timeout=self._limits["lock_timeout"],
            statement_timeout=self._limits["statement_timeout"],
            idle_timeout=self._limits["idle_in_transaction_session_timeout"],
            pool_size=self._pool_size,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every idle connection; the store opens new ones if it is used again."""
        self._engine.dispose()

    @contextmanager
    def administered(self, database: str | None = None) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection on which each statement commits by itself, without time limits.

        For what no transaction may hold: databases, session locks, LISTEN.
        """
        url = self._url.set(drivername="postgresql", database=database or self._url.database)
        address, mark, asked = url.render_as_string(hide_password=False).partition("?")
        # libpq doesn't know that a plus may stand for a space.
        conninfo = address + mark + asked.replace("+", "%20")
        with (
            told_plainly(self.where),
            psycopg.connect(conninfo, autocommit=True, connect_timeout=10) as connection,
        ):
            yield connection

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database on the same server, empty or a copy of `template`, which must be idle.

        Raises StoreFault; psycopg's DuplicateDatabase if there is one of that name.
        """
        with self.administered("postgres" if name == self.name else None) as connection:
            if template is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                return
            # Measured: without fsync copying files costs a fifth of logging them, with it twice as much.
            row = connection.execute("SELECT current_setting('fsync')").fetchone()
            strategy = "file_copy" if row == ("off",) else "wal_log"
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}").format(
                    sql.Identifier(name), sql.Identifier(template), sql.SQL(strategy)
                )
            )

    def drop_database(self, name: str) -> None:
        """Drop a database of the same server if it is there, ending whoever is connected to it."""
        with self.administered("postgres" if name == self.name else None) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def migrate(self) -> None:
        """Bring the tables to this version, in one transaction: all of it or nothing.

        Two at once wait for each other. Raises StoreFault too_new if a newer version was here.
        """
        from cases import schema

        schema.upgrade(self)

    def pending(self) -> bool:
        """Whether `migrate` would change anything. Raises StoreFault too_new."""
        from cases import schema

        return schema.found(self) != schema.wanted()

    def require_migrated(self) -> None:
        """Refuse to work on tables of another version: StoreFault not_migrated or too_new."""
        from cases import schema

        schema.require(self)

    @contextmanager
    def scratch(self) -> Iterator[Store]:
        """A fresh, migrated, empty database beside this one, dropped when the block ends."""
        from cases import scratch

        with scratch.database(self) as fresh:
            yield fresh

    def _connectable(self) -> Engine:
        options = [f"-c {name}={round(limit.total_seconds() * 1000)}" for name, limit in self._limits.items()]
        theirs = self._url.query.get("options", ())
        given = [theirs] if isinstance(theirs, str) else list(theirs)
        engine = create_engine(
            self._url.difference_update_query(["options"]),
            isolation_level="READ COMMITTED",
            pool_size=self._pool_size,
            max_overflow=self._pool_size,
            pool_timeout=10,
            hide_parameters=True,  # An error's text never carries what a row was to hold.
            connect_args={
                "options": " ".join([*options, "-c timezone=UTC", *given]),
                "application_name": "whistle",
                "connect_timeout": 10,
            },
        )
        event.listen(engine, "checkin", _note_the_time)
        event.listen(engine, "checkout", _Probe(engine))
        return engine


class _Probe:
    """Finds a pooled connection that died while it lay idle, so that nobody's transaction fails by it.

    A server that ended has closed the socket, which is seen without asking: a ping for each transaction would
    cost a round trip of the few it has. Only after a longer rest is the server asked.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, dbapi: Any, entry: ConnectionPoolEntry, _: object) -> None:  # noqa: ANN401 - the driver's own
        since = entry.info.get("idle_since")
        if since is None:
            return
        try:
            # An idle connection has nothing to say but that it is over.
            if select.select([dbapi.fileno()], [], [], 0)[0] or time.monotonic() - since > _PING_AFTER_SECONDS:
                self._engine.dialect.do_ping(dbapi)
        except (psycopg.Error, DBAPIError, OSError, ValueError) as error:
            raise DisconnectionError from error


def _note_the_time(_dbapi: object, entry: ConnectionPoolEntry) -> None:
    entry.info["idle_since"] = time.monotonic()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # What was given may hold a password, so it isn't repeated.
        raise StoreFault("bad_url", why="it isn't an address") from None
    if parsed.drivername not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise StoreFault("bad_url", why=f"{parsed.drivername}:// isn't PostgreSQL")
    if not parsed.database:
        raise StoreFault("bad_url", why="it names no database")
    return parsed.set(drivername="postgresql+psycopg")
