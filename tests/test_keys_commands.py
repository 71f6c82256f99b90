"""The drill of the forgotten, as it is typed: an old back-up and an old copy of the keys bring nobody back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from api.commands.database import installation
from cases import embedded, enrolment, vault
from cases.forgetting import forget
from cases.key_fault import Forgotten
from cases.people import student
from cases.store import Store
from tests.test_backup_commands import Typed, machine
from tests.town import START

__all__ = ["machine"]


def opens(number: int) -> bool:
    """Whether a student's identity opens in this installation, as its settings name it."""
    with installation() as kept:
        with kept.store.read() as connection:
            blob = connection.scalar(select(student.c.identity).where(student.c.id == number))
        try:
            key = kept.keystore.of(number)
        except Forgotten:
            return False
        return b"name" in vault.open(key, enrolment.place_of(number), "identity", blob)


def test_a_student_forgotten_after_the_back_up_stays_unreadable_with_an_old_copy_of_the_keys_too(
    machine: Typed, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded.served(home, durable=False) as url:
        monkeypatch.setenv("WHISTLE_DATABASE_URL", url)
        code, said = machine.whistle("city", "load", "--district", "玄武区", "--students", "24", "--json")
        assert code == 0, said
        with Store(url) as store, store.read() as connection:
            gone, stays = connection.scalars(select(student.c.id).order_by(student.c.id).limit(2))
        assert opens(gone)
        old = json.loads(machine.whistle("backup", str(tmp_path), "--json")[1])["file"]
        code, said = machine.whistle("keys", "copy", "--json")
        assert code == 0, said
        copy = Path(json.loads(said)["copy"])
        taken_away = copy.read_bytes()
        with installation() as kept:
            forget(kept.store, kept.office(), gone, START, why="retention.case")
        assert taken_away != copy.read_bytes()

        tried = json.loads(machine.whistle("restore", old, "--drill", "--json")[1])
        assert (tried["broken"], tried["forgotten"], tried["opened"]) == ([], 1, 23)

        # The disk of the keys is lost; a copy that somebody had taken out of its folder is all there is.
        with Store(url) as store:
            store.drop_database("whistle_keys")
        assert machine.whistle("doctor")[0] == 2
        (tmp_path / "taken.json").write_bytes(taken_away)
        code, said = machine.whistle("keys", "restore", str(tmp_path / "taken.json"))
        assert (code, "24 keys are back" in said) == (0, True), said
        assert (opens(gone), opens(stays)) == (False, True)

        # And the cases are put back as they were before, beside the present keys.
        assert machine.whistle("restore", old, "--into", "again")[0] == 0
        monkeypatch.setenv("WHISTLE_DATABASE_URL", url.replace("/whistle?", "/again?"))
        assert (opens(gone), opens(stays)) == (False, True)
        assert "keys-" in machine.whistle("keys", "list")[1]


def test_what_is_no_copy_is_refused_in_one_sentence(
    machine: Typed, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded.served(home, durable=False) as url:
        monkeypatch.setenv("WHISTLE_DATABASE_URL", url)
        assert machine.whistle("migrate")[0] == 0
        assert "There is none" in machine.whistle("keys", "list")[1]
        (tmp_path / "half.json").write_text('{"format": "whistle-keys/1"')
        code, said = machine.whistle("keys", "restore", str(tmp_path / "half.json"))
        assert (code, "isn't a whole copy" in said) == (2, True), said
        code, said = machine.whistle("restore", "nowhere.backup")
        assert (code, "--into" in said) == (2, True), said
