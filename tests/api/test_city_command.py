"""`whistle city`: answers on standard output, faults in one message, exit code 2, nothing changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from api.commands.city import app
from cases.people import student
from cases.store import Store


@pytest.fixture
def installed(server: Store, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An installation with a master key: a database, a key store and a home of its own."""
    with server.scratch() as keys:
        monkeypatch.setenv("WHISTLE_HOME", str(tmp_path))
        monkeypatch.setenv("WHISTLE_DATABASE_URL", store.url)
        monkeypatch.setenv("WHISTLE_KEYSTORE_URL", keys.url)
        key = tmp_path / "given.key"
        key.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
        monkeypatch.setenv("WHISTLE_MASTER_KEY_FILE", str(key))
        yield store


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def students(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(student)) or 0


def test_a_district_is_loaded_and_loaded_again_without_a_change(installed: Store) -> None:
    words = ("load", "--district", "建邺区", "--schools", "2", "--students", "20", "--json")
    first, second = run(*words), run(*words)
    assert first.exit_code == second.exit_code == 0
    assert json.loads(first.stdout)["students"] == students(installed) == 20
    assert first.stdout == second.stdout


def test_another_city_is_refused_with_both_named(installed: Store) -> None:
    run("load", "--district", "建邺区", "--schools", "2", "--students", "20")
    refused = run("load", "--district", "秦淮区", "--language", "en")
    assert refused.exit_code == 2
    assert "建邺区" in refused.stderr
    assert "秦淮区" in refused.stderr
    assert students(installed) == 20


def test_an_empty_database_whose_given_master_key_is_missing_stays_empty(installed: Store, tmp_path: Path) -> None:
    (tmp_path / "given.key").unlink()
    refused = run("load", "--district", "建邺区", "--language", "en")
    assert refused.exit_code == 2
    assert "no master key" in refused.stderr
    assert "Traceback" not in refused.output
    assert students(installed) == 0


def test_a_lost_master_key_is_never_replaced_by_a_new_one(
    installed: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WHISTLE_MASTER_KEY_FILE")
    # The database has its tables, so somebody set it up, with a key that isn't here any more.
    refused = run("load", "--district", "建邺区")
    assert refused.exit_code == 2
    assert not (tmp_path / "keys").exists()
    assert students(installed) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--district", "亚特兰蒂斯区"), "样例城市里没有“亚特兰蒂斯区”"),
        (("--schools", "0"), "学校至少要有 1 所"),
        (("--students", "-5"), "学生数应在"),
    ],
)
def test_impossible_sizes_are_said_plainly_without_a_database(words: tuple[str, ...], said: str) -> None:
    for command in ("load", "show"):
        refused = run(command, *words)
        assert refused.exit_code == 2
        assert said in refused.stderr


def test_showing_the_city_counts_what_loading_it_would_bring() -> None:
    rows = json.loads(run("show", "--json").stdout)
    assert len(rows) == 12
    sums = {name: sum(row[name] for row in rows) for name in ("streets", "schools", "students")}
    assert sums == {"streets": 101, "schools": 700, "students": 850_000}
    assert "850000" in run("show").stdout
