"""The key store: a key for each student, apart from the cases, and forgotten for good."""

from __future__ import annotations

import errno
import json
import os
import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cases import vault
from cases.key_copies import KeyStoreCopies
from cases.key_fault import CopiesElsewhere, CopyFaulty, CopyUnwritten, Forgotten, KeyStoreUnprepared, UnknownStudent
from cases.keystore import Forgetting, KeyStore
from cases.store import Store
from cases.vault import ALGORITHMS, Algorithm, DataKey, MasterKey, Unreadable, WrongMasterKey

MASTER = MasterKey(bytes(range(32)))
MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PLACE = "event|1|1"


@pytest.fixture
def beside(server: Store) -> Iterator[Store]:
    """The address of a database for keys that nobody has made yet."""
    with server.at(f"keys_{secrets.token_hex(6)}") as place:
        yield place
    server.drop_database(place.name)


@pytest.fixture
def keystore(beside: Store, tmp_path: Path) -> KeyStore:
    prepared = KeyStore(beside, MASTER, copies=KeyStoreCopies.of(tmp_path))
    prepared.prepare()
    return prepared


def opens(key: DataKey, sealed: vault.Sealed) -> bool:
    return vault.open(key, PLACE, "identity", sealed.blob) == b"Wang Xiaoming"


def sealed_with(key: DataKey) -> vault.Sealed:
    return vault.seal(key, PLACE, "identity", b"Wang Xiaoming")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_students_key_is_made_once_and_found_by_every_process(beside: Store, algorithm: Algorithm) -> None:
    one, other = (KeyStore(beside, MASTER, algorithm) for _ in range(2))
    one.prepare()
    other.prepare()
    sealed = sealed_with(one.create(7))
    assert opens(other.create(7), sealed)
    assert opens(other.of(7), sealed)
    assert other.of(7).algorithm == algorithm


def test_keys_made_before_the_policy_changed_its_cipher_still_open(beside: Store) -> None:
    before = KeyStore(beside, MASTER, "aes-256-gcm")
    before.prepare()
    sealed = sealed_with(before.create(1))
    after = KeyStore(beside, MASTER, "sm4-gcm")
    after.prepare()
    assert opens(after.of(1), sealed)
    assert after.create(2).algorithm == "sm4-gcm"


def test_many_keys_come_in_one_query_without_the_forgotten_and_the_unknown(keystore: KeyStore) -> None:
    made = keystore.create_many(range(1, 1001))
    assert len({key.key_id for key in made.values()}) == 1000
    keystore.forget([5, 6], MONDAY)
    found = KeyStore(keystore._store, MASTER).many([4, 5, 6, 7, 5000])
    assert {student: key.key_id for student, key in found.items()} == {n: made[n].key_id for n in (4, 7)}
    assert keystore.many([]) == {}


