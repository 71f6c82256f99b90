"""A back-up is whole or refused, and what was forgotten stays forgotten when an older one is put back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from cases import backup, enrolment, installation, key_tables, schema, vault
from cases.backup_file import CHUNK, BackupFault, Head, Writer
from cases.drill import drill, emptied
from cases.engine import Fired
from cases.forgetting import forget
from cases.key_copies import KeyStoreCopies
from cases.key_fault import Forgotten
from cases.keystore import KeyStore
from cases.office import Session
from cases.people import student
from cases.queries import heads, numbered
from cases.records import case, event, message, metadata
from cases.store import Store
from cases.vault import MasterKey
from tests.cases.test_forgetting import closed_case, sections
from tests.town import START, STUDENT, Town, minutes, town

LATER = START + timedelta(days=900)


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


@pytest.fixture
def empty(server: Store) -> Iterator[Store]:
    with emptied(server) as bare:
        yield bare


def rows(store: Store) -> dict[str, int]:
    with store.read() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }


def wrong(store: Store, town: Town) -> list[str]:
    with store.read() as connection:
        session = Session(connection, town.office)
        found = numbered(connection, None)
        return [line for number, one in found for line in installation.verified(session, town.office, number, one)]


def fault(path: Path, master: MasterKey, into: Store) -> str:
    """The code with which a restore is refused; nothing was written."""
    with pytest.raises(BackupFault) as refused:
        backup.restore(path, master, into)
    with into.read() as connection:
        assert not connection.scalar(text("SELECT to_regclass('cases')"))
    for language in ("zh_CN", "en"):
        assert refused.value.text(language)
    return refused.value.code


def test_the_drill_a_back_up_under_load_is_put_back_and_the_forgotten_stay_unreadable(
    city: Town, empty: Store, tmp_path: Path
) -> None:
    master = city.office.master
    case_id, number = closed_case(city)
    whistled: list[Fired] = []

    def work(*_: object) -> None:
        """Between any two tables somebody whistles for a child."""
        child = {**STUDENT, "name": f"小{len(whistled)}"}
        whistled.append(city.whistle(START + minutes(len(whistled)), student=child))

    made = backup.make(city.store, master, tmp_path, START, work)
    assert len(whistled) == len(made.manifest.rows)
    # What was whistled afterwards is not in it, and what is in it fits together.
    backup.restore(made.path, master, empty)
    assert rows(empty) == dict(made.manifest.rows)
    assert wrong(empty, city) == []
    with empty.read() as connection:
        blob = connection.scalar(select(student.c.identity).where(student.c.id == number))
        assert len(list(heads(connection))) == made.manifest.cases == 1
    place = enrolment.place_of(number)
    assert b"name" in vault.open(city.office.keystore.of(number), place, "identity", blob)

    forget(city.store, city.office, number, LATER, why="retention")
    fresh = KeyStore(city.office.keystore._store, master)
    with pytest.raises(Forgotten):
        fresh.of(number)
    # The older back-up has the student's sections still; no key that is left opens one of them.
    old = Town(empty, city.office)
    assert sections(old, case_id)
    for where, name, sealed in sections(old, case_id):
        with pytest.raises(vault.Unreadable):
            vault.open(vault.DataKey(bytes(32)), where, name, sealed)


def test_a_restored_database_goes_on_where_it_was(city: Town, empty: Store, tmp_path: Path) -> None:
    city.whistle()
    made = backup.make(city.store, city.office.master, tmp_path, START)
    before = rows(city.store)
    backup.restore(made.path, city.office.master, empty)
    # No trigger has laid a message out a second time, and no number is drawn twice.
    assert rows(empty) == before
    assert schema.differences(empty) == []
    again = Town(empty, city.office, city.places, city.members)
    again.whistle(START + minutes(5))
    with empty.read() as connection:
        assert connection.scalar(select(func.count(case.c.number.distinct()))) == 2
        assert (connection.scalar(select(func.count()).select_from(message)) or 0) > before["message"]
    assert rows(empty)["outbox"] > before["outbox"]


def test_a_back_up_holds_no_key_and_nothing_in_clear(city: Town, tmp_path: Path) -> None:
    city.whistle()
    made = backup.make(city.store, city.office.master, tmp_path, START)
    written = made.path.read_bytes()
    with city.office.keystore._store.read() as connection:
        wrapped = [bytes(one) for one in connection.scalars(select(key_tables.student_key.c.wrapped))]
    assert wrapped
    assert not [one for one in wrapped if one in written]
    assert key_tables.student_key.name not in made.manifest.rows
    assert "示例".encode() not in written
    assert b"counselor" not in written
    assert made.path.stat().st_mode & 0o777 == 0o600


def test_whatever_is_done_to_a_file_it_is_refused_and_nothing_is_written(
    city: Town, empty: Store, tmp_path: Path
) -> None:
    master = city.office.master
    made = backup.make(city.store, master, tmp_path, START)
    whole = made.path.read_bytes()
    spoilt = tmp_path / "spoilt.backup"
    body = whole.index(b"}") + 6
    for at in (body - 20, body, body + 40, len(whole) // 2, len(whole) - 1):
        spoilt.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
        assert fault(spoilt, master, empty) in {"changed", "not_one", "other_key"}
    for at in (0, 5, 17, 60, body, body + 100, len(whole) - 1):
        spoilt.write_bytes(whole[:at])
        assert fault(spoilt, master, empty) in {"cut", "not_one"}
    spoilt.write_bytes(whole + b"\0")
    assert fault(spoilt, master, empty) == "changed"
    assert fault(tmp_path / "nowhere.backup", master, empty) == "unread"
    assert fault(made.path, MasterKey(os.urandom(32)), empty) == "other_key"


def test_chunks_of_a_large_back_up_cant_be_swapped_or_left_out(city: Town, empty: Store, tmp_path: Path) -> None:
    with city.store.begin() as connection:
        # What doesn't shrink, so that there are several chunks.
        connection.execute(
            text("INSERT INTO calendar_table (name, source) VALUES ('noise', :noise)"),
            {"noise": os.urandom(3 * CHUNK).hex()},
        )
    made = backup.make(city.store, city.office.master, tmp_path, START)
    whole = made.path.read_bytes()
    start = whole.index(b"}") + 1
    size = 5 + CHUNK + 16
    first, second, rest = whole[start : start + size], whole[start + size : start + 2 * size], whole[start + 2 * size :]
    spoilt = tmp_path / "spoilt.backup"
    for content in (second + first + rest, first + rest, first + first + second + rest):
        spoilt.write_bytes(whole[:start] + content)
        assert fault(spoilt, city.office.master, empty) == "changed"
    spoilt.write_bytes(whole[:start] + first + second)
    assert fault(spoilt, city.office.master, empty) == "cut"
    assert backup.restore(made.path, city.office.master, empty).rows["calendar_table"] == 1


def test_a_database_with_tables_is_left_alone(city: Town, tmp_path: Path) -> None:
    city.whistle()
    made = backup.make(city.store, city.office.master, tmp_path, START)
    before = rows(city.store)
    with pytest.raises(BackupFault) as refused:
        backup.restore(made.path, city.office.master, city.store)
    assert refused.value.code == "not_empty"
    assert rows(city.store) == before


def test_a_back_up_of_an_unknown_revision_is_refused(
    city: Town, empty: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(schema, "wanted", lambda: "9999")
        later.setattr(Store, "require_migrated", lambda _: None)
        made = backup.make(city.store, city.office.master, tmp_path, START)
    assert fault(made.path, city.office.master, empty) == "unknown_revision"


def test_a_back_up_of_an_older_revision_is_brought_to_this_one(server: Store, empty: Store, tmp_path: Path) -> None:
    master, path = MasterKey(os.urandom(32)), tmp_path / "old.backup"
    with emptied(server) as old, path.open("wb") as file:
        with old.begin() as connection:
            schema.bring(connection, "0001")
            connection.execute(text("INSERT INTO organisation (code, kind, name) VALUES ('N', 'city', '南京')"))
        head = Head.drawn(master, START, "0001")
        writer = Writer(file, master, head)
        with old.read() as connection:
            writer.put(backup.TABLE, json.dumps(["organisation", ["id", "code", "kind", "name"]]).encode())
            copy = "COPY organisation (id, code, kind, name) TO STDOUT (FORMAT BINARY)"
            with backup._raw(connection).cursor() as cursor, cursor.copy(copy) as lines:
                for line in lines:
                    writer.put(backup.ROWS, bytes(line))
            writer.put(backup.END, b"")
            held = backup.Manifest(START, "0001", {"organisation": 1}, *backup.heads_of(connection))
            writer.put(backup.MANIFEST, held.written())
        writer.close()
    backup.restore(path, master, empty)
    assert schema.found(empty) == schema.wanted() != "0001"
    with empty.read() as connection:
        assert connection.scalar(text("SELECT name FROM organisation")) == "南京"


def test_a_folder_that_takes_nothing_is_told_and_no_half_file_is_left(city: Town, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(BackupFault) as refused:
        backup.make(city.store, city.office.master, in_the_way, START)
    assert refused.value.code == "unwritten"
    backup.make(city.store, city.office.master, tmp_path / "new", START)
    with pytest.raises(BackupFault) as refused:
        backup.make(city.store, city.office.master, tmp_path / "new", START)
    assert refused.value.code == "exists"
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["whistle-20260317T002000Z.backup"]


def test_the_drill_finds_a_history_that_was_changed_before_the_back_up(city: Town, tmp_path: Path) -> None:
    city.whistle()
    closed_case(city)
    made = backup.make(city.store, city.office.master, tmp_path, START)
    tried = drill(made.path, city.store, city.office)
    assert (tried.cases, tried.broken) == (2, ())
    assert tried.opened > 0
    with city.store.begin() as connection:
        connection.execute(event.update().where(event.c.seq == 1).values(role="officer"))
    spoilt = backup.make(city.store, city.office.master, tmp_path, LATER)
    assert drill(spoilt.path, city.store, city.office).broken


def test_a_copy_of_the_key_store_is_reached_by_forgetting(city: Town, tmp_path: Path) -> None:
    _, number = closed_case(city)
    copies = KeyStoreCopies(tmp_path / "copies")
    city.office.keystore = KeyStore(city.office.keystore._store, city.office.master, copies=copies)
    path = city.office.keystore.export_copy(START)
    assert forget(city.store, city.office, number, LATER, why="retention")
    assert f'"{number}":"00'.encode() in path.read_bytes()
