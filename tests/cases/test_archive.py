"""The folder of back-ups fills by itself, empties by its rule, and a disk that is full is said once and plainly."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from cases import archive, backup, rounds
from cases.backup_file import BackupFault
from cases.examination import examine
from cases.installation import Installation
from cases.key_copies import KeyStoreCopies
from cases.keystore import KeyStore
from cases.records import incident, message
from cases.rounds import Premises
from cases.store import Store
from tests.town import START, Town, book, town

DAY = timedelta(days=1)
EVERY = timedelta(seconds=15)


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


@pytest.fixture
def premises(city: Town, tmp_path: Path) -> Premises:
    copies = KeyStoreCopies(tmp_path / "copies")
    city.office.keystore = KeyStore(city.office.keystore._store, city.office.master, copies=copies)
    kept = Installation(city.store, city.office.keystore, city.office.master)
    kept.keep(book(), START, activate=True)
    return Premises(kept, tmp_path / "home", tmp_path / "seals", backups=tmp_path / "elsewhere", _office=city.office)


def kept(premises: Premises) -> list[str]:
    assert premises.backups is not None
    return sorted(one.name for one in premises.backups.iterdir())


def found(premises: Premises, name: str, at: datetime) -> str:
    return {one.name: one.state for one in examine(premises.kept, at, EVERY)}[name]


def test_a_night_s_back_up_is_whole_and_doctor_is_content(city: Town, premises: Premises) -> None:
    city.whistle()
    assert found(premises, "backup", START) == "warn"
    done = rounds.go(premises, "backup", "orchestrator", START)
    assert (done["cases"], done["ended"]) == (1, 0)
    assert kept(premises) == [done["file"]]
    assert premises.backups is not None
    assert backup.look(premises.backups / done["file"], city.office.master).cases == 1
    assert found(premises, "backup", START + DAY) == "ok"
    # The same second again, as a retried run does it.
    assert rounds.go(premises, "backup", "orchestrator", START)["file"] == done["file"]


def test_old_back_ups_end_by_the_rule_and_strangers_files_stay(tmp_path: Path) -> None:
    for day in range(60):
        (tmp_path / backup.file_name(START - day * DAY)).touch()
    (tmp_path / "holiday.jpg").touch()
    (tmp_path / "whistle-20260317T002000Z.part").touch()
    (tmp_path / "whistle-20260315T002000Z.part").touch()
    ended = archive.prune(tmp_path, START)
    left = {one.name for one in tmp_path.iterdir()}
    assert {"holiday.jpg", "whistle-20260317T002000Z.part"} <= left
    ages = sorted(day for day in range(60) if backup.file_name(START - day * DAY) in left)
    # Tuesday: all of a week; then of each week before it the newest, a Sunday's; nothing beyond five weeks.
    assert ages == [*range(8), 9, 16, 23, 30]
    assert len(ended) == 60 - len(ages) + 1
    assert archive.prune(tmp_path, START) == []


def test_the_newest_back_up_is_kept_however_old_it_is(tmp_path: Path) -> None:
    (tmp_path / backup.file_name(START)).touch()
    (tmp_path / backup.file_name(START - DAY)).touch()
    assert archive.prune(tmp_path, START + 400 * DAY) == [tmp_path / backup.file_name(START - DAY)]


def test_a_full_disk_is_an_incident_told_once_and_nothing_half_is_left(
    city: Town, premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds.go(premises, "backup", "orchestrator", START - DAY)
    before = kept(premises)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        for again in range(3):
            with pytest.raises(BackupFault, match="no space left"):
                rounds.go(premises, "backup", "orchestrator", START + again * DAY)
    assert kept(premises) == before
    with city.store.read() as connection:
        assert len(connection.execute(select(incident.c.id).where(incident.c.ended_at.is_(None))).all()) == 1
        readers = list(connection.scalars(select(message.c.member_id).where(message.c.kind == "backup_failed")))
    assert sorted(readers) == sorted({city.members["supervisor@city"], city.members["admin@city"]})
    assert found(premises, "incidents", START + 2 * DAY) == "warn"
    assert found(premises, "backup", START + 2 * DAY) == "warn"
    rounds.go(premises, "backup", "orchestrator", START + 3 * DAY)
    assert found(premises, "incidents", START + 3 * DAY) == "ok"


def test_without_a_folder_it_is_said_where_to_name_one(premises: Premises) -> None:
    premises.backups = None
    with pytest.raises(BackupFault) as told:
        rounds.go(premises, "backup", "person", START)
    assert "WHISTLE_BACKUPS" in told.value.text("zh_CN")


def test_copies_of_the_keys_are_made_daily_and_live_a_week(city: Town, premises: Premises) -> None:
    city.whistle()
    for day in range(9):
        rounds.go(premises, "keys", "orchestrator", START + day * DAY)
    folder = premises.kept.keystore._registry()
    assert len(folder.paths()) == 7
    rounds.go(premises, "retention", "orchestrator", START + 30 * DAY)
    assert folder.paths() == []
