"""What is not well is found and said, with the way to mend it; and the figures count what is there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, select, text, update

from cases import health, heartbeat, measures
from cases.examination import examine, of_calendar
from cases.gates_health import of_gates
from cases.installation import Installation
from cases.key_copies import KeyStoreCopies
from cases.keystore import KeyStore
from cases.outbox import delivery, lane
from cases.people import member
from cases.records import incident, policy_version
from cases.store import Store
from policies.calendar import load_calendar
from tests.town import START, STUDENT, Town, book, minutes, town

EVERY = timedelta(seconds=15)
NONE = timedelta(0)


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


@pytest.fixture
def kept(city: Town) -> Installation:
    found = Installation(city.store, city.office.keystore, city.office.master)
    found.keep(book(), START, activate=True)
    for name in ("sweep", "seal", "backup", "keys"):
        heartbeat.beat(city.store, name, "orchestrator", START, NONE, {"lag_seconds": 1.5})
    return found


def states(kept: Installation, after: float = 0.1) -> dict[str, str]:
    """How each check stands so many minutes later; whatever isn't well has its advice, in both languages."""
    checks = examine(kept, START + minutes(after), EVERY)
    for one in checks:
        assert one.state == "ok" or (one.advice("zh_CN") and one.advice("en")), one
        assert one.text("zh_CN") != one.text("en")
    return {one.name: one.state for one in checks}


def dead_letter(city: Town) -> None:
    with city.store.begin() as connection:
        someone = connection.scalar(select(member.c.id).limit(1))
        row = {"member_id": someone, "place": 0, "schema": "wecomx", "lane": "wecomx", "urgent": False, "joins": False}
        ended = {"state": "dead", "created_at": START, "due_at": START, "ended_at": START}
        connection.execute(insert(delivery).values(**row, **ended))


def test_an_installation_that_is_looked_after_is_well(kept: Installation) -> None:
    found = states(kept)
    assert {name for name, state in found.items() if state != "ok"} <= {"calendar"}
    elsewhere = {
        "disk",
        "master key",
        "orchestrator",
        "scheduler",
        "database",
        "migrations",
        "key store",
        "files",
        "gates",
    }
    assert set(found) == health.NAMES.keys() - elsewhere


def test_what_is_overdue_is_found(city: Town, kept: Installation) -> None:
    assert states(kept, after=2)["sweep"] == "warn"
    city.whistle()
    # Now something waits for the sweep that doesn't come.
    late = states(kept, after=60 * 24)
    assert (late["sweep"], late["seal"], late["backup"]) == ("bad", "bad", "ok")
    assert states(kept, after=60 * 4)["seal"] == "warn"
    assert states(kept, after=60 * 48)["backup"] == states(kept, after=60 * 48)["key copies"] == "warn"
    assert states(kept, after=60 * 24 * 8)["backup"] == states(kept, after=60 * 24 * 8)["key copies"] == "bad"


def test_a_standby_that_sweeps_is_worth_a_warning(city: Town, kept: Installation) -> None:
    heartbeat.beat(city.store, "sweep", "standby", START + minutes(5), NONE, {})
    assert states(kept, after=5.1)["sweep"] == "warn"


def test_whatever_was_never_done_is_said(city: Town) -> None:
    bare = Installation(city.store, city.office.keystore, city.office.master)
    found = states(bare)
    assert (found["sweep"], found["seal"], found["backup"], found["key copies"]) == ("bad", "warn", "warn", "warn")


def test_nobody_backs_up_by_itself_where_no_folder_is_named_and_that_is_said(city: Town, tmp_path: Path) -> None:
    bare = Installation(city.store, city.office.keystore, city.office.master)

    def advice(folder: Path | None) -> str:
        return next(one.advice("en") for one in examine(bare, START, EVERY, folder) if one.name == "backup")

    assert "WHISTLE_BACKUPS isn't set" in advice(None)
    assert "WHISTLE_BACKUPS" not in advice(tmp_path)
    # Somebody's own timer backs up: there is nothing to complain of.
    heartbeat.beat(city.store, "backup", "person", START, NONE, {})
    assert advice(None) == ""