def test_two_who_make_the_same_key_at_once_get_the_same(beside: Store) -> None:
    stores = [KeyStore(beside, MASTER) for _ in range(8)]
    together = threading.Barrier(len(stores))
    ids: list[bytes] = []

    def make(mine: KeyStore) -> None:
        together.wait()
        mine.prepare()
        ids.append(mine.create(1).key_id)

    threads = [threading.Thread(target=make, args=(mine,)) for mine in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == len(stores)
    assert len(set(ids)) == 1


def test_what_was_forgotten_opens_for_nobody_not_with_the_master_key_either(keystore: KeyStore) -> None:
    sealed = sealed_with(keystore.create(1))
    stays = sealed_with(keystore.create(2))
    assert keystore.forget(1, MONDAY) == Forgetting(students=1, copies=0)
    for anyone in (keystore, KeyStore(keystore._store, MASTER)):
        with pytest.raises(Forgotten):
            anyone.of(1)
        with pytest.raises(Forgotten):
            anyone.create(1)
        assert opens(anyone.of(2), stays)
    with keystore._store.read() as connection:
        wrapped = connection.exec_driver_sql("SELECT wrapped FROM student_key WHERE student_id = 1").scalar()
    assert wrapped == bytes(len(wrapped or b""))
    with pytest.raises(Unreadable):
        MASTER.unwrap(wrapped or b"", "student_key|1")
    with pytest.raises(Unreadable):
        opens(keystore.of(2), sealed)


def test_no_old_version_of_a_forgotten_key_stays_in_the_tables_file(keystore: KeyStore) -> None:
    keystore.create_many([1, 2])
    with keystore._store.begin() as connection:
        connection.exec_driver_sql("CHECKPOINT")
        wrapped = bytes(connection.exec_driver_sql("SELECT wrapped FROM student_key WHERE student_id = 1").scalar_one())
        assert wrapped in table_file(keystore._store)
    keystore.forget(1, MONDAY)
    assert wrapped not in table_file(keystore._store)


def table_file(store: Store) -> bytes:
    with store.administered() as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SELECT pg_read_binary_file(pg_relation_filepath('student_key'))").fetchone()
    assert row is not None
    return bytes(row[0])


def test_forgetting_again_is_harmless_and_keeps_the_first_day(keystore: KeyStore) -> None:
    keystore.create(1)
    assert keystore.forget(1, MONDAY).students == 1
    assert keystore.forget(1, MONDAY + DAY).students == 0
    with keystore._store.read() as connection:
        found = connection.exec_driver_sql("SELECT forgotten_at FROM student_key").scalar()
    assert found == MONDAY


def test_forgetting_someone_unknown_changes_nothing(keystore: KeyStore) -> None:
    sealed = sealed_with(keystore.create(1))
    with pytest.raises(UnknownStudent) as refused:
        keystore.forget([1, 2, 3], MONDAY)
    assert refused.value.facts == {"student": "2, 3"}
    assert opens(keystore.of(1), sealed)
    with pytest.raises(UnknownStudent):
        keystore.of(2)


def test_forgetting_reaches_every_copy(keystore: KeyStore) -> None:
    keystore.create_many(range(1, 21))
    copies = [keystore.export_copy(MONDAY + n * DAY) for n in range(3)]
    assert all(copy.stat().st_mode & 0o777 == 0o600 for copy in copies)
    inodes = [copy.stat().st_ino for copy in copies]
    before = [json.loads(copy.read_text())["keys"] for copy in copies]
    assert keystore.forget([1, 11, 20], MONDAY).copies == 9
    # Overwritten where they lie: a new file would leave the old blocks on the disk.
    assert [copy.stat().st_ino for copy in copies] == inodes
    for copy, was in zip(copies, before, strict=True):
        keys = json.loads(copy.read_text())["keys"]
        assert {n for n, wrapped in keys.items() if not wrapped.strip("0")} == {"1", "11", "20"}
        assert {n: was[n] for n in was if n not in {"1", "11", "20"}} == {
            n: wrapped for n, wrapped in keys.items() if wrapped.strip("0")
        }
    assert keystore.forget([1, 11, 20], MONDAY).copies == 0


def test_a_copy_that_was_cut_off_while_being_written_is_overwritten_too(keystore: KeyStore) -> None:
    keystore.create_many([1, 2])
    copy = keystore.export_copy(MONDAY)
    text = copy.read_bytes()
    cut = text[: text.index(b'"2":"') + 60]
    copy.write_bytes(cut)
    keystore.forget(2, MONDAY)
    assert copy.read_bytes().endswith(b'"2":"' + b"0" * 55)
    with pytest.raises(CopyFaulty):
        keystore.restore_copy(copy, MONDAY)
    assert keystore.expire_copies(MONDAY) == [copy]


def test_a_lost_key_store_comes_back_from_a_copy_without_the_forgotten(keystore: KeyStore, server: Store) -> None:
    sealed = {n: sealed_with(key) for n, key in keystore.create_many([1, 2, 3]).items()}
    copy = keystore.export_copy(MONDAY)
    keystore.forget(2, MONDAY)
    with server.at(f"keys_{secrets.token_hex(6)}") as place:
        try:
            again = KeyStore(place, MASTER)
            again.prepare()
            assert again.restore_copy(copy, MONDAY + DAY) == 3
            assert again.restore_copy(copy, MONDAY + DAY) == 0
            assert opens(again.of(1), sealed[1])
            assert opens(again.of(3), sealed[3])
            with pytest.raises(Forgotten):
                again.of(2)
        finally:
            place.close()
            server.drop_database(place.name)


def test_an_older_copy_never_revives_who_was_forgotten_since(keystore: KeyStore) -> None:
    keystore.create(1)
    copy = keystore.export_copy(MONDAY)
    kept_aside = copy.read_bytes()
    keystore.forget(1, MONDAY)
    copy.write_bytes(kept_aside)
    assert keystore.restore_copy(copy, MONDAY) == 0
    with pytest.raises(Forgotten):
        keystore.of(1)


def test_copies_are_gone_when_their_time_is_over(keystore: KeyStore) -> None:
    keystore.create(1)
    short = keystore.export_copy(MONDAY, keep=DAY)
    long = keystore.export_copy(MONDAY + timedelta(hours=1), keep=5 * DAY)
    assert keystore.expire_copies(MONDAY + 2 * DAY) == [short]
    assert not short.exists()
    assert long.exists()


def test_a_wrong_master_key_is_refused_before_anything_changes(keystore: KeyStore) -> None:
    sealed = sealed_with(keystore.create(1))
    copy = keystore.export_copy(MONDAY)
    stranger = KeyStore(keystore._store, MasterKey(os.urandom(32)), copies=keystore._copies)
    for attempt in (
        stranger.prepare,
        stranger.verify,
        lambda: stranger.of(1),
        lambda: stranger.export_copy(MONDAY + DAY),
        lambda: stranger.restore_copy(copy, MONDAY),
    ):
        with pytest.raises(WrongMasterKey) as refused:
            attempt()
        assert refused.value.exit_code == 2
        assert "主密钥" in refused.value.text["zh_CN"]
    keystore.verify()
    assert opens(KeyStore(keystore._store, MASTER).of(1), sealed)


def test_a_key_store_that_is_missing_or_lost_its_check_is_named_so(beside: Store) -> None:
    fresh = KeyStore(beside, MASTER)
    with pytest.raises(KeyStoreUnprepared):
        fresh.verify()
    fresh.prepare()
    fresh.create(1)
    with beside.begin() as connection:
        connection.exec_driver_sql("DELETE FROM key_check")
    # With any master key: a new check row would hide that the keys belong to another.
    for master in (MASTER, MasterKey(os.urandom(32))):
        with pytest.raises(KeyStoreUnprepared):
            KeyStore(beside, master).prepare()


def test_keys_moved_between_students_do_not_open(keystore: KeyStore) -> None:
    keystore.create_many([1, 2])
    with keystore._store.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE student_key SET wrapped = other.wrapped FROM student_key AS other"
            " WHERE student_key.student_id = 2 AND other.student_id = 1"
        )
    with pytest.raises(Unreadable):
        KeyStore(keystore._store, MASTER).of(2)


