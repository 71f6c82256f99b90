"""What the store promises to everybody who writes: all or nothing, in time, and plainly told."""

from __future__ import annotations

import os
import socket
import threading
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from cases import schema
from cases.store import Store
from cases.store_fault import StoreFault

NOTES = "CREATE TABLE note (id int PRIMARY KEY, words text)"


def written(store: Store) -> list[int]:
    with store.read() as connection:
        return list(connection.scalars(text("SELECT id FROM note ORDER BY id")))


@pytest.fixture
def noted(store: Store) -> Store:
    with store.begin() as connection:
        connection.execute(text(NOTES))
    return store


def test_what_a_block_wrote_stays_when_it_ends(noted: Store) -> None:
    with noted.begin() as connection:
        connection.execute(text("INSERT INTO note VALUES (1, 'a')"))
    assert written(noted) == [1]


def test_nothing_of_a_block_stays_when_it_breaks_off(noted: Store) -> None:
    with pytest.raises(KeyboardInterrupt), noted.begin() as connection:
        connection.execute(text("INSERT INTO note VALUES (1, 'a')"))
        raise KeyboardInterrupt
    assert written(noted) == []


def test_a_reader_can_not_write(noted: Store) -> None:
    with pytest.raises(DBAPIError, match="read-only"), noted.read() as connection:
        connection.execute(text("INSERT INTO note VALUES (1, 'a')"))
    assert written(noted) == []


def test_a_reader_leaves_no_connection_read_only(noted: Store) -> None:
    written(noted)
    with noted.begin() as connection:
        connection.execute(text("INSERT INTO note VALUES (2, 'b')"))
    assert written(noted) == [2]


def test_the_server_keeps_our_time_zone_isolation_and_limits(store: Store) -> None:
    names = ["timezone", "transaction_isolation", "lock_timeout", "statement_timeout", "jit"]
    with store.begin() as connection:
        said = [connection.scalar(text(f"SHOW {name}")) for name in names]
    assert said == ["UTC", "read committed", "5s", "30s", "off"]


def test_a_broken_constraint_is_told_as_such_and_without_what_the_row_held(noted: Store) -> None:
    with pytest.raises(IntegrityError) as told, noted.begin() as connection:
        for _ in range(2):
            connection.execute(text("INSERT INTO note VALUES (1, :words)"), {"words": "王小明"})
    assert "王小明" not in str(told.value)


def test_who_waits_too_long_for_a_lock_is_told_that_it_is_busy(noted: Store) -> None:
    impatient = Store(noted.url, lock_timeout=timedelta(milliseconds=50))
    lock = text("LOCK TABLE note")
    with impatient, noted.begin() as first:
        first.execute(lock)
        with pytest.raises(StoreFault) as told, impatient.begin() as second:
            second.execute(lock)
    assert (told.value.code, told.value.passing) == ("busy", True)


def test_a_server_that_is_gone_is_told_in_both_languages() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    gone = Store(f"postgresql://nobody:secret@127.0.0.1:{port}/whistle")
    with pytest.raises(StoreFault) as told, gone.begin():
        pass
    assert told.value.code == "unreachable"
    assert "连接不上" in told.value.text("zh_CN")
    assert "can't be reached" in told.value.text("en")
    assert "secret" not in told.value.text("en") + told.value.text("zh_CN")


def test_a_database_that_is_not_there_is_told_as_such(store: Store) -> None:
    with pytest.raises(StoreFault) as told, store.at("nowhere").read():
        pass
    assert told.value.code == "no_database"


@pytest.mark.parametrize("url", ["", "whistle", "mysql://localhost/whistle", "postgresql://localhost", "://:secret"])
def test_an_address_that_is_none_is_refused_at_once_and_not_repeated(url: str) -> None:
    with pytest.raises(StoreFault) as told:
        Store(url)
    assert told.value.code == "bad_url"
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_spelling_of_the_address_is_taken(server: Store, scheme: str) -> None:
    with Store(server.url.replace("postgresql+psycopg", scheme)) as same, same.read() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_connection_that_died_at_rest_fails_nobody(noted: Store) -> None:
    written(noted)
    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with noted.administered() as connection:
        connection.execute(end, [noted.name])
    assert written(noted) == []


def test_a_connection_that_dies_at_work_is_told_and_leaves_nothing(noted: Store) -> None:
    with pytest.raises(StoreFault) as told, noted.begin() as connection:
        connection.execute(text("INSERT INTO note VALUES (1, 'a')"))
        number = connection.scalar(text("SELECT pg_backend_pid()"))
        with noted.administered() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
        connection.execute(text("SELECT 1"))
    assert told.value.code == "unreachable"
    assert written(noted) == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    assert not store.pending()
    store.migrate()
    store.require_migrated()


def test_the_migrations_make_exactly_the_declared_tables(store: Store) -> None:
    assert schema.differences(store) == []


def test_an_empty_database_is_refused_until_it_is_migrated(server: Store) -> None:
    name = f"empty_{os.getpid()}"
    server.create_database(name)
    try:
        with server.at(name) as empty:
            assert empty.pending()
            with pytest.raises(StoreFault) as told:
                empty.require_migrated()
            assert told.value.code == "not_migrated"
            empty.migrate()
            empty.require_migrated()
    finally:
        server.drop_database(name)


def test_two_who_migrate_at_once_wait_for_each_other(server: Store) -> None:
    name = f"twice_{os.getpid()}"
    server.create_database(name)
    broken: list[BaseException] = []

    def migrate() -> None:
        try:
            with server.at(name) as same:
                same.migrate()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test tells it
            broken.append(error)

    try:
        hands = [threading.Thread(target=migrate) for _ in range(2)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        assert broken == []
        with server.at(name) as migrated:
            assert not migrated.pending()
    finally:
        server.drop_database(name)


def test_tables_of_a_newer_version_are_refused(store: Store) -> None:
    with store.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (store.pending, store.migrate, store.require_migrated):
        with pytest.raises(StoreFault) as told:
            refused()
        assert told.value.code == "too_new"


def test_tables_that_are_missing_are_told_as_a_missing_migration(store: Store) -> None:
    with pytest.raises(StoreFault) as told, store.read() as connection:
        connection.execute(text("SELECT * FROM a_table_of_tomorrow"))
    assert told.value.code == "no_tables"


def test_scratch_databases_are_apart_and_gone_afterwards(server: Store) -> None:
    with server.scratch() as one, server.scratch() as other:
        with one.begin() as connection:
            connection.execute(text(NOTES))
        with pytest.raises(StoreFault):
            written(other)
        names = {one.name, other.name}
    with server.read() as connection:
        left = set(connection.scalars(text("SELECT datname FROM pg_database")))
    assert len(names) == 2
    assert not names & left


def test_an_abandoned_scratch_database_is_cleared_away_and_a_used_one_is_not(server: Store) -> None:
    abandoned = f"whistle_scratch_{os.getpid():016x}"
    server.create_database(abandoned)
    with server.scratch() as used:
        with server.scratch(), server.read() as connection:
            left = set(connection.scalars(text("SELECT datname FROM pg_database")))
        assert abandoned not in left
        assert used.name in left