def test_copies_of_the_keys_that_forgetting_cant_reach_are_bad(city: Town, kept: Installation, tmp_path: Path) -> None:
    keys = city.office.keystore._store
    here = KeyStore(keys, city.office.master, copies=KeyStoreCopies(tmp_path / "here"))
    here.export_copy(START)
    there = KeyStore(keys, city.office.master, copies=KeyStoreCopies(tmp_path / "there"))
    found = {one.name: one for one in examine(Installation(city.store, there, city.office.master), START, EVERY)}
    assert found["key copies"].state == "bad"
    assert "--here" in found["key copies"].text("en")


def test_a_disk_that_fills_up_is_told_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((10**10, "ok"), (10**9, "warn"), (10**8, "bad")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert health.of_room(tmp_path / "not there yet").state == state


def test_a_database_that_is_away_or_of_another_version_is_bad(store: Store) -> None:
    assert health.of_tables(store).state == "ok"
    with store.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    behind = health.of_tables(store)
    assert (behind.name, behind.state) == ("migrations", "bad")
    with Store("postgresql://nobody@127.0.0.1:1/none") as away:
        gone = health.of_tables(away)
    assert (gone.name, gone.state) == ("database", "bad")


def test_trouble_with_messages_and_incidents_is_counted(city: Town, kept: Installation) -> None:
    dead_letter(city)
    with city.store.begin() as connection:
        connection.execute(insert(lane).values(name="wecomx", failures=5, closed_until=START + minutes(9)))
        connection.execute(insert(incident).values(at=START, kind="case_set_aside", why="KeyError"))
    found = states(kept)
    assert (found["channels"], found["dead letters"], found["incidents"]) == ("warn", "warn", "warn")
    with city.store.begin() as connection:
        connection.execute(insert(incident).values(at=START, kind="seal_broken", why="cut"))
    assert states(kept)["incidents"] == "bad"


def test_a_missing_mail_server_is_said_once_with_how_many_it_leaves_with_their_inbox(city: Town) -> None:
    def of(*there: str) -> health.Check:
        with city.store.read() as connection:
            return of_gates(connection, frozenset(there))

    assert (of().state, "WHISTLE_MAIL" in of().text("en")) == ("ok", True)
    reached: dict[str, dict[str, Any]] = {
        "officer@street": {"email": "a@example.org"},
        "lead@street": {"email": "b@example.org", "phone": "13900000000"},
        "officer@police": {"email": "c@example.org", "settings": {"channels": ["mail", "wecomx://police"]}},
        "lead@police": {"email": "d@example.org", "active": False},
    }
    with city.store.begin() as connection:
        for who, registered in reached.items():
            connection.execute(update(member).where(member.c.id == city.members[who]).values(**registered))
    assert (of("sms").state, "inbox alone: 1" in of("sms").text("en"), "1 人" in of("sms").text("zh_CN")) == (
        "warn",
        True,
        True,
    )
    assert "inbox alone: 2" in of().text("en")
    assert of("mail").state == of("mail", "sms").state == "ok"
    assert of().advice("zh_CN") != of().advice("en")


def test_a_policy_that_was_changed_in_the_database_is_found(city: Town, kept: Installation) -> None:
    with city.store.begin() as connection:
        source = connection.scalar(select(policy_version.c.source))
        changed = str(source).replace("15m", "16m", 1)
        assert changed != source
        connection.execute(policy_version.update().values(source=changed))
    assert states(kept)["policy"] == "bad"


def test_a_year_without_its_table_is_named_and_grave_only_once_it_is_late() -> None:
    known = load_calendar()
    last = max(known.of(None).years)
    in_time, late = date(last, 3, 1), date(last + 1, 1, 5)
    assert of_calendar(known, date(last - 1, 6, 1)).state == "ok"
    assert of_calendar(known, in_time).state == "warn"
    assert str(last + 1) in of_calendar(known, in_time).text("en")
    assert of_calendar(known, late).state == "bad"


def test_a_key_that_others_can_read_is_bad(tmp_path: Path) -> None:
    key = tmp_path / "master.key"
    assert health.of_key_file(key).state == "bad"
    key.touch(mode=0o600)
    assert health.of_key_file(key).state == "ok"
    key.chmod(0o644)
    assert "644" in health.of_key_file(key).text("en")
    assert health.of_key_file(key).state == "bad"


def test_the_figures_count_what_is_there_and_prometheus_reads_them(city: Town, kept: Installation) -> None:
    city.whistle()
    dead_letter(city)
    with city.store.read() as connection:
        written = measures.exposition(measures.read(connection, START + timedelta(days=1)))
    found = {
        (one.name, *sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(written)
        for one in family.samples
    }
    assert found["whistle_cases_open", ("level", "red")] == 1
    assert found["whistle_clocks_open", ("state", "running")] >= 1
    assert found["whistle_oldest_due_seconds",] > 60 * 60 * 20
    assert found["whistle_wake_lag_seconds",] > 60 * 60 * 20
    assert found["whistle_sweep_lag_seconds",] == 1.5
    assert found["whistle_round_age_seconds", ("door", "orchestrator"), ("round", "seal")] == 24 * 60 * 60
    assert found["whistle_deliveries", ("channel", "wecomx"), ("result", "dead")] == 1
    assert found["whistle_dead_letters",] == 1
    assert str(STUDENT["name"]) not in written
    assert "示例" not in written


def second_layer(kept: Installation) -> health.Check:
    return next(one for one in examine(kept, START, EVERY) if one.name == "second layer")


def ask(city: Town, *statements: str) -> None:
    with city.store.begin() as connection:
        for one in statements:
            connection.execute(text(one))


def test_a_second_layer_that_only_seems_to_be_there_is_bad_and_migrating_mends_it(
    city: Town, kept: Installation
) -> None:
    assert second_layer(kept).state == "ok"
    for harm, named in {
        "DROP POLICY seen ON student": "student",
        "ALTER TABLE cases DISABLE ROW LEVEL SECURITY": "cases",
        "CREATE TABLE later (id bigint)": "later",
        "REVOKE SELECT ON message FROM whistle_reader": "message",
        "REVOKE INSERT ON access_log FROM whistle_opener": "access_log",
        "DROP POLICY own ON message": "message",
        "GRANT SELECT ON account TO whistle_reader": "whistle_reader",
    }.items():
        ask(city, harm)
        found = second_layer(kept)
        assert (found.state, named in found.text("en")) == ("bad", True), harm
        assert "whistle migrate" in found.advice("zh_CN"), harm
        city.store.migrate()
        assert second_layer(kept).state == "ok", harm


def test_a_role_that_reads_sealed_sections_is_bad(city: Town, kept: Installation) -> None:
    ask(city, "GRANT SELECT ON event TO whistle_reader")
    found = second_layer(kept)
    assert (found.state, "whistle_reader" in found.text("zh_CN")) == ("bad", True)


def test_a_server_that_gave_no_roles_is_worth_a_warning_and_how_to_get_them(store: Store) -> None:
    """Roles are the whole server's, and others here need them: whoever asks is a user who was given none."""
    from cases.layer_health import of_second_layer

    with store.begin() as connection:
        connection.execute(text("CREATE ROLE guest_of_one_test NOLOGIN"))
        connection.execute(text("SET LOCAL ROLE guest_of_one_test"))
        found = of_second_layer(connection)
        connection.rollback()
    assert found.state == "warn"
    assert "whistle_reader, whistle_opener" in found.text("en")
    assert "databases.md" in found.advice("zh_CN")
