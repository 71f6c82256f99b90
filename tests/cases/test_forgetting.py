"""A student is forgotten for good: nothing opens any more, and the history still verifies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from cases import enrolment, installation, key_tables, keystore, ledger, queries, vault
from cases.forgetting import forget
from cases.office import Session
from cases.people import student
from cases.records import event
from cases.refusal import Refusal
from cases.store import Store
from cases.vault import Unreadable
from tests.cases.test_access import close, work
from tests.town import START, STUDENT, Town, minutes, town

LATER = START + timedelta(days=900)
ID_NUMBER = "320106201611020019"


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def closed_case(city: Town) -> tuple[int, int]:
    """A closed case with all three sections, and its student."""
    opened = city.whistle(student={**STUDENT, "id_number": ID_NUMBER}).case
    answers = {"scale": "phq_9", "version": "1", "items": {str(one): 2 for one in range(1, 10)}}
    city.fire("counselor@school", opened.id, 0, "record_screening", {**answers, "day": "2026-03-17"})
    city.fire("counselor@school", opened.id, 0, "record_interview", {"result": "no plan"})
    close(city, opened.id, work(city, opened.id, START + minutes(20)))
    return opened.id, opened.student


def sections(city: Town, case_id: int) -> list[tuple[str, vault.Section, bytes]]:
    """Every sealed blob of the case with the place that it is sealed to."""
    with city.store.read() as connection:
        rows = connection.execute(select(event).where(event.c.case_id == case_id)).mappings().all()
        return [
            (ledger.place(case_id, row["seq"]), name, bytes(row[name]))
            for row in rows
            for name in vault.SECTIONS
            if row[name] is not None
        ]


def verdict(city: Town, case_id: int) -> list[str]:
    with city.store.read() as connection:
        session = Session(connection, city.office)
        number = str(connection.scalar(text("SELECT number FROM cases WHERE id = :id"), {"id": case_id}))
        return list(installation.verified(session, city.office, number, case_id))


def wrapped_keys(city: Town) -> list[bytes]:
    with city.office.keystore._store.read() as connection:
        return [bytes(one) for one in connection.scalars(select(key_tables.student_key.c.wrapped))]


def test_after_forgetting_the_history_verifies_and_says_that_it_was_forgotten(city: Town) -> None:
    case, number = closed_case(city)
    assert forget(city.store, city.office, number, LATER, why="retention") == ["WH-2026-000001"]
    assert verdict(city, case) == []
    with city.store.read() as connection:
        newest = connection.execute(select(event).order_by(event.c.seq.desc()).limit(1)).mappings().one()
    assert (newest["name"], newest["open"]) == ("case.forgotten", {"why": "retention"})


def test_after_forgetting_no_section_opens_with_whatever_key(city: Town) -> None:
    case, number = closed_case(city)
    blobs = sections(city, case)
    assert {name for _, name, _ in blobs} == set(vault.SECTIONS)
    with city.store.read() as connection:
        old_identity = connection.scalar(select(student.c.identity).where(student.c.id == number))
    key = city.office.keystore.of(number)
    assert all(vault.open(key, *one) for one in blobs)
    forget(city.store, city.office, number, LATER, why="retention")
    with pytest.raises(Unreadable):
        city.office.keystore.of(number)
    # What an old back-up holds meets a key that is nothing but zeros, which the master key unwraps to nothing.
    assert all(set(one) == {0} for one in wrapped_keys(city))
    fresh = keystore.KeyStore(city.office.keystore._store, city.office.master)
    with pytest.raises(Unreadable):
        fresh.of(number)
    zeros = vault.DataKey(bytes(32))
    place_of_identity = enrolment.place_of(number)
    with pytest.raises(Unreadable):
        vault.open(zeros, place_of_identity, "identity", old_identity)
    for place, name, blob in blobs:
        with pytest.raises(Unreadable):
            vault.open(zeros, place, name, blob)


def test_after_forgetting_identity_and_index_are_gone(city: Town) -> None:
    _, number = closed_case(city)
    by_id = vault.index_of(city.office.master, "id_number", ID_NUMBER)
    by_name = vault.index_of(city.office.master, "name", str(STUDENT["name"]))
    index = city.office.keystore.index
    assert (index.by_id_number(by_id), index.by_name(by_name)) == ([number], [number])
    forget(city.store, city.office, number, LATER, why="retention")
    assert (index.by_id_number(by_id), index.by_name(by_name)) == ([], [])
    with city.store.read() as connection:
        row = connection.execute(select(student).where(student.c.id == number)).mappings().one()
    assert row["identity"] is None
    assert row["forgotten_at"] == LATER


@pytest.mark.parametrize("section", ["identity", "narrative", "clinical"])
def test_whoever_may_see_a_forgotten_case_is_told_that_it_is_unreadable(city: Town, section: vault.Section) -> None:
    case, number = closed_case(city)
    forget(city.store, city.office, number, LATER, why="retention")
    with city.store.begin() as connection:
        session = Session(connection, city.office)
        counselor = city.office.directory.actor(connection, city.members["counselor@school"], LATER)
        with pytest.raises(Unreadable):
            queries.open_section(session, case, counselor, section, "page", LATER)


def test_a_student_whose_case_is_at_work_is_not_forgotten(city: Town) -> None:
    case, number = closed_case(city)
    city.fire("counselor@school", case, 0, "reopen", {"reason": "new bruises"}, START + timedelta(days=2))
    with pytest.raises(Refusal) as refused:
        forget(city.store, city.office, number, LATER, why="retention")
    assert (refused.value.code, refused.value.facts) == ("wrong_state", {"cases": "WH-2026-000001"})
    assert all(vault.open(city.office.keystore.of(number), *one) for one in sections(city, case))
    assert verdict(city, case) == []


def test_a_student_is_not_forgotten_while_a_mandatory_report_is_due(city: Town) -> None:
    opened = city.whistle(statutory=["injury"]).case
    city.fire("counselor@school", opened.id, 0, "withdraw", {"reason": "a mistake"})
    with pytest.raises(Refusal, match="wrong_state"):
        forget(city.store, city.office, opened.student, LATER, why="retention")


def test_forgetting_again_changes_nothing(city: Town) -> None:
    case, number = closed_case(city)
    forget(city.store, city.office, number, LATER, why="retention")
    before = verdict(city, case), len(sections(city, case))
    with city.store.read() as connection:
        length = connection.scalar(text("SELECT max(seq) FROM event"))
    forget(city.store, city.office, number, LATER + timedelta(days=1), why="retention")
    with city.store.read() as connection:
        assert connection.scalar(text("SELECT max(seq) FROM event")) == length
    assert (verdict(city, case), len(sections(city, case))) == before


def test_an_unknown_student_is_not_found(city: Town) -> None:
    with pytest.raises(Refusal, match="not_found"):
        forget(city.store, city.office, 4711, LATER, why="retention")


def test_a_student_of_the_same_name_is_another_student_afterwards(city: Town) -> None:
    _, number = closed_case(city)
    forget(city.store, city.office, number, LATER, why="retention")
    again: datetime = LATER + timedelta(days=30)
    opened = city.whistle(again, student={**STUDENT, "id_number": ID_NUMBER}).case
    assert opened.student != number
    with city.store.begin() as connection:
        session = Session(connection, city.office)
        counselor = city.office.directory.actor(connection, city.members["counselor@school"], again)
        found = queries.open_section(session, opened.id, counselor, "identity", "page", again)
    assert found[0]["name"] == STUDENT["name"]
