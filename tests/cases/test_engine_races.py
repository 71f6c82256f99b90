"""The programme "two hands": two who act on one case at the same moment; one wins, the other is told why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from cases import ledger, loading
from cases.casefile import CaseFile
from cases.office import Session
from cases.records import case as cases_table
from cases.records import event
from cases.refusal import Refusal
from cases.store import Store
from tests.cases import invariants
from tests.town import START, Town, town

RACES = 200
ACK = "acknowledge"
LATER = START + timedelta(hours=1)


@pytest.fixture(scope="module")
def city(server: Store) -> Iterator[Town]:
    with server.scratch() as fresh, town(fresh) as built:
        yield built


@pytest.fixture(scope="module")
def hands() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@dataclass
class Race:
    """Two hands on one case, started by one barrier."""

    city: Town
    hands: ThreadPoolExecutor
    case: CaseFile

    def run(self, *both: Callable[[], object]) -> list[str]:
        """What became of each: `done`, or the code with which it was refused; in alphabetical order."""
        barrier = Barrier(2)

        def one(act: Callable[[], object]) -> str:
            barrier.wait()
            try:
                act()
            except Refusal as refusal:
                return refusal.code
            return "done"

        return sorted(self.hands.map(one, both))

    def pull(
        self, who: str, trigger: str, when: datetime = START, *, version: int | None = None, **form: object
    ) -> Callable[[], object]:
        """A hand that pulls a trigger of the first assignment."""
        return lambda: self.city.fire(who, self.case.id, 1, trigger, form, when, version=version)

    def names(self) -> list[str]:
        """The events of the case, by their names; the whole of it holds together."""
        with self.city.store.read() as connection:
            assert invariants.broken(Session(connection, self.city.office), self.case.id) == []
            rows = connection.execute(invariants.select_events(self.case.id)).mappings()
            return [row["name"] for row in rows]


def races(city: Town, hands: ThreadPoolExecutor, count: int, level: str = "red") -> Iterator[Race]:
    """So many races, each on a case of its own."""
    for _ in range(count):
        yield Race(city, hands, city.whistle(level=level).case)


def test_of_two_who_acknowledge_one_does(city: Town, hands: ThreadPoolExecutor) -> None:
    for race in races(city, hands, 40):
        both = race.run(race.pull("officer@street", ACK), race.pull("lead@street", ACK))
        assert both == ["done", "wrong_state"]
        assert race.names().count("assignment.acknowledged") == 1


def test_of_two_declines_one_is_heard(city: Town, hands: ThreadPoolExecutor) -> None:
    proposed = city.places["street#2"].id
    for race in races(city, hands, 40, "orange"):
        decline = race.pull("lead@street", "decline", reason="not our street", proposed=proposed)
        assert race.run(decline, decline) == ["done", "wrong_state"]
        assert race.names().count("assignment.declined") == 1


def test_of_two_who_saw_the_same_version_one_is_told_that_somebody_was_first(
    city: Town, hands: ThreadPoolExecutor
) -> None:
    for race in races(city, hands, 40):
        seen = race.case.version
        both = race.run(
            race.pull("coordinator@district", "remind", version=seen),
            race.pull("supervisor@district", "remind", version=seen),
        )
        assert both == ["conflict", "done"]
        assert race.names().count("assignment.reminded") == 1


def test_a_decline_and_a_report_in_do_not_both_happen(city: Town, hands: ThreadPoolExecutor) -> None:
    there: dict[str, Any] = {"at": START.isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}
    proposed = city.places["street#2"].id
    for race in races(city, hands, 20, "orange"):
        both = race.run(
            race.pull("officer@street", "report_in", **there),
            race.pull("lead@street", "decline", reason="not ours", proposed=proposed),
        )
        assert both == ["done", "wrong_state"]
        names = race.names()
        assert names.count("assignment.reported_in") + names.count("assignment.declined") == 1


def test_a_trigger_beside_a_sweep_neither_loses_nor_doubles_a_rung(city: Town, hands: ThreadPoolExecutor) -> None:
    for race in races(city, hands, 30):
        both = race.run(race.pull("officer@street", ACK, LATER), lambda: city.sweep(LATER))
        assert both == ["done", "done"]
        city.sweep(LATER)
        names = race.names()
        assert names.count("assignment.acknowledged") == 1
        assert names.count("assignment.acknowledge.breached") == 3  # street, police, women's federation
        assert names.index("assignment.acknowledge.breached") < names.index("assignment.acknowledged")


def test_two_sweeps_side_by_side_fire_every_rung_once(city: Town, hands: ThreadPoolExecutor) -> None:
    expected = None
    for race in races(city, hands, 30):
        assert race.run(lambda: city.sweep(LATER), lambda: city.sweep(LATER)) == ["done", "done"]
        names = race.names()
        expected = expected or names
        assert names == expected
        assert city.sweep(LATER).fired == 0


def test_nothing_was_set_aside_and_no_event_is_doubled_in_any_race(city: Town) -> None:
    with city.store.read() as connection:
        assert connection.scalar(cases_table.select().where(cases_table.c.aside_count > 0)) is None
        numbers = [(row.case_id, row.seq) for row in connection.execute(event.select())]
        assert len(numbers) == len(set(numbers))
    assert RACES == 40 + 40 + 40 + 20 + 30 + 30


def test_a_case_that_is_taken_without_its_lock_is_found_out(
    city: Town, hands: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = loading.one_by_one
    monkeypatch.setattr(ledger, "one_by_one", lambda session, keys, **_: taken(session, keys, lock=False))
    caught = 0
    for race in races(city, hands, 10):
        try:
            both = race.run(race.pull("officer@street", ACK), race.pull("lead@street", ACK))
            caught += both != ["done", "wrong_state"]
        except (DBAPIError, psycopg.Error):
            caught += 1
    assert caught
