"""An incident can be read, and it ends by a person who says what became of it, which is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from cases import incidents
from cases.incidents import IncidentFault
from cases.installation import Installation
from cases.records import incident
from cases.store import Store
from tests.cases.test_health import states
from tests.town import START, Town, book, minutes, town


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def found(city: Town, kind: str, **more: object) -> int:
    with city.store.begin() as connection:
        new = insert(incident).values(at=START, kind=kind, why="what was found", **more)
        return int(connection.scalar(new.returning(incident.c.id)) or 0)


def listed(city: Town, *, ended: bool = False) -> list[incidents.Incident]:
    with city.store.read() as connection:
        return incidents.listed(connection, ended=ended)


def end(city: Town, number: int, why: str = "restored") -> None:
    with city.store.begin() as connection:
        incidents.end(connection, number, "周敏", why, START + minutes(5))


def test_the_doctor_is_content_once_a_person_has_said_what_became_of_each(city: Town) -> None:
    kept = Installation(city.store, city.office.keystore, city.office.master)
    kept.keep(book(), START, activate=True)
    for kind, state in (("dead_letter", "warn"), ("seal_broken", "bad")):
        number = found(city, kind)
        assert states(kept)["incidents"] == state
        end(city, number)
        assert states(kept)["incidents"] == "ok"


def test_those_that_are_open_are_read_with_their_case_and_what_was_found_the_newest_first(city: Town) -> None:
    case = city.whistle().case
    older, newer = found(city, "dead_letter"), found(city, "case_set_aside", case_id=case.id)
    assert [(one.number, one.kind, one.case, one.why) for one in listed(city)] == [
        (newer, "case_set_aside", case.number, "what was found"),
        (older, "dead_letter", None, "what was found"),
    ]


def test_who_has_ended_it_when_and_why_is_kept(city: Town) -> None:
    end(city, found(city, "dead_letter"), "  a new address  ")
    assert listed(city) == []
    (one,) = listed(city, ended=True)
    assert (one.ended_at, one.ended_by, one.ended_why) == (START + minutes(5), "周敏", "a new address")


def test_an_incident_ends_once_and_with_a_reason(city: Town) -> None:
    number = found(city, "dead_letter")
    for wanted, code, why in ((number, "no_why", "  "), (number + 1, "no_incident", "restored")):
        with pytest.raises(IncidentFault) as told:
            end(city, wanted, why)
        assert told.value.code == code
    end(city, number)
    with pytest.raises(IncidentFault) as told:
        end(city, number, "something else")
    assert "2026-03-17 00:25Z" in told.value.text("zh_CN")
    assert listed(city, ended=True)[0].ended_why == "restored"
