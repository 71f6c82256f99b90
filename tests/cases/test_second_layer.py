"""The second layer: what the database itself shows to a person's reading, whatever a query forgot to ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import ProgrammingError

from cases import access, credentials, second_layer
from cases.directory import Actor
from cases.office import Session
from cases.people import student
from cases.records import access_log, called, case, event, message
from cases.second_layer import Bounds, Part
from cases.store import Store
from tests.cases import invariants
from tests.cases.test_access import close, work
from tests.town import START, STUDENT, Town, book, minutes, town

WINDOW = book().windows.sight_after_closing
BOUNDS = Bounds.of([book()])


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


@contextmanager
def reading(city: Town, who: Actor | None, at: datetime, part: Part = "reader") -> Iterator[Connection]:
    with city.store.begin() as connection:
        second_layer.put_on(connection, part, who, at, BOUNDS)
        yield connection


def everybody(city: Town, at: datetime) -> dict[str, Actor]:
    return {name: city.actor(name, at) for name in city.members}


def a_full_city(city: Town) -> list[int]:
    """An open case of a called street, a referral, a closed case, a merged one, a draft of the mentor."""
    first = city.whistle()
    second = city.whistle(
        minutes_after(1), level="orange", concern="mental_illness", student={**STUDENT, "name": "小示例二"}
    )
    third = city.whistle(minutes_after(2), level="orange", concern="left_behind")
    form = {"into": first.case.number, "reason": "the same evening"}
    city.fire("coordinator@district", third.case.id, 0, "merge", form, minutes_after(3))
    fourth = city.whistle(minutes_after(4), student={**STUDENT, "name": "小示例三"})
    close(city, fourth.case.id, work(city, fourth.case.id, minutes_after(10)))
    return [one.case.id for one in (first, second, third, fourth)]


def minutes_after(count: float) -> datetime:
    return START + minutes(count)


@pytest.mark.parametrize("after", [timedelta(minutes=30), WINDOW + timedelta(days=2)])
def test_the_database_shows_each_member_exactly_the_cases_that_the_rule_shows(city: Town, after: timedelta) -> None:
    ids, at = a_full_city(city), START + after
    for name, actor in everybody(city, at).items():
        with city.store.read() as connection:
            session = Session(connection, city.office)
            files = {one: invariants.file_of(session, one) for one in ids}
        wanted = {one for one, file in files.items() if not access.sees(actor, file, book(), at).nothing}
        wanted |= {one for one, file in files.items() if file.merged_into in wanted}
        with reading(city, actor, at) as connection:
            assert set(connection.scalars(select(case.c.id))) == wanted, name


def test_nobody_reads_anything_without_saying_who_they_are(city: Town) -> None:
    a_full_city(city)
    with reading(city, None, START) as connection:
        assert connection.scalar(select(func.count()).select_from(case)) == 0
        assert connection.scalar(select(func.count()).select_from(student)) == 0


def test_an_identity_is_there_only_with_a_case_that_is_seen(city: Town) -> None:
    fired = city.whistle()
    for name, there in {
        "counselor@school": 1,
        "officer@street": 1,
        "officer@street#2": 0,
        "auditor@district": 0,
    }.items():
        with reading(city, city.actor(name, START), START) as connection:
            found = connection.scalars(select(student.c.id).where(student.c.id == fired.case.student)).all()
            assert len(found) == there, name


def test_a_reader_gets_no_sealed_section_and_writes_nothing(city: Town) -> None:
    fired = city.whistle()
    counselor = city.actor("counselor@school", START)
    with reading(city, counselor, START) as connection:
        assert connection.scalar(select(event.c.name).where(event.c.case_id == fired.case.id, event.c.seq == 1))
    with pytest.raises(ProgrammingError, match="permission denied"), reading(city, counselor, START) as connection:
        connection.execute(select(event.c.narrative))
    with pytest.raises(ProgrammingError, match="permission denied"), reading(city, counselor, START) as connection:
        connection.execute(case.update().values(level="blue"))


def test_whoever_opens_a_section_opens_only_those_of_their_cases_and_leaves_a_trace(city: Town) -> None:
    fired = city.whistle()
    for name, there in {"counselor@school": True, "officer@street#2": False}.items():
        actor = city.actor(name, START)
        with reading(city, actor, START, "opener") as connection:
            found = connection.scalars(select(event.c.narrative).where(event.c.case_id == fired.case.id)).all()
            assert bool(found) is there, name
            trace = {"case_id": fired.case.id, "at": START, "member_id": actor.member_id, "role": "officer"}
            trace |= {"organisation_id": actor.organisation_id, "section": "narrative", "what": "x"}
            if there:
                connection.execute(insert(access_log).values(trace))


def test_nobody_writes_into_the_log_under_another_name_or_reads_it_of_cases_they_dont_see(city: Town) -> None:
    fired = city.whistle()
    counselor, stranger = city.actor("counselor@school", START), city.actor("officer@street#2", START)
    trace = {"case_id": fired.case.id, "at": START, "role": "officer", "section": "narrative", "what": "x"}
    trace |= {"organisation_id": stranger.organisation_id, "member_id": counselor.member_id}
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        reading(city, stranger, START, "opener") as connection,
    ):
        connection.execute(insert(access_log).values(trace))
    with reading(city, counselor, START, "opener") as connection:
        connection.execute(insert(access_log).values(trace))
    for actor, there in ((counselor, 1), (stranger, 0)):
        with reading(city, actor, START) as connection:
            assert connection.scalar(select(func.count()).select_from(access_log)) == there, actor.name


def test_a_message_is_its_readers_alone(city: Town) -> None:
    city.whistle()
    for name in ("officer@street", "principal@school", "auditor@district"):
        actor = city.actor(name, START)
        with city.store.read() as connection:
            wanted = set(connection.scalars(select(message.c.id).where(message.c.member_id == actor.member_id)))
        with reading(city, actor, START) as connection:
            assert set(connection.scalars(select(message.c.id))) == wanted, name


@pytest.mark.parametrize("part", ["reader", "opener"])
@pytest.mark.parametrize("column", second_layer.SECRETS)
def test_no_secret_of_signing_in_is_read_by_a_person(city: Town, part: Part, column: str) -> None:
    admin = city.actor("admin@city", START)
    table, _, name = column.partition(".")
    with city.store.begin() as connection:
        credentials.open_account(connection, admin.member_id, "admin", START)
    with reading(city, admin, START, part) as connection:
        assert credentials.line_of(connection, admin.member_id) is not None
    with pytest.raises(ProgrammingError, match="permission denied"), reading(city, admin, START, part) as connection:
        connection.execute(text(f"SELECT {name} FROM {table}"))  # noqa: S608 - this project's own names


def test_a_redirected_organisation_loses_sight_in_the_database_too(city: Town) -> None:
    fired = city.whistle()
    officer = city.actor("officer@street", START)
    with city.store.begin() as connection:
        connection.execute(
            called.update().where(called.c.organisation_id == city.places["street"].id).values(until=START)
        )
    with reading(city, officer, START) as connection:
        assert fired.case.id not in set(connection.scalars(select(case.c.id)))


def test_the_role_is_taken_off_with_the_transaction(city: Town) -> None:
    city.whistle()
    with reading(city, None, START) as connection:
        assert connection.scalar(select(func.count()).select_from(case)) == 0
    with city.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(case)) == 1
    assert second_layer.there(city.store)
