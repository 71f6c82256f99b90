"""Fresh databases for a play or a test: copied from a migrated template, dropped afterwards.

Whoever uses one holds a session lock named after it. The server lifts that lock when its owner is gone, even
by kill -9, so the next one to come can tell an abandoned database from a used one and clear it away.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors, sql

from cases import schema

if TYPE_CHECKING:
    from cases.store import Store

_SCRATCH = "whistle_scratch_"
_TEMPLATE = "whistle_template_"


@contextmanager
def database(store: Store) -> Iterator[Store]:
    """A fresh, migrated, empty database for as long as the block lasts."""
    name = f"{_SCRATCH}{secrets.token_hex(8)}"
    # Advisory locks hold within one database: everybody must take theirs in the same one to see each other's.
    with store.administered("postgres") as connection:
        _clear_abandoned(store, connection)
        _lock(connection, name)
        store.create_database(name, _template(store, connection))
        fresh = store.at(name)
        try:
            yield fresh
        finally:
            fresh.close()
            store.drop_database(name)


def _template(store: Store, connection: psycopg.Connection[tuple[Any, ...]]) -> str:
    name = f"{_TEMPLATE}{schema.fingerprint()}"
    if name in _databases(connection, _TEMPLATE):
        return name
    _lock(connection, _TEMPLATE)
    try:
        # Somebody else may have made it while we waited; half a one, or one of other migrations, goes.
        present = _databases(connection, _TEMPLATE)
        if name not in present:
            for stale in present:
                store.drop_database(stale)
            building = f"{_TEMPLATE}building"
            store.create_database(building)
            fresh = store.at(building)
            fresh.migrate()
            fresh.close()
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(rename.format(sql.Identifier(building), sql.Identifier(name)))
    finally:
        connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_TEMPLATE])
    return name


def _clear_abandoned(store: Store, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    for name in _databases(connection, _SCRATCH):
        row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
        if row == (True,):
            try:
                store.drop_database(name)
            except errors.ObjectInUse:
                continue
            finally:
                connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def _lock(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])


def _databases(connection: psycopg.Connection[tuple[Any, ...]], prefix: str) -> list[str]:
    rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
    return [name for (name,) in rows]
