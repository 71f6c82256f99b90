"""After an outage every rung falls once and in order; a case that can't be woken holds up no other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update

from cases import wake
from cases.directory import Directory
from cases.office import Session
from cases.records import case as cases_table
from cases.records import clock, event, incident, message
from cases.store import Store
from tests.cases import invariants
from tests.town import START, Town, book, minutes, town

OUTAGE = START + timedelta(hours=23)
LADDER = ("reminded", "warned", "breached", "escalated", "bulletined")


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def rungs(city: Town, case_id: int) -> dict[int, list[tuple[str, str]]]:
    """The rungs of each clock in the order of the history: the rung, and when it stood."""
    found: dict[int, list[tuple[str, str]]] = {}
    with city.store.read() as connection:
        for row in connection.execute(invariants.select_events(case_id)).mappings():
            if row["trigger"].rpartition(".")[2] in LADDER and "." in row["trigger"]:
                number = next(one["clock"] for one in row["signals"] if one["op"] == "rung")
                found.setdefault(number, []).append((row["trigger"].rpartition(".")[2], row["open"]["stood_at"]))
    return found


def broken(city: Town, case_id: int, at: datetime) -> list[str]:
    with city.store.read() as connection:
        return invariants.broken(Session(connection, city.office), case_id, swept_at=at)


def letters(city: Town, since: datetime) -> dict[str, list[str]]:
    """What each member was told from then on, message by message."""
    names = {number: name for name, number in city.members.items()}
    found: dict[str, list[str]] = {}
    with city.store.read() as connection:
        for row in connection.execute(select(message).where(message.c.at >= since).order_by(message.c.id)):
            found.setdefault(names[row.member_id], []).append(row.kind)
    return found


def test_after_hours_without_the_orchestrator_every_rung_falls_once_and_where_it_stood(city: Town) -> None:
    late, punctual = city.whistle().case.id, city.whistle().case.id
    with city.store.begin() as connection:
        connection.execute(update(cases_table).where(cases_table.c.id == late).values(aside_until=OUTAGE))
    at = START
    while at < OUTAGE:
        at += minutes(15)
        city.sweep(at)
    city.sweep(OUTAGE)
    assert broken(city, late, OUTAGE) == broken(city, punctual, OUTAGE) == []
    caught_up, as_it_was = rungs(city, late), rungs(city, punctual)
    of_the_whistle = [number for number in as_it_was if number <= 12]
    assert len(of_the_whistle) >= 10
    assert {one: caught_up[one] for one in of_the_whistle} == {one: as_it_was[one] for one in of_the_whistle}


def test_after_an_outage_each_person_is_told_once_with_the_highest_that_concerns_them(city: Town) -> None:
    city.whistle()
    city.sweep(OUTAGE)
    told = letters(city, OUTAGE)
    assert all(len(kinds) == 1 for kinds in told.values())
    highest = {name: kinds[0] for name, kinds in told.items()}
    assert highest["officer@street"] == highest["lead@street"] == highest["coordinator@district"] == "breached"
    assert highest["supervisor@district"] == "escalated"
    assert highest["supervisor@city"] == "bulletined"
    assert not any(name.endswith(("@court", "@district#2", "@hospital")) for name in highest)


def test_a_move_after_an_outage_comes_after_what_was_due(city: Town) -> None:
    case = city.whistle().case.id
    city.fire("officer@street", case, 1, "acknowledge", None, START + minutes(40))
    assert broken(city, case, START + minutes(40)) == []
    with city.store.read() as connection:
        rows = connection.execute(invariants.select_events(case)).mappings().all()
    names = [row["name"] for row in rows if row["track_no"] == 1]
    assert names[-1] == "assignment.acknowledged"
    assert "assignment.acknowledge.breached" in names
    with city.store.read() as connection:
        met = connection.execute(select(clock).where(clock.c.name == "acknowledge", clock.c.track_no == 1)).one()
    assert met.state == "missed"
    assert met.stopped_at == START + minutes(40)


@pytest.fixture
def fifty(city: Town) -> list[int]:
    """Fifty cases that are due at once; one has a spoilt clock, one runs under a policy that isn't there."""
    cases = [city.whistle(START + minutes(number / 60)).case.id for number in range(50)]
    city.office.book_of = {book().version: book()}.__getitem__
    with city.store.begin() as connection:
        connection.execute(
            text("""UPDATE clock SET face = '{"wake": "2026-03-17T00:25:00+00:00"}' WHERE case_id = :id AND no = 4"""),
            {"id": cases[7]},
        )
        connection.execute(update(cases_table).where(cases_table.c.id == cases[23]).values(policy="nowhere-2020.1"))
    return cases