def test_another_process_remembers_a_forgotten_key_for_a_minute_and_no_longer(keystore: KeyStore) -> None:
    now = [1000.0]
    other = KeyStore(keystore._store, MASTER, elapsed=lambda: now[0])
    sealed = sealed_with(keystore.create(1))
    other.of(1)
    keystore.forget(1, MONDAY)
    now[0] += 59
    assert opens(other.of(1), sealed)
    now[0] += 1
    with pytest.raises(Forgotten):
        other.of(1)


def test_only_so_many_keys_are_remembered(keystore: KeyStore) -> None:
    small = KeyStore(keystore._store, MASTER, max_size=10)
    small.create_many(range(100))
    assert len(small._cache._kept) == 10
    assert len(small.many(range(100))) == 100


def test_who_is_gone_by_the_cases_account_stays_gone_though_store_and_copy_know_nothing(
    beside: Store, tmp_path: Path, server: Store
) -> None:
    kept = KeyStore(beside, MASTER, copies=KeyStoreCopies.of(tmp_path))
    kept.prepare()
    made = kept.create_many([1, 2])
    copy = kept.export_copy(MONDAY)
    aside = copy.read_bytes()
    kept.forget(1, MONDAY)
    # The key store is lost, and somebody had taken the copy out of reach before.
    copy.write_bytes(aside)
    server.drop_database(beside.name)
    beside.close()
    again = KeyStore(beside, MASTER, copies=KeyStoreCopies.of(tmp_path))
    again.prepare()
    assert again.restore_copy(copy, MONDAY, gone=[1]) == 2
    assert again.of(2).key_id == made[2].key_id
    with pytest.raises(Forgotten):
        again.of(1)
    beside.close()


def test_nobody_is_forgotten_where_the_copies_are_out_of_reach(keystore: KeyStore, tmp_path: Path) -> None:
    made = keystore.create(1)
    keystore.export_copy(MONDAY)
    other = KeyStore(keystore._store, MASTER, copies=KeyStoreCopies.of(tmp_path / "another machine"))
    for attempt in (
        lambda: other.forget(1, MONDAY),
        lambda: other.export_copy(MONDAY),
        lambda: KeyStore(keystore._store, MASTER).forget(1, MONDAY),
    ):
        with pytest.raises(CopiesElsewhere):
            attempt()
    assert KeyStore(keystore._store, MASTER).of(1).key_id == made.key_id
    # The first machine burnt down, its folder with it.
    copy = other.export_copy(MONDAY, here=True)
    assert other.forget(1, MONDAY) == Forgetting(students=1, copies=1)
    assert b'"1":"00' in copy.read_bytes()


def test_copies_stay_few(keystore: KeyStore) -> None:
    keystore.create(1)
    copies = [keystore.export_copy(MONDAY + timedelta(minutes=n)) for n in range(12)]
    assert [copy.exists() for copy in copies] == [False] * 2 + [True] * 10


def test_a_copy_that_the_disk_cut_short_leaves_nothing(keystore: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keystore.create(1)
    whole = keystore.export_copy(MONDAY)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CopyUnwritten) as told:
        keystore.export_copy(MONDAY + DAY)
    assert "no space left" in told.value.text["en"]
    assert list(whole.parent.glob("*.json")) == [whole]