def test_a_case_that_is_woken_with_nothing_due_is_set_aside_instead_of_again_and_again(city: Town) -> None:
    case = city.whistle().case.id
    with city.store.begin() as connection:
        connection.execute(update(cases_table).where(cases_table.c.id == case).values(wake_at=START))
    assert city.sweep(START + minutes(1)).aside == 1
    assert aside(city) == {case}
    assert city.sweep(START + minutes(1)).cases == 0


def test_a_process_that_has_just_started_sweeps_a_batch_in_one_transaction(city: Town) -> None:
    for _ in range(5):
        city.whistle()
    city.office.directory = Directory(0)
    assert city.sweep(START + minutes(20)).cases == 5
    with city.store.read() as connection:
        # The transaction that wrote a row stands in the row.
        wrote = text("SELECT count(DISTINCT xmin::text) FROM event WHERE name LIKE '%.acknowledge.%'")
        assert connection.scalar(wrote) == 1


def aside(city: Town) -> set[int]:
    with city.store.read() as connection:
        return set(connection.scalars(select(cases_table.c.id).where(cases_table.c.aside_count > 0)))


def test_a_faulty_case_is_set_aside_with_an_incident_and_holds_up_no_other(city: Town, fifty: list[int]) -> None:
    faulty = {fifty[7], fifty[23]}
    swept = city.sweep(OUTAGE)
    assert (swept.cases, swept.aside) == (48, 2)
    assert aside(city) == faulty
    with city.store.read() as connection:
        incidents = connection.execute(select(incident)).all()
        untouched = connection.scalars(select(event.c.case_id).where(event.c.name.like("%.breached"))).all()
    assert {(one.kind, one.case_id) for one in incidents} == {("case_set_aside", one) for one in faulty}
    assert set(untouched) == set(fifty) - faulty
    assert all(broken(city, one, OUTAGE) == [] for one in fifty if one not in faulty)


def test_a_case_that_was_set_aside_is_tried_again_later_and_catches_up(city: Town, fifty: list[int]) -> None:
    city.sweep(OUTAGE)
    assert city.sweep(OUTAGE + timedelta(seconds=59)) == wake.Swept()
    again = city.sweep(OUTAGE + minutes(1))
    assert (again.cases, again.aside) == (0, 2)
    assert city.sweep(OUTAGE + minutes(2)) == wake.Swept()
    with city.store.begin() as connection:
        repaired = update(cases_table).where(cases_table.c.id == fifty[23])
        connection.execute(repaired.values(policy=book().version))
    assert city.sweep(OUTAGE + minutes(3)).cases == 1
    assert aside(city) == {fifty[7]}
    assert broken(city, fifty[23], OUTAGE + minutes(3)) == []


def test_a_case_has_one_incident_however_often_it_is_tried_and_none_once_it_goes_through(
    city: Town, fifty: list[int]
) -> None:
    for minute in (0, 1, 3):
        assert city.sweep(OUTAGE + minutes(minute)).aside == 2
    with city.store.begin() as connection:
        # Each of the two tries that followed found the incident of the first one.
        assert connection.scalar(select(func.count()).select_from(incident)) == 2
        connection.execute(update(cases_table).where(cases_table.c.id == fifty[23]).values(policy=book().version))
    city.sweep(OUTAGE + minutes(7))
    with city.store.read() as connection:
        found = {one.case_id: one.ended_at for one in connection.execute(select(incident)).all()}
    assert found == {fifty[7]: None, fifty[23]: OUTAGE + minutes(7)}


def test_a_case_that_is_set_aside_anew_is_an_incident_anew(city: Town) -> None:
    case = city.whistle().case.id
    for found in (1, 21):
        with city.store.begin() as connection:
            connection.execute(update(cases_table).where(cases_table.c.id == case).values(wake_at=START))
        assert city.sweep(START + minutes(found)).aside == 1
        if found == 1:
            assert city.sweep(START + minutes(20)).cases == 1
    with city.store.read() as connection:
        ends = connection.scalars(select(incident.c.ended_at).order_by(incident.c.id)).all()
    assert ends == [START + minutes(20), None]


def test_a_case_that_stays_faulty_is_tried_every_six_hours_for_months(city: Town, fifty: list[int]) -> None:
    with city.store.begin() as connection:
        connection.execute(update(cases_table).where(cases_table.c.id == fifty[7]).values(aside_count=400))
    city.sweep(OUTAGE)
    with city.store.read() as connection:
        until = connection.scalar(select(cases_table.c.aside_until).where(cases_table.c.id == fifty[7]))
    assert until == OUTAGE + timedelta(hours=6)


def test_two_workers_set_only_the_faulty_aside(city: Town, fifty: list[int]) -> None:
    with ThreadPoolExecutor(2) as hands:
        swept = list(hands.map(lambda _: city.sweep(OUTAGE), range(2)))
    city.sweep(OUTAGE)
    assert aside(city) == {fifty[7], fifty[23]}
    assert sum(one.aside for one in swept) == 2
    assert all(broken(city, one, OUTAGE) == [] for one in fifty if one not in aside(city))
